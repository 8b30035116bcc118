
-- One member of a document, through objects alone: a number in a path never
-- means an element of an array.
DECLARE
    step text;
BEGIN
    FOREACH step IN ARRAY path LOOP
        IF document IS NULL OR json_typeof(document) <> 'object' THEN
            RETURN NULL;
        END IF;
        document := document -> step;
    END LOOP;
    RETURN document;
END

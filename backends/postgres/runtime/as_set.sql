
-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
DECLARE
    element json;
    item {{1}};
    items {{1}}[] := '{}';
BEGIN
    IF value IS NULL OR json_typeof(value) <> 'array' THEN
        RETURN NULL;
    END IF;
    FOR element IN SELECT e FROM json_array_elements(value) AS a(e) LOOP
        IF json_typeof(element) <> 'null' THEN
            item := postern.{{2}}(element);
            IF item IS NULL THEN
                RETURN NULL;
            END IF;
            items := array_append(items, item);
        END IF;
    END LOOP;
    RETURN ARRAY(SELECT DISTINCT i FROM unnest(items) AS u(i));
END

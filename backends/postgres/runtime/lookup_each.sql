
-- An attribute that is the set of what the rows of a table with the user's key
-- hold; without such a row it is unknown. The directory goes before the table.
DECLARE
    s json := postern.subject();
    id {{2}};
BEGIN
    IF s -> 'attributes' -> {{1}} IS NOT NULL THEN
        RETURN s -> 'attributes' -> {{1}};
    END IF;
    id := {{3}};
    RETURN (SELECT json_agg({{4}}) FROM {{5}} WHERE {{6}} = id);
END


-- An attribute from the one row of a table that has the user's key; of no row,
-- and of several, it is unknown. The directory goes before the table.
DECLARE
    s json := postern.subject();
    id {{2}};
    found json;
    n integer := 0;
BEGIN
    IF s -> 'attributes' -> {{1}} IS NOT NULL THEN
        RETURN s -> 'attributes' -> {{1}};
    END IF;
    id := {{3}};
    FOR found IN SELECT {{4}} FROM {{5}} WHERE {{6}} = id LIMIT 2 LOOP
        n := n + 1;
    END LOOP;
    RETURN CASE WHEN n = 1 THEN found END;
END


-- A set: null elements are left out, one element of another type makes the
-- whole set unknown.
BEGIN
    IF json_typeof(value) = 'array' THEN
        RETURN (
            SELECT CASE WHEN count(i) = count(*) THEN coalesce(array_agg(DISTINCT i), '{}') END
            FROM (SELECT postern.{{1}}(e) AS i FROM json_array_elements(value) AS a(e) WHERE json_typeof(e) <> 'null' OFFSET 0) AS x
        );
    END IF;
    RETURN NULL;
END


-- A JSON document of a request. Postgres reads no document with a NUL character
-- in a string, so such a string becomes an object: no attribute has that type.
BEGIN
    IF position(E'\\u0000' IN s) > 0 THEN
        s := regexp_replace(s, E'"([^"\\\\]|\\\\[^u]|\\\\u(?!0000))*\\\\u0000([^"\\\\]|\\\\.)*"', '{}', 'g');
    END IF;
    RETURN s::json;
END

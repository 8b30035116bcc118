
DECLARE
    n numeric := postern.plain_number(value);
BEGIN
    IF n = trunc(n) AND n >= -9223372036854775808 AND n <= 9223372036854775807 THEN
        RETURN n::bigint;
    END IF;
    RETURN NULL;
END

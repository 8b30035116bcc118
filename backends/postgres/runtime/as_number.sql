
DECLARE
    n numeric := postern.plain_number(value);
BEGIN
    IF abs(n) < 100000000000000000000000000000000000000 AND n = round(n, 18) THEN
        RETURN n;
    END IF;
    RETURN NULL;
END


DECLARE
    s text := postern.as_string(value);
    t timestamptz;
BEGIN
    IF s IS NULL OR postern.day(left(s, 10)) IS NULL OR substr(s, 11) !~
        '^T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,6})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$' THEN
        RETURN NULL;
    END IF;
    t := s::timestamptz;
    IF t >= '0001-01-01 00:00:00+00'::timestamptz AND t <= '9999-12-31 23:59:59.999999+00'::timestamptz THEN
        RETURN t;
    END IF;
    RETURN NULL;
END

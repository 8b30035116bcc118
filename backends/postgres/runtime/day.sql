
-- The day that "2006-01-02" names; NULL where there is none, year 0 included.
DECLARE
    y int;
    m int;
    d int;
BEGIN
    IF s IS NULL OR s !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN
        RETURN NULL;
    END IF;
    y := left(s, 4)::int;
    m := substr(s, 6, 2)::int;
    d := right(s, 2)::int;
    IF y = 0 OR d > 30 AND m IN (4, 6, 9, 11) OR d > 29 AND m = 2
        OR d > 28 AND m = 2 AND NOT (y % 4 = 0 AND (y % 100 <> 0 OR y % 400 = 0)) THEN
        RETURN NULL;
    END IF;
    RETURN make_date(y, m, d);
END

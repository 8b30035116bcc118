
-- A JSON number of bounded length: 1e999999999 would take the server's memory.
BEGIN
    IF json_typeof(value) = 'number'
        AND (value #>> '{}') ~ '^-?(0|[1-9][0-9]{0,99})([.][0-9]{1,99})?([eE][+-]?[0-9]{1,2})?$' THEN
        RETURN (value #>> '{}')::numeric;
    END IF;
    RETURN NULL;
END

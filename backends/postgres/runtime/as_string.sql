
BEGIN
    IF json_typeof(value) = 'string' THEN
        RETURN value #>> '{}';
    END IF;
    RETURN NULL;
END

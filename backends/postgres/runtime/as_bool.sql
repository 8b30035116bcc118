
BEGIN
    IF json_typeof(value) = 'boolean' THEN
        RETURN (value #>> '{}') = 'true';
    END IF;
    RETURN NULL;
END


BEGIN
    RETURN CASE WHEN json_typeof(value) = 'string' THEN value #>> '{}' END;
END

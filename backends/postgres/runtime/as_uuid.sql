
DECLARE
    s text := CASE WHEN json_typeof(value) = 'string' THEN value #>> '{}' END;
BEGIN
    IF s ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' THEN
        RETURN s::uuid;
    END IF;
    RETURN NULL;
END

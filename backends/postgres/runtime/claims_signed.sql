
DECLARE
    claims json := postern.session() -> 'user';
BEGIN
    RETURN CASE WHEN json_typeof(claims) = 'object' THEN claims END;
END

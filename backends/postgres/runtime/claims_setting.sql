
-- The claims stand in a setting that a trusted server makes for each
-- transaction. Empty is anonymous; anything but a JSON object is an error.
DECLARE
    claims json := postern.document(nullif(current_setting({{1}}, true), ''));
BEGIN
    IF json_typeof(claims) <> 'object' THEN
        RAISE EXCEPTION 'postern: the setting % does not hold a JSON object', {{1}} USING ERRCODE = '22023';
    END IF;
    RETURN claims;
END

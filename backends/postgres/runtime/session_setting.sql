
-- The claims stand in a setting that a trusted server makes for each
-- transaction. Empty is anonymous; anything but a JSON object is an error.
DECLARE
    claims json := postern.document(nullif(current_setting({{1}}, true), ''));
    request json := postern.document(nullif(current_setting('postern.request', true), ''));
BEGIN
    IF json_typeof(claims) <> 'object' THEN
        RAISE EXCEPTION 'postern: the setting % does not hold a JSON object', {{1}} USING ERRCODE = '22023';
    END IF;
    IF json_typeof(request) <> 'object' THEN
        RAISE EXCEPTION 'postern: the setting postern.request does not hold a JSON object' USING ERRCODE = '22023';
    END IF;
    RETURN json_build_object('user', claims, 'request', request);
END

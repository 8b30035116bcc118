
-- What the server that makes the queries states of the request.
DECLARE
    request json := postern.document(nullif(current_setting('postern.request', true), ''));
BEGIN
    IF json_typeof(request) <> 'object' THEN
        RAISE EXCEPTION 'postern: the setting postern.request does not hold a JSON object' USING ERRCODE = '22023';
    END IF;
    RETURN request;
END

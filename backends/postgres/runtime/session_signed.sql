
-- The claims that open() sealed in this transaction. None is anonymous; a seal
-- that is not of this backend and transaction is an error.
DECLARE
    seal text := current_setting('postern.identity', true);
    parts text[];
BEGIN
    IF seal IS NULL OR seal = '' THEN
        RETURN '{}'::json;
    END IF;
    IF seal !~ '^[0-9]{1,9}[.][A-Za-z0-9+/]+={0,2}[.][0-9]+[.][0-9]+[.][0-9a-f]{64}$' THEN
        RAISE EXCEPTION 'postern: the identity of this session was changed' USING ERRCODE = '28000';
    END IF;
    parts := string_to_array(seal, '.');
    IF (parts[3] = pg_backend_pid()::text) IS NOT TRUE
        OR (parts[4] = trunc(extract(epoch FROM transaction_timestamp()) * 1000000)::text) IS NOT TRUE
        OR (sha256(postern.mac(parts[1]::int, 'session:' || left(seal, -65))) = sha256(decode(parts[5], 'hex'))) IS NOT TRUE THEN
        RAISE EXCEPTION 'postern: the identity of this session was changed' USING ERRCODE = '28000';
    END IF;
    RETURN postern.document(convert_from(decode(parts[2], 'base64'), 'UTF8'));
END

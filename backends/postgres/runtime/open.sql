
-- Verifies a token, once, and seals its claims to this backend and transaction.
DECLARE
    parts text[];
    payload json;
    acting text := coalesce(nullif(nullif(current_setting('role', true), 'none'), ''), session_user);
    body text;
BEGIN
    IF token IS NULL OR token !~ '^v1[.][0-9]{1,9}[.][A-Za-z0-9+/]+={0,2}[.][0-9a-f]{64}$' THEN
        RAISE EXCEPTION 'postern: not a token' USING ERRCODE = '28000';
    END IF;
    parts := string_to_array(token, '.');
    -- Hashing both sides again keeps the time of the comparison from telling
    -- how much of a guess was right.
    IF (sha256(postern.mac(parts[2]::int, left(token, -65))) = sha256(decode(parts[4], 'hex'))) IS NOT TRUE THEN
        RAISE EXCEPTION 'postern: the token is not signed with a key of this database' USING ERRCODE = '28000';
    END IF;
    payload := postern.document(convert_from(decode(parts[3], 'base64'), 'UTF8'));
    IF (payload ->> 'database' = current_database()) IS NOT TRUE THEN
        RAISE EXCEPTION 'postern: the token is for another database' USING ERRCODE = '28000';
    END IF;
    IF pg_has_role(acting::name, (payload ->> 'role')::name, 'MEMBER') IS NOT TRUE THEN
        RAISE EXCEPTION 'postern: the token is for another account' USING ERRCODE = '28000';
    END IF;
    IF ((payload ->> 'expires')::numeric > extract(epoch FROM clock_timestamp())) IS NOT TRUE THEN
        RAISE EXCEPTION 'postern: the token has expired' USING ERRCODE = '28000';
    END IF;
    body := parts[2] || '.' || parts[3] || '.' || pg_backend_pid() || '.'
        || trunc(extract(epoch FROM transaction_timestamp()) * 1000000);
    PERFORM set_config('postern.identity',
        body || '.' || encode(postern.mac(parts[2]::int, 'session:' || body), 'hex'), true);
END


-- The stated groups and all that they are nested in.
DECLARE
    direct text[] := postern.as_string_set(postern.subject() -> 'groups');
BEGIN
    IF direct IS NULL THEN
        RETURN NULL;
    END IF;
    -- The groups must be those that this text was made with, as in subject().
    IF NOT EXISTS (SELECT FROM postern.generation g WHERE g.name = 'identity' AND g.hash = {{1}}) THEN
        RAISE EXCEPTION 'postern: the rules have changed since this transaction began; retry it' USING ERRCODE = '40001';
    END IF;
    RETURN ARRAY(
        SELECT g FROM unnest(direct) AS d(g)
        UNION
        SELECT c.above FROM postern.group_closure c WHERE c.name = ANY (direct)
    );
END


-- What is known of the user: the claims, and what the directory states in
-- their place. At level anonymous nothing else is told.
DECLARE
    claims json := postern.session() -> 'user';
    id text;
    entry record;
    stated json;
    level text;
BEGIN
    IF claims IS NULL OR json_typeof(claims) <> 'object' THEN
        RETURN json_build_object('level', 'anonymous');
    END IF;
    id := postern.{{1}}(postern.claim(claims, {{2}}))::text;
    {{4}}
    -- This text is the current one, but rows are those of the transaction's
    -- snapshot: the directory and the groups must be those it was made with.
    SELECT d.level, d.groups::json AS groups, d.attributes::json AS attributes
        INTO entry FROM postern.generation g LEFT JOIN postern.directory d ON d.key = id
        WHERE g.name = 'identity' AND g.hash = {{5}};
    IF NOT FOUND THEN
        RAISE EXCEPTION 'postern: the rules have changed since this transaction began; retry it' USING ERRCODE = '40001';
    END IF;
    stated := claims -> 'access_level';
    IF entry.level IS NOT NULL THEN
        level := entry.level;
    ELSIF stated IS NULL OR json_typeof(stated) = 'null' THEN
        level := CASE WHEN id IS NULL THEN 'anonymous' ELSE 'user' END;
    ELSIF postern.as_string(stated) = ANY ({{3}}) THEN
        level := postern.as_string(stated);
    END IF;
    IF level = 'anonymous' THEN
        RETURN json_build_object('level', level);
    END IF;
    RETURN json_build_object('level', level, 'claims', claims,
        'groups', coalesce(entry.groups, claims -> 'groups'), 'attributes', entry.attributes);
END

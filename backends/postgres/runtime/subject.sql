
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
    SELECT d.level, d.groups::json AS groups, d.attributes::json AS attributes
        INTO entry FROM postern.directory d WHERE d.key = id;
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

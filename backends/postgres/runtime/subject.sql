
-- What is known of the user: the claims, and what the directory states in
-- their place. At level anonymous nothing else is told.
DECLARE
    claims json := postern.claims();
    id text := postern.{{1}}({{2}})::text;
    stated json := claims -> 'access_level';
    groups json := claims -> 'groups';
    attributes json;
    level text;
BEGIN
    IF claims IS NULL THEN
        RETURN '{"level": "anonymous"}';
    END IF;
    {{4}}
    IF stated IS NULL OR json_typeof(stated) = 'null' THEN
        level := CASE WHEN id IS NULL THEN 'anonymous' ELSE 'user' END;
    ELSIF postern.as_string(stated) = ANY ({{3}}) THEN
        level := postern.as_string(stated);
    END IF;
    {{5}}
    IF level = 'anonymous' THEN
        RETURN '{"level": "anonymous"}';
    END IF;
    RETURN json_build_object('level', level, 'claims', claims, 'groups', groups, 'attributes', attributes);
END

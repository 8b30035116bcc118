
-- The stated groups and all that they are nested in.
DECLARE
    direct text[] := postern.as_string_set(postern.subject() -> 'groups');
BEGIN
    IF direct IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(
        SELECT g FROM unnest(direct) AS d(g)
        UNION
        SELECT c.above FROM postern.group_closure c WHERE c.name = ANY (direct)
    );
END

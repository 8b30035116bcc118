
-- The user is who logged in, whatever SET ROLE says. Groups are roles that the
-- login is a member of, with or without inheriting their rights. Superusers
-- count as members of everything, and so of nothing here.
DECLARE
    groups json := (
        SELECT coalesce(json_agg(g.rolname), '[]'::json) FROM pg_catalog.pg_roles g, pg_catalog.pg_roles me
        WHERE g.rolname::text = ANY ({{2}}) AND me.rolname = session_user AND NOT me.rolsuper
            AND pg_has_role(me.oid, g.oid, 'MEMBER') AND g.oid <> me.oid
    );
BEGIN
    RETURN {{1}};
END

package audit

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/jackc/pgx/v5"
)

// hash is how the table postern.objects remembers a view.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// own are the conditions for objects that are neither Postgres' own nor an
// extension's; n is the pg_namespace row.
const own = ` n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'`

// The catalog queries of an audit, for PostgreSQL 14 to 18. Each reads all
// objects of its kind; objects are named by their oids, which are numbers here.
const (
	queryRoles = `SELECT oid::int8, rolname::text, rolcanlogin, rolsuper, rolcreaterole, rolreplication, rolbypassrls, oid = 10
FROM pg_roles`

	// Before PostgreSQL 16 a membership inherits as its member does and always
	// allows SET ROLE.
	queryMembers = `SELECT a.roleid::int8, a.member::int8, coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit),
	coalesce((to_jsonb(a) ->> 'set_option')::boolean, true), a.admin_option, a.grantor::int8
FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member ORDER BY 1, 2, 6`

	queryRelations = `SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, c.relowner::int8, c.relrowsecurity, c.relforcerowsecurity,
	coalesce((SELECT bool_or(option_value::boolean) FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_invoker'), false),
	coalesce((SELECT bool_or(option_value::boolean) FROM pg_options_to_table(c.reloptions) WHERE option_name = 'security_barrier'), false),
	CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) ELSE '' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't' AND` + own + `
ORDER BY 2, 3`

	// Who has what on relations and columns, by the text of the list: many have
	// the same one.
	queryRelationACL = `SELECT c.oid::int8, '', c.relacl::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE c.relacl IS NOT NULL AND` + own + `
UNION ALL SELECT c.oid::int8, t.attname::text, t.attacl::text FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
	JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.attacl IS NOT NULL AND NOT t.attisdropped AND` + own

	queryLists = `SELECT l.acl::text, a.grantor::int8, a.grantee::int8, a.privilege_type, a.is_grantable
FROM (SELECT relacl FROM pg_class UNION SELECT attacl FROM pg_attribute) AS l(acl), LATERAL aclexplode(l.acl) AS a`

	queryInherits = `SELECT inhrelid::int8, inhparent::int8 FROM pg_inherits`

	querySequences = `SELECT p.objid::int8, p.refobjid::int8 FROM pg_depend p JOIN pg_class s ON s.oid = p.objid AND s.relkind = 'S'
WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass AND p.refobjsubid > 0 AND p.deptype IN ('a', 'i')
UNION SELECT p.refobjid::int8, d.adrelid::int8 FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
	AND p.refclassid = 'pg_class'::regclass JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S'`

	queryRewrites = `SELECT w.oid::int8, w.ev_class::int8, w.rulename::text, w.rulename = '_RETURN', d.refobjid::int8
FROM pg_rewrite w LEFT JOIN (SELECT DISTINCT objid, refobjid FROM pg_depend
	WHERE classid = 'pg_rewrite'::regclass AND refclassid = 'pg_class'::regclass) d ON d.objid = w.oid AND d.refobjid <> w.ev_class
ORDER BY w.ev_class, w.rulename, d.refobjid`

	queryFunctions = `SELECT p.oid::int8, n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid), l.lanname::text, p.prosrc,
	p.proowner::int8, p.prosecdef, p.proleakproof, p.prosqlbody IS NOT NULL, p.prorettype = 'trigger'::regtype, p.proconfig
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind IN ('f', 'p') AND` + own + `
	AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`

	queryFunctionACL = `SELECT p.oid::int8, '', a.grantor::int8, a.grantee::int8, a.privilege_type, a.is_grantable
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
WHERE` + own

	queryFunctionReads = `SELECT DISTINCT objid::int8, refobjid::int8 FROM pg_depend
WHERE classid = 'pg_proc'::regclass AND refclassid = 'pg_class'::regclass`

	queryTriggers = `SELECT tgrelid::int8, tgname::text, tgfoid::int8 FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgparentid = 0`

	queryPolicies = `SELECT p.polrelid::int8, p.polname::text, p.polcmd::text, p.polpermissive, p.polroles::int8[],
	coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
	coalesce((SELECT array_agg(DISTINCT d.refobjid::int8) FROM pg_depend d
		WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass), '{}')
FROM pg_policy p`

	// The same without conditions and what they call, which cost the most.
	queryBarePolicies = `SELECT p.polrelid::int8, p.polname::text, p.polcmd::text, p.polpermissive, p.polroles::int8[], '', '', '{}'::int8[]
FROM pg_policy p`

	queryForeignKeys = `SELECT k.conname::text, k.conrelid::int8, k.confrelid::int8, k.confdeltype::text, k.confupdtype::text,
	(SELECT array_agg(a.attname::text ORDER BY u.ord) FROM unnest(k.conkey) WITH ORDINALITY AS u(num, ord)
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num),
	(SELECT array_agg(a.attname::text ORDER BY u.ord) FROM unnest(k.confkey) WITH ORDINALITY AS u(num, ord)
		JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num)
FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0`

	queryKeys = `SELECT i.indrelid::int8, x.relname::text, coalesce((SELECT array_agg(a.attname::text ORDER BY u.ord)
	FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS u(num, ord) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.num), '{}')
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indisunique`

	// PostgreSQL 15 added filters and schemas to publications.
	queryPublications14 = `SELECT p.pubname::text, p.puballtables, p.pubowner::int8, c.oid::int8, false, false
FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname
	JOIN pg_namespace n ON n.nspname = t.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename`

	queryPublications = `SELECT p.pubname::text, p.puballtables, p.pubowner::int8, c.oid::int8, t.rowfilter IS NOT NULL,
	EXISTS (SELECT FROM pg_publication_namespace s WHERE s.pnpubid = p.oid AND s.pnnspid = n.oid)
FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname
	JOIN pg_namespace n ON n.nspname = t.schemaname JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename`

	queryDefaultACL = `SELECT d.defaclrole::int8, coalesce(n.nspname::text, ''), d.defaclobjtype::text, a.grantee::int8, a.privilege_type
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, LATERAL aclexplode(d.defaclacl) AS a
WHERE a.grantee <> d.defaclrole`

	querySchemas = `SELECT n.nspname::text, n.nspowner::int8, a.grantor::int8, a.grantee::int8, a.privilege_type, a.is_grantable
FROM pg_namespace n, LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS a WHERE` + own

	queryDatabase = `SELECT d.datdba::int8, a.grantor::int8, a.grantee::int8, a.privilege_type, a.is_grantable
FROM pg_database d, LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a WHERE d.datname = current_database()`

	queryLargeObjects = `SELECT l.oid::text, l.lomowner::int8, a.grantor::int8, a.grantee::int8, a.privilege_type, a.is_grantable
FROM pg_largeobject_metadata l, LATERAL aclexplode(l.lomacl) AS a WHERE a.grantee <> l.lomowner`

	queryUserMappings = `SELECT srvname::text, usename::text FROM pg_user_mappings`

	queryPresets = `SELECT s.setrole::int8, s.setdatabase <> 0, split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_db_role_setting s, LATERAL unnest(s.setconfig) AS c
WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))`

	queryCompat = `SELECT current_setting('lo_compat_privileges') = 'on'`
)

// queries are all queries, in an order in which what a row names has been read.
// Bare ones read policies without their conditions, which no rule needs that
// may find something critical.
func (c *catalog) queries(bare bool) []query {
	publications, policies := queryPublications, queryPolicies
	if c.live.Server.Version < 150000 {
		publications = queryPublications14
	}
	if bare {
		policies = queryBarePolicies
	}
	return []query{
		{"roles", queryRoles, Critical, c.readRole},
		{"memberships", queryMembers, Critical, c.readMember},
		{"relations", queryRelations, Critical, c.readRelation},
		{"access lists", queryLists, Critical, c.readList},
		{"grants", queryRelationACL, Critical, c.readRelationACL},
		{"children", queryInherits, Critical, c.readInherits},
		{"sequences", querySequences, Medium, c.readSequence},
		{"rules", queryRewrites, Critical, c.readRewrite},
		{"functions", queryFunctions, Critical, c.readFunction},
		{"function grants", queryFunctionACL, Critical, c.readFunctionACL},
		{"function tables", queryFunctionReads, Critical, c.readFunctionReads},
		{"triggers", queryTriggers, High, c.readTrigger},
		{"policies", policies, Critical, c.readPolicy},
		{"foreign keys", queryForeignKeys, Low, c.readForeignKey},
		{"unique keys", queryKeys, Info, c.readKey},
		{"publications", publications, High, c.readPublication},
		{"default privileges", queryDefaultACL, High, c.readDefaultACL},
		{"schemas", querySchemas, High, c.readSchema},
		{"the database", queryDatabase, Medium, c.readDatabase},
		{"large objects", queryLargeObjects, Medium, c.readLargeObject},
		{"user mappings", queryUserMappings, Medium, c.readUserMapping},
		{"settings of roles and databases", queryPresets, Critical, c.readPreset},
		{"settings", queryCompat, High, func(r pgx.Rows) error { return r.Scan(&c.loCompat) }},
	}
}

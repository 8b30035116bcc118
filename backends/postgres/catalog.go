package postgres

// The catalog queries of an inspection. They run on PostgreSQL 14 to 18 and
// need no privilege beyond CONNECT. Parameters are JSON or arrays in text form,
// results are read as text. Each reads all objects of its kind at once: the
// number of round trips does not grow with the database.
const (
	// pinSession makes what the queries print independent of the session:
	// names are qualified, times are UTC, strings are as the printers write them.
	pinSession = `SELECT set_config(n, v, true) FROM (VALUES
	('search_path', 'pg_catalog'), ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'), ('IntervalStyle', 'postgres'),
	('standard_conforming_strings', 'on'), ('quote_all_identifiers', 'off'), ('bytea_output', 'hex'),
	('extra_float_digits', '1'), ('client_min_messages', 'warning'), ('statement_timeout', '0'),
	('escape_string_warning', 'off'), ('check_function_bodies', 'off')) AS s(n, v)`

	queryServer = `SELECT current_setting('server_version_num'), current_setting('server_version'), current_database(),
	current_user, u.rolsuper, u.rolcreaterole, has_database_privilege(current_database(), 'CREATE'),
	pg_is_in_recovery(), current_setting('server_encoding'),
	has_table_privilege('pg_catalog.pg_authid', 'SELECT'),
	(SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()),
	u.rolcreatedb, u.rolreplication, u.rolbypassrls,
	(SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()),
	(SELECT coalesce(json_agg(s.rolname), '[]') FROM pg_roles s WHERE s.rolsuper), pg_snapshot_xmin(pg_current_snapshot())::xid::text,
	CASE WHEN NOT u.rolsuper THEN (SELECT json_agg(s.rolname) FROM pg_roles s WHERE pg_has_role(s.oid, 'USAGE')) END
FROM pg_roles u WHERE u.rolname = current_user`

	// $1: JSON [{"schema","name"}].
	queryGenerated = `SELECT n.nspname, c.relname, c.oid, pg_get_userbyid(c.relowner),
	has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE'),
	(SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
		pg_get_expr(d.adbin, d.adrelid)) ORDER BY a.attnum)
		FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
		WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
	(SELECT json_agg(a.attname ORDER BY k.ord)
		FROM pg_index i, LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k(num, ord), pg_attribute a
		WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = k.num),
	c.relrowsecurity
FROM json_to_recordset($1::json) AS t(schema text, name text)
	JOIN pg_namespace n ON n.nspname = t.schema
	JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind IN ('r', 'p')`

	// $1: JSON array of role names.
	queryRoles = `SELECT r.rolname, r.rolcanlogin, r.rolinherit, r.rolsuper, r.rolcreaterole, r.rolcreatedb,
	r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.rolvaliduntil, shobj_description(r.oid, 'pg_authid'),
	(SELECT json_agg(c) FROM pg_db_role_setting s, LATERAL unnest(s.setconfig) c
		WHERE s.setrole = r.oid AND s.setdatabase = 0),
	(SELECT json_agg(c) FROM pg_db_role_setting s, LATERAL unnest(s.setconfig) c
		WHERE s.setrole = r.oid AND s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())),
	pg_has_role(r.oid, 'USAGE WITH ADMIN OPTION')
FROM pg_roles r WHERE r.rolname::text IN (SELECT json_array_elements_text($1::json))`

	// Before PostgreSQL 16 a membership has no options of its own: it inherits
	// as its member does, and always allows SET ROLE. $1: JSON role names.
	queryMemberships = `SELECT g.rolname, m.rolname, coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit),
	coalesce((to_jsonb(a) ->> 'set_option')::boolean, true), a.admin_option, gr.rolname, m.rolcreaterole,
	coalesce((to_jsonb(a) ->> 'set_option') IS NULL OR pg_has_role(gr.oid, 'USAGE'), true)
FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
	LEFT JOIN pg_roles gr ON gr.oid = a.grantor
WHERE g.rolname::text IN (SELECT json_array_elements_text($1::json))
	OR m.rolname::text IN (SELECT json_array_elements_text($1::json))`

	// $1: JSON schema names.
	querySchemas = `SELECT n.nspname, pg_get_userbyid(n.nspowner), obj_description(n.oid, 'pg_namespace'),
	pg_has_role(n.nspowner, 'USAGE')
FROM pg_namespace n WHERE n.nspname::text IN (SELECT json_array_elements_text($1::json))`

	// The tables named and everything below them. $1: JSON [{"schema","name"}].
	queryRelations = `WITH RECURSIVE rel(oid, child) AS (
	SELECT c.oid, false FROM json_to_recordset($1::json) AS t(schema text, name text)
		JOIN pg_namespace n ON n.nspname = t.schema
		JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name
		WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
	UNION SELECT i.inhrelid, true FROM rel JOIN pg_inherits i ON i.inhparent = rel.oid)
SELECT c.oid, n.nspname, c.relname, c.relkind, o.rolname, o.rolcanlogin, c.relrowsecurity, c.relforcerowsecurity,
	pg_has_role(c.relowner, 'USAGE'),
	(SELECT json_agg(json_build_array(pn.nspname, p.relname) ORDER BY pn.nspname, p.relname) FROM pg_inherits i
		JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace WHERE i.inhrelid = c.oid),
	o.rolsuper OR o.rolbypassrls
FROM (SELECT DISTINCT oid FROM rel) AS r JOIN pg_class c ON c.oid = r.oid
	JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner`

	// $1: array of table oids.
	queryColumns = `SELECT a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
	CASE WHEN t.typnamespace <> 'pg_catalog'::regnamespace THEN (
		WITH RECURSIVE b AS (
			SELECT e.oid, e.typtype, e.typbasetype FROM pg_type e
			WHERE e.oid = CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 THEN t.typelem ELSE t.oid END
			UNION ALL SELECT n.oid, n.typtype, n.typbasetype FROM b JOIN pg_type n ON b.typtype = 'd' AND n.oid = b.typbasetype)
		SELECT CASE b.typtype WHEN 'e' THEN 'enum' ELSE format_type(b.oid, NULL) END FROM b WHERE b.typtype <> 'd') END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum`

	// The sequences that columns' defaults draw from. $1: array of table oids.
	querySequences = `SELECT d.adrelid, n.nspname, s.relname
FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
	AND p.refclassid = 'pg_class'::regclass
	JOIN pg_class s ON s.oid = p.refobjid AND s.relkind = 'S' JOIN pg_namespace n ON n.oid = s.relnamespace
WHERE d.adrelid = ANY ($1::oid[])`

	// $1: array of table oids.
	queryPolicies = `SELECT p.polrelid, p.polname, p.polcmd, p.polpermissive,
	(SELECT json_agg(CASE WHEN u <> 0 THEN pg_get_userbyid(u) END) FROM unnest(p.polroles) u),
	pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p WHERE p.polrelid = ANY ($1::oid[])`

	// The policies that other transactions wrote which had not ended when a
	// snapshot was taken. $1: the oldest transaction under way then.
	queryPoliciesSince = `SELECT p.polrelid, p.polname, p.polcmd, p.polpermissive,
	(SELECT json_agg(CASE WHEN u <> 0 THEN pg_get_userbyid(u) END) FROM unnest(p.polroles) u),
	pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
FROM pg_policy p WHERE age(p.xmin) <= age($1::xid) AND p.xmin IS DISTINCT FROM pg_current_xact_id_if_assigned()::xid`

	// Whatever anyone holds on the objects in scope, and whatever the roles in
	// scope hold anywhere. An object without an ACL has the built-in defaults; a
	// table's, column's or sequence's give nothing to anyone but the owner. The
	// lists are taken apart here: a row for each column is far cheaper to read
	// than one for each privilege.
	// $1: array of table oids, $2: JSON schema names, $3: JSON role names,
	// $4: JSON names of generated schemas.
	grantsBefore15 = `WITH ours AS MATERIALIZED (
	SELECT oid FROM pg_roles WHERE rolname::text IN (SELECT json_array_elements_text($3::json))),
rels AS MATERIALIZED (SELECT unnest($1::oid[]) AS oid),
seqs AS MATERIALIZED (SELECT p.refobjid AS oid
	FROM pg_attrdef d JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
		AND p.refclassid = 'pg_class'::regclass WHERE d.adrelid IN (SELECT oid FROM rels)
	UNION SELECT p.objid FROM pg_depend p WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
		AND p.refobjsubid > 0 AND p.deptype IN ('a', 'i') AND p.refobjid IN (SELECT oid FROM rels)),
made AS MATERIALIZED (
	SELECT oid FROM pg_namespace WHERE nspname::text IN (SELECT json_array_elements_text($4::json)))
SELECT o.kind, o.schema, o.name, o.sub, pg_get_userbyid(o.owner), o.here, o.acl::text
FROM (
	SELECT 'database', '', '', '', datdba, coalesce(datacl, acldefault('d', datdba)), true
		FROM pg_database WHERE datname = current_database()
	UNION ALL SELECT 'schema', '', nspname, '', nspowner, coalesce(nspacl, acldefault('n', nspowner)),
		nspname::text IN (SELECT json_array_elements_text($2::json)) FROM pg_namespace
	UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, n.nspname, relname, '', relowner, relacl,
		c.oid IN (SELECT oid FROM rels) OR c.oid IN (SELECT oid FROM seqs) OR n.oid IN (SELECT oid FROM made)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE relacl IS NOT NULL AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
	UNION ALL SELECT 'column', n.nspname, relname, attname, relowner, attacl, c.oid IN (SELECT oid FROM rels)
		FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE attacl IS NOT NULL AND NOT attisdropped
	UNION ALL SELECT CASE prokind WHEN 'f' THEN 'function' ELSE 'routine' END, n.nspname, proname, pg_get_function_identity_arguments(p.oid), proowner,
		coalesce(proacl, acldefault('f', proowner)), n.oid IN (SELECT oid FROM made)
		FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
		WHERE proacl IS NOT NULL OR n.oid IN (SELECT oid FROM made)
	UNION ALL SELECT 'type', n.nspname, typname, '', typowner, typacl, false
		FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE typacl IS NOT NULL
	UNION ALL SELECT 'language', '', lanname, '', lanowner, lanacl, false FROM pg_language WHERE lanacl IS NOT NULL
	UNION ALL SELECT 'foreign data wrapper', '', fdwname, '', fdwowner, fdwacl, false
		FROM pg_foreign_data_wrapper WHERE fdwacl IS NOT NULL
	UNION ALL SELECT 'foreign server', '', srvname, '', srvowner, srvacl, false
		FROM pg_foreign_server WHERE srvacl IS NOT NULL
	UNION ALL SELECT 'large object', '', oid::text, '', lomowner, lomacl, false
		FROM pg_largeobject_metadata WHERE lomacl IS NOT NULL
	UNION ALL SELECT 'tablespace', '', spcname, '', spcowner, spcacl, false FROM pg_tablespace WHERE spcacl IS NOT NULL`

	// Parameters have access lists since PostgreSQL 15, granted as by the role that
	// the server was made with.
	grantsSince15 = `
	UNION ALL SELECT 'parameter', '', parname, '', 10::oid, paracl, false FROM pg_parameter_acl`

	grantsEnd = `
) AS o(kind, schema, name, sub, owner, acl, here)
WHERE CASE WHEN o.here THEN true
	ELSE EXISTS (SELECT FROM aclexplode(o.acl) AS a WHERE a.grantee IN (SELECT oid FROM ours)) END`

	// $1: JSON role names.
	queryDefaultPrivileges = `SELECT pg_get_userbyid(d.defaclrole), coalesce(n.nspname, ''), d.defaclobjtype,
	pg_get_userbyid(a.grantee), a.privilege_type, a.is_grantable
FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace, LATERAL aclexplode(d.defaclacl) AS a
WHERE a.grantee IN (SELECT oid FROM pg_roles WHERE rolname::text IN (SELECT json_array_elements_text($1::json)))
	AND a.grantee <> d.defaclrole`

	// What new objects of the connected role give to others by default.
	queryInherited = `SELECT d.defaclobjtype, CASE WHEN a.grantee <> 0 THEN pg_get_userbyid(a.grantee) END
FROM pg_default_acl d, LATERAL aclexplode(d.defaclacl) AS a
WHERE d.defaclnamespace = 0 AND pg_get_userbyid(d.defaclrole) = current_user AND a.grantee <> d.defaclrole`

	// $1: JSON names of generated schemas.
	queryFunctions = `SELECT n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), pg_get_function_arguments(p.oid),
	pg_get_function_result(p.oid), l.lanname, p.prosrc, p.prosecdef, p.proisstrict, p.proleakproof, p.provolatile,
	p.proparallel, to_json(p.proconfig), pg_get_userbyid(p.proowner), obj_description(p.oid, 'pg_proc')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.prokind = 'f' AND n.nspname::text IN (SELECT json_array_elements_text($1::json))`

	// $1: JSON [{"schema","name"}].
	queryViews = `SELECT n.nspname, c.relname, pg_get_userbyid(c.relowner), pg_get_viewdef(c.oid), to_json(c.reloptions),
	(SELECT json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) ORDER BY a.attnum)
		FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM json_to_recordset($1::json) AS t(schema text, name text)
	JOIN pg_namespace n ON n.nspname = t.schema
	JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind = 'v'`

	// What keeps roles from being dropped: objects they own here, and whatever
	// they have in other databases. $1: JSON role names.
	queryDependents = `SELECT r.rolname, coalesce(d.datname, ''),
	CASE WHEN d.datname = current_database() THEN pg_describe_object(s.classid, s.objid, s.objsubid) ELSE '' END,
	CASE WHEN d.datname = current_database() THEN (SELECT json_build_array(i.type, i.schema, i.name)
		FROM pg_identify_object(s.classid, s.objid, s.objsubid) i) END
FROM pg_shdepend s JOIN pg_roles r ON s.refclassid = 'pg_authid'::regclass AND r.oid = s.refobjid
	LEFT JOIN pg_database d ON d.oid = s.dbid
WHERE r.rolname::text IN (SELECT json_array_elements_text($1::json))
	AND (s.deptype = 'o' OR d.datname <> current_database())`
)

// queryGrants reads the access lists that a server of a version has.
func queryGrants(version int) string {
	if version < 150000 {
		return grantsBefore15 + grantsEnd
	}
	return grantsBefore15 + grantsSince15 + grantsEnd
}

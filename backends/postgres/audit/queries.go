package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

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

	queryRelationACL = `SELECT o.rel, o.col, a.grantor::int8, a.grantee::int8, a.privilege_type, a.is_grantable
FROM (SELECT c.oid::int8, '', c.relacl FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL AND` + own + `
	UNION ALL SELECT c.oid::int8, t.attname::text, t.attacl FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.attacl IS NOT NULL AND NOT t.attisdropped AND` + own + `
) AS o(rel, col, acl), LATERAL aclexplode(o.acl) AS a`

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

	queryPolicies = `SELECT p.oid::int8, p.polrelid::int8, p.polname::text, p.polcmd::text, p.polpermissive, p.polroles::int8[],
	coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), ''),
	coalesce((SELECT array_agg(DISTINCT d.refobjid::int8) FROM pg_depend d
		WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass), '{}')
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

	queryCompat = `SELECT current_setting('lo_compat_privileges') = 'on'`
)

func (c *catalog) queries() []query {
	publications := queryPublications
	if c.live.Server.Version < 150000 {
		publications = queryPublications14
	}
	return []query{
		{"roles", queryRoles, c.readRole},
		{"memberships", queryMembers, c.readMember},
		{"relations", queryRelations, c.readRelation},
		{"grants", queryRelationACL, c.readRelationACL},
		{"children", queryInherits, c.readInherits},
		{"sequences", querySequences, c.readSequence},
		{"rules", queryRewrites, c.readRewrite},
		{"functions", queryFunctions, c.readFunction},
		{"function grants", queryFunctionACL, c.readFunctionACL},
		{"function tables", queryFunctionReads, c.readFunctionReads},
		{"triggers", queryTriggers, c.readTrigger},
		{"policies", queryPolicies, c.readPolicy},
		{"foreign keys", queryForeignKeys, c.readForeignKey},
		{"unique keys", queryKeys, c.readKey},
		{"publications", publications, c.readPublication},
		{"default privileges", queryDefaultACL, c.readDefaultACL},
		{"schemas", querySchemas, c.readSchema},
		{"the database", queryDatabase, c.readDatabase},
		{"large objects", queryLargeObjects, c.readLargeObject},
		{"user mappings", queryUserMappings, c.readUserMapping},
		{"settings", queryCompat, func(r pgx.Rows) error { return r.Scan(&c.loCompat) }},
	}
}

func (c *catalog) readRole(rows pgx.Rows) error {
	r := &role{}
	err := rows.Scan(&r.oid, &r.name, &r.login, &r.super, &r.createRole, &r.replication, &r.bypass, &r.bootstrap)
	c.roles[r.oid], c.byName[r.name] = r, r
	return err
}

func (c *catalog) readMember(rows pgx.Rows) error {
	var of, member, grantor oid
	m := &membership{}
	if err := rows.Scan(&of, &member, &m.inherit, &m.set, &m.admin, &grantor); err != nil {
		return err
	}
	m.role, m.member, m.grantor = c.roles[of], c.roles[member], c.roles[grantor]
	if m.role != nil && m.member != nil {
		c.members = append(c.members, m)
	}
	return nil
}

func (c *catalog) readRelation(rows pgx.Rows) error {
	r := &relation{}
	var owner oid
	err := rows.Scan(&r.oid, &r.schema, &r.name, &r.kind, &owner, &r.rls, &r.force, &r.invoker, &r.barrier, &r.definition)
	r.owner = c.owner(owner)
	c.rels[r.oid] = r
	c.order = append(c.order, r)
	return err
}

// owner is a role of which something is; one that is gone has a name of its own.
func (c *catalog) owner(id oid) *role {
	if r := c.roles[id]; r != nil {
		return r
	}
	return &role{oid: id, name: "unknown"}
}

// grantee is the role that holds something; nil for PUBLIC.
func (c *catalog) grantee(id oid) *role {
	if id == 0 {
		return nil
	}
	return c.owner(id)
}

func (c *catalog) readACL(rows pgx.Rows, to func(id oid) *[]acl) error {
	var id, grantor, grantee oid
	a := acl{}
	if err := rows.Scan(&id, &a.column, &grantor, &grantee, &a.privilege, &a.grantable); err != nil {
		return err
	}
	if list := to(id); list != nil {
		a.grantor, a.grantee = c.owner(grantor), c.grantee(grantee)
		*list = append(*list, a)
	}
	return nil
}

func (c *catalog) readRelationACL(rows pgx.Rows) error {
	return c.readACL(rows, func(id oid) *[]acl {
		if r := c.rels[id]; r != nil {
			return &r.acl
		}
		return nil
	})
}

func (c *catalog) readFunctionACL(rows pgx.Rows) error {
	return c.readACL(rows, func(id oid) *[]acl {
		if f := c.funcs[id]; f != nil {
			return &f.acl
		}
		return nil
	})
}

func (c *catalog) readInherits(rows pgx.Rows) error {
	var child, parent oid
	err := rows.Scan(&child, &parent)
	if ch, p := c.rels[child], c.rels[parent]; ch != nil && p != nil {
		ch.parents, p.children = append(ch.parents, p), append(p.children, ch)
	}
	return err
}

func (c *catalog) readSequence(rows pgx.Rows) error {
	var seq, table oid
	err := rows.Scan(&seq, &table)
	if s, t := c.rels[seq], c.rels[table]; s != nil && t != nil {
		s.draws = t
	}
	return err
}

func (c *catalog) readRewrite(rows pgx.Rows) error {
	var id, on oid
	var reads *oid
	w := &rewrite{}
	if err := rows.Scan(&id, &on, &w.name, &w.isView, &reads); err != nil {
		return err
	}
	w.on = c.rels[on]
	if w.on == nil {
		return nil
	}
	if n := len(c.rules); n > 0 && c.rules[n-1].on == w.on && c.rules[n-1].name == w.name {
		w = c.rules[n-1]
	} else {
		c.rules = append(c.rules, w)
	}
	if reads != nil && c.rels[*reads] != nil {
		w.reads = append(w.reads, c.rels[*reads])
	}
	return nil
}

func (c *catalog) readFunction(rows pgx.Rows) error {
	f := &function{}
	var owner oid
	err := rows.Scan(&f.oid, &f.schema, &f.name, &f.args, &f.lang, &f.src, &owner, &f.definer, &f.leakproof, &f.parsed, &f.trigger, &f.config)
	f.owner = c.owner(owner)
	c.funcs[f.oid] = f
	c.funList = append(c.funList, f)
	return err
}

func (c *catalog) readFunctionReads(rows pgx.Rows) error {
	var id, table oid
	err := rows.Scan(&id, &table)
	if f, t := c.funcs[id], c.rels[table]; f != nil && t != nil {
		f.reads = append(f.reads, t)
	}
	return err
}

func (c *catalog) readTrigger(rows pgx.Rows) error {
	t := &trigger{}
	var on, call oid
	err := rows.Scan(&on, &t.name, &call)
	t.on, t.call = c.rels[on], c.funcs[call]
	if t.on != nil {
		c.trigger = append(c.trigger, t)
	}
	return err
}

func (c *catalog) readPolicy(rows pgx.Rows) error {
	p := &policy{}
	var id, on oid
	var to, calls []oid
	if err := rows.Scan(&id, &on, &p.name, &p.cmd, &p.permissive, &to, &p.using, &p.check, &calls); err != nil {
		return err
	}
	if p.on = c.rels[on]; p.on == nil {
		return nil
	}
	for _, r := range to {
		if r == 0 {
			p.to = nil
			break
		}
		p.to = append(p.to, c.owner(r))
	}
	for _, f := range calls {
		if c.funcs[f] != nil {
			p.calls = append(p.calls, c.funcs[f])
		}
	}
	p.on.policies = append(p.on.policies, p)
	c.pols = append(c.pols, p)
	return nil
}

func (c *catalog) readForeignKey(rows pgx.Rows) error {
	k := &foreignKey{}
	var from, to oid
	err := rows.Scan(&k.name, &from, &to, &k.onDelete, &k.onEdit, &k.columns, &k.targets)
	k.from, k.to = c.rels[from], c.rels[to]
	if k.from != nil && k.to != nil {
		c.fks = append(c.fks, k)
	}
	return err
}

func (c *catalog) readKey(rows pgx.Rows) error {
	k := &uniqueKey{}
	var on oid
	err := rows.Scan(&on, &k.name, &k.columns)
	if k.on = c.rels[on]; k.on != nil {
		c.keys = append(c.keys, k)
	}
	return err
}

func (c *catalog) readPublication(rows pgx.Rows) error {
	p := &publication{}
	var owner, on oid
	err := rows.Scan(&p.name, &p.all, &owner, &on, &p.filtered, &p.bySchema)
	p.owner, p.on = c.owner(owner), c.rels[on]
	if p.on != nil {
		c.pubs = append(c.pubs, p)
	}
	return err
}

func (c *catalog) readDefaultACL(rows pgx.Rows) error {
	d := &defaultACL{}
	var creator, grantee oid
	err := rows.Scan(&creator, &d.schema, &d.kind, &grantee, &d.privilege)
	d.creator, d.grantee = c.owner(creator), c.grantee(grantee)
	c.defacls = append(c.defacls, d)
	return err
}

func (c *catalog) readSchema(rows pgx.Rows) error {
	var name string
	var owner, grantor, grantee oid
	a := acl{}
	if err := rows.Scan(&name, &owner, &grantor, &grantee, &a.privilege, &a.grantable); err != nil {
		return err
	}
	a.grantor, a.grantee = c.owner(grantor), c.grantee(grantee)
	n := slices.IndexFunc(c.schemas, func(s *schema) bool { return s.name == name })
	if n < 0 {
		n = len(c.schemas)
		c.schemas = append(c.schemas, &schema{name: name, owner: c.owner(owner)})
	}
	c.schemas[n].acl = append(c.schemas[n].acl, a)
	return nil
}

func (c *catalog) readDatabase(rows pgx.Rows) error {
	var owner, grantor, grantee oid
	a := acl{}
	err := rows.Scan(&owner, &grantor, &grantee, &a.privilege, &a.grantable)
	a.grantor, a.grantee = c.owner(grantor), c.grantee(grantee)
	c.database.owner = c.owner(owner)
	c.database.acl = append(c.database.acl, a)
	return err
}

func (c *catalog) readLargeObject(rows pgx.Rows) error {
	var name string
	var owner, grantor, grantee oid
	a := acl{}
	if err := rows.Scan(&name, &owner, &grantor, &grantee, &a.privilege, &a.grantable); err != nil {
		return err
	}
	a.grantor, a.grantee = c.owner(grantor), c.grantee(grantee)
	n := len(c.objects) - 1
	if n < 0 || c.objects[n].name != name {
		c.objects = append(c.objects, &object{name: name, owner: c.owner(owner)})
		n++
	}
	c.objects[n].acl = append(c.objects[n].acl, a)
	return nil
}

func (c *catalog) readUserMapping(rows pgx.Rows) error {
	m := &userMapping{}
	err := rows.Scan(&m.server, &m.user)
	c.maps = append(c.maps, m)
	return err
}

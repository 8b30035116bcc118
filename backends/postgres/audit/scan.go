package audit

import (
	"slices"

	"github.com/jackc/pgx/v5"
)

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
		c.memberships[m.member] = append(c.memberships[m.member], m)
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

// readList reads a privilege of an access list that relations or columns have.
func (c *catalog) readList(rows pgx.Rows) error {
	var list string
	var grantor, grantee oid
	a := acl{}
	err := rows.Scan(&list, &grantor, &grantee, &a.privilege, &a.grantable)
	a.grantor, a.grantee = c.owner(grantor), c.grantee(grantee)
	c.lists[list] = append(c.lists[list], a)
	return err
}

func (c *catalog) readRelationACL(rows pgx.Rows) error {
	var id oid
	var column, list string
	err := rows.Scan(&id, &column, &list)
	if r := c.rels[id]; r != nil {
		for _, a := range c.lists[list] {
			a.column = column
			r.acl = append(r.acl, a)
		}
	}
	return err
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
	var on oid
	var to, calls []oid
	if err := rows.Scan(&on, &p.name, &p.cmd, &p.permissive, &to, &p.using, &p.check, &calls); err != nil {
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

func (c *catalog) readPreset(rows pgx.Rows) error {
	p := &preset{}
	var of oid
	err := rows.Scan(&of, &p.here, &p.name, &p.value)
	p.role = c.grantee(of)
	c.presets = append(c.presets, p)
	return err
}

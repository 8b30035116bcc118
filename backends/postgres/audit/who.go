package audit

import (
	"slices"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

// public is how PUBLIC is named among roles. A role of that name is quoted.
const public = "PUBLIC"

func roleName(r *role) string {
	if r == nil {
		return public
	}
	if r.name == public {
		return `"` + r.name + `"`
	}
	return r.name
}

// follow walks from a role along the memberships that pass, and calls f for
// each role that it comes to, itself first, until f says stop.
func (c *catalog) follow(from *role, pass func(*membership) bool, f func(*role) (stop bool)) bool {
	seen, queue := map[*role]bool{from: true}, []*role{from}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if f(next) {
			return true
		}
		for _, m := range c.memberships[next] {
			if !seen[m.role] && pass(m) {
				seen[m.role] = true
				queue = append(queue, m.role)
			}
		}
	}
	return false
}

func inherits(m *membership) bool { return m.inherit }

// usable memberships give their role's rights: by themselves, by SET ROLE, or
// because their holder may grant the role to itself.
func usable(m *membership) bool { return m.inherit || m.set || m.admin }

// has reports whether a role has another's rights without doing anything.
func (c *catalog) has(r, of *role) bool {
	return r.super || c.follow(r, inherits, func(x *role) bool { return x == of })
}

// loginsOf are the logins that can have a role's rights, itself included; not
// superusers, who can have any.
func (c *catalog) loginsOf(r *role) []*role {
	if known, done := c.becoming[r]; done {
		return known
	}
	seen, queue := map[*role]bool{r: true}, []*role{r}
	out := []*role{}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if next.login && !next.super {
			out = append(out, next)
		}
		for _, m := range c.members {
			if m.role == next && !seen[m.member] && usable(m) {
				seen[m.member] = true
				queue = append(queue, m.member)
			}
		}
	}
	slices.SortFunc(out, compareRoles)
	c.becoming[r] = out
	return out
}

// exempt reports whether no policy of a table can hold for a role.
func (c *catalog) exempt(r *role, t *relation) bool {
	return r.super || r.bypass || !t.force && c.has(r, t.owner)
}

// bypasses reports whether the policies of a table do not hold for a role.
func (c *catalog) bypasses(r *role, t *relation) bool { return !t.rls || c.exempt(r, t) }

// account reports whether a role is one of the project's accounts or logins.
func (c *catalog) account(r *role) bool {
	return r != nil && c.want.Scope.Accounts[r.name] != nil
}

// ours reports whether a role is one that the project speaks of.
func (c *catalog) ours(r *role) bool {
	return r != nil && (c.account(r) || r.name == c.want.Scope.OwnerRole || c.want.Roles[postgres.RoleID(r.name)] != nil)
}

// outsider reports whether a grantee is somebody whom a grant gives something:
// superusers and the owner have it anyway.
func outsider(grantee, owner *role) bool {
	return grantee == nil || grantee != owner && !grantee.super
}

// who lists those who can use what a few grantees hold: PUBLIC alone where it
// is among them, else the grantees and the logins that can become one.
func (c *catalog) who(grantees ...*role) []string {
	var out []string
	for _, g := range grantees {
		if g == nil {
			return []string{public}
		}
		out = append(out, roleName(g))
		for _, r := range c.loginsOf(g) {
			out = append(out, roleName(r))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// holders are the outsiders who hold one of the privileges by a list, each
// once; none means any privilege.
func (c *catalog) holders(list []acl, owner *role, privileges ...string) []*role {
	var out []*role
	for _, a := range list {
		if (len(privileges) == 0 || slices.Contains(privileges, a.privilege)) && outsider(a.grantee, owner) && !slices.Contains(out, a.grantee) {
			out = append(out, a.grantee)
		}
	}
	slices.SortFunc(out, func(a, b *role) int { return compareRoles(a, b) })
	return out
}

func compareRoles(a, b *role) int {
	switch {
	case a == b:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	case a.name < b.name:
		return -1
	}
	return 1
}

// severe is how bad it is that these roles can do something that gives them
// rows: worst for PUBLIC and the project's accounts.
func (c *catalog) anyOpen(roles []*role) bool {
	return slices.ContainsFunc(roles, func(r *role) bool { return r == nil || c.account(r) })
}

// planned reports whether the project wants a grant on an object.
func (c *catalog) planned(object postgres.ObjectID, a acl) bool {
	if a.column != "" {
		object = postgres.ColumnID(object, a.column)
	}
	to := postgres.Public()
	if a.grantee != nil {
		to = postgres.ToRole(a.grantee.name)
	}
	return c.want.Grants.Has(postgres.GrantKey{Object: object, Grantee: to, Privilege: postgres.Privilege(a.privilege)})
}

// The subjects of findings.

func (c *catalog) aboutRelation(r *relation) subject {
	kinds := map[string]plan.Kind{"v": "view", "m": "materialized view", "f": "foreign table", "S": "sequence"}
	kind, ok := kinds[r.kind]
	if !ok {
		kind = "table"
	}
	s := subject{object: plan.Object{Kind: kind, Name: shown(r.schema, r.name)}, declared: r.declared}
	if r.table != nil {
		s.span = r.table.Source
	}
	return s
}

// over is a subject that counts as the table that it lays open.
func over(s subject, t *relation) subject {
	s.declared = t.declared
	if t.table != nil {
		s.span = t.table.Source
	}
	return s
}

func (c *catalog) aboutRole(r *role) subject {
	s := subject{object: plan.Object{Kind: "role", Name: shown(r.name)}, declared: c.ours(r)}
	if a := c.want.Scope.Accounts[r.name]; a != nil {
		s.span = a.Source
	}
	return s
}

func (c *catalog) aboutFunction(f *function) subject {
	return subject{object: plan.Object{Kind: "function", Name: shown(f.schema, f.name) + "(" + f.args + ")"}}
}

func (c *catalog) aboutPolicy(p *policy) subject {
	s := c.aboutRelation(p.on)
	s.object = plan.Object{Kind: "policy", Name: shown(p.name) + " on " + s.object.Name}
	return s
}

func about(kind plan.Kind, name string, declared bool) subject {
	return subject{object: plan.Object{Kind: kind, Name: name}, declared: declared}
}

// place is where the table of a schema is declared first.
func (c *catalog) governs(schema string) (source.Span, bool) {
	var at source.Span
	found := false
	for id, t := range c.want.Tables {
		if id.Schema == schema && (!found || t.Source.Compare(at) < 0) {
			at, found = t.Source, true
		}
	}
	return at, found
}

// shown is a name as a reader sees it: quoted where it must be.
func shown(parts ...string) string {
	out := ""
	for i, p := range parts {
		if i > 0 {
			out += "."
		}
		out += string(sqltext.Shown(p))
	}
	return out
}

// sql prints one statement that ends a finding.
func (s *search) sql(f func(b *sqltext.Builder)) string {
	b := &sqltext.Builder{}
	f(b)
	text, err := b.SQL()
	if err != nil {
		s.errs = append(s.errs, err)
	}
	return string(text) + ";"
}

// relationKind is how a statement names a relation's kind.
func relationKind(r *relation) sqltext.SQL {
	switch r.kind {
	case "v":
		return "VIEW "
	case "m":
		return "MATERIALIZED VIEW "
	case "f":
		return "FOREIGN TABLE "
	case "S":
		return "SEQUENCE "
	}
	return "TABLE "
}

// alter is ALTER TABLE, or what else the relation is, with something to do.
func (s *search) alter(r *relation, what func(b *sqltext.Builder)) string {
	return s.sql(func(b *sqltext.Builder) {
		what(b.Raw("ALTER ", relationKind(r)).Qualified(r.schema, r.name).Raw(" "))
	})
}

// grantee appends a role, or PUBLIC.
func grantee(b *sqltext.Builder, r *role) {
	if r == nil {
		b.Raw(public)
		return
	}
	b.Ident(r.name)
}

// revokes takes privileges on one object away, as whoever granted them: a
// REVOKE takes back only what its role, or the owner, gave.
func (s *search) revokes(list []acl, owner *role, on func(b *sqltext.Builder), wanted func(acl) bool) []string {
	type grant struct{ to, by *role }
	held := map[grant][]acl{}
	var order []grant
	going := slices.DeleteFunc(slices.Clone(list), func(a acl) bool { return !outsider(a.grantee, owner) || !wanted(a) })
	for _, a := range going {
		// What somebody has passed on goes with what they have it from.
		if slices.ContainsFunc(going, func(b acl) bool {
			return b.grantee == a.grantor && b.privilege == a.privilege && (b.column == "" || b.column == a.column)
		}) {
			continue
		}
		g := grant{a.grantee, a.grantor}
		if held[g] == nil {
			order = append(order, g)
		}
		held[g] = append(held[g], a)
	}
	var out []string
	for _, g := range order {
		text := s.sql(func(b *sqltext.Builder) {
			b.Raw("REVOKE ").Each(len(held[g]), ", ", func(i int) {
				b.Raw(sqltext.SQL(held[g][i].privilege))
				if c := held[g][i].column; c != "" {
					b.Raw(" (").Ident(c).Raw(")")
				}
			})
			on(b.Raw(" ON "))
			grantee(b.Raw(" FROM "), g.to)
			b.Raw(" CASCADE")
		})
		if g.by == owner || g.by.super {
			out = append(out, text)
			continue
		}
		out = append(out, s.sql(func(b *sqltext.Builder) { b.Raw("SET ROLE ").Ident(g.by.name) }), text, "RESET ROLE;")
	}
	return out
}

func onRelation(r *relation) func(b *sqltext.Builder) {
	return func(b *sqltext.Builder) {
		if r.kind == "S" {
			b.Raw("SEQUENCE ")
		}
		b.Qualified(r.schema, r.name)
	}
}

func onFunction(f *function) func(b *sqltext.Builder) {
	return func(b *sqltext.Builder) {
		b.Raw("ROUTINE ").Qualified(f.schema, f.name).Raw("(", sqltext.SQL(f.args), ")")
	}
}

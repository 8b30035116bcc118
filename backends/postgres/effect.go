package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// effect is what one role may do to a table by one command: which policies
// hold, and to which columns it has a right.
type effect struct {
	role       string
	view       bool // through a view of the project's, whose owner the role is
	bypass     bool // no policy holds
	permissive []*Policy
	limiting   []*Policy // restrictive ones
	columns    []string  // sorted; for DELETE none
}

// holdings is a state as far as rows are concerned, found or wanted.
type holdings struct {
	tables   map[ObjectID]*Table
	policies map[ObjectID][]*Policy // by table, in order of their names
	grants   Grants
	schemas  map[ObjectID]*Schema
	roles    *roleGraph
	declared map[ObjectID][]string // columns, sorted
}

func byTable(policies map[ObjectID]*Policy) map[ObjectID][]*Policy {
	out := map[ObjectID][]*Policy{}
	for _, id := range slices.SortedFunc(maps.Keys(policies), ObjectID.Compare) {
		out[id.Table()] = append(out[id.Table()], policies[id])
	}
	return out
}

// roleGraph is who has the rights of whom.
type roleGraph struct {
	powers       map[string]rolePowers
	inherit, set map[string][]string // member -> roles
}

type rolePowers struct{ super, bypass bool }

func newRoleGraph() *roleGraph {
	return &roleGraph{powers: map[string]rolePowers{}, inherit: map[string][]string{}, set: map[string][]string{}}
}

func (g *roleGraph) add(m *Membership) {
	if m.Inherit {
		g.inherit[m.Member] = append(g.inherit[m.Member], m.Role)
	}
	if m.Set {
		g.set[m.Member] = append(g.set[m.Member], m.Role)
	}
}

// reach is a role and all that it leads to along edges, sorted.
func reach(from []string, edges map[string][]string) []string {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(r string) {
		if seen[r] {
			return
		}
		seen[r] = true
		for _, next := range edges[r] {
			visit(next)
		}
	}
	for _, r := range from {
		visit(r)
	}
	return slices.Sorted(maps.Keys(seen))
}

// rowPrivileges are the privileges and the predefined role that give the
// commands on rows (Postgres documentation, section 22.5 "Predefined Roles").
var rowPrivileges = map[Command]struct {
	privilege Privilege
	role      string
}{
	CommandSelect: {PrivilegeSelect, "pg_read_all_data"},
	CommandInsert: {PrivilegeInsert, "pg_write_all_data"},
	CommandUpdate: {PrivilegeUpdate, "pg_write_all_data"},
	CommandDelete: {PrivilegeDelete, "pg_write_all_data"},
}

// effects is what sessions that begin as one of the roles may do to a table:
// as themselves, and as each role that they may change to.
func (h *holdings) effects(roles []string, table ObjectID, c Command) []effect {
	var out []effect
	for _, r := range reach(roles, h.roles.set) {
		if e, ok := h.effect(r, table, c); ok {
			out = append(out, e)
		}
	}
	return out
}

// effect is what a session of a role may do to a table; false for nothing.
func (h *holdings) effect(role string, table ObjectID, c Command) (effect, bool) {
	t := h.tables[table]
	if t == nil {
		return effect{}, false
	}
	has := reach([]string{role}, h.roles.inherit)
	power := h.roles.powers[role]
	owns := slices.Contains(has, t.Owner)
	e := effect{role: role, bypass: power.super || power.bypass || !t.RLS || owns && !t.Force}
	all := power.super || owns || slices.Contains(has, rowPrivileges[c].role)
	if !all && !h.reaches(has, table.Schema) {
		return e, false
	}
	columns, some := h.columns(has, t, c, all)
	if !some {
		return e, false
	}
	e.columns = columns
	if e.bypass {
		return e, true
	}
	for _, p := range h.policies[table] {
		if p.Command != c && p.Command != CommandAll || !appliesTo(p, has) {
			continue
		}
		if p.Permissive {
			e.permissive = append(e.permissive, p)
		} else {
			e.limiting = append(e.limiting, p)
		}
	}
	return e, len(e.permissive) > 0
}

// appliesTo reports whether a policy is for a role that has the rights of those
// given.
func appliesTo(p *Policy, has []string) bool {
	return slices.ContainsFunc(p.To, func(g Grantee) bool { return g.Public || slices.Contains(has, g.Role) })
}

// reaches reports whether one may use a schema.
func (h *holdings) reaches(has []string, schema string) bool {
	id := SchemaID(schema)
	if s := h.schemas[id]; s != nil && slices.Contains(has, s.Owner) {
		return true
	}
	return h.held(has, id, "", PrivilegeUsage)
}

// held reports whether a privilege is held on an object, or on a column of it.
func (h *holdings) held(has []string, id ObjectID, column string, p Privilege) bool {
	part := func(g Grantee) bool {
		holding := h.grants[Holder{Object: id, Grantee: g}]
		return holding != nil && slices.ContainsFunc(holding.parts, func(x held) bool { return x.column == column && x.rights&right(p) != 0 })
	}
	return part(Public()) || slices.ContainsFunc(has, func(r string) bool { return part(ToRole(r)) })
}

// columns are the declared ones of a table that a command may name; some
// reports whether there is a right to any column at all.
func (h *holdings) columns(has []string, t *Table, c Command, all bool) (out []string, some bool) {
	p := rowPrivileges[c].privilege
	all = all || h.held(has, t.ID, "", p)
	if c == CommandDelete || all {
		if c != CommandDelete {
			out = h.declared[t.ID]
		}
		return out, all
	}
	for _, col := range t.Columns {
		if !h.held(has, t.ID, col.Name, p) {
			continue
		}
		some = true
		if _, declared := slices.BinarySearch(h.declared[t.ID], col.Name); declared {
			out = append(out, col.Name)
		}
	}
	slices.Sort(out)
	return out, some
}

// key is the same for two effects only if the same holds for both; body names
// what a policy says.
func (e effect) key(body func(*Policy) string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%t %t %q", e.view, e.bypass, e.columns)
	for _, list := range [][]*Policy{e.permissive, e.limiting} {
		b.WriteString(" |")
		for _, p := range list {
			fmt.Fprintf(&b, " %q", body(p))
		}
	}
	return b.String()
}

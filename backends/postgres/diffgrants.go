package postgres

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

// grantGroup is what goes into one GRANT or REVOKE: one grantee, one object
// with its columns, and, for a REVOKE, one grantor.
type grantGroup struct {
	object  ObjectID // a column's table
	grantee Grantee
	grantor string
}

func (g grantGroup) compare(o grantGroup) int {
	return cmp.Or(g.object.Compare(o.object), g.grantee.Compare(o.grantee), strings.Compare(g.grantor, o.grantor))
}

func wholeObject(id ObjectID) ObjectID {
	if id.Kind == KindColumn {
		return id.Table()
	}
	return id
}

// wantedGrants is what is desired, with the sequences that inserts need.
func (d *differ) wantedGrants() map[GrantKey]*Grant {
	want := maps.Clone(d.want.Grants)
	if want == nil {
		want = map[GrantKey]*Grant{}
	}
	for id, scope := range d.want.Scope.Tables {
		for _, seq := range d.live.Sequences[id] {
			for _, role := range scope.Inserters {
				want[GrantKey{Object: seq, Grantee: ToRole(role), Privilege: PrivilegeUsage}] = &Grant{}
			}
			if d.live.Tables[id] != nil {
				d.sequences[seq] = true
			}
		}
	}
	for id := range d.live.Tables {
		if d.governed(id) {
			for _, seq := range d.live.Sequences[id] {
				d.sequences[seq] = true
			}
		}
	}
	return want
}

func (d *differ) compareGrants() {
	grant, revoke, option := map[grantGroup][]GrantKey{}, map[grantGroup][]GrantKey{}, map[grantGroup][]GrantKey{}
	compareKeyed(d.wantedGrants(), d.live.Grants, GrantKey.Compare,
		func(k GrantKey, _ *Grant) {
			g := grantGroup{object: wholeObject(k.Object), grantee: k.Grantee}
			if k.Object.Kind == KindTable || k.Object.Kind == KindColumn {
				if d.live.Tables[g.object] == nil && d.want.Generated[g.object] == nil {
					return // that the table is missing has been said
				}
			}
			grant[g] = append(grant[g], k)
		},
		func(k GrantKey, want, have *Grant) {
			if d.fresh[wholeObject(k.Object)] {
				g := grantGroup{object: wholeObject(k.Object), grantee: k.Grantee}
				grant[g] = append(grant[g], k)
			} else if have.Grantable && !want.Grantable {
				for _, by := range have.Grantors {
					g := grantGroup{object: wholeObject(k.Object), grantee: k.Grantee, grantor: by}
					option[g] = append(option[g], k)
				}
			}
		},
		func(k GrantKey, have *Grant) {
			if !d.excess(k) || d.fresh[wholeObject(k.Object)] {
				return
			}
			for _, by := range have.Grantors {
				g := grantGroup{object: wholeObject(k.Object), grantee: k.Grantee, grantor: by}
				revoke[g] = append(revoke[g], k)
			}
		})
	going := map[GrantKey]bool{}
	for _, groups := range []map[grantGroup][]GrantKey{revoke, option} {
		for _, keys := range groups {
			for _, k := range keys {
				going[k] = true
			}
		}
	}
	for _, g := range slices.SortedFunc(maps.Keys(revoke), grantGroup.compare) {
		d.revoke(g, revoke[g], going, false)
	}
	for _, g := range slices.SortedFunc(maps.Keys(option), grantGroup.compare) {
		d.revoke(g, option[g], going, true)
	}
	for _, g := range slices.SortedFunc(maps.Keys(grant), grantGroup.compare) {
		d.grant(g, grant[g])
	}
}

// excess reports whether a privilege that is not wanted has to go.
func (d *differ) excess(k GrantKey) bool {
	object := wholeObject(k.Object)
	switch {
	case (object.Kind == KindTable) && d.governed(object),
		object.Kind == KindSequence && d.sequences[object],
		d.generatedSchema(object),
		!k.Grantee.Public && (d.manages(k.Grantee.Role) || d.gone[k.Grantee.Role]):
		return true
	}
	for _, rule := range d.want.Scope.Denied {
		if rule.Object == k.Object && rule.Grantee == k.Grantee && (rule.Privilege == "" || rule.Privilege == k.Privilege) {
			return true
		}
	}
	return false
}

// generatedSchema reports whether an object is in, or is, a schema that the
// project made.
func (d *differ) generatedSchema(id ObjectID) bool {
	schema := id.Schema
	if id.Kind == KindSchema {
		schema = id.Name
	}
	s := d.want.Schemas[SchemaID(schema)]
	return s != nil && s.Managed
}

func (d *differ) why(k GrantKey) string {
	for _, rule := range d.want.Scope.Denied {
		if rule.Object == k.Object && rule.Grantee == k.Grantee && (rule.Privilege == "" || rule.Privilege == k.Privilege) {
			return rule.Why
		}
	}
	if d.gone[k.Grantee.Role] {
		return "no longer declared"
	}
	if d.live.Records != nil || !d.manages(k.Grantee.Role) {
		return plan.ReasonDrift
	}
	return ""
}

// named gives the database's object its name, so that it can be printed.
func (d *differ) named(keys []GrantKey) []GrantKey {
	out := slices.Clone(keys)
	for i := range out {
		if out[i].Object.Kind == KindDatabase {
			out[i].Object.Name = d.live.Server.Database
		}
	}
	return out
}

func (d *differ) grantSource(g grantGroup) source.Span {
	if span := d.tableSource(g.object); !span.IsZero() {
		return span
	}
	if a := d.accts[g.grantee.Role]; a != nil {
		return a.Source
	}
	return source.Span{}
}

func (d *differ) grant(g grantGroup, keys []GrantKey) {
	keys = d.named(keys)
	text, err := GrantSQL(keys)
	d.add(item{phase: phaseWiden, order: 1, id: g.object, change: plan.Add{
		About: plan.About{Object: grantObject(keys, g), Span: d.grantSource(g)}, After: string(text),
	}}, printedSQL{text, err})
}

// revoke takes privileges, or only the right to pass them on, away. going are
// all the privileges that go: what their holders have passed on goes with
// them (CASCADE) and needs no statement of its own.
func (d *differ) revoke(g grantGroup, keys []GrantKey, going map[GrantKey]bool, optionOnly bool) {
	d.losing(g, keys)
	foreign := g.grantor != d.live.Owners[g.object]
	here := slices.DeleteFunc(slices.Clone(keys), func(k GrantKey) bool {
		k.Grantee = ToRole(g.grantor)
		return foreign && going[k]
	})
	keys = d.named(keys)
	before, err := GrantSQL(keys)
	if err != nil {
		d.errs = append(d.errs, err)
		return
	}
	it := item{phase: phaseNarrow, order: 1, id: g.object}
	describe := plan.About{Object: grantObject(keys, g), Span: d.grantSource(g), Reason: d.why(keys[0])}
	it.change = plan.Remove{About: describe, Before: string(before)}
	if optionOnly {
		it.change = plan.Modify{About: describe, Before: string(before) + " WITH GRANT OPTION", After: string(before)}
	}
	if len(here) == 0 {
		d.add(it)
		return
	}
	text, err := RevokeSQL(d.named(here), "", true)
	if optionOnly {
		text = "REVOKE GRANT OPTION FOR " + sqltext.SQL(strings.TrimPrefix(string(text), "REVOKE "))
	}
	statements := []printedSQL{{text, err}}
	if foreign {
		// A REVOKE takes away only what the current role, or the owner that it
		// acts for, has granted.
		as, aerr := build(func(b *sqltext.Builder) { b.Raw("SET LOCAL ROLE ").Ident(g.grantor) })
		statements = []printedSQL{{as, aerr}, {text, err}, {"RESET ROLE", nil}}
	}
	d.add(it, statements...)
}

// losing notes whom a REVOKE hits: roles outside the project lose rights, and
// open sessions keep them for a while.
func (d *differ) losing(g grantGroup, keys []GrantKey) {
	if g.grantee.Public || d.accts[g.grantee.Role] == nil && !d.gone[g.grantee.Role] {
		name := printedGrantee(g.grantee)
		if d.lost[name] == nil {
			d.lost[name] = map[string]bool{}
		}
		d.lost[name][grantTarget(d.named(keys))] = true
	}
	if !g.grantee.Public {
		d.stale[printed(RoleID(g.grantee.Role))] = true
	}
}

func grantTarget(keys []GrantKey) string {
	id := wholeObject(keys[0].Object)
	return string(id.Kind) + " " + printed(id)
}

func grantObject(keys []GrantKey, g grantGroup) plan.Object {
	return plan.Object{Kind: "grant", Name: grantTarget(keys) + " to " + printedGrantee(g.grantee)}
}

// compareDefaultPrivileges takes away what accounts would get on objects that
// others make later.
func (d *differ) compareDefaultPrivileges() {
	order := func(a, b DefaultPrivilegeKey) int {
		return cmp.Or(strings.Compare(a.Creator, b.Creator), strings.Compare(a.Schema, b.Schema),
			strings.Compare(string(a.Kind), string(b.Kind)), a.Grantee.Compare(b.Grantee),
			strings.Compare(string(a.Privilege), string(b.Privilege)))
	}
	compareKeyed(d.want.DefaultPrivileges, d.live.DefaultPrivileges, order,
		func(k DefaultPrivilegeKey, _ *Grant) { d.defaultPrivilege(k, true) },
		func(DefaultPrivilegeKey, *Grant, *Grant) {},
		func(k DefaultPrivilegeKey, _ *Grant) {
			if d.manages(k.Grantee.Role) || d.gone[k.Grantee.Role] {
				d.defaultPrivilege(k, false)
			}
		})
}

func (d *differ) defaultPrivilege(k DefaultPrivilegeKey, give bool) {
	plural := map[Kind]sqltext.SQL{
		KindTable: "TABLES", KindSequence: "SEQUENCES", KindFunction: "FUNCTIONS",
		KindType: "TYPES", KindSchema: "SCHEMAS",
	}[k.Kind]
	verb, direction := sqltext.SQL("GRANT "), sqltext.SQL(" TO ")
	if !give {
		verb, direction = "REVOKE ", " FROM "
	}
	text, err := build(func(b *sqltext.Builder) {
		b.Raw("ALTER DEFAULT PRIVILEGES FOR ROLE ").Ident(k.Creator)
		if k.Schema != "" {
			b.Raw(" IN SCHEMA ").Ident(k.Schema)
		}
		b.Raw(" ", verb, sqltext.SQL(k.Privilege), " ON ", plural, direction)
		grantee(b, k.Grantee)
	})
	what := plan.About{Object: plan.Object{Kind: "default privilege", Name: strings.ToLower(string(plural)) + " made by " +
		printed(RoleID(k.Creator)) + ", to " + printedGrantee(k.Grantee)}}
	if give {
		d.add(item{phase: phaseWiden, order: 2, change: plan.Add{About: what, After: string(k.Privilege)}}, printedSQL{text, err})
		return
	}
	what.Reason = plan.ReasonDrift
	d.add(item{phase: phaseNarrow, order: 2, change: plan.Remove{About: what, Before: string(k.Privilege)}}, printedSQL{text, err})
}

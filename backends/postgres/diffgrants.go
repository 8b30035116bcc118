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

// sharedGrant is one GRANT or REVOKE for several grantees.
type sharedGrant struct {
	grantGroup            // of the first grantee
	keys       []GrantKey // the first grantee's
	others     []Grantee
}

// mergeGrants puts the groups in order and joins those of one object that
// differ in nothing but the grantee, and for which why says the same.
func mergeGrants(groups map[grantGroup][]GrantKey, why func(GrantKey) string) []*sharedGrant {
	type same struct {
		object        ObjectID
		grantor, text string
	}
	var out []*sharedGrant
	known := map[same]*sharedGrant{}
	var text []byte
	for _, g := range slices.SortedFunc(maps.Keys(groups), grantGroup.compare) {
		keys := groups[g]
		slices.SortFunc(keys, GrantKey.Compare)
		text = text[:0]
		for _, k := range keys {
			text = append(append(append(append(text, k.Object.Sub...), 0), k.Privilege...), 0)
		}
		if why != nil {
			text = append(text, why(keys[0])...)
		}
		key := same{object: g.object, grantor: g.grantor, text: string(text)}
		if s := known[key]; s != nil {
			s.others = append(s.others, g.grantee)
			continue
		}
		s := &sharedGrant{grantGroup: g, keys: keys}
		known[key] = s
		out = append(out, s)
	}
	return out
}

// wantedGrants is what is desired, with the sequences that inserts need.
func (d *differ) wantedGrants() Grants {
	want := maps.Clone(d.want.Grants)
	for id, scope := range d.want.Scope.Tables {
		for _, seq := range d.live.Sequences[id] {
			for _, role := range scope.Inserters {
				want.Add(GrantKey{Object: seq, Grantee: ToRole(role), Privilege: PrivilegeUsage})
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

// grantGroups are the differences in grants: what to give, what to take, and
// where to take the right to pass it on.
type grantGroups struct {
	grant, revoke, option map[grantGroup][]GrantKey
}

func (d *differ) compareHolding(h Holder, want, have *Holding, out grantGroups) {
	// That a table is missing has been said.
	missing := h.Object.Kind == KindTable && d.live.Tables[h.Object] == nil && d.want.Generated[h.Object] == nil &&
		d.want.Views[ViewID(h.Object.Schema, h.Object.Name)] == nil
	held, fresh := map[GrantKey]Grant{}, d.fresh[h.Object]
	have.each(h, func(k GrantKey, g Grant) { held[k] = g })
	wanted := map[GrantKey]bool{}
	want.each(h, func(k GrantKey, g Grant) {
		wanted[k] = true
		give := grantGroup{object: h.Object, grantee: h.Grantee}
		now, there := held[k]
		switch {
		case !there && missing:
		case !there || fresh:
			out.grant[give] = append(out.grant[give], k)
		case now.Grantable && !g.Grantable:
			for _, by := range now.Grantors {
				take := grantGroup{object: h.Object, grantee: h.Grantee, grantor: by}
				out.option[take] = append(out.option[take], k)
			}
		}
	})
	for k, g := range held {
		if wanted[k] || fresh || !d.excess(k) {
			continue
		}
		for _, by := range g.Grantors {
			take := grantGroup{object: h.Object, grantee: h.Grantee, grantor: by}
			out.revoke[take] = append(out.revoke[take], k)
		}
	}
}

func (d *differ) compareGrants() {
	grant, revoke, option := map[grantGroup][]GrantKey{}, map[grantGroup][]GrantKey{}, map[grantGroup][]GrantKey{}
	d.held = d.wantedGrants()
	want, groups := d.held, grantGroups{grant: grant, revoke: revoke, option: option}
	for h, w := range want {
		if have := d.live.Grants[h]; d.fresh[h.Object] || !w.same(have) {
			d.compareHolding(h, w, have, groups)
		}
	}
	for h, have := range d.live.Grants {
		if want[h] == nil {
			d.compareHolding(h, nil, have, groups)
		}
	}
	going := map[GrantKey]bool{}
	for _, groups := range []map[grantGroup][]GrantKey{revoke, option} {
		for _, keys := range groups {
			for _, k := range keys {
				going[k] = true
			}
		}
	}
	for _, s := range mergeGrants(revoke, d.why) {
		d.revoke(*s, going, false)
	}
	for _, s := range mergeGrants(option, d.why) {
		d.revoke(*s, going, true)
	}
	for _, s := range mergeGrants(grant, d.whyGrant) {
		d.grant(*s)
	}
}

// excess reports whether a privilege that is not wanted has to go.
func (d *differ) excess(k GrantKey) bool {
	object := wholeObject(k.Object)
	if d.leftGrant(k) {
		return false
	}
	switch {
	case (object.Kind == KindTable) && d.governed(object),
		object.Kind == KindSequence && d.sequences[object],
		d.generatedSchema(object),
		!k.Grantee.Public && (d.manages(k.Grantee.Role) || d.gone[k.Grantee.Role]):
		return true
	}
	return d.denial(k) != nil
}

// denial is the rule that forbids a privilege, nil for none.
func (d *differ) denial(k GrantKey) *GrantRule {
	if d.denied == nil {
		d.denied = map[Holder][]GrantRule{}
		for _, rule := range d.want.Scope.Denied {
			h := Holder{Object: rule.Object, Grantee: rule.Grantee}
			d.denied[h] = append(d.denied[h], rule)
		}
	}
	for _, rule := range d.denied[Holder{Object: k.Object, Grantee: k.Grantee}] {
		if rule.Privilege == "" || rule.Privilege == k.Privilege {
			return &rule
		}
	}
	return nil
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
	if rule := d.denial(k); rule != nil {
		return rule.Why
	}
	if d.gone[k.Grantee.Role] {
		return "no longer declared"
	}
	if d.manages(k.Grantee.Role) {
		return d.whyGrant(k) // the source may have granted it until now; origins knows better
	}
	return plan.ReasonDrift
}

// whyGrant is the reason for a change of what an account holds: "" where it is
// the source that has changed.
func (d *differ) whyGrant(k GrantKey) string {
	if d.heldByHand(wholeObject(k.Object), k.Grantee) {
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

func (d *differ) grant(s sharedGrant) {
	keys := d.named(s.keys)
	text, err := GrantSQL(keys, s.others...)
	d.add(item{phase: phaseWiden, order: 1, id: s.object, acting: []string{d.live.Owners[s.object]}, change: plan.Add{
		About: plan.About{Object: grantObject(keys, s), Span: d.grantSource(s.grantGroup), Reason: d.whyGrant(s.keys[0])}, After: string(text),
	}}, printedSQL{text, err})
}

// revoke takes privileges, or only the right to pass them on, away. going are
// all the privileges that go: what their holders have passed on goes with
// them (CASCADE) and needs no statement of its own.
func (d *differ) revoke(s sharedGrant, going map[GrantKey]bool, optionOnly bool) {
	for _, to := range append([]Grantee{s.grantee}, s.others...) {
		d.losing(to, s.keys)
	}
	foreign := s.grantor != d.live.Owners[s.object]
	here := slices.DeleteFunc(slices.Clone(s.keys), func(k GrantKey) bool {
		k.Grantee = ToRole(s.grantor)
		return foreign && going[k]
	})
	keys := d.named(s.keys)
	before, err := GrantSQL(keys, s.others...)
	if err != nil {
		d.errs = append(d.errs, err)
		return
	}
	it := item{phase: phaseNarrow, order: 1, id: s.object, acting: []string{s.grantor}}
	describe := plan.About{Object: grantObject(keys, s), Span: d.grantSource(s.grantGroup), Reason: d.why(keys[0])}
	describe.Drift = s.grantee.Public && d.denial(keys[0]) != nil && d.protectedOnce(s.object.Table())
	it.change = plan.Remove{About: describe, Before: string(before)}
	if optionOnly {
		it.change = plan.Modify{About: describe, Before: string(before) + " WITH GRANT OPTION", After: string(before)}
	}
	if len(here) == 0 {
		d.add(it)
		return
	}
	text, err := RevokeSQL(d.named(here), true, s.others...)
	if optionOnly {
		text = "REVOKE GRANT OPTION FOR " + sqltext.SQL(strings.TrimPrefix(string(text), "REVOKE "))
	}
	statements := []printedSQL{{text, err}}
	if foreign {
		// A REVOKE takes away only what the current role, or the owner that it
		// acts for, has granted.
		as, aerr := build(func(b *sqltext.Builder) { b.Raw("SET LOCAL ROLE ").Ident(s.grantor) })
		statements = []printedSQL{{as, aerr}, {text, err}, {"RESET ROLE", nil}}
	}
	d.add(it, statements...)
}

// losing notes whom a REVOKE hits: roles outside the project lose rights, and
// open sessions keep them for a while.
func (d *differ) losing(to Grantee, keys []GrantKey) {
	if to.Public || d.accts[to.Role] == nil && !d.gone[to.Role] {
		name := printedGrantee(to)
		if d.lost[name] == nil {
			d.lost[name] = map[string]bool{}
		}
		d.lost[name][grantTarget(d.named(keys))] = true
	}
	if !to.Public {
		d.stale[printed(RoleID(to.Role))] = true
	}
}

func grantTarget(keys []GrantKey) string {
	id := wholeObject(keys[0].Object)
	return string(id.Kind) + " " + printed(id)
}

func grantObject(keys []GrantKey, s sharedGrant) plan.Object {
	name := grantTarget(keys) + " to " + printedGrantee(s.grantee)
	for _, to := range s.others {
		name += ", " + printedGrantee(to)
	}
	return plan.Object{Kind: "grant", Name: name}
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
			if d.additiveAccount(k.Grantee.Role) && !d.gone[k.Grantee.Role] {
				d.leave(d.accts[k.Grantee.Role].Source, "default privileges of "+printedGrantee(k.Grantee),
					string(k.Privilege)+" on what "+printed(RoleID(k.Creator))+" makes")
			} else if d.manages(k.Grantee.Role) || d.gone[k.Grantee.Role] {
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
	d.add(item{phase: phaseNarrow, order: 2, acting: []string{k.Creator}, change: plan.Remove{About: what, Before: string(k.Privilege)}}, printedSQL{text, err})
}

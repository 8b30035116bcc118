package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/readback"
	"github.com/postern-dev/postern/compiler/model"
)

// ReadAccess says what a database lets be done where that is not what a program
// says, which is the one that was applied to it last: cells without one here
// are as the program has them. Tables with manage = "additive" have none, for
// what is there besides is not the program's.
func ReadAccess(ctx context.Context, conn *pgx.Conn, p *model.Program, ds *model.Datasource) ([]*model.LiveCell, error) {
	want, diags, err := DesiredIn(ctx, conn, p, ds)
	if err != nil {
		return nil, err
	}
	if err := diags.Err(); err != nil {
		return nil, fmt.Errorf("what was applied: %w", err)
	}
	live, err := Inspect(ctx, conn, want.Project, ScopeOf(want))
	if err != nil {
		return nil, err
	}
	a := &accessReader{p: p, ds: ds, want: want, live: live, differ: &differ{want: want, live: live, accts: want.Scope.Accounts}}
	if err := a.readRoles(ctx, conn); err != nil {
		return nil, err
	}
	a.prepare()
	for _, t := range ds.Tables {
		if !t.Additive && !ds.Additive {
			a.table(t)
		}
	}
	return a.cells, nil
}

// accessReader compares what roles may do with what was applied.
type accessReader struct {
	p      *model.Program
	ds     *model.Datasource
	want   *State
	live   *Live
	differ *differ

	roles         *roleGraph // found
	now, applied  *holdings
	names         meanings
	changedByHand string // why generated objects do not say what they said; "": they do
	fuzzy         map[ObjectID]map[string]bool
	meant         map[ObjectID]meant
	read          map[string]model.Bounds
	cells         []*model.LiveCell
}

// meant is what an applied policy stands for.
type meant struct {
	old, new model.Cond
}

var actionsInOrder = []model.Action{model.View, model.Create, model.Edit, model.Delete}

func (a *accessReader) prepare() {
	declared := map[ObjectID][]string{}
	for id, t := range a.want.Tables {
		for _, c := range t.Columns {
			declared[id] = append(declared[id], c.Name)
		}
		slices.Sort(declared[id])
	}
	a.now = &holdings{
		tables: a.live.Tables, policies: byTable(a.live.Policies), grants: a.live.Grants, schemas: a.live.Schemas, roles: a.roles,
		declared: declared,
	}
	a.applied = &holdings{
		tables: map[ObjectID]*Table{}, policies: byTable(a.want.Policies), grants: maps.Clone(a.want.Grants), schemas: a.live.Schemas,
		roles: a.appliedRoles(), declared: declared,
	}
	for id, t := range a.want.Tables {
		if have := a.live.Tables[id]; have != nil {
			as := *t
			as.Owner = have.Owner
			a.applied.tables[id] = &as
		}
	}
	for h, holding := range a.live.Grants {
		if h.Object.Kind == KindSchema && h.Grantee.Public && a.applied.grants[h] == nil {
			a.applied.grants[h] = holding // who may look into a schema is not the program's
		}
	}
	a.meanings()
	a.names = requestFunctions(a.p)
	maps.Copy(a.names, a.want.meanings)
	if a.changedByHand = a.generatedByHand(); a.changedByHand != "" {
		a.names = nil
	}
}

// appliedRoles is who has the rights of whom as far as that is the program's,
// and as it was found for all others.
func (a *accessReader) appliedRoles() *roleGraph {
	g := newRoleGraph()
	for name, powers := range a.roles.powers {
		if !a.managed(name) {
			g.powers[name] = powers
		}
	}
	for _, m := range a.want.Memberships {
		g.add(m)
	}
	for key, m := range a.live.Memberships {
		if a.want.Memberships[key] == nil && !a.madeByHand(key, m) {
			g.add(m)
		}
	}
	for member, list := range a.roles.inherit {
		for _, role := range list {
			if key := (MembershipKey{Role: role, Member: member}); a.live.Memberships[key] == nil && !a.differ.manages(role) && !a.differ.manages(member) {
				g.inherit[member] = append(g.inherit[member], role)
			}
		}
	}
	for member, list := range a.roles.set {
		for _, role := range list {
			if key := (MembershipKey{Role: role, Member: member}); a.live.Memberships[key] == nil && !a.differ.manages(role) && !a.differ.manages(member) {
				g.set[member] = append(g.set[member], role)
			}
		}
	}
	return g
}

func (a *accessReader) managed(role string) bool {
	r := a.want.Roles[RoleID(role)]
	return r != nil && r.Managed
}

// madeByHand reports whether a plan takes a membership away (compareMemberships).
func (a *accessReader) madeByHand(k MembershipKey, m *Membership) bool {
	d := a.differ
	switch {
	case k.Member == a.live.Server.User && d.ownsGenerated(k.Role),
		d.ownsGenerated(k.Role) && (a.live.Administrators[k.Member] || m.Admin),
		!m.Inherit && !m.Set || !d.manages(k.Role) && !d.manages(k.Member):
		return false
	}
	acct := d.accts[k.Role]
	return (acct == nil || !acct.Open || d.manages(k.Member)) && !d.additiveAccount(k.Role) && !d.additiveAccount(k.Member)
}

// meanings notes what each applied policy stands for.
func (a *accessReader) meanings() {
	a.meant, a.read = map[ObjectID]meant{}, map[string]model.Bounds{}
	for id, p := range a.want.Policies {
		if id.Sub == relatedPolicy && p.Using == "true" {
			a.meant[id] = meant{old: model.True{}, new: model.True{}}
		}
	}
	for _, account := range a.ds.Accounts {
		e, ok := account.EntryOf()
		if !ok {
			continue
		}
		for _, t := range a.ds.Tables {
			for _, action := range actionsInOrder {
				if p := a.policyOf(account, t, action); p != nil {
					a.meant[p.ID] = meant{old: a.p.Old(e, t, action), new: a.p.New(e, t, action)}
				}
			}
		}
	}
}

// policyOf is the applied policy of an account; nil for none.
func (a *accessReader) policyOf(account *model.ServiceAccount, t *model.Table, action model.Action) *Policy {
	for _, p := range a.applied.policies[TableID(t.Schema, t.SQLName)] {
		for _, role := range []string{account.Role, ViewsName(account.Role)} {
			if p.Command == actionCommands[action] && p.ID.Sub != relatedPolicy && slices.Contains(p.To, ToRole(role)) {
				return p
			}
		}
	}
	return nil
}

// generatedByHand says which generated object was changed by hand: then nothing
// is known of what policies make of the request.
func (a *accessReader) generatedByHand() string {
	for _, id := range slices.SortedFunc(maps.Keys(a.want.Functions), ObjectID.Compare) {
		if a.live.Functions[id] != nil && !a.live.AsApplied(id) {
			return fmt.Sprintf("the function %s was changed by hand", printed(id))
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(a.want.Generated), ObjectID.Compare) {
		have := a.live.Generated[id]
		if want := a.want.Generated[id]; want.Filled && have != nil && rowsBrief(want) != rowsBrief(have) {
			return fmt.Sprintf("the rows of %s were changed by hand", printed(id))
		}
	}
	return ""
}

// body names what a policy that was found says.
func (a *accessReader) body(p *Policy) string {
	applied := a.want.Policies[p.ID]
	same := a.changedByHand == "" && applied != nil && applied.Permissive == p.Permissive && applied.Command == p.Command && a.live.AsApplied(p.ID)
	if _, known := a.meant[p.ID]; !same || !known {
		return p.ID.Sub + "\x00" + string(p.Using) + "\x00" + string(p.Check)
	}
	return p.ID.Sub
}

func appliedBody(p *Policy) string { return p.ID.Sub }

// keysOf are effects in a form that tells them apart.
func keysOf(list []effect, body func(*Policy) string) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.key(body)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// table adds the cells of one table.
func (a *accessReader) table(t *model.Table) {
	id := TableID(t.Schema, t.SQLName)
	if a.now.tables[id] == nil {
		return // that it is missing is said elsewhere
	}
	others := a.others(id)
	for _, action := range actionsInOrder {
		for _, e := range a.ds.Entries() {
			a.entry(t, e, action)
		}
		for _, role := range others {
			a.outside(t, role, action)
		}
	}
}

// entry adds the cell of an action through an app, if its accounts may do
// something else than was applied.
func (a *accessReader) entry(t *model.Table, e model.Entry, action model.Action) {
	id, command := TableID(t.Schema, t.SQLName), actionCommands[action]
	cell := &model.LiveCell{Table: t, Action: action}
	if e.App() != nil {
		cell.App = e.App().Name
	}
	changed := false
	for _, account := range a.ds.Accounts {
		if of, ok := account.EntryOf(); !ok || of.Connect != e.Connect {
			continue
		}
		sessions := a.sessions(account)
		now, applied := a.now.effects(sessions, id, command), a.applied.effects(sessions, id, command)
		view := a.viewOf(account, t)
		if view != nil {
			seen, was := a.throughView(account, view, command, a.now), a.throughView(account, view, command, a.applied)
			now, applied = append(now, seen...), append(applied, was...)
			changed = changed || a.viewByHand(view) != "" && len(seen) > 0
		}
		changed = changed || !slices.Equal(keysOf(now, a.body), keysOf(applied, appliedBody))
		for _, f := range now {
			cell.Ways = append(cell.Ways, a.way(t, e, action, f, view))
		}
	}
	if changed {
		a.cells = append(a.cells, cell)
	}
}

// sessions are the roles that sessions of an account begin as.
func (a *accessReader) sessions(account *model.ServiceAccount) []string {
	out := []string{account.Role}
	for _, letter := range []string{"a", "b"} {
		if login := LoginName(account.Role, letter); a.live.Roles[RoleID(login)] != nil && a.want.Scope.Accounts[account.Role].Managed {
			out = append(out, login)
		}
	}
	return out
}

// viewOf is the view through which an account reaches a table; nil for none.
func (a *accessReader) viewOf(account *model.ServiceAccount, t *model.Table) *View {
	return a.want.Views[ViewID(ViewsName(account.Role), t.SQLName)]
}

func (a *accessReader) viewByHand(v *View) string {
	have := a.live.Views[v.ID]
	if have == nil {
		return ""
	}
	record := a.live.Records[v.ID]
	if record.Live != viewHash(have.Body) || have.Owner != v.Owner || !slices.Equal(have.Options, v.Options) {
		return fmt.Sprintf("the view %s was changed by hand", printed(v.ID))
	}
	return ""
}

// throughView is what an account may do through its view: rows are those of the
// view's owner, columns those that both may name.
func (a *accessReader) throughView(account *model.ServiceAccount, v *View, c Command, h *holdings) []effect {
	if h == a.now && a.live.Views[v.ID] == nil {
		return nil
	}
	e, ok := h.effect(v.Owner, v.Table, c)
	if !ok {
		return nil
	}
	e.view = true
	has := reach([]string{account.Role}, h.roles.inherit)
	id := v.Grantable()
	if c == CommandDelete {
		return onlyIf(e, h.held(has, id, "", PrivilegeDelete))
	}
	p := rowPrivileges[c].privilege
	all := h.held(has, id, "", p)
	var columns []string
	for _, name := range h.declared[v.Table] {
		if (all || h.held(has, id, name, p)) && (c == CommandSelect || slices.Contains(e.columns, name)) {
			columns = append(columns, name)
		}
	}
	e.columns = columns
	return onlyIf(e, len(columns) > 0)
}

func onlyIf(e effect, ok bool) []effect {
	if !ok {
		return nil
	}
	return []effect{e}
}

// others are the roles outside of the project that may have something to do
// with a table, sorted.
func (a *accessReader) others(id ObjectID) []string {
	found := map[string]bool{}
	for h := range a.live.Grants {
		if h.Object == id && !h.Grantee.Public {
			found[h.Grantee.Role] = true
		}
	}
	for _, p := range a.now.policies[id] {
		for _, g := range p.To {
			if !g.Public {
				found[g.Role] = true
			}
		}
	}
	for key := range a.live.Memberships {
		if a.differ.accts[key.Role] != nil {
			found[key.Member] = true
		}
	}
	found[a.now.tables[id].Owner] = true
	found[model.AnyRole] = true // which has nothing but what PUBLIC has
	for role := range found {
		if a.differ.accts[role] != nil || a.differ.ownsGenerated(role) || a.roles.powers[role].super || role == a.live.Server.User {
			delete(found, role)
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// outside adds the cell of a role that is none of the project's, where nothing
// was applied by which it may do something.
func (a *accessReader) outside(t *model.Table, role string, action model.Action) {
	id, command := TableID(t.Schema, t.SQLName), actionCommands[action]
	now := a.now.effects([]string{role}, id, command)
	if role != model.AnyRole && slices.Equal(keysOf(now, a.body), keysOf(a.now.effects([]string{model.AnyRole}, id, command), a.body)) {
		return // it has what every role has
	}
	if len(now) == 0 || len(a.applied.effects([]string{role}, id, command)) > 0 {
		return
	}
	cell := &model.LiveCell{Table: t, Role: role, Action: action}
	for _, f := range now {
		cell.Ways = append(cell.Ways, a.way(t, model.Entry{Datasource: a.ds}, action, f, nil))
	}
	a.cells = append(a.cells, cell)
}

// way is an effect as conditions.
func (a *accessReader) way(t *model.Table, e model.Entry, action model.Action, f effect, view *View) model.LiveWay {
	w := model.LiveWay{Old: model.Exactly(model.True{}), New: model.Exactly(model.True{})}
	if action != model.Create {
		w.Old = a.bounds(t, e, f, false)
	}
	if action == model.Create || action == model.Edit {
		w.New = a.bounds(t, e, f, true)
	}
	for _, name := range f.columns {
		w.Columns = append(w.Columns, t.Column(name))
	}
	if f.view {
		w.Masked = true
		if why := a.viewByHand(view); why != "" {
			unknown := model.Bounds{Sure: model.False{}, Possible: model.True{}, Reasons: []string{why}}
			w.Old, w.New = unknown, unknown
		}
	}
	return w
}

// bounds is what the policies of an effect ask of a record; check asks it of the
// one that a write makes.
func (a *accessReader) bounds(t *model.Table, e model.Entry, f effect, check bool) model.Bounds {
	if f.bypass {
		return model.Exactly(model.True{})
	}
	out := model.Exactly(model.False{})
	for _, p := range f.permissive {
		b := a.policy(t, e, f, p, check)
		out.Sure, out.Possible = model.AnyOf(out.Sure, b.Sure), model.AnyOf(out.Possible, b.Possible)
		out.Reasons = append(out.Reasons, b.Reasons...)
	}
	for _, p := range f.limiting {
		b := a.policy(t, e, f, p, check)
		out.Sure, out.Possible = model.AllOf(out.Sure, b.Sure), model.AllOf(out.Possible, b.Possible)
		out.Reasons = append(out.Reasons, b.Reasons...)
	}
	return out
}

// policy is what one policy asks.
func (a *accessReader) policy(t *model.Table, e model.Entry, f effect, p *Policy, check bool) model.Bounds {
	if a.body(p) == appliedBody(p) {
		m := a.meant[p.ID]
		if check {
			return throughEntry(e, model.Exactly(m.new))
		}
		return throughEntry(e, model.Exactly(m.old))
	}
	text := p.Using
	if check && p.Check != "" {
		text = p.Check
	}
	key := fmt.Sprintf("%s %q %t %q", t.Address(), f.role, f.view, text)
	b, ok := a.read[key]
	if !ok {
		names := readback.Names{Table: t, SQLName: t.SQLName, Functions: a.names, User: f.role, Fuzzy: a.fuzzy[p.ID.Table()]}
		if f.view {
			names.User = "" // the login or its role: whoever asks
		}
		c := readback.Read(string(text), names)
		b = model.Bounds{Sure: c.Sure, Possible: c.Possible}
		for _, reason := range c.Reasons {
			b.Reasons = append(b.Reasons, fmt.Sprintf("policy %s: %s", p.ID.Sub, reason))
		}
		if len(c.Reasons) > 0 && a.changedByHand != "" {
			b.Reasons = []string{a.changedByHand}
		}
		a.read[key] = b
	}
	return throughEntry(e, b)
}

// throughEntry is a condition for an app that shares its access among all
// users: what it says of the user is not known.
func throughEntry(e model.Entry, b model.Bounds) model.Bounds {
	if !e.AsApp() {
		return b
	}
	asks := false
	fold := func(to model.Cond) func(model.Cond) model.Cond {
		return func(atom model.Cond) model.Cond {
			if model.AsksUser(atom) {
				asks = true
				return to
			}
			return atom
		}
	}
	b.Sure, b.Possible = model.Rewrite(b.Sure, fold(model.False{})), model.Rewrite(b.Possible, fold(model.True{}))
	if asks {
		b.Reasons = append(slices.Clone(b.Reasons), `a policy asks for the user, whom an app that connects as = "app" does not tell`)
	}
	return b
}

package postgres

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// granted is what one action on one table comes to for an account.
type granted struct {
	action       model.Action
	using, check sqltext.SQL
	columns      []*model.Column
	sources      []Origin
}

// tableAccess is what an account gets on one table.
type tableAccess struct {
	actions []granted
	used    []ObjectID // generated functions that the conditions call
	view    *tableView // nil: the account reaches the table itself
}

// sources are the blocks behind all actions.
func (a *tableAccess) sources() []Origin {
	var out []Origin
	for _, g := range a.actions {
		out = mergeOrigins(out, g.sources)
	}
	return out
}

// gateKey tells accounts apart whose access can differ on a table that does
// not speak of apps.
func (d *desired) gateKey(a *model.ServiceAccount, e model.Entry) string {
	r := &renderer{runtime: d.names, entry: e, now: d.now, used: map[ObjectID]struct{}{}}
	return fmt.Sprint(e.AsApp(), a.ReadOnly, untrusted(e), " ", d.print(r, d.p.MayUse(e)))
}

// accessKey names a piece of work that is done once.
type accessKey struct {
	table *model.Table
	gate  string
	app   *model.App // nil where the table does not speak of apps
}

// access is what an account gets on one table. Accounts with the same gate
// share it, unless the table's policies tell apps apart.
func (d *desired) access(a *model.ServiceAccount, e model.Entry, t *model.Table, gate string) *tableAccess {
	key := accessKey{table: t, gate: gate}
	if e.AsApp() || d.appTables.has(t) {
		key.app = e.App()
	}
	out, done := d.cache[key]
	if !done {
		out = d.accessOf(a, e, t)
		d.cache[key] = out
	}
	return out
}

// untrusted reports whether clients of an entry write their own SQL.
func untrusted(e model.Entry) bool { return e.Connect != nil && e.Connect.Untrusted }

// renderer renders conditions on a table's records as an entry asks them.
func (d *desired) renderer(e model.Entry, t *model.Table) *renderer {
	r := &renderer{
		runtime: d.names, entry: e, table: t, program: d.p, now: d.now, used: map[ObjectID]struct{}{}, related: newRelatedSet(),
		indexes: d.indexes,
	}
	if untrusted(e) {
		r.inline = d.views
	}
	return r
}

func (d *desired) accessOf(a *model.ServiceAccount, e model.Entry, t *model.Table) *tableAccess {
	out := &tableAccess{}
	r := d.renderer(e, t)
	add := func(action model.Action, using, check model.Cond) {
		// Where a condition can never hold there is no policy, and no grant.
		if never(using) || never(check) {
			return
		}
		r.plain = false
		g := granted{action: action, using: d.print(r, using)}
		if using != nil {
			d.lintIndexes(r, using)
		}
		r.plain = true // a new record is not looked for
		g.check = d.print(r, check)
		g.columns, g.sources = d.columns(e, t, action), origins(d.p, e, t, action)
		out.actions = append(out.actions, g)
	}
	add(model.View, d.p.Old(e, t, model.View), nil)
	if !a.ReadOnly {
		add(model.Create, nil, d.p.New(e, t, model.Create))
		add(model.Edit, d.p.Old(e, t, model.Edit), d.p.New(e, t, model.Edit))
		add(model.Delete, d.p.Old(e, t, model.Delete), nil)
	}
	if len(out.actions) > 0 && (needsView(d.p, e, t) || len(d.views.used) > 0) {
		r.errs = nil
		out.view = d.view(r, e, t, a.ReadOnly)
		for _, err := range r.errs {
			d.errs = append(d.errs, fmt.Errorf("the view of %s: %w", t.Address(), err))
		}
		out.view.related = d.views.take()
	}
	out.used = slices.SortedFunc(maps.Keys(r.used), ObjectID.Compare)
	d.addRelated(r.related)
	return out
}

// appTables remembers of tables whether a policy, guard or condition on them
// depends on the app.
type appTables map[*model.Table]bool

func (m appTables) has(t *model.Table) bool {
	if known, done := m[t]; done {
		return known
	}
	found := false
	subjects := func(list []model.Subject) {
		for _, s := range list {
			_, isApp := s.(model.AppSubject)
			found = found || isApp
		}
	}
	cond := func(c model.Cond) { found = found || mentionsApp(c) }
	for _, target := range t.Policies {
		subjects(target.Policy.To)
		found = found || target.Policy.Via != nil
		cond(target.When.Holds)
		cond(target.Check.Holds)
	}
	for _, g := range t.Guards {
		subjects(g.Guard.To)
		cond(g.Require.Holds)
	}
	for _, target := range t.Masks {
		subjects(target.Mask.Unless)
	}
	for _, r := range t.Reports {
		subjects(r.To)
		cond(r.Where.Holds)
	}
	m[t] = found
	return found
}

func mentionsApp(c model.Cond) bool {
	found := false
	model.Walk(c, func(atom model.Cond) {
		if _, via := atom.(*model.ViaApp); via {
			found = true
		}
		for _, o := range model.Operands(atom) {
			model.WalkExpr(o, func(x model.Expr) {
				if _, app := x.(*model.AppRef); app {
					found = true
				}
			})
		}
	})
	return found
}

func never(c model.Cond) bool {
	_, never := c.(model.False)
	return never
}

func (d *desired) print(r *renderer, c model.Cond) sqltext.SQL {
	if c == nil {
		return ""
	}
	s, err := r.print(c)
	if err != nil {
		d.errs = append(d.errs, fmt.Errorf("a condition on %s: %w", r.table.Address(), err))
	}
	return s
}

// columns are the columns of an action. They are always listed: a column added
// to the table later must not become visible by itself.
func (d *desired) columns(e model.Entry, t *model.Table, action model.Action) []*model.Column {
	if action != model.View {
		return d.p.WritableColumns(e, t, action)
	}
	var out []*model.Column
	arms := d.p.VisibleColumns(e, t)
	for _, c := range t.Columns {
		if !sightOf(d.p, e, t, arms, c).never {
			out = append(out, c)
		}
	}
	return out
}

// grantingPolicies are the policies of a table that can grant the action
// through an entry.
func grantingPolicies(p *model.Program, e model.Entry, t *model.Table, action model.Action) []*model.PolicyTarget {
	var out []*model.PolicyTarget
	if action == model.View {
		for _, arm := range p.VisibleColumns(e, t) {
			out = append(out, arm.Target)
		}
		return out
	}
	for _, target := range t.Policies {
		if target.Allows(action) && !gateClosed(p, e, target.Policy) {
			out = append(out, target)
		}
	}
	return out
}

// gateClosed reports whether a policy can never apply through an entry,
// whoever asks.
func gateClosed(_ *model.Program, e model.Entry, pol *model.Policy) bool {
	if pol.Via != nil && !slices.Contains(pol.Via, e.App()) {
		return true
	}
	for _, s := range pol.To {
		app, isApp := s.(model.AppSubject)
		if isApp && app.App == e.App() || !isApp && !e.AsApp() {
			return false
		}
	}
	return true
}

// origins are the source blocks behind a policy of an account.
func origins(p *model.Program, e model.Entry, t *model.Table, action model.Action) []Origin {
	var out []Origin
	for _, target := range grantingPolicies(p, e, t, action) {
		out = append(out, Origin{Block: "policy." + target.Policy.Name, Span: target.Policy.Span})
	}
	for _, g := range t.Guards {
		out = append(out, Origin{Block: "guard." + g.Guard.Name, Span: g.Guard.Span})
	}
	slices.SortStableFunc(out, func(x, y Origin) int { return cmp.Compare(x.Block, y.Block) })
	return out
}

package explain

import (
	"slices"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// Access is all that a user may do.
type Access struct {
	User User `json:"user"`
	// Grants are the actions that the user has on some record, by table, app and
	// action in the program's order.
	Grants []Grant `json:"grants"`
	// Without are the tables on which the user may do nothing.
	Without []string `json:"without"`
}

// Grant is one action on one table through one app. Conditions are written in
// the language, with what is known of the user worked out: "true" is every
// record.
type Grant struct {
	Table  string       `json:"table"`
	App    string       `json:"app,omitempty"`
	Action model.Action `json:"action"`
	// When is the condition on the record as it stands; "" for create.
	When string `json:"when,omitempty"`
	// Becomes is the condition on what a write makes; "" for other actions.
	Becomes string `json:"becomes,omitempty"`
	// Columns are those that a view shows, or that a write may set.
	Columns []GrantColumns `json:"columns,omitempty"`
}

// GrantColumns are columns that a user has alike.
type GrantColumns struct {
	Names []string `json:"names"`
	// When is the condition under which a record shows them, "" where it is that
	// of the grant.
	When string `json:"when,omitempty"`
	Mask string `json:"mask,omitempty"` // through which they are seen
}

// What is all that the request's user may do, through each app or, where
// the request names one, through that one; behind an app whose users share its
// access, what they share, if the user may use it. What request.* reads stays open
// unless the request has a context.
func What(p *model.Program, req model.Request) *Access {
	e := &explainer{program: p, query: eval.Query{Request: req}}
	out := &Access{User: e.user(eval.NewEnv(p, req, model.Entry{})), Grants: []Grant{}, Without: []string{}}
	for _, t := range p.Tables {
		has := false
		for _, entry := range t.Datasource.Entries() {
			if app := entry.App(); app != nil && req.App != "" && app.Name != req.App {
				continue
			}
			if entry.AsApp() && !eval.MayUse(p, through(req, entry)) {
				continue // its users share its access, and this one is none of them
			}
			w := newWhat(p, req, entry, t)
			for _, a := range t.Actions {
				if g, ok := w.grant(a); ok {
					out.Grants = append(out.Grants, g)
					has = true
				}
			}
		}
		if !has {
			out.Without = append(out.Without, TableAddress(t))
		}
	}
	return out
}

// through is a request that comes through an entry.
func through(req model.Request, entry model.Entry) model.Request {
	if entry.App() != nil {
		req.App = entry.App().Name
	}
	return req
}

type what struct {
	*explainer
	folder folder
	table  *model.Table
}

func newWhat(p *model.Program, req model.Request, entry model.Entry, t *model.Table) *what {
	req = through(req, entry)
	env := eval.NewEnv(p, req, entry)
	return &what{
		explainer: &explainer{program: p, query: eval.Query{Request: req, Table: t}, env: env, entry: entry},
		folder:    folder{env: env, user: true, groups: true, request: req.Context != nil},
		table:     t,
	}
}

// grant is what the user has of an action; false when it is nothing.
func (w *what) grant(a model.Action) (Grant, bool) {
	g := Grant{Table: TableAddress(w.table), Action: a}
	if app := w.entry.App(); app != nil {
		g.App = "app." + app.Name
	}
	var old, becomes model.Cond = model.True{}, model.True{}
	if a != model.Create {
		old = w.folder.fold(w.program.Old(w.entry, w.table, a))
		g.When = print.Cond(old)
	}
	if a == model.Create || a == model.Edit {
		becomes = w.folder.fold(w.program.New(w.entry, w.table, a))
		g.Becomes = print.Cond(becomes)
	}
	for _, c := range []model.Cond{old, becomes} {
		if _, never := c.(model.False); never {
			return g, false
		}
	}
	switch a {
	case model.View:
		g.Columns = w.shown(g.When)
	case model.Edit, model.Create:
		g.Columns = w.settable(a)
	case model.Delete:
	default: // a resource's own action has no columns
	}
	return g, true
}

// shown are the columns that the user sees, those that are seen alike together.
func (w *what) shown(when string) []GrantColumns {
	var out []GrantColumns
	guarded := w.folder.fold(w.program.Old(w.entry, w.table, model.View))
	for _, c := range w.table.Columns {
		var arms []model.Cond
		for _, arm := range w.program.VisibleColumns(w.entry, w.table) {
			if slices.Contains(arm.Target.Columns, c) {
				arms = append(arms, w.folder.fold(arm.Cond))
			}
		}
		seen := simplify(arms, true)
		if _, never := seen.(model.False); never {
			continue
		}
		col := GrantColumns{Names: []string{c.Name}, When: print.Cond(simplify([]model.Cond{guarded, seen}, false))}
		if col.When == when {
			col.When = ""
		}
		if m := w.mask(c); m != nil {
			col.Mask = m.Name
		}
		i := slices.IndexFunc(out, func(o GrantColumns) bool { return o.When == col.When && o.Mask == col.Mask })
		if i < 0 {
			out = append(out, col)
		} else {
			out[i].Names = append(out[i].Names, c.Name)
		}
	}
	return out
}

// settable are the columns that a write of the user may set.
func (w *what) settable(a model.Action) []GrantColumns {
	w.query.Action = a
	var names []string
	for _, c := range w.program.WritableColumns(w.entry, w.table, a) {
		if w.listed(c) && w.mask(c) == nil && (a == model.Create || w.visible(c)) {
			names = append(names, c.Name)
		}
	}
	if names == nil {
		return nil
	}
	return []GrantColumns{{Names: names}}
}

func (w *what) visible(c *model.Column) bool {
	return slices.ContainsFunc(w.program.VisibleColumns(w.entry, w.table), func(arm model.ColumnArm) bool {
		_, never := w.folder.fold(arm.Cond).(model.False)
		return !never && slices.Contains(arm.Target.Columns, c)
	})
}

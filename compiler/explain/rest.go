package explain

import (
	"slices"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// Rest is what a table's policies and guards still ask of a record, once all
// that a request tells is worked out: conditions speak of records alone.
type Rest struct {
	// Policies are those that are for the request, and may grant something.
	Policies []RestPolicy
	// Guards are those that the user is not surely outside of; all of them must
	// hold.
	Guards []RestGuard
	masked map[*model.Column]bool
}

// RestPolicy is what a policy asks of a record: When of it as it stands, Check
// of what a write makes.
type RestPolicy struct {
	Target      *model.PolicyTarget
	When, Check model.Cond
}

// RestGuard is what a guard asks of a record.
type RestGuard struct {
	Target  *model.GuardTarget
	Require model.Cond
}

// RestOf is the rest of a request to a table. False is a request without a way
// in: its app does not connect, or the user may not use it.
func RestOf(p *model.Program, req model.Request, t *model.Table) (*Rest, bool) {
	env, entry, ok := eval.Enter(p, req, t.Datasource)
	if !ok {
		return nil, false
	}
	e := &explainer{program: p, query: eval.Query{Request: req, Table: t}, env: env, entry: entry}
	if c := entry.Connect; c != nil && !entry.AsApp() && env.Among(c.App.Users) != true || entry.AsApp() && !eval.MayUse(p, req) {
		return nil, false
	}
	f := folder{env: env, user: true, groups: true, request: true, now: true}
	out := &Rest{masked: map[*model.Column]bool{}}
	for _, target := range t.Policies {
		if e.applies(target.Policy) {
			out.Policies = append(out.Policies, RestPolicy{Target: target, When: f.fold(target.When.Holds), Check: f.fold(target.Check.Holds)})
		}
	}
	for _, target := range t.Guards {
		if env.Among(target.Guard.To) != false {
			out.Guards = append(out.Guards, RestGuard{Target: target, Require: f.fold(target.Require.Holds)})
		}
	}
	for _, c := range t.Columns {
		out.masked[c] = e.mask(c) != nil
	}
	return out, true
}

// Granting are the policies that may grant an action.
func (r *Rest) Granting(a model.Action) []RestPolicy {
	var out []RestPolicy
	for _, p := range r.Policies {
		if p.Target.Allows(a) {
			out = append(out, p)
		}
	}
	return out
}

// Settable are the columns, in the table's order, that a policy lets a create
// or an edit set, and that no mask hides. An edit must see them as well.
func (r *Rest) Settable(a model.Action) []*model.Column {
	var out []*model.Column
	for _, p := range r.Granting(a) {
		for _, c := range p.Target.Table.Columns {
			if slices.Contains(p.Target.Columns, c) && !r.masked[c] && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	if len(out) > 0 {
		all := r.Policies[0].Target.Table.Columns
		slices.SortFunc(out, func(a, b *model.Column) int { return slices.Index(all, a) - slices.Index(all, b) })
	}
	return out
}

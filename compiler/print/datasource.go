package print

import "github.com/postern-dev/postern/compiler/model"

// Datasource prints what of a program bears on one datasource: a project with
// this datasource alone. Values of secrets are not part of it, nor are the
// references to them.
func Datasource(p *model.Program, d *model.Datasource) string {
	only := *p
	only.Datasources, only.Tables, only.Accounts = []*model.Datasource{d}, d.Tables, d.Accounts
	only.Apps, only.Policies, only.Guards, only.Masks, only.Reports = nil, nil, nil, nil, nil
	for _, pol := range p.Policies {
		here := *pol
		here.On = on(pol.On, func(t *model.PolicyTarget) *model.Table { return t.Table }, d)
		if len(here.On) > 0 {
			only.Policies = append(only.Policies, &here)
		}
	}
	for _, g := range p.Guards {
		here := *g
		here.On = on(g.On, func(t *model.GuardTarget) *model.Table { return t.Table }, d)
		if len(here.On) > 0 {
			only.Guards = append(only.Guards, &here)
		}
	}
	for _, m := range p.Masks {
		here := *m
		here.On = on(m.On, func(t *model.MaskTarget) *model.Table { return t.Table }, d)
		if len(here.On) > 0 {
			only.Masks = append(only.Masks, &here)
		}
	}
	for _, r := range p.Reports {
		if r.From.Datasource == d {
			only.Reports = append(only.Reports, r)
		}
	}
	// Policies may speak of apps that do not connect here.
	for _, a := range p.Apps {
		here := *a
		here.Connects = nil
		if c := a.Connect(d); c != nil {
			here.Connects = []*model.Connect{c}
		}
		only.Apps = append(only.Apps, &here)
	}
	return Project(&only)
}

// on are the targets on tables of a datasource.
func on[T any](list []T, table func(T) *model.Table, d *model.Datasource) []T {
	var out []T
	for _, t := range list {
		if table(t).Datasource == d {
			out = append(out, t)
		}
	}
	return out
}

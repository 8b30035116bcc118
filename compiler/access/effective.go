package access

import (
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Cell is what one subject is granted: an action on the records of a table,
// through an app.
type Cell struct {
	Subject string       `json:"subject"`       // as in HCL
	App     string       `json:"app,omitempty"` // "" for a datasource without apps
	Action  model.Action `json:"action"`
	Table   string       `json:"table"` // as in HCL
	// Columns are those that the policies list: that view may show, or a write
	// set; nil for other actions.
	Columns []string `json:"columns,omitempty"`
	// Policies are those that grant it, Guards those on the table.
	Policies []string      `json:"policies"`
	Guards   []string      `json:"guards,omitempty"`
	Spans    []source.Span `json:"spans"` // of the policies
}

// Effective lists what a program grants to whom, by table, app, action and
// subject. Whoever is among a subject has it under the policies' conditions
// and all guards.
func Effective(p *model.Program) []Cell {
	var out []Cell
	for _, t := range p.Tables {
		for _, e := range t.Datasource.Entries() {
			app := ""
			if e.Connect != nil {
				app = e.App().Name
			}
			for _, a := range t.Actions {
				for _, s := range p.Subjects(e, t, a) {
					out = append(out, cellOf(t, e, a, s, app))
				}
			}
		}
	}
	return out
}

func cellOf(t *model.Table, e model.Entry, a model.Action, subject, app string) Cell {
	c := Cell{Subject: subject, App: app, Action: a, Table: tableAddress(t)}
	listed := map[*model.Column]bool{}
	for _, x := range t.Policies {
		is := func(s model.Subject) bool { return model.SubjectString(s) == subject }
		passes := x.Policy.Via == nil || slices.Contains(x.Policy.Via, e.App())
		if !x.Allows(a) || !passes || !slices.ContainsFunc(x.Policy.To, is) {
			continue
		}
		c.Policies = append(c.Policies, x.Policy.Name)
		c.Spans = append(c.Spans, x.Span)
		for _, col := range x.Columns {
			listed[col] = true
		}
	}
	for _, g := range t.Guards {
		c.Guards = append(c.Guards, g.Guard.Name)
	}
	if a != model.View && a != model.Edit && a != model.Create {
		return c
	}
	for _, col := range t.Columns {
		if listed[col] {
			c.Columns = append(c.Columns, col.Name)
		}
	}
	return c
}

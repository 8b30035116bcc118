package rego

import (
	"bytes"
	"context"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
)

// hostileNames try to break out of every place that a name stands in.
var hostileNames = []string{`"] := true #`, "a.b/c", "lib", "lib_", "data", "if", "every", "é", "e\u0301", "\u2028", "A", "a", " ", `x["k"]`, "%2f", "..", "\n", "model"}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	for _, project := range []string{"acme", `"x`, "if", "..", "é"} {
		t.Run(project, func(t *testing.T) {
			t.Parallel()
			p := hostileProgram(project)
			c, err := newContent(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			paths := map[string]bool{}
			for _, f := range c.files {
				if paths[f.path] {
					t.Errorf("two files are named %s", f.path)
				}
				paths[f.path] = true
			}
			d, err := NewDecider(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			packed := bundleQuery(t, p)
			for _, table := range p.Tables {
				for _, mine := range []string{"me", "other"} {
					q := backend.Question{
						Request: model.Request{User: map[string]any{"id": "me"}}, Table: table, Action: model.View,
						Old: model.Document{table.Columns[0].Name: mine},
					}
					checkQuestion(t, p, d, packed, q, project)
				}
			}
			data, err := c.pack()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := bundle.NewReader(bytes.NewReader(data)).Read(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// hostileProgram has one datasource for each name, in which everything else is
// named so as well.
func hostileProgram(project string) *model.Program {
	key := &model.Attribute{Name: "id", Scope: model.ScopeUser, Type: model.String, Claim: []string{"id"}}
	p := &model.Program{
		Project: project, Levels: builtInLevels(),
		Identity: model.Identity{Key: key, Attributes: []*model.Attribute{key}},
	}
	for _, n := range hostileNames {
		ds := &model.Datasource{Name: n, Type: model.Service, Description: n}
		column := &model.Column{Name: n, Type: model.String, Null: true}
		table := &model.Table{Datasource: ds, Name: n, Columns: []*model.Column{column}, Actions: []model.Action{model.View}}
		mine := &model.Call{Node: model.Node{Type: model.Bool}, Fn: model.FnEqual, Args: []model.Expr{
			&model.ColumnRef{Node: model.Node{Type: model.String}, Row: &model.Row{Name: "record", Table: table}, Column: column},
			&model.AttrRef{Node: model.Node{Type: model.String}, Attribute: key},
		}}
		holds := &model.Compare{Op: model.Equal, X: mine.Args[0], Y: mine.Args[1]}
		when := model.Condition{Source: mine, Holds: holds}
		policy := &model.Policy{Name: n, Description: n, To: []model.Subject{model.Everyone{}}}
		table.Policies = []*model.PolicyTarget{{Policy: policy, Table: table, Allow: table.Actions, When: when, Check: when, Columns: table.Columns}}
		guard := &model.Guard{Name: n, Description: n, To: []model.Subject{model.Everyone{}}}
		table.Guards = []*model.GuardTarget{{Guard: guard, Table: table, Require: when}}
		ds.Tables = []*model.Table{table}
		p.Datasources = append(p.Datasources, ds)
		p.Tables = append(p.Tables, table)
	}
	return p
}

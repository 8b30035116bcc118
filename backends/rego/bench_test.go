package rego

import (
	"context"
	"fmt"
	"strconv"
	"testing"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
)

// largeProgram is one service with n resources of 4 policies to 5 groups each,
// and a guard.
func largeProgram(n int) *model.Program {
	key := &model.Attribute{Name: "id", Scope: model.ScopeUser, Type: model.UUIDType, Claim: []string{"id"}}
	region := &model.Attribute{Name: "region", Scope: model.ScopeUser, Type: model.String, Claim: []string{"region"}}
	ds := &model.Datasource{Name: "svc", Type: model.Service}
	p := &model.Program{
		Project: "large", Levels: builtInLevels(), Datasources: []*model.Datasource{ds},
		Identity: model.Identity{Key: key, Attributes: []*model.Attribute{key, region}},
	}
	var to []model.Subject
	for i := range 5 {
		g := &model.Group{Name: "g" + strconv.Itoa(i)}
		g.Closure = []string{g.Name}
		p.Groups = append(p.Groups, g)
		to = append(to, model.GroupSubject{Group: g})
	}
	for i := range n {
		t := &model.Table{
			Datasource: ds, Name: fmt.Sprintf("t%04d", i), Actions: []model.Action{model.View, model.Edit},
			Columns: []*model.Column{{Name: "owner", Type: model.UUIDType}, {Name: "region", Type: model.String}},
		}
		row := &model.Row{Name: "record", Table: t}
		equal := func(c int, a *model.Attribute) model.Cond {
			return &model.Compare{
				Op: model.Equal,
				X:  &model.ColumnRef{Node: model.Node{Type: a.Type}, Row: row, Column: t.Columns[c]},
				Y:  &model.AttrRef{Node: model.Node{Type: a.Type}, Attribute: a},
			}
		}
		when := model.Condition{Holds: model.AnyOf(equal(0, key), equal(1, region))}
		for j := range 4 {
			policy := &model.Policy{Name: fmt.Sprintf("p%04d_%d", i, j), To: to}
			t.Policies = append(t.Policies, &model.PolicyTarget{Policy: policy, Table: t, Allow: t.Actions, When: when, Check: when, Columns: t.Columns})
		}
		guard := &model.Guard{Name: "region", To: []model.Subject{model.Everyone{}}}
		t.Guards = []*model.GuardTarget{{Guard: guard, Table: t, Require: model.Condition{Holds: equal(1, region)}}}
		ds.Tables = append(ds.Tables, t)
	}
	p.Tables = ds.Tables
	return p
}

func BenchmarkEmit(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := largeProgram(n)
			for b.Loop() {
				if _, err := (Emitter{}).Emit(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewDecider(b *testing.B) {
	for _, n := range []int{100, 1000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := largeProgram(n)
			for b.Loop() {
				if _, err := NewDecider(context.Background(), p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func benchmarkQuestion(p *model.Program) backend.Question {
	const id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	return backend.Question{
		Request: model.Request{User: map[string]any{"id": id, "region": "EMEA", "groups": []any{"g1", "g3"}}},
		Table:   p.Tables[len(p.Tables)/2], Action: model.View, Old: model.Document{"owner": id, "region": "EMEA"},
	}
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{3, 2500} {
		b.Run(strconv.Itoa(4*n)+"policies", func(b *testing.B) {
			p := largeProgram(n)
			d, err := NewDecider(context.Background(), p)
			if err != nil {
				b.Fatal(err)
			}
			q := benchmarkQuestion(p)
			for b.Loop() {
				if ok, err := d.Decide(context.Background(), q); err != nil || !ok {
					b.Fatal(ok, err)
				}
			}
		})
	}
}

func BenchmarkDecideMany(b *testing.B) {
	p := largeProgram(10)
	d, err := NewDecider(context.Background(), p)
	if err != nil {
		b.Fatal(err)
	}
	q := benchmarkQuestion(p)
	records := make([]model.Document, 10_000)
	for i := range records {
		records[i] = model.Document{"n": strconv.Itoa(i), "owner": q.Old["owner"], "region": []string{"EMEA", "APAC"}[i%2]}
	}
	for b.Loop() {
		if _, err := d.DecideMany(context.Background(), q.Request, q.Table, q.Action, records); err != nil {
			b.Fatal(err)
		}
	}
}

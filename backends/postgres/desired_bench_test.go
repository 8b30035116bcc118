package postgres_test

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/model"
)

// wideProgram has tables of ten columns, each with four policies and two
// guards, reached by five accounts.
func wideProgram(tables int) *model.Program {
	id := &model.Attribute{Name: "id", Scope: model.ScopeUser, Type: model.UUIDType, Claim: []string{"id"}}
	tenant := &model.Attribute{Name: "tenant", Scope: model.ScopeUser, Type: model.Int, Claim: []string{"tenant"}}
	p := &model.Program{Project: "wide", Identity: model.Identity{Key: id, Attributes: []*model.Attribute{id, tenant}}}
	for _, name := range []string{model.LevelAnonymous, model.LevelUser, model.LevelSuperuser} {
		l := &model.Level{Name: name}
		p.Levels = append(p.Levels, l)
		l.AtLeast = []*model.Level{l}
	}
	for i := range 20 {
		name := fmt.Sprintf("group%02d", i)
		p.Groups = append(p.Groups, &model.Group{Name: name, Closure: []string{name}})
	}
	ds := &model.Datasource{Name: "wide", Type: model.Postgres, Identity: model.IdentitySigned, OwnerBound: true}
	p.Datasources = []*model.Datasource{ds}
	for i := range 5 {
		a := &model.ServiceAccount{Name: fmt.Sprint("account", i), Role: fmt.Sprint("wide_account", i), Datasource: ds, Managed: true}
		app := &model.App{Name: fmt.Sprint("app", i), Users: []model.Subject{model.Everyone{}}}
		app.Connects = []*model.Connect{{App: app, Datasource: ds, Account: a, AsUser: true}}
		a.App = app
		ds.Accounts, ds.Apps = append(ds.Accounts, a), append(ds.Apps, app)
	}
	p.Accounts, p.Apps = ds.Accounts, ds.Apps
	for i := range tables {
		addWideTable(p, ds, i, id, tenant)
	}
	p.Tables = ds.Tables
	return p
}

func addWideTable(p *model.Program, ds *model.Datasource, i int, id, tenant *model.Attribute) {
	t := &model.Table{
		Datasource: ds, Name: fmt.Sprintf("t%04d", i), SQLName: fmt.Sprintf("t%04d", i), Schema: "public",
		Actions: []model.Action{model.View, model.Create, model.Edit, model.Delete},
	}
	for c := range 10 {
		typ := model.String
		switch c {
		case 0:
			typ = model.UUIDType
		case 1:
			typ = model.Int
		}
		t.Columns = append(t.Columns, &model.Column{Name: fmt.Sprint("c", c), Type: typ})
	}
	row := &model.Row{Name: "record", Table: t}
	col := func(c int) model.Expr {
		return &model.ColumnRef{Node: model.Node{Type: t.Columns[c].Type}, Row: row, Column: t.Columns[c]}
	}
	attr := func(a *model.Attribute) model.Expr {
		return &model.AttrRef{Node: model.Node{Type: a.Type}, Attribute: a}
	}
	for n := range 4 {
		pol := &model.Policy{Name: fmt.Sprintf("p%04d_%d", i, n), To: []model.Subject{model.GroupSubject{Group: p.Groups[(i+n)%20]}}}
		when := model.AnyOf(
			&model.Compare{Op: model.Equal, X: col(0), Y: attr(id)},
			&model.Compare{Op: model.Equal, X: col(2 + n), Y: &model.Literal{Node: model.Node{Type: model.String}, Value: fmt.Sprint("v", n)}},
		)
		c := model.Condition{Holds: when, Fails: model.False{}}
		target := &model.PolicyTarget{Policy: pol, Table: t, Allow: t.Actions, When: c, Check: c, Columns: t.Columns}
		pol.On = []*model.PolicyTarget{target}
		t.Policies, p.Policies = append(t.Policies, target), append(p.Policies, pol)
	}
	guard := &model.Guard{Name: fmt.Sprintf("g%04d", i), To: []model.Subject{model.Everyone{}}}
	require := &model.Compare{Op: model.Equal, X: col(1), Y: attr(tenant)}
	t.Guards = []*model.GuardTarget{{Guard: guard, Table: t, Require: model.Condition{Holds: require, Fails: model.False{}}}}
	p.Guards = append(p.Guards, guard)
	ds.Tables = append(ds.Tables, t)
}

// BenchmarkDesired makes the state and the script of 1000 tables.
func BenchmarkDesired(b *testing.B) {
	p := wideProgram(1000)
	b.ReportAllocs()
	for b.Loop() {
		state, diags := postgres.Desired(p, p.Datasources[0])
		if err := diags.Err(); err != nil {
			b.Fatal(err)
		}
		script, err := postgres.Script(state, "wide", "")
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(script))/1e6, "MB/script")
		b.ReportMetric(float64(len(state.Policies)), "policies")
	}
}

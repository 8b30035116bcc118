package postgres_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/model"
)

const nasty = `"; drop table x; --`

// hostileProgram is built by hand: the language refuses some of these names,
// the printers must not depend on that.
func hostileProgram(prefix string) *model.Program {
	long := strings.Repeat("ü", 40)
	p := &model.Program{Project: prefix + nasty}
	key := &model.Attribute{Name: `id'"` + nasty, Scope: model.ScopeUser, Type: model.String, Claim: []string{`it's "\`, "{{1}}"}}
	other := &model.Attribute{Name: long, Scope: model.ScopeUser, Type: model.EnumOf(`a'b`, `$postern$`), Claim: []string{long}}
	context := &model.Attribute{Name: "SELECT", Scope: model.ScopeRequest, Type: model.StringSet, Claim: []string{"SELECT"}}
	p.Identity = model.Identity{Key: key, Attributes: []*model.Attribute{key, other}}
	p.Request = []*model.Attribute{context}
	for i, name := range []string{model.LevelAnonymous, model.LevelUser, `le'vel`, model.LevelSuperuser} {
		p.Levels = append(p.Levels, &model.Level{Name: name})
		for _, l := range p.Levels[:i+1] {
			l.AtLeast = append(l.AtLeast, p.Levels[i])
		}
	}
	p.Groups = []*model.Group{{Name: `gr'oup"\`, Closure: []string{`gr'oup"\`, "above;"}}}
	p.Users = []*model.User{{Name: "u", Key: `k'ey\`, Groups: p.Groups, Attributes: []model.UserValue{{Attribute: other, Value: `a'b`}}}}
	ds := &model.Datasource{Name: nasty + "/../x", Type: model.Postgres, Identity: model.IdentitySetting, ClaimsSetting: "postern.claims", OwnerBound: true}
	p.Datasources = []*model.Datasource{ds}
	account := &model.ServiceAccount{Name: "a", Datasource: ds, Role: prefix + strings.Repeat("Ü", 20) + `"'\ PUBLIC`, Managed: true}
	ds.Accounts, p.Accounts = []*model.ServiceAccount{account}, []*model.ServiceAccount{account}
	var columns []*model.Column
	for _, name := range []string{`c"'\`, "user", "MixedCase", strings.Repeat("x", 63)} {
		columns = append(columns, &model.Column{Name: name, Type: model.String, Null: true})
	}
	tags := &model.Column{Name: `ta"gs`, Type: model.StringSet, Null: true}
	state := &model.Column{Name: "select", Type: model.EnumOf(`o'pen`, `\`), Native: `"Odd ""schema"."En""um"`, Null: true}
	columns = append(columns, tags, state)
	table := &model.Table{
		Datasource: ds, Name: "t", Schema: `Odd "schema`, SQLName: `Ta"ble'\`, Columns: columns,
		Actions: []model.Action{model.View, model.Create, model.Edit, model.Delete},
	}
	ds.Tables, p.Tables = []*model.Table{table}, []*model.Table{table}
	row := &model.Row{Name: "record", Table: table}
	col := func(c *model.Column) *model.ColumnRef {
		return &model.ColumnRef{Node: model.Node{Type: c.Type}, Row: row, Column: c}
	}
	attr := func(a *model.Attribute) model.Expr {
		return &model.AttrRef{Node: model.Node{Type: a.Type}, Attribute: a}
	}
	text := func(s string) model.Expr { return &model.Literal{Node: model.Node{Type: model.String}, Value: s} }
	cond := model.AllOf(
		&model.Compare{Op: model.Equal, X: col(columns[0]), Y: attr(key)},
		&model.Compare{Op: model.Equal, X: col(columns[1]), Y: text(`'; drop table x; --\`)},
		&model.Match{Op: model.MatchContains, X: col(columns[2]), Y: attr(other)},
		&model.Compare{Op: model.Equal, X: col(state), Y: text(`o'pen`)},
		&model.In{Elem: text("x"), Set: attr(context)},
		&model.In{Elem: text(`"`), Set: col(tags)},
		&model.Compare{
			Op: model.Equal, Y: &model.Literal{Node: model.Node{Type: model.Int}, Value: one()},
			X: &model.Call{Node: model.Node{Type: model.Int}, Fn: model.FnLength, Args: []model.Expr{col(tags)}},
		},
	)
	pol := &model.Policy{Name: "p\n; drop table x", To: []model.Subject{model.GroupSubject{Group: p.Groups[0]}}}
	condition := model.Condition{Holds: cond, Fails: model.False{}}
	target := &model.PolicyTarget{Policy: pol, Table: table, Allow: table.Actions, When: condition, Check: condition, Columns: columns}
	pol.On, table.Policies, p.Policies = []*model.PolicyTarget{target}, []*model.PolicyTarget{target}, []*model.Policy{pol}
	return p
}

const hostileTables = `
CREATE TABLE x ();
CREATE SCHEMA "Odd ""schema";
CREATE TYPE "Odd ""schema"."En""um" AS ENUM ('o''pen', '\');
CREATE TABLE "Odd ""schema"."Ta""ble'\" ("c""'\" text, "user" text, "MixedCase" text, %[1]s text, "ta""gs" text[], "select" "Odd ""schema"."En""um");
INSERT INTO "Odd ""schema"."Ta""ble'\" VALUES ('k''ey\', '''; drop table x; --\', '-a''b-', NULL, '{"\"",NULL}', 'o''pen'),
	('other', '''; drop table x; --\', '-a''b-', NULL, '{"\""}', 'o''pen');
`

func TestHostileNames(t *testing.T) {
	t.Parallel()
	p := hostileProgram("hostile")
	d := applied(t, p, fmt.Sprintf(hostileTables, strings.Repeat("x", 63)))
	conn := d.as(t, p.Accounts[0].Role)
	claims := `{"it's \"\\": {"{{1}}": "k'ey\\"}}`
	const query = `SELECT count(*) FROM "Odd ""schema"."Ta""ble'\"`
	for context, want := range map[string]string{`{"SELECT": ["x"]}`: "1", `{"SELECT": ["y"]}`: "0"} {
		execute(t, conn, "SELECT set_config('postern.request', '"+context+"', false)")
		if got := values(t, conn, claims, query); got != want {
			t.Errorf("request %s: %s rows, want %s", context, got, want)
		}
	}
	// Function bodies are read by the client's session, as it likes to read strings.
	conn = d.as(t, p.Accounts[0].Role)
	execute(t, conn, "SET standard_conforming_strings = off; SELECT set_config('postern.request', '{\"SELECT\": [\"x\"]}', false)")
	if got := values(t, conn, claims, query); got != "1" {
		t.Errorf("with backslashes as escapes: %s rows", got)
	}
	execute(t, d.admin, "SELECT FROM public.x")
}

// TestLongNamesStayApart: names that Postgres would cut to the same one.
func TestLongNamesStayApart(t *testing.T) {
	t.Parallel()
	a, b := postgres.LoginName(strings.Repeat("é", 31), "a"), postgres.LoginName(strings.Repeat("é", 31), "b")
	if a == b || len(a) > 63 || len(b) > 63 {
		t.Errorf("logins %q and %q", a, b)
	}
}

func one() model.Value { return big.NewRat(1, 1) }

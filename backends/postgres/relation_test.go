package postgres

import (
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

const relatedTables = `
CREATE TABLE teams (code varchar(10) PRIMARY KEY, region text, head bigint);
CREATE TABLE people (id integer PRIMARY KEY, team text, active boolean, tags text[]);
CREATE TABLE docs (id bigint PRIMARY KEY, owner bigint, parent bigint, min bigint, kind text);
CREATE TABLE members (id bigint PRIMARY KEY, doc bigint, person bigint, role text);
INSERT INTO people VALUES (1, 'red', true, '{red}'), (2, 'blue', false, '{}');
INSERT INTO docs VALUES (1, 1, 2, 2, 'a'), (2, 2, 1, 1, 'a'), (3, 1, 2, 1, 'child');
INSERT INTO members VALUES (1, 1, 1, 'lead'), (2, 2, 7, 'gone');
ALTER TABLE members FORCE ROW LEVEL SECURITY;
`

// relatedProgram is the program of testdata/equivalence/relations.txtar.
func relatedProgram(t *testing.T, project string) *model.Program {
	t.Helper()
	data, err := os.ReadFile("../../testdata/equivalence/relations.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(data).Files {
		if f.Name == "project.hcl" {
			return compileText(t, strings.ReplaceAll(string(f.Data), "eq_relations", project))
		}
	}
	t.Fatal("no project")
	return nil
}

// relatedDatabase has the tables, the program and its state.
func relatedDatabase(t *testing.T, project string) (*pgx.Conn, *State) {
	t.Helper()
	p := relatedProgram(t, project)
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, relatedTables)
	want, diags := Desired(p, p.Datasources[0])
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	apply(t, conn, makePlan(t, conn, want))
	return conn, want
}

// TestRelationsConverge: nothing is left to do after an apply, and all
// expressions are read back as they were written.
func TestRelationsConverge(t *testing.T) {
	t.Parallel()
	conn, want := relatedDatabase(t, "related_fix")
	requireEmpty(t, conn, want)
	live, err := Inspect(t.Context(), conn, want.Project, ScopeOf(want))
	if err != nil {
		t.Fatal(err)
	}
	for id, p := range want.Policies {
		if have := live.Policies[id]; have == nil || have.Using != p.Using || have.Check != p.Check {
			t.Errorf("%s\nwritten %s\nread    %+v", printed(id), p.Using, have)
		}
	}
}

// TestRelatedRecordsStayHidden: conditions read related records whatever their
// tables show to the user, who gets no right on them.
func TestRelatedRecordsStayHidden(t *testing.T) {
	t.Parallel()
	conn, _ := relatedDatabase(t, "related_hid")
	as := func(claims string) string {
		return "SET ROLE related_hid; SET postern.claims = '" + claims + "'; "
	}
	if got := rows(t, conn, as(`{"id": 1, "case": "one"}`)+"SELECT id FROM docs ORDER BY id"); !slices.Equal(got, []string{"1", "3"}) {
		t.Errorf("sees %q", got)
	}
	if got := rows(t, conn, as(`{"id": 1, "case": "some"}`)+"SELECT id FROM docs ORDER BY id"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("sees %q", got)
	}
	for _, sql := range []string{"SELECT id FROM members", "SELECT id FROM people", "SET ROLE postern_related_hid"} {
		if _, err := conn.Exec(t.Context(), "SET SESSION AUTHORIZATION related_hid_a; "+sql, pgx.QueryExecModeSimpleProtocol); err == nil {
			t.Errorf("the account may %s", sql)
		}
		execute(t, conn, "RESET SESSION AUTHORIZATION; RESET ROLE")
	}
}

// TestRelationFunctionsAreWatched: a function that was made wider, a policy
// that hides related records and a lost grant are found and put right.
func TestRelationFunctionsAreWatched(t *testing.T) {
	t.Parallel()
	conn, want := relatedDatabase(t, "related_drift")
	var asked ObjectID
	for id, f := range want.Functions {
		if strings.HasPrefix(id.Name, "related_") && f.Returns == "boolean" {
			asked = id
		}
	}
	execute(t, conn, "CREATE OR REPLACE FUNCTION "+printed(asked)+` RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN true; END'`)
	execute(t, conn, "DROP POLICY postern_related ON people; REVOKE SELECT (person) ON members FROM postern_related_drift")
	p := makePlan(t, conn, want)
	var found []string
	for _, c := range p.Changes {
		found = append(found, string(plan.ActionOf(c))+" "+string(c.What().Object.Kind))
	}
	slices.Sort(found)
	if len(found) != 3 {
		t.Errorf("found %q", found)
	}
	apply(t, conn, p)
	requireEmpty(t, conn, want)
}

// TestRelationFormsUseKeys: a condition on one joined column is asked once a
// query and by the index of the record's key; others are called for each
// record.
func TestRelationFormsUseKeys(t *testing.T) {
	t.Parallel()
	_, want := relatedDatabase(t, "related_form")
	var using string
	for id, p := range want.Policies {
		if id.Name == "docs" && p.Command == CommandSelect && len(p.To) == 1 && p.To[0].Role == "related_form" {
			using = string(p.Using)
		}
	}
	for _, form := range []string{"(id = ANY (( SELECT postern.related_docs_members_", "(owner IN ( SELECT x.x\n   FROM unnest(( SELECT postern.related_docs_author_", "(id IS NULL) OR (NOT (id IN ( SELECT x.x"} {
		if !strings.Contains(using, form) {
			t.Errorf("no %s in\n%s", form, using)
		}
	}
}

// TestConditionsOnRelatedRecords asks every condition about the one record
// that a relation of the table to itself leads to, in both forms: the answers
// are those about the record itself.
func TestConditionsOnRelatedRecords(t *testing.T) {
	t.Parallel()
	p := conditionProgram(t, "relconds")
	conn := conditionDatabase(t, p)
	table := p.Tables[0]
	now, _ := eval.ParseTimestamp(testNow)
	forms, plain := conditionSQL(t, p, instantConst(now))
	id := table.Column("id")
	table.PrimaryKey = []*model.Column{id}
	self := &model.Relation{Name: "self", From: table, Table: table, On: []model.JoinPair{{From: id, To: id}}, Many: true}
	twice := &model.Relation{Name: "twice", From: table, Table: table, On: []model.JoinPair{self.On[0], self.On[0]}, Many: true}
	r := &renderer{runtime: newAccessors(p), entry: table.Datasource.Entries()[0], table: table, now: instantConst(now), used: map[ObjectID]struct{}{}, related: newRelatedSet()}
	var checks []string
	for i, c := range forms {
		each := rowOf(c)
		if each == nil {
			each = &model.Row{Table: table}
		}
		for _, rel := range []*model.Relation{self, twice} {
			from := model.RelatedRows{Row: &model.Row{Name: "record", Table: table}, Relation: rel, Each: each}
			one := &model.Literal{Node: model.Node{Type: model.Int}, Value: big.NewRat(1, 1)}
			for _, loop := range []model.Cond{
				&model.Some{From: from, Where: c}, &model.Every{From: from, Where: c},
				&model.Count{From: from, Holds: c, Fails: c, Op: model.Less, N: one},
			} {
				s, err := r.print(loop)
				if err != nil {
					t.Fatal(err)
				}
				label := sqlString(t, conditions[i/2]+" over "+rel.Name)
				want := "(" + string(plain[i]) + ") IS TRUE"
				if _, count := loop.(*model.Count); count {
					want = "FALSE" // the one holds and so does not fail, or is undecided
				}
				checks = append(checks, "CASE WHEN ("+string(s)+") IS TRUE = ("+want+") THEN NULL ELSE "+label+" END")
			}
		}
	}
	for fid, f := range r.related.functions {
		f.Owner = "postgres"
		text, err := CreateFunction(f)
		if err != nil {
			t.Fatal(fid, err)
		}
		execute(t, conn, string(text))
	}
	for i := 0; i < len(hostileUsers); i += 1 + len(hostileUsers)/3 { // calls for each record are dear
		claims := hostileUsers[i]
		if _, err := conn.Exec(t.Context(), "SELECT set_config('postern.claims', $1, false), set_config('postern.request', '{\"ip\": \"10.9.9.9\"}', false)", claims); err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(checks, 500) {
			for _, wrong := range rows(t, conn, "SELECT x, id FROM public.r, unnest(ARRAY["+strings.Join(part, ",\n")+"]) x WHERE id % 6 = 1 AND x IS NOT NULL") {
				t.Errorf("claims %s: %s", claims, wrong)
			}
		}
	}
}

func sqlString(t *testing.T, text string) string {
	t.Helper()
	s, err := sqltext.Literal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(s)
}

// rowOf is the row that a condition's columns are of.
func rowOf(c model.Cond) (row *model.Row) {
	model.Walk(c, func(atom model.Cond) {
		for _, o := range model.Operands(atom) {
			model.WalkExpr(o, func(e model.Expr) {
				if ref, ok := e.(*model.ColumnRef); ok {
					row = ref.Row
				}
			})
		}
	})
	return row
}

package postgres

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
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
	for _, form := range []string{"(id = ANY (( SELECT postern.related_docs_members_", "(owner IN ( SELECT x.x\n   FROM unnest(postern.related_docs_author_", "(id IS NULL) OR (NOT (id IN ( SELECT x.x"} {
		if !strings.Contains(using, form) {
			t.Errorf("no %s in\n%s", form, using)
		}
	}
}

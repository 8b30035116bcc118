package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// A generated object that has to be dropped while somebody else's needs it is
// an error of the plan that names both, and not one of Postgres while it runs.
func TestBuiltOnGenerated(t *testing.T) {
	t.Parallel()
	const recreate = `ALTER VIEW V.people RENAME COLUMN ssn TO number`
	for _, c := range []struct {
		name, sql string
		gone      bool   // the view is no longer needed
		want      string // of the one error; "" for none
		undo      string
	}{
		{
			"view", `CREATE VIEW public.report AS SELECT id FROM V.people; ` + recreate, false,
			`view "V"."people" has to be dropped, and view public.report (owner "postgres") needs it`, `DROP VIEW report`,
		},
		{
			"view over view", `CREATE VIEW inner_one AS SELECT id FROM V.people; CREATE VIEW outer_one AS SELECT * FROM inner_one; ` + recreate, false,
			`and view public.inner_one (owner "postgres") needs it`, `DROP VIEW inner_one CASCADE`,
		},
		{
			"materialized view", `CREATE MATERIALIZED VIEW report AS SELECT id FROM V.people; ` + recreate, false,
			`and materialized view public.report (owner "postgres") needs it`, `DROP MATERIALIZED VIEW report`,
		},
		{
			"function by its type", `CREATE FUNCTION shown(V.people) RETURNS int LANGUAGE sql AS 'SELECT 1'; ` + recreate, false,
			`and function public.shown(V.people) (owner "postgres") needs it`, `DROP FUNCTION shown`,
		},
		{
			"function by its body", `CREATE FUNCTION n() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM V.people; END; ` + recreate, false,
			`and function public.n() (owner "postgres") needs it`, `DROP FUNCTION n`,
		},
		{
			"policy", `CREATE TABLE other (id bigint); CREATE POLICY p ON other USING (id IN (SELECT id FROM V.people)); ` + recreate, false,
			`and policy p on public.other needs it`, `DROP TABLE other`,
		},
		{"column of its type", `CREATE TABLE other (p V.people); ` + recreate, false, `and table column public.other.p (owner "postgres") needs it`, `DROP TABLE other`},
		{"nothing to drop", `CREATE VIEW report AS SELECT id FROM V.people`, false, "", `DROP VIEW report`},
		{
			"no longer needed", `CREATE VIEW report AS SELECT id FROM V.people`, true,
			`view "V"."people" has to be dropped, and view public.report (owner "postgres") needs it`, `DROP VIEW report`,
		},
		{"in its schema", `CREATE TABLE V.other (id int)`, true, `schema "V" has to be dropped, and table V.other (owner "postgres") needs it`, `DROP TABLE V.other`},
		{"nobody", recreate, false, "", ""},
		{"nobody, gone", "", true, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := "built_" + strings.NewReplacer(" ", "_", ",", "").Replace(c.name)
			here := strings.NewReplacer("V.", name+"_role_views.", `"V"`, `"`+name+`_role_views"`)
			d, p := staffed(t, name)
			execute(t, d.admin, here.Replace(c.sql))
			if c.gone {
				p = unmasked(t, name)
			}
			want, diags := postgres.Desired(p, p.Datasources[0])
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			opts := postgres.PlanOptions{Datasource: p.Datasources[0], Created: time.Unix(0, 0), Secrets: secrets}
			made, found, err := postgres.MakePlan(t.Context(), d.admin, want, opts)
			if err != nil {
				t.Fatal(err)
			}
			var failed diag.List
			for _, f := range found {
				if f.Severity == diag.Error {
					failed = append(failed, f)
				}
			}
			if c.want == "" {
				if len(failed) > 0 {
					t.Fatal(failed)
				}
			} else if made != nil || len(failed) != 1 || failed[0].Code != postgres.CodeBuiltOn || !strings.HasSuffix(failed[0].Summary, here.Replace(c.want)) || failed[0].Span.IsZero() {
				t.Fatalf("found %v", found)
			}
			if c.undo != "" {
				execute(t, d.admin, here.Replace(c.undo))
			}
			heal(t, d, p)
		})
	}
}

// unmasked is the project of staffed in which nothing needs a view.
func unmasked(t *testing.T, name string) *model.Program {
	t.Helper()
	plain := compile(t, project(staff, name))
	table := plain.Datasources[0].Tables[0]
	table.Masks = nil
	for _, target := range table.Policies {
		if target.Allows(model.View) {
			target.Columns = table.Columns[:3]
		}
	}
	return plain
}

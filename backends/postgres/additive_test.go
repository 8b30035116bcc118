package postgres

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestAdditive: what the project did not make is left alone where it is told to,
// and every plan says so; what it made goes when it is no longer declared.
func TestAdditive(t *testing.T) {
	t.Parallel()
	own := `
policy "own" {
  on    = [table.d.deals]
  to    = [access_level.user]
  allow = [view, edit]
  when  = record.owner == user.id
}
`
	hcl := strings.ReplaceAll(manyPolicies, "many", "adding") + own
	additive := map[string]string{
		"table":      strings.Replace(hcl, `table "d" "deals" {`, "table \"d\" \"deals\" {\n  manage = \"additive\"", 1),
		"account":    strings.Replace(hcl, `{ datasource = datasource.d }`, "{\n  datasource = datasource.d\n  manage = \"additive\"\n}", 1),
		"datasource": strings.Replace(hcl, `  identity = "setting"`, "  identity = \"setting\"\n  manage = \"additive\"", 1),
	}
	for name, source := range additive {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := strings.ReplaceAll(source, "adding", "adding_"+name)
			other := "other_" + name
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, `CREATE TABLE deals (id bigint PRIMARY KEY, owner bigint NOT NULL, region text NOT NULL); CREATE TABLE elsewhere (x int);
				ALTER TABLE deals ENABLE ROW LEVEL SECURITY;
				CREATE ROLE `+other+`; GRANT SELECT ON deals TO `+other+`; CREATE POLICY theirs ON deals TO `+other+` USING (region = 'x')`)
			made := func(hcl string) (*plan.Plan, string) {
				t.Helper()
				p := compileText(t, hcl)
				want, diags, err := DesiredIn(t.Context(), conn, p, p.Datasources[0])
				if err != nil || diags.HasErrors() {
					t.Fatal(err, diags)
				}
				out, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: p.Datasources[0]})
				if err != nil || diags.HasErrors() {
					t.Fatal(err, diags)
				}
				told := ""
				for _, d := range diags {
					if d.Code == CodeAdditive {
						told += d.Summary + " " + d.Detail + "\n"
					}
				}
				return out, told
			}
			first, told := made(source)
			apply(t, conn, first)
			execute(t, conn, `GRANT SELECT ON elsewhere TO adding_`+name+`; GRANT `+other+` TO adding_`+name)
			theirs := rows(t, conn, `SELECT (SELECT count(*) FROM pg_policy WHERE polname = 'theirs'), has_table_privilege('`+other+`', 'deals', 'SELECT')`)[0]
			again, toldAgain := made(source)
			wantTheirs, wantTold := "1|t", []string{`table "public"."deals"`, "is left alone", `policy "theirs"`, "SELECT of \"" + other + `"`}
			if name == "account" {
				wantTheirs, wantTold = "0|f", nil
			}
			if theirs != wantTheirs {
				t.Errorf("what others have after an apply: %s, want %s", theirs, wantTheirs)
			}
			for _, w := range wantTold {
				if !strings.Contains(told, w) || !strings.Contains(toldAgain, w) {
					t.Errorf("lacks %q:\n%s\nthen\n%s", w, told, toldAgain)
				}
			}
			if name == "table" {
				if again.Empty() {
					t.Error("an account that is not additive keeps what it was given by hand")
				}
			} else if !again.Empty() || !strings.Contains(toldAgain, `table "public"."elsewhere"`) && !strings.Contains(toldAgain, `the membership of`) {
				t.Errorf("%s\n%s", describe(again), toldAgain)
			}
			apply(t, conn, again)
			// What the project made goes.
			last, _ := made(strings.Replace(source, "allow = [view, edit]", "allow = [view]", 1))
			apply(t, conn, last)
			if got := rows(t, conn, `SELECT (SELECT count(*) FROM pg_policy WHERE polcmd = 'w'), has_column_privilege('adding_`+name+`', 'deals', 'owner', 'UPDATE')`)[0]; got != "0|f" {
				t.Errorf("of the edit policy stays %s", got)
			}
		})
	}
}

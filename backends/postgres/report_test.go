package postgres_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/diag"
)

// reported is the staff project with reports.
const reported = staff + `
table "hr" "teams" {
  column "team" { type = string }
  column "head" { type = string }
  primary_key = ["team"]
}
policy "teams" {
  description = "Everybody sees the teams"
  on      = [table.hr.teams]
  to      = [access_level.user]
  allow   = [view]
}
report "red_team" {
  description = "The red team, for leads and the people team"
  from    = table.hr.people
  where   = record.team == "red" && record.notes != "secret"
  columns = ["id", "ssn", "salary", "notes"]
  to      = [group.leads, group.hr]
}
report "heads" {
  description = "Who heads a team"
  for_each = { red = "red", blue = "blue" }
  from    = table.hr.teams
  where   = record.team == each.value
  to      = [group.leads]
}
`

const reportedTables = staffTables + `
INSERT INTO people VALUES (4, 'red', 'Dan', '000-11-2222', 30, 'secret', NULL);
CREATE TABLE teams (team text PRIMARY KEY, head text);
INSERT INTO teams VALUES ('red', 'ann'), ('blue', 'bob');
`

func TestReports(t *testing.T) {
	t.Parallel()
	p := compile(t, project(reported, "reports"))
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	execute(t, d.admin, reportedTables)
	d.name = d.admin.Config().Database
	applyTo(t, d.admin, p)
	conn := loginOf(t, d, "reports_role")
	for _, c := range []struct{ claims, query, want string }{
		{claimsLead, "SELECT (id, ssn, salary)::text FROM red_team ORDER BY id", "(1,…6789,10.00)"},
		{claimsHR, "SELECT (id, ssn, salary)::text FROM red_team ORDER BY id", "(1,123-45-6789,)"},
		{claimsUser, "SELECT id FROM red_team", ""},
		{"", "SELECT id FROM red_team", ""},
		{claimsLead, "SELECT team || head FROM heads_red", "redann"},
		{claimsLead, "SELECT team || head FROM heads_blue", "bluebob"},
		{claimsHR, "SELECT team || head FROM heads_blue", ""},
		{claimsUser, "SELECT count(*) FROM teams", "2"},
	} {
		if got := values(t, conn, c.claims, c.query); got != c.want {
			t.Errorf("%s\nclaims %s: got %s, want %s", c.query, c.claims, got, c.want)
		}
	}
	for query, fails := range map[string]string{
		"SELECT notes FROM red_team":       "does not exist",
		"DELETE FROM red_team":             "permission denied",
		"UPDATE red_team SET id = 9":       "permission denied",
		"INSERT INTO heads_red VALUES (1)": "ERROR",
	} {
		if got, err := try(conn, setting(claimsLead), query); err == nil || !strings.Contains(err.Error(), fails) {
			t.Errorf("%s: got %q, %v; want an error with %q", query, got, err, fails)
		}
	}
	// A report leaves rows out: without its barrier, it gets it back.
	execute(t, d.admin, "ALTER VIEW reports_role_views.red_team RESET (security_barrier)")
	if got := heal(t, d, p); !strings.Contains(got, `SET ("security_barrier" = 'true')`) || !strings.Contains(got, plan.ReasonDrift) {
		t.Errorf("the plan for a report without its barrier:\n%s", got)
	}
	// A report that is no longer declared goes.
	heal(t, d, compile(t, project(staff, "reports")))
	if got, err := try(conn, setting(claimsLead), "SELECT id FROM red_team"); err == nil {
		t.Errorf("the report is still there: %q", got)
	}
}

// The evaluator gives reports the same meaning, and so does what is printed.
func TestReportsOfTheEvaluator(t *testing.T) {
	t.Parallel()
	p := compile(t, project(reported, "reports"))
	again := compile(t, print.Project(p))
	if got, want := print.Project(again), print.Project(p); got != want {
		t.Errorf("printed, it is another project:\n%s", cmp.Diff(want, got))
	}
	doc := model.Document{"id": 1, "team": "red", "ssn": "123-45-6789", "salary": 10, "notes": "n"}
	for _, c := range []struct {
		groups  []any
		notes   any
		visible []string
		shown   bool
	}{
		{groups: []any{"leads"}, notes: "n", visible: []string{"id", "salary"}, shown: true},
		{groups: []any{"hr"}, notes: "n", visible: []string{"id", "ssn"}, shown: true},
		{groups: []any{"leads"}, notes: "secret"},
		{groups: []any{"leads"}, notes: nil},
		{groups: []any{}, notes: "n"},
		{notes: "n"},
	} {
		user := map[string]any{"id": "u"}
		if c.groups != nil {
			user["groups"] = c.groups
		}
		doc["notes"] = c.notes
		got, shown := eval.Report(p, p.Reports[2], eval.Query{Request: model.Request{User: user, App: "web"}, Old: doc})
		if shown != c.shown || !cmp.Equal(got.Visible, c.visible) {
			t.Errorf("%v, notes %v: shows %v (%t), want %v (%t)", c.groups, c.notes, got, shown, c.visible, c.shown)
		}
	}
}

func TestReportFindings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old, new string
		want     diag.Code
	}{
		"named like a table": {`report "red_team"`, `report "people"`, postgres.CodeViewName},
		"read by nobody": {`report "heads" {`, `datasource "other" {
  type     = "postgres"
  identity = "setting"
  owner    = "exempt"
}
table "other" "logs" {
  column "id" { type = int }
  primary_key = ["id"]
}
report "entries" {
  description = "d"
  from        = table.other.logs
  to          = [everyone]
}
report "heads" {`, postgres.CodeReport},
		"two of one name": {`report "heads" {`, `report "heads_red" {
  description = "d"
  from        = table.hr.teams
  to          = [everyone]
}
report "heads" {`, postgres.CodeViewName},
	} {
		p := compile(t, strings.Replace(project(reported, "reports"), c.old, c.new, 1))
		found := (postgres.Emitter{}).Audit(p)
		if len(found) != 1 || found[0].Code != c.want || found[0].Span.IsZero() || found[0].Detail == "" {
			t.Errorf("%s: %v, want %s", name, found, c.want)
		}
	}
}

package postgres_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// searched are conditions of many kinds, and the index that each asks for when
// its table is large. All tables are alike but for their names.
var searched = []struct{ table, when, index string }{
	{"equal", "record.owner == user.id", `"equal" ("owner")`},
	{"range", `record.name >= "z"`, `"range" ("name" COLLATE "C")`},
	{"among", "contains(user.regions, record.name)", `"among" ("name")`},
	{"under", `is_under(record.name, user.path, "/")`, `"under" ("name" COLLATE "C")`},
	{"under_const", `is_under(record.name, "p/7", "/")`, `"under_const" ("name" COLLATE "C")`},
	{"starts", "starts_with(record.name, user.path)", `"starts" USING "spgist" ("name" COLLATE "C")`},
	{"starts_const", `starts_with(record.name, "p/77")`, `"starts_const" USING "spgist" ("name" COLLATE "C")`},
	{"tagged", `contains(record.tags, user.id)`, `"tagged" USING "gin" ("tags")`},
	{"network", `cidr_contains("10.0.7.0/30", record.ip)`, `"network" ("ip")`},
	{"related", "record.parent.owner == user.id", `"related" ("parent_id")`},
	{"parents", "record.owner == user.id && record.id > 0", `"parents" ("owner")`}, // which the conditions on related ask for as well
	{"twice", `record.owner == user.id || is_under(record.name, user.path, "/")`, `"twice" ("name" COLLATE "C")`},
	{"ends", `ends_with(record.name, "/7")`, ""},
}

const searchedProject = `
postern { project = "PROJECT" }
identity {
  attribute "id"      { type = string }
  attribute "path"    { type = string }
  attribute "regions" { type = set(string) }
}
group "all_seeing" { description = "d" }
datasource "db" {
  type     = "postgres"
  identity = "setting"
  owner    = "exempt"
}
service_account "web" {
  datasource = datasource.db
  role       = "ROLE"
}
app "web" {
  users = [everyone]
  connect {
    datasource      = datasource.db
    service_account = service_account.web
  }
}
`

const searchedTable = `
table "db" %[1]q {
  column "id"        { type = int }
  column "owner"     { type = string }
  column "name"      { type = string }
  column "tags"      { type = set(string) }
  column "ip"        { type = ip }
  column "parent_id" { type = int }
  primary_key = ["id"]
  relation "parent" {
    table = table.db.parents
    on    = { parent_id = "id" }
  }
}
policy %[1]q {
  on    = [table.db.%[1]s]
  to    = [access_level.user]
  allow = [view]
  when  = %[2]s
}
policy "%[1]s_all" {
  on    = [table.db.%[1]s]
  to    = [group.all_seeing]
  allow = [view]
}
`

// TestSuggestedIndexesAreUsed: what plan says of missing indexes on a large
// table is so: with them, Postgres does not read the table as a whole, and plan
// says nothing more.
func TestSuggestedIndexesAreUsed(t *testing.T) {
	t.Parallel()
	source := project(searchedProject, "searched")
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	d.name = d.admin.Config().Database
	for _, s := range searched {
		source += fmt.Sprintf(searchedTable, s.table, s.when)
		execute(t, d.admin, fmt.Sprintf(`CREATE TABLE %q (id bigint PRIMARY KEY, owner text NOT NULL, name text COLLATE "POSIX" NOT NULL, tags text[] NOT NULL, ip inet NOT NULL, parent_id bigint NOT NULL);
			INSERT INTO %[1]q SELECT i, 'u' || i %% 1000, 'p/' || i %% 1000 || '/' || i, ARRAY['u' || i %% 1000], '10.0.0.0'::inet + i, i %% 12000 FROM generate_series(1, 12000) AS s(i);
			ANALYZE %[1]q`, s.table))
	}
	p := compile(t, source)
	_, statements := missingIndexes(t, d, p)
	for _, s := range searched {
		if want := `CREATE INDEX CONCURRENTLY ON "public".` + s.index; s.index != "" && !slices.Contains(statements, want) {
			t.Errorf("%s: no %q in\n%s", s.table, want, strings.Join(statements, "\n"))
		}
	}
	if len(statements) != len(searched) { // twice asks for two, ends for none
		t.Errorf("%d statements:\n%s", len(statements), strings.Join(statements, "\n"))
	}
	for _, s := range statements {
		execute(t, d.admin, s)
	}
	want, left := missingIndexes(t, d, p)
	if len(left) > 0 {
		t.Errorf("still %q", left)
	}
	plan, diags, err := postgres.MakePlan(t.Context(), d.admin, want, postgres.PlanOptions{Datasource: p.Datasources[0], Secrets: secrets})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	if err := postgres.Apply(t.Context(), d.admin, plan, postgres.ApplyOptions{Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
	app := loginOf(t, d, "searched_role")
	for _, s := range searched {
		got, err := try(app, setting(`{"id": "u7", "path": "p/7", "regions": ["p/7/7", "p/8/8"]}`), fmt.Sprintf("EXPLAIN SELECT * FROM %q", s.table))
		if err != nil {
			t.Fatalf("%s: %v", s.table, err)
		}
		if whole := strings.Contains(got, "Seq Scan on "+s.table+" ") || strings.Contains(got, `Seq Scan on "`+s.table+`"`); whole != (s.index == "") {
			t.Errorf("%s: %s", s.table, got)
		}
	}
}

// missingIndexes is what is desired of a database, and the statements that plan
// suggests for it.
func missingIndexes(t *testing.T, d *database, p *model.Program) (want *postgres.State, statements []string) {
	t.Helper()
	want, diags, err := postgres.DesiredIn(t.Context(), d.admin, p, p.Datasources[0])
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	for _, w := range diags {
		if w.Code == postgres.CodeIndex && w.Severity == diag.Warning {
			statement, _, _ := strings.Cut(w.Detail, ";")
			statements = append(statements, statement)
		}
	}
	return want, statements
}

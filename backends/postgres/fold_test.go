package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/lang/diag"
)

// TestFoldedAtFixpoint writes gates into compared values, and reads the
// policies back as they were written.
func TestFoldedAtFixpoint(t *testing.T) {
	t.Parallel()
	archive, err := txtar.ParseFile("../../testdata/equivalence/gates.txtar")
	if err != nil {
		t.Fatal(err)
	}
	p := compileText(t, strings.ReplaceAll(string(archive.Files[0].Data), "eq_gates", "folded"))
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, `CREATE TYPE status AS ENUM ('open', 'won', 'lost');
		CREATE TABLE accounts (id bigint PRIMARY KEY, owner bigint NOT NULL);
		CREATE TABLE deals (id integer PRIMARY KEY, region varchar(12), owner bigint, account bigint, due timestamp, status status NOT NULL);
		CREATE INDEX ON accounts (owner); CREATE INDEX ON deals (region); CREATE INDEX ON deals (owner); CREATE INDEX ON deals (account);
		CREATE INDEX ON deals (due); CREATE INDEX ON deals (status); SET search_path = pg_catalog`)
	want, diags, err := DesiredIn(t.Context(), conn, p, p.Datasources[0])
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	plan, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: p.Datasources[0], Secrets: testSecrets("pw")})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	apply(t, conn, plan)
	atFixpoint(t, conn, want, TableID("public", "deals"))
}

// TestWholeRangeAtFixpoint: an arm that holds for all records is taken in by the
// equality beside it, in one range of that column's index; it is read back as
// it was written. Paths, prefixes and elements keep their index behind gates.
func TestWholeRangeAtFixpoint(t *testing.T) {
	t.Parallel()
	p := compileText(t, strings.ReplaceAll(strings.Replace(manyPolicies, `primary_key`, `column "day"  { type = date }
  column "path" { type = string }
  column "tags" { type = set(string) }
  primary_key`, 1), `"many"`, `"wholerange"`)+`
policy "own" {
  on    = [table.d.deals]
  to    = [access_level.user]
  allow = [view]
  when  = record.owner == user.id
}
policy "edited" {
  on    = [table.d.deals]
  to    = [group.g]
  allow = [edit]
  when  = record.day == "2024-01-01"
}
policy "deleted" {
  on    = [table.d.deals]
  to    = [group.g]
  allow = [delete]
  when  = is_under(record.path, record.region, "/") || is_under(record.path, "a", "/") || starts_with(record.path, "a") || contains(record.tags, "a")
}
policy "all" {
  on    = [table.d.deals]
  to    = [access_level.superuser]
  allow = [view]
}
`)
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, `CREATE TABLE deals (id bigint PRIMARY KEY, owner bigint NOT NULL, region text NOT NULL, day date NOT NULL, path text COLLATE "POSIX", tags text[]);
		CREATE INDEX ON deals (owner); CREATE INDEX ON deals (day); CREATE INDEX ON deals (path COLLATE "C"); CREATE INDEX ON deals USING spgist (path COLLATE "C");
		CREATE INDEX ON deals USING gin (tags); SET search_path = pg_catalog`)
	want, diags, err := DesiredIn(t.Context(), conn, p, p.Datasources[0])
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	plan, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: p.Datasources[0], Secrets: testSecrets("pw")})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	apply(t, conn, plan)
	atFixpoint(t, conn, want, TableID("public", "deals"))
	view := string(want.Policies[PolicyID(TableID("public", "deals"), "postern_wholerange_view")].Using)
	for _, part := range []string{"(owner >= ( SELECT", "(owner <= ( SELECT", "THEN '-9223372036854775808'::bigint", "THEN postern.user_id()"} {
		if !strings.Contains(view, part) {
			t.Errorf("no %q in\n%s", part, view)
		}
	}
	if strings.Contains(view, "(id >=") {
		t.Errorf("a range of the key in\n%s", view)
	}
}

// atFixpoint reads policies back and compares them with what was written.
func atFixpoint(t *testing.T, conn *pgx.Conn, want *State, table ObjectID) {
	t.Helper()
	for id, policy := range want.Policies {
		if id.Table() != table {
			continue
		}
		got := rows(t, conn, fmt.Sprintf("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = '%s' AND polqual IS NOT NULL", id.Sub))
		if len(got) == 1 && got[0] != string(policy.Using) {
			t.Errorf("%s\nwritten %s\nread    %s", id.Sub, policy.Using, got[0])
		}
	}
}

const manyPolicies = `
postern { project = "many" }
identity {
  attribute "id" { type = int }
}
datasource "d" {
  type     = "postgres"
  identity = "setting"
  owner    = "exempt"
}
service_account "many" { datasource = datasource.d }
group "g" { description = "G" }
table "d" "deals" {
  column "id"     { type = int }
  column "owner"  { type = int }
  column "region" { type = string }
  primary_key = ["id"]
}
`

// TestManyPoliciesAreOne: 200 policies for one subject become one a command.
func TestManyPoliciesAreOne(t *testing.T) {
	t.Parallel()
	hcl := manyPolicies
	for i := range 200 {
		hcl += fmt.Sprintf("policy \"p%d\" {\n  on = [table.d.deals]\n  to = [group.g]\n  allow = [view, edit, delete, create]\n  when = record.region == \"r%d\"\n}\n", i, i)
	}
	p := compileText(t, hcl)
	table := TableID("public", "deals")
	indexes := Indexes{Columns: map[IndexKey]Index{{Table: table, Column: "region"}: {}}}
	for name, indexes := range map[string]Indexes{"without an index": {}, "with an index": indexes} {
		state, diags := DesiredWith(p, p.Datasources[0], DesiredOptions{Indexes: indexes})
		if err := diags.Err(); err != nil {
			t.Fatal(err)
		}
		commands := map[Command]int{}
		for id, policy := range state.Policies {
			if id.Table() == table {
				commands[policy.Command]++
			}
		}
		if len(commands) != 4 || len(state.Policies) != 4 {
			t.Errorf("%s: %v", name, commands)
		}
	}
}

// TestMissingIndex: a large table that policies read as a whole is told of,
// with the statement that mends it, and the policies then take another form.
func TestMissingIndex(t *testing.T) {
	t.Parallel()
	p := compileText(t, manyPolicies+`
policy "own" {
  on    = [table.d.deals]
  to    = [access_level.user]
  allow = [view]
  when  = record.owner == user.id && record.region != "secret"
}
policy "all" {
  on    = [table.d.deals]
  to    = [group.g]
  allow = [view]
}
`)
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, `CREATE TABLE deals (id bigint PRIMARY KEY, owner bigint NOT NULL, region text NOT NULL)`)
	desired := func() (*Policy, diag.List) {
		t.Helper()
		state, diags, err := DesiredIn(t.Context(), conn, p, p.Datasources[0])
		if err != nil || diags.HasErrors() {
			t.Fatal(err, diags)
		}
		return state.Policies[PolicyID(TableID("public", "deals"), "postern_many_view")], diags
	}
	if _, diags := desired(); len(diags) > 0 {
		t.Errorf("a small table: %v", diags)
	}
	execute(t, conn, `INSERT INTO deals SELECT i, i, 'r' FROM generate_series(1, 10000) AS s(i); ANALYZE deals`)
	before, diags := desired()
	want := `policies read all records of "public"."deals", about 10000, for want of an index on "owner"`
	if len(diags) != 1 || diags[0].Code != CodeIndex || diags[0].Summary != want || diags[0].Span.Start.Line != 15 ||
		!strings.HasPrefix(diags[0].Detail, `CREATE INDEX CONCURRENTLY ON "public"."deals" ("owner"); `) {
		t.Errorf("%+v", diags)
	}
	statement, _, _ := strings.Cut(diags[0].Detail, ";")
	execute(t, conn, statement)
	after, diags := desired()
	if len(diags) > 0 || after.Using == before.Using || !strings.Contains(string(after.Using), "(owner = ( SELECT\n") {
		t.Errorf("after %s: %v\n%s", statement, diags, after.Using)
	}
}

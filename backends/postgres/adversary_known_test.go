package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// TestWhatStillTells holds what docs/security.md calls residual: each gives
// away that something is there, or how much, and none of it a value.
func TestWhatStillTells(t *testing.T) {
	t.Parallel()
	s := vaulted(t, "telling")
	execute(t, s.admin, `CREATE TABLE vault.parts (id int, note bigint REFERENCES vault.notes ON DELETE CASCADE);
		INSERT INTO vault.parts VALUES (1, 1), (2, 1)`)
	s.fool(t, s.begun(t), []trick{
		{name: "a unique key refuses what is taken", sql: "INSERT INTO vault.notes (owner, body, code) VALUES ('ann', 'x', 'b2')", fails: "duplicate key"},
		{name: "a conflict that does nothing", sql: "INSERT INTO vault.notes (owner, body, code) VALUES ('ann', 'x', 'b2') ON CONFLICT DO NOTHING", want: "INSERT 0 0|"},
		{name: "estimates", sql: "SELECT reltuples FROM pg_class WHERE oid = 'vault.notes'::regclass", want: "3|"},
		{name: "numbers of a sequence", sql: "SELECT nextval('vault.notes_id_seq') > 3", want: "t|"},
		{name: "rows that a filter removed", sql: "EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT 1 FROM vault.notes", want: "*"},
		{name: "text of policies", sql: "SELECT count(*) FROM pg_policies WHERE tablename = 'notes' AND qual LIKE '%user_id%'", want: "3|"},
		{name: "large object", sql: "SELECT lo_from_bytea(0, 'x') > 0", want: "t|"},
		{name: "notification", sql: "NOTIFY x, 'y'", want: "NOTIFY|"},
		{name: "advisory lock", sql: "SELECT pg_try_advisory_lock(1)", want: "t|"},
		{name: "lock of the table", sql: "LOCK TABLE vault.notes IN ACCESS EXCLUSIVE MODE", want: "LOCK TABLE|"},
		{name: "queries of the same login", sql: "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = CURRENT_USER AND query LIKE '%pg_stat_activity%'", want: "t|"},
	})
	conn, _ := s.client(t)
	shared, _ := s.client(t)
	held, err := attack(shared, s.begunBy(t, "bob")+"DECLARE c CURSOR WITH HOLD FOR SELECT body FROM vault.notes\n--\nCOMMIT\n--\nFETCH 1 FROM c")
	if err != nil || !strings.Contains(held, canary) {
		t.Errorf("a held cursor gives %q, %v", held, err)
	}
	// A cascade is the owner's act: it asks no policy of the other table.
	if got, err := attack(conn, s.begun(t)+"DELETE FROM vault.notes RETURNING id\n--\nCOMMIT"); err != nil || !strings.HasSuffix(got, "1|COMMIT|") {
		t.Fatalf("%q, %v", got, err)
	}
	var left int
	if err := s.admin.QueryRow(ctx, "SELECT count(*) FROM vault.parts").Scan(&left); err != nil || left != 0 {
		t.Errorf("%d parts are left, error %v", left, err)
	}
}

// TestUnknownOpensNothing: a condition over what nobody stated, or over a
// column that is null, shows no row, however it is turned round.
func TestUnknownOpensNothing(t *testing.T) {
	t.Parallel()
	conditions := []string{
		`record.owner == user.id`, `record.owner != user.id`, `!(record.owner == user.id)`, `!(record.owner != user.id)`,
		`record.owner < user.id`, `!(record.owner < user.id)`, `starts_with(record.owner, user.id)`, `!starts_with(record.owner, user.id)`,
		`!ends_with(record.owner, user.id)`, `!contains(record.owner, user.id)`, `!is_under(record.owner, user.id, ".")`,
		`contains(user.regions, record.owner)`, `!contains(user.regions, record.owner)`, `!contains(user.regions, "x")`,
		`lower(record.owner) != user.id`, `record.amount != user.limit`, `!(record.amount > user.limit)`, `record.amount + user.limit != 0`,
		`!(record.amount >= 0 && user.limit > 1)`, `user.limit < 5 || user.limit >= 5`, `user.id == "a" ? false : record.owner != user.id`,
		`request.note != "x"`, `!(request.note == "x")`, `!starts_with(request.note, record.owner)`, `length(user.regions) < 3`,
		`!(length(user.regions) > 3)`, `record.gone != "x"`, `!(record.gone == "x")`, `!starts_with(record.gone, "x")`, `!contains(["x"], record.gone)`,
	}
	var hcl, ddl strings.Builder
	hcl.WriteString(project(unknown, "unknown"))
	for i, c := range conditions {
		fmt.Fprintf(&hcl, unknownTable, i, c)
		fmt.Fprintf(&ddl, "CREATE TABLE t%d (id bigint PRIMARY KEY, owner text NOT NULL, amount bigint NOT NULL, gone text); INSERT INTO t%[1]d VALUES (1, 'bob', 2), (2, '', 0);", i)
	}
	d := applied(t, compile(t, hcl.String()), ddl.String())
	conn := d.as(t, "unknown_role")
	for i, c := range conditions {
		for name, prepare := range map[string]func(pgx.Tx) error{
			"unset": func(pgx.Tx) error { return nil }, "empty": setting(""), "no claims": setting("{}"), "level alone": setting(`{"access_level": "user"}`),
			"null": setting(`{"access_level": "user", "id": null, "regions": null, "limit": null}`), "other types": setting(`{"access_level": "user", "id": 5, "regions": "x", "limit": "5"}`),
			"null in a set": setting(`{"access_level": "user", "regions": [null, 5]}`),
		} {
			if got, err := try(conn, prepare, fmt.Sprintf("SELECT id FROM t%d", i)); err != nil || got != "" {
				t.Errorf("%s with %s: sees %q, error %v", c, name, got, err)
			}
		}
	}
}

const unknown = `
postern { project = "PROJECT" }
identity {
  attribute "id"      { type = string }
  attribute "regions" { type = set(string) }
  attribute "limit"   { type = int }
}
request {
  attribute "note" { type = string }
}
datasource "db" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
service_account "sa" {
  datasource  = datasource.db
  role        = "ROLE"
  description = "d"
}
app "app" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.db
    service_account = service_account.sa
    as              = "user"
  }
}
`

const unknownTable = `
table "db" "t%[1]d" {
  column "id"     { type = int }
  column "owner"  { type = string }
  column "amount" { type = int }
  column "gone" {
    type = string
    null = true
  }
  primary_key = ["id"]
}
policy "p%[1]d" {
  description = "d"
  on    = [table.db.t%[1]d]
  to    = [everyone]
  allow = [view]
  when  = %[2]s
}
`

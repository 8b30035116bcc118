package postgres_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// veiled is a project whose clients write their own SQL and see less of some
// columns than is stored: a seal masked, a code on their own notes alone, and
// notes of the desks that they belong to.
const veiled = `
postern {
  project  = "PROJECT"
  hash_key = env("HASH_KEY")
}
identity {
  attribute "id" { type = string }
}
group "clerks" { description = "d" }
datasource "vault" {
  type     = "postgres"
  identity = "signed"
  owner    = "exempt"
}
table "vault" "desks" {
  schema = "vault"
  column "id"    { type = int }
  column "chief" { type = string }
  column "room"  { type = string }
  primary_key = ["id"]
}
table "vault" "notes" {
  schema = "vault"
  column "id"    { type = int }
  column "desk"  { type = int }
  column "body"  { type = string }
  column "code"  { type = string }
  column "seal"  { type = string }
  column "trace" { type = string }
  column "owner" { type = string }
  primary_key = ["id"]
  relation "at" {
    table = table.vault.desks
    on    = { desk = "id" }
  }
}
service_account "desk" {
  datasource  = datasource.vault
  role        = "ROLE"
  description = "d"
  password    = env("VAULT_PASSWORD")
}
app "desk" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.vault
    service_account = service_account.desk
    sql             = "untrusted"
  }
}
policy "of_the_desk" {
  description = "d"
  on      = [table.vault.notes]
  to      = [access_level.user]
  allow   = [view]
  when    = record.at.chief == user.id
  columns = ["id", "desk", "body", "seal", "trace", "owner"]
}
policy "own" {
  description = "d"
  on      = [table.vault.notes]
  to      = [access_level.user]
  allow   = [view]
  when    = record.owner == user.id
}
policy "write" {
  description = "d"
  on      = [table.vault.notes]
  to      = [access_level.user]
  allow   = [edit, create, delete]
  when    = record.owner == user.id
  columns = ["id", "desk", "body"]
}
mask "seal" {
  description = "d"
  on      = [table.vault.notes]
  columns = ["seal"]
  unless  = [group.clerks]
  with    = last(2)
}
mask "trace" {
  description = "d"
  on      = [table.vault.notes]
  columns = ["trace"]
  with    = hash()
}
`

// CANARY stands in whatever ann must not see: seals, traces, the codes of
// others, the desks, and whole notes of other desks.
const veiledTables = `
CREATE SCHEMA vault;
GRANT ALL ON SCHEMA vault, public TO PUBLIC;
CREATE TABLE vault.desks (id bigint PRIMARY KEY, chief text NOT NULL, room text);
CREATE TABLE vault.notes (id bigint PRIMARY KEY, desk bigint REFERENCES vault.desks, body text NOT NULL, code text UNIQUE,
	seal text NOT NULL DEFAULT 'CANARY 00' CHECK (length(seal) < 20), trace text DEFAULT 'CANARY trace', owner text);
INSERT INTO vault.desks VALUES (1, 'ann', 'CANARY room'), (2, 'CANARY chief', 'CANARY room'), (3, 'bob', 'CANARY room');
INSERT INTO vault.notes VALUES (1, 1, 'hers', 'a1', 'CANARY 11', 'CANARY t', 'ann'), (2, 1, 'of her desk', 'CANARY c2', 'CANARY 22', 'CANARY t', 'bob'),
	(3, 2, 'CANARY body', 'CANARY c3', 'CANARY 33', 'CANARY t', 'bob'), (4, 3, 'CANARY body', NULL, 'CANARY 44', 'CANARY t', 'bob');
CREATE INDEX ON vault.notes (seal);
CREATE STATISTICS vault.pairs ON seal, body FROM vault.notes;
ANALYZE vault.notes;
GRANT ALL ON ALL TABLES IN SCHEMA vault TO PUBLIC;
`

// unveiled applies the veiled project.
func unveiled(t *testing.T, name string) *safe {
	t.Helper()
	p := compile(t, project(veiled, name))
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	execute(t, d.admin, veiledTables)
	d.name = d.admin.Config().Database
	applyTo(t, d.admin, p)
	insert, err := postgres.InsertKey(signingKey)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, d.admin, string(insert))
	return &safe{database: d, role: name + "_role"}
}

func TestTricksAgainstViews(t *testing.T) {
	t.Parallel()
	s := unveiled(t, "veil")
	helper := relatedView(t, s)
	s.fool(t, s.begun(t), []trick{
		{name: "what she sees", sql: "SELECT id, body, code, seal, owner FROM notes ORDER BY id", want: "1|hers|a1|…11|ann|2|of her desk||…22|bob|"},
		{name: "everything", sql: "SELECT * FROM notes", want: "*"},
		{name: "the whole row", sql: "SELECT notes FROM notes", want: "*"},
		{name: "as JSON", sql: "SELECT to_jsonb(n) FROM notes n", want: "*"},
		{name: "the raw value in WHERE", sql: "SELECT id FROM notes WHERE seal = 'CANARY 11'", want: "SELECT 0|"},
		{name: "the raw value by a pattern", sql: "SELECT id FROM notes WHERE seal LIKE 'C%' OR seal ^@ 'C' OR seal > 'CANARY 0' AND seal < 'CANARY 9'", want: "SELECT 0|"},
		{name: "a join on the masked value", sql: "SELECT n.id FROM notes n JOIN (VALUES ('CANARY 11'), ('CANARY c2')) v(x) ON v.x IN (n.seal, n.code, n.trace)", want: "SELECT 0|"},
		{name: "the order of masked values", sql: "SELECT id FROM notes ORDER BY seal, id", want: "1|2|"},
		{name: "groups of masked values", sql: "SELECT min(seal), max(seal), count(DISTINCT trace) FROM notes", want: "…11|…22|1|"},
		{name: "an error that tells", sql: "SELECT id FROM notes WHERE seal::int > 0", fails: "invalid input syntax"},
		{name: "an error of a row that is not hers", sql: "SELECT 1 FROM notes WHERE 1 / (CASE WHEN body ^@ 'CAN' THEN 0 ELSE 1 END) = 1", want: "1|1|"},
		{name: "a function of her own", sql: "CREATE FUNCTION pg_temp.peek(text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE NOTICE '%', $1; RETURN true; END$$", fails: "permission denied"},
		{name: "a loud function in WHERE", sql: "SELECT id FROM notes WHERE set_config('x.y', coalesce(seal, '') || coalesce(code, ''), true) LIKE 'CAN%'", want: "SELECT 0|"},
		{name: "the table", sql: "SELECT id FROM vault.notes", fails: "permission denied"},
		{name: "a column of the table", sql: "SELECT count(seal) FROM vault.notes", fails: "permission denied"},
		{name: "the related table", sql: "SELECT * FROM vault.desks", fails: "permission denied"},
		{name: "the view that conditions read", sql: "SELECT * FROM postern." + helper, fails: "permission denied"},
		{name: "its columns one by one", sql: "SELECT id FROM postern." + helper, fails: "permission denied"},
		{name: "a function over related records", sql: "SELECT proname FROM pg_proc WHERE proname LIKE 'related%'", want: "SELECT 0|"},
		{name: "the key of hashes", sql: "SELECT * FROM postern.hash_key", fails: "permission denied"},
		{name: "the owner's rights", sql: "SET ROLE veil_role_views", fails: "permission denied"},
		{name: "the owner of postern", sql: "SET ROLE postern_veil", fails: "permission denied"},
		{name: "a member of the owner", sql: "GRANT veil_role_views TO CURRENT_USER", fails: "ERROR"},
		{name: "another view", sql: "CREATE OR REPLACE VIEW veil_role_views.notes AS SELECT * FROM vault.notes", fails: "permission denied"},
		{name: "a view beside it", sql: "CREATE VIEW veil_role_views.desks AS SELECT 1", fails: "permission denied"},
		{name: "a view of the session", sql: "CREATE TEMPORARY VIEW notes AS SELECT 1 AS id", fails: "permission denied"},
		{name: "the view's options", sql: "ALTER VIEW veil_role_views.notes SET (security_barrier = false)", fails: "must be owner"},
		{name: "a rule", sql: "CREATE RULE r AS ON INSERT TO veil_role_views.notes DO INSTEAD NOTHING", fails: "must be owner"},
		{name: "a trigger", sql: "CREATE TRIGGER t INSTEAD OF UPDATE ON veil_role_views.notes FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()", fails: "permission denied"},
		{name: "another path", sql: "SET search_path = vault; SELECT * FROM notes", fails: "permission denied"},
		{name: "without row security", sql: "SET row_security = off; SELECT seal FROM notes", fails: "would be affected by row-level security"},
		{name: "the table behind a copy", sql: "COPY vault.notes TO STDOUT", fails: "permission denied"},
		{name: "the view by a copy", sql: "COPY (SELECT seal, trace FROM notes WHERE id = 2) TO STDOUT", want: "*"},
		{name: "EXPLAIN", sql: "EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, TIMING OFF) SELECT seal FROM notes WHERE seal > 'CANARX'", want: "*"},
		{name: "statistics", sql: "SELECT most_common_vals::text, histogram_bounds::text FROM pg_stats WHERE schemaname = 'vault'", want: "SELECT 0|"},
		{name: "statistics of the catalog", sql: "SELECT * FROM pg_statistic", fails: "permission denied"},
		{name: "RETURNING the seal", sql: "UPDATE notes SET body = 'mine' WHERE id = 1 RETURNING seal, code, trace", want: "*"},
		{name: "a row she can see and not edit", sql: "UPDATE notes SET body = 'mine' RETURNING id", want: "1|"},
		{name: "setting the seal", sql: "UPDATE notes SET seal = 'x'", fails: "cannot update column"},
		{name: "setting the code", sql: "UPDATE notes SET code = 'x'", fails: "cannot update column"},
		{name: "setting the owner", sql: "UPDATE notes SET owner = 'bob' WHERE id = 1", fails: "permission denied"},
		{name: "moving what the seal decides", sql: "UPDATE notes SET body = seal || coalesce(trace, '') WHERE id = 1 RETURNING body", want: "*"},
		{name: "a new note with a seal", sql: "INSERT INTO notes (id, desk, body, seal) VALUES (9, 1, 'b', 'x')", fails: "cannot insert into column"},
		{name: "a note of another", sql: "INSERT INTO notes (id, desk, body) VALUES (9, 1, 'b')", fails: "row-level security"},
		{name: "a conflict that reads", sql: "INSERT INTO notes (id, desk, body) VALUES (3, 2, 'b') ON CONFLICT (id) DO UPDATE SET body = notes.seal RETURNING body", fails: "row-level security"},
		{name: "a conflict on the code", sql: "INSERT INTO notes (id, desk, body) VALUES (8, 1, 'b') ON CONFLICT (code) DO NOTHING", fails: "ERROR"},
		{name: "a constraint that tells the row", sql: "UPDATE notes SET id = NULL WHERE id = 1", fails: "null value"},
		{name: "a key that is taken", sql: "UPDATE notes SET id = 3 WHERE id = 1", fails: "duplicate key"},
		{name: "a parent that is not there", sql: "UPDATE notes SET desk = 77 WHERE id = 1", fails: "foreign key"},
		{name: "deleting all", sql: "DELETE FROM notes RETURNING seal", want: "…11|"},
		{name: "deleting by the raw value", sql: "DELETE FROM notes WHERE seal = 'CANARY 11'", want: "DELETE 0|"},
		{name: "locking by the raw value", sql: "SELECT id FROM notes WHERE trace = 'CANARY t' FOR UPDATE", want: "SELECT 0|"},
		{name: "a cursor", sql: "DECLARE c CURSOR FOR SELECT seal FROM notes; MOVE ALL c; FETCH BACKWARD ALL c", want: "*"},
		{name: "a prepared statement", sql: "PREPARE p(text) AS SELECT id FROM notes WHERE seal = $1; EXECUTE p('CANARY 11')", want: "*"},
		{name: "an XML export", sql: "SELECT query_to_xml('SELECT * FROM notes', true, true, '')", want: "*"},
		{name: "an XML export of the schema", sql: "SELECT schema_to_xml('vault', true, true, '')", want: "*"},
		{name: "subqueries beside the mask", sql: "SELECT (SELECT string_agg(m.seal, ',') FROM notes m WHERE m.id >= n.id) FROM notes n", want: "*"},
		{name: "the view's text", sql: "SELECT pg_get_viewdef('veil_role_views.notes'::regclass) LIKE '%hash_key%'", want: "t|"},
	})
}

// relatedView is the name of the view that conditions read desks from.
func relatedView(t *testing.T, s *safe) string {
	t.Helper()
	var name string
	if err := s.admin.QueryRow(ctx, "SELECT viewname FROM pg_views WHERE schemaname = 'postern'").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

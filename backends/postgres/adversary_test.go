package postgres_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

// vault is a project whose clients write their own SQL: each user sees and
// writes only their own notes, and everyone may make one.
const vault = `
postern { project = "PROJECT" }
identity {
  attribute "id" { type = string }
}
datasource "vault" {
  type     = "postgres"
  identity = "signed"
  owner    = "bound"
}
table "vault" "notes" {
  schema = "vault"
  column "id"    { type = int }
  column "owner" { type = string }
  column "body"  { type = string }
  column "code"  { type = string }
  column "seal"  { type = string }
  primary_key = ["id"]
}
service_account "desk" {
  datasource  = datasource.vault
  role        = "ROLE"
  description = "d"
  password    = env("VAULT_PASSWORD")
  limits { statement_timeout = "30s" }
}
app "desk" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.vault
    service_account = service_account.desk
    as              = "user"
    sql             = "untrusted"
  }
}
policy "own" {
  description = "d"
  on      = [table.vault.notes]
  to      = [access_level.user]
  allow   = [view, edit, create, delete]
  when    = record.owner == user.id
  columns = except(["seal"])
}
`

// canary stands in every value that ann must not come to know.
const canary = "CANARY"

const vaultTables = `
CREATE SCHEMA vault;
GRANT ALL ON SCHEMA vault, public TO PUBLIC;
CREATE TABLE vault.notes (id bigserial PRIMARY KEY, owner text NOT NULL, body text NOT NULL, code text UNIQUE, seal text NOT NULL DEFAULT 'CANARY seal');
INSERT INTO vault.notes (owner, body, code) VALUES ('ann', 'hers', 'a1'), ('bob', 'CANARY 1', 'CANARY'), ('bob', 'CANARY 2', 'b2');
CREATE INDEX ON vault.notes (owner);
CREATE STATISTICS vault.pairs ON owner, body FROM vault.notes;
CREATE TABLE vault.old (LIKE vault.notes);
INSERT INTO vault.old SELECT * FROM vault.notes;
ANALYZE vault.notes;
GRANT ALL ON ALL TABLES IN SCHEMA vault TO PUBLIC;
GRANT ALL ON ALL SEQUENCES IN SCHEMA vault TO PUBLIC;
`

// safe is a database of the vault project as plan and apply make it.
type safe struct {
	*database
	role string
}

// vaulted applies the vault project to a database that was open to all.
func vaulted(t *testing.T, name string) *safe {
	t.Helper()
	p := compile(t, project(vault, name))
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	execute(t, d.admin, vaultTables)
	// A table beside the governed one is nobody's business but its owner's.
	execute(t, d.admin, "REVOKE ALL ON vault.old FROM PUBLIC")
	d.name = d.admin.Config().Database
	applyTo(t, d.admin, p)
	insert, err := postgres.InsertKey(signingKey)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, d.admin, string(insert))
	return &safe{database: d, role: name + "_role"}
}

// program is what was applied.
func (s *safe) program(t *testing.T) *model.Program {
	t.Helper()
	return compile(t, project(vault, strings.TrimSuffix(s.role, "_role")))
}

func (s *safe) tokenOf(t *testing.T, user string) string {
	t.Helper()
	return s.token(t, func(k *postgres.Token) {
		k.Role, k.Claims = s.role, map[string]any{"id": user}
	})
}

// others is the admin's view of all that ann must not change.
func (s *safe) others(t *testing.T) string {
	t.Helper()
	var out string
	const query = `SELECT coalesce(string_agg(n::text, ';' ORDER BY id), '') FROM vault.notes n WHERE owner <> 'ann'`
	if err := connect(t, s.url).QueryRow(ctx, query).Scan(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// attack sends a script as one message, or statement after statement when it
// is cut by lines with "--". It returns all cells and notices that came back.
func attack(conn *pgx.Conn, script string) (string, error) {
	var out strings.Builder
	for message := range strings.SplitSeq(script, "\n--\n") {
		results, err := conn.PgConn().Exec(ctx, message).ReadAll()
		for _, r := range results {
			for _, row := range r.Rows {
				for _, cell := range row {
					fmt.Fprintf(&out, "%s|", cell)
				}
			}
			if r.Rows == nil {
				fmt.Fprintf(&out, "%s|", r.CommandTag)
			}
		}
		if err != nil {
			return out.String(), err
		}
	}
	return out.String(), nil
}

// client connects as the service account's login, over TCP and with its
// password, and collects what the server says besides results.
func (s *safe) client(t *testing.T) (*pgx.Conn, *strings.Builder) {
	t.Helper()
	notices := &strings.Builder{}
	config, err := pgx.ParseConfig(pgtest.Server(t).RoleURL(postgres.LoginName(s.role, "a"), password, s.name))
	if err != nil {
		t.Fatal(err)
	}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		notices.WriteString(n.Message + n.Detail + n.Where + "\n")
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) })
	return conn, notices
}

// trick is something that ann tries in a transaction that is hers. It is
// refused with an error that holds fails, or gives exactly what is wanted.
type trick struct {
	name, sql   string
	fails, want string
	since       int // the first major version that knows the statement
	until       int // the first major version that no longer does, 0: all do
}

// fool tries tricks, each in a session of its own.
func (s *safe) fool(t *testing.T, before string, tricks []trick) {
	t.Helper()
	expected := s.others(t)
	version := major(t, s.admin)
	for _, k := range tricks {
		if k.since > version || k.until != 0 && k.until <= version {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			conn, notices := s.client(t)
			got, err := attack(conn, before+k.sql)
			got = strings.TrimPrefix(got, "BEGIN||")
			if err != nil {
				notices.WriteString(describeError(err))
			}
			if strings.Contains(got+notices.String(), canary) {
				t.Errorf("something of others came out: %q, %s", got, notices)
			}
			switch {
			case k.fails != "" && (err == nil || !strings.Contains(err.Error(), k.fails)):
				t.Errorf("got %q and error %v, want an error with %q", got, err, k.fails)
			case k.fails == "" && err != nil:
				t.Errorf("error %v, want %q", err, k.want)
			case k.fails == "" && got != k.want && k.want != "*":
				t.Errorf("got %q, want %q", got, k.want)
			}
			_ = conn.Close(ctx)
			if now := s.others(t); now != expected {
				t.Errorf("what is not hers was changed:\n%s\nwas\n%s", now, expected)
			}
		})
	}
}

func describeError(err error) string {
	text := err.Error()
	if pg, ok := err.(*pgconn.PgError); ok { //nolint:errorlint // the driver returns it as it is
		text += pg.Detail + pg.Hint + pg.Where + pg.InternalQuery
	}
	return text
}

func major(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(ctx, "SELECT current_setting('server_version_num')::int / 10000").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// begun opens a transaction as ann; what follows is the trick.
func (s *safe) begun(t *testing.T) string { return s.begunBy(t, "ann") }

func (s *safe) begunBy(t *testing.T, user string) string {
	return "BEGIN; SELECT postern.open('" + s.tokenOf(t, user) + "');\n--\n"
}

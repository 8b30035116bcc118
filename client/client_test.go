package client_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/client"
	"github.com/postern-dev/postern/client/pgxclient"
	"github.com/postern-dev/postern/client/token"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const project = `
postern { project = "PROJECT" }
identity {
  attribute "id" { type = string }
}
request {
  attribute "ip" { type = ip }
}
datasource "notes" {
  type     = "postgres"
  identity = "MODE"
  owner    = "bound"
}
table "notes" "notes" {
  column "id" { type = int }
  column "owner" { type = string }
  primary_key = ["id"]
}
service_account "PROJECT_api" {
  datasource  = datasource.notes
  description = "The API"
  password    = env("API_PASSWORD")
}
app "api" {
  description = "The API"
  users       = [everyone]
  connect {
    datasource      = datasource.notes
    service_account = service_account.PROJECT_api
  }
}
policy "own" {
  description = "One's own notes, those of nobody, and one from inside"
  on          = [table.notes.notes]
  to          = [everyone]
  allow       = [view, edit]
  when        = record.owner == user.id || record.owner == "nobody" || record.owner == "inside" && cidr_contains("10.0.0.0/8", request.ip)
}
`

const tables = `CREATE TABLE notes (id bigint PRIMARY KEY, owner text NOT NULL);
INSERT INTO notes VALUES (1, 'ann'), (2, 'bob'), (3, 'nobody'), (4, 'inside')`

const password = "only for tests"

// notes applies the project to a database of the server, and gives the URL of
// the account's login.
func notes(ctx context.Context, server *throwaway.Server, database, name, mode string) (string, error) {
	hcl := strings.NewReplacer("PROJECT", name, "MODE", mode).Replace(project)
	p, diags := compiler.Compile(ctx, &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(hcl)}}}, compiler.Inputs{})
	if p == nil {
		return "", diags.Err()
	}
	admin, err := pgx.Connect(ctx, server.URL(database))
	if err != nil {
		return "", err
	}
	defer func() { _ = admin.Close(ctx) }()
	if _, err := admin.Exec(ctx, tables); err != nil {
		return "", err
	}
	want, diags := postgres.Desired(p, p.Datasources[0])
	if diags.HasErrors() {
		return "", diags.Err()
	}
	secrets := func(context.Context, plan.Secret) (string, error) { return password, nil }
	made, diags, err := postgres.MakePlan(ctx, admin, want, postgres.PlanOptions{Datasource: p.Datasources[0], Created: time.Now(), Secrets: secrets})
	if err = errors.Join(err, diags.Err()); err != nil {
		return "", err
	}
	if err := postgres.Apply(ctx, admin, made, postgres.ApplyOptions{Secrets: secrets}); err != nil {
		return "", err
	}
	return server.RoleURL(postgres.LoginName(name+"_api", "a"), password, database), nil
}

// site is a database, as the server's login and as the one who applies.
type site struct {
	name  string
	url   string
	db    *sql.DB
	conn  *pgx.Conn
	admin *pgx.Conn
}

func newSite(t *testing.T, name, mode string) *site {
	t.Helper()
	s := &site{admin: connect(t, pgtest.Database(t))}
	s.name = s.admin.Config().Database
	var err error
	if s.url, err = notes(t.Context(), pgtest.Server(t), s.name, name, mode); err != nil {
		t.Fatal(err)
	}
	s.conn = connect(t, s.url)
	if s.db, err = sql.Open("pgx", s.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.db.Close() })
	return s
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

const ids = "SELECT coalesce(string_agg(id::text, ' ' ORDER BY id), '') FROM notes"

// sees is what an identity sees, through database/sql and through pgx.
func (s *site) sees(t *testing.T, c *client.Client, id client.Identity) (string, error) {
	t.Helper()
	var one, two string
	err := c.InTx(t.Context(), s.db, nil, id, func(tx *sql.Tx) error {
		return tx.QueryRowContext(t.Context(), ids).Scan(&one)
	})
	again := pgxclient.InTx(t.Context(), c, s.conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, id, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), ids).Scan(&two)
	})
	if one != two || (err == nil) != (again == nil) {
		t.Errorf("database/sql sees %q (%v), pgx %q (%v)", one, err, two, again)
	}
	return one, err
}

func (s *site) addKey(t *testing.T, k token.Key) {
	t.Helper()
	text, err := postgres.InsertKey(k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.admin.Exec(t.Context(), string(text)); err != nil {
		t.Fatal(err)
	}
}

func key(id int) token.Key {
	return token.Key{ID: id, Secret: []byte(strings.Repeat(fmt.Sprint(id), token.MinSecret))}
}

func TestIdentities(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"setting", "signed"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "client_"+mode, mode)
			c := &client.Client{Mode: client.Setting{}}
			if mode == "signed" {
				s.addKey(t, key(1))
				c.Mode = client.Signed{Role: "client_signed_api", Database: s.name, Keys: client.FixedKeys(key(1))}
			}
			ann := client.User(map[string]any{"id": "ann"})
			for _, x := range []struct {
				who  string
				id   client.Identity
				want string
			}{
				{"ann", ann, "1 3"},
				{"ann from inside", ann.WithRequest(map[string]any{"ip": "10.1.2.3"}), "1 3 4"},
				{"bob, of whose address nothing is known", client.User(map[string]any{"id": "bob"}), "2 3"},
				{"nobody", client.Anonymous(), "3"},
				{"nobody from inside", client.Anonymous().WithRequest(map[string]any{"ip": "10.1.2.3"}), "3 4"},
			} {
				if got, err := s.sees(t, c, x.id); err != nil || got != x.want {
					t.Errorf("%s sees %q (%v), want %q", x.who, got, err, x.want)
				}
			}
			for _, id := range []client.Identity{{}, client.User(nil), client.User(map[string]any{}), client.Identity{}.WithRequest(map[string]any{"ip": "10.1.2.3"})} {
				if _, err := s.sees(t, c, id); !errors.Is(err, client.ErrIdentity) {
					t.Errorf("without an identity: %v", err)
				}
			}
			if _, err := s.sees(t, &client.Client{}, ann); err == nil {
				t.Error("a client without a mode opens a transaction")
			}
			var n int
			if err := s.db.QueryRow(ids).Scan(&n); err != nil || n != 3 {
				t.Errorf("after a transaction the session sees %d (%v)", n, err)
			}
		})
	}
}

// TestKeyRotation: a key is changed while one server knows the old key, the
// other both, and the third the new one: no request fails.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	s := newSite(t, "client_keys", "signed")
	s.addKey(t, key(1))
	server := func(keys ...token.Key) *client.Client {
		return &client.Client{Mode: client.Signed{Role: "client_keys_api", Database: s.name, Keys: client.FixedKeys(keys...)}}
	}
	before, during, after := server(key(1)), server(key(2), key(1)), server(key(2))
	works := func(stage string, servers ...*client.Client) {
		t.Helper()
		for i, c := range servers {
			if got, err := s.sees(t, c, client.User(map[string]any{"id": "ann"})); err != nil || got != "1 3" {
				t.Errorf("%s: server %d sees %q (%v)", stage, i, got, err)
			}
		}
	}
	works("the old key is the only one", before, during)
	s.addKey(t, key(2))
	works("both are registered", before, during, after)
	if _, err := s.admin.Exec(t.Context(), "DELETE FROM postern.keys WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	works("the old one is removed", during, after)
	if _, err := s.sees(t, before, client.User(map[string]any{"id": "ann"})); err == nil {
		t.Error("a key that was removed opens a transaction")
	}
}

// TestAttempts: a transaction that ends in a serialization failure runs again
// where the caller allows it, and a failure of the function is never hidden.
func TestAttempts(t *testing.T) {
	t.Parallel()
	s := newSite(t, "client_attempts", "setting")
	ann := client.User(map[string]any{"id": "ann"})
	for attempts, want := range map[int]int{0: 1, 1: 1, 3: 3} {
		runs := 0
		c := &client.Client{Mode: client.Setting{}, Attempts: attempts}
		err := pgxclient.InTx(t.Context(), c, s.conn, pgx.TxOptions{}, ann, func(tx pgx.Tx) error {
			runs++
			_, err := tx.Exec(t.Context(), "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
			return err
		})
		var pg *pgconn.PgError
		if runs != want || !errors.As(err, &pg) || pg.Code != "40001" {
			t.Errorf("with %d attempts it ran %d times: %v", attempts, runs, err)
		}
	}
	sentinel := errors.New("the function's own")
	c := &client.Client{Mode: client.Setting{}, Attempts: 3}
	if err := c.InTx(t.Context(), s.db, nil, ann, func(tx *sql.Tx) error {
		if _, err := tx.Exec("UPDATE notes SET owner = 'nobody' WHERE id = 1"); err != nil {
			return err
		}
		return sentinel
	}); !errors.Is(err, sentinel) {
		t.Errorf("%v", err)
	}
	if got, err := s.sees(t, c, ann); err != nil || got != "1 3" {
		t.Errorf("after a rollback ann sees %q (%v)", got, err)
	}
}

// TestSettingsOfASession: what a session was left with says nothing in the next
// transaction.
func TestSettingsOfASession(t *testing.T) {
	t.Parallel()
	s := newSite(t, "client_session", "setting")
	if _, err := s.conn.Exec(t.Context(), `SELECT set_config('postern.claims', '{"id": "bob"}', false), set_config('postern.request', '{"ip": "10.1.2.3"}', false)`); err != nil {
		t.Fatal(err)
	}
	var got string
	err := pgxclient.InTx(t.Context(), &client.Client{Mode: client.Setting{}}, s.conn, pgx.TxOptions{}, client.Anonymous(), func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), ids).Scan(&got)
	})
	if err != nil || got != "3" {
		t.Errorf("anonymous sees %q (%v)", got, err)
	}
}

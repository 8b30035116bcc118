package postgres

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// changed is the fixture's state with something narrower, something wider,
// something new and something gone, in every kind of object.
func (f fixture) changed() *State {
	s := f.state()
	table := TableID(f.schema, f.table)
	s.Policies[PolicyID(table, f.policy)].Using = "owner_id = (SELECT postern.me()) OR region = 'c'"
	delete(s.Policies, PolicyID(table, "create"))
	remove := PolicyID(table, "remove")
	s.Policies[remove] = &Policy{
		ID: remove, Command: CommandDelete, Permissive: true, To: []Grantee{ToRole(f.account)}, Using: "owner_id = (SELECT postern.me())",
	}
	to := ToRole(f.account)
	grant := func(id ObjectID, p Privilege) { s.Grants.Add(GrantKey{Object: id, Grantee: to, Privilege: p}) }
	delete(s.Grants, Holder{Object: table, Grantee: to})
	for _, c := range []string{"id", "owner_id", "region"} {
		grant(ColumnID(table, c), PrivilegeSelect)
	}
	grant(table, PrivilegeDelete)
	s.Scope.Tables[table].Inserters = nil
	login := s.Roles[RoleID(f.login)]
	login.ConnectionLimit, login.Settings = 7, map[string]string{"statement_timeout": "10s"}
	s.Functions[FunctionID("postern", "me", "")].Body = "SELECT nullif(current_setting('postern.me', true), '')"
	one, three, name := "1", "3", "z"
	s.Generated[TableID("postern", "groups")].Rows = [][]*string{{&one, &name}, {&three, &name}}
	return s
}

// fault is a way in which an apply ends before its time.
type fault struct {
	statement string // goes between two statements of the plan
	// on is done when the server sends a warning, which statement can ask for.
	on func(conn *pgconn.PgConn)
	// dial wraps the connection.
	dial func(net.Conn) net.Conn
}

const warn = "DO $$ BEGIN RAISE WARNING 'here'; END $$"

// apply runs a plan with the fault after its first at statements.
func (f fault) apply(t *testing.T, url string, p *plan.Plan, at int) error {
	t.Helper()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	if f.on != nil {
		config.OnNotice = func(c *pgconn.PgConn, _ *pgconn.Notice) { f.on(c) }
	}
	if dial := config.DialFunc; f.dial != nil {
		config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return f.dial(conn), nil
		}
	}
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	faulty := *p
	if f.statement != "" {
		faulty.Statements = slices.Insert(slices.Clone(p.Statements), at, plan.Statement{SQL: f.statement})
	}
	return Apply(t.Context(), conn, &faulty, ApplyOptions{Secrets: testSecrets("pw")})
}

func hangUp(conn *pgconn.PgConn) { _ = conn.Conn().Close() }

func fingerprint(t *testing.T, conn *pgx.Conn, want *State) string {
	t.Helper()
	live, err := Inspect(t.Context(), conn, want.Project, ScopeOf(want))
	if err != nil {
		t.Fatal(err)
	}
	return live.Fingerprint
}

// TestFaultsBetweenStatements ends a first and a changing apply after each of
// their statements: the database stays what it was, and a rerun finishes.
func TestFaultsBetweenStatements(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fault{
		"backend ended":   {statement: "SELECT pg_terminate_backend(pg_backend_pid())"},
		"client vanished": {statement: warn, on: hangUp},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			conn := connect(t, url)
			f := plainFixture("fault " + name)
			execute(t, conn, f.ddl())
			for _, want := range []*State{f.state(), f.changed()} {
				p := makePlan(t, conn, want)
				if len(p.Statements) < 15 {
					t.Fatalf("%d statements are too few to tell anything", len(p.Statements))
				}
				for at := range len(p.Statements) + 1 {
					if err := fault.apply(t, url, p, at); err == nil || errors.Is(err, ErrStale) {
						t.Fatalf("after statement %d: %v", at, err)
					}
					if fingerprint(t, conn, want) != p.Fingerprint {
						t.Fatalf("after statement %d of %d something stays", at, len(p.Statements))
					}
				}
				apply(t, conn, makePlan(t, conn, want))
				requireEmpty(t, conn, want)
			}
		})
	}
}

// lastWord closes a connection when it is told to commit: before or after the
// word has gone out.
type lastWord struct {
	net.Conn
	sent bool
	then func() // is done last; may be nil
}

func (c *lastWord) Write(b []byte) (int, error) {
	if !bytes.Contains(b, []byte("commit\x00")) {
		return c.Conn.Write(b)
	}
	if c.sent {
		if n, err := c.Conn.Write(b); err != nil {
			return n, err
		}
	}
	if c.then != nil {
		c.then()
	}
	return 0, errors.Join(net.ErrClosed, c.Close())
}

// TestFaultsAtCommit: a client that vanishes before it has said COMMIT leaves
// the old state; when it vanishes after that, the old or the new one.
func TestFaultsAtCommit(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]bool{"unsaid": false, "said": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := pgtest.Database(t)
			conn := connect(t, url)
			f := plainFixture("commit " + name)
			execute(t, conn, f.ddl())
			for _, want := range []*State{f.state(), f.changed()} {
				p := makePlan(t, conn, want)
				vanish := fault{dial: func(c net.Conn) net.Conn { return &lastWord{Conn: c, sent: sent} }}
				if err := vanish.apply(t, url, p, 0); err == nil {
					t.Fatal("a broken connection is no error")
				}
				awaitAlone(t, conn)
				again := makePlan(t, conn, want)
				if again.Fingerprint != p.Fingerprint && (!sent || !again.Empty()) {
					t.Errorf("neither the old nor the new state:\n%s", describe(again))
				}
				apply(t, conn, makePlan(t, conn, want))
				requireEmpty(t, conn, want)
			}
		})
	}
}

// awaitAlone returns when no other client's session is left in the database: one
// whose client has vanished may be committing still.
func awaitAlone(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for others := 1; others > 0; {
		if err := conn.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
			AND datname = current_database() AND pid <> pg_backend_pid()`).Scan(&others); err != nil {
			t.Fatal(err)
		}
	}
}

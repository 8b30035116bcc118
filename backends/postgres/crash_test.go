package postgres

import (
	"errors"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// viewed adds a view of the table, with its schema and its owner, to the
// fixture's state, so that it has every kind of object.
func (f fixture) viewed(s *State, where sqltext.SQL) *State {
	owner, table := ViewsName(f.account), TableID(f.schema, f.table)
	s.Roles[RoleID(owner)] = &Role{ID: RoleID(owner), Inherit: true, ConnectionLimit: -1, Managed: true, Comment: Mark("test")}
	s.Schemas[SchemaID(owner)] = &Schema{ID: SchemaID(owner), Owner: owner, Comment: Mark("test"), Managed: true}
	v := &View{
		ID: ViewID(owner, f.table), Table: table, Owner: owner, Role: f.account, Options: []string{barrier},
		Columns: []ViewColumn{{Name: "id"}}, Body: "SELECT id FROM public.deals WHERE " + where,
	}
	s.Views[v.ID] = v
	s.Grants.Add(GrantKey{Object: ColumnID(v.Grantable(), "id"), Grantee: ToRole(f.account), Privilege: PrivilegeSelect})
	s.Grants.Add(GrantKey{Object: ColumnID(table, "id"), Grantee: ToRole(owner), Privilege: PrivilegeSelect})
	return s
}

// TestServerCrashes takes the server down without warning before, between and
// after the statements of a first apply and of one that changes, adds and takes
// away: it comes back with the old state, and a rerun finishes.
func TestServerCrashes(t *testing.T) {
	t.Parallel()
	server := pgtest.Isolated(t)
	if err := server.CreateDatabase(t.Context(), "crashing"); err != nil {
		t.Fatal(err)
	}
	url := server.URL("crashing")
	setup := connect(t, url)
	f := plainFixture("crash")
	// Throw-away servers do not wait for the log; this one has to find it again,
	// from its last checkpoint on.
	execute(t, setup, "SET synchronous_commit = on; ALTER DATABASE crashing SET synchronous_commit = on")
	execute(t, setup, f.ddl()+"; GRANT SELECT ON deals TO PUBLIC; CREATE POLICY hand ON deals USING (true)")
	execute(t, setup, "CHECKPOINT")
	for _, want := range []*State{f.viewed(f.state(), "id > 1"), f.viewed(f.changed(), "id > 2")} {
		first := connect(t, url)
		made, done := makePlan(t, first, want), applies(t, first)
		t.Logf("%d statements", len(made.Statements))
		for at := range len(made.Statements) + 1 {
			crash(t, server, url, made, at)
			conn := connect(t, url)
			if fingerprint(t, conn, want) != made.Fingerprint || applies(t, conn) != done {
				t.Fatalf("a crash after statement %d of %d leaves something:\n%s", at, len(made.Statements), describe(makePlan(t, conn, want)))
			}
			if err := conn.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		crashAtCommit(t, server, url, made, want, done)
		conn := connect(t, url)
		apply(t, conn, makePlan(t, conn, want))
		requireEmpty(t, conn, want)
	}
}

// applies counts what the history holds.
func applies(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	if rows(t, conn, "SELECT to_regclass('postern.history') IS NULL")[0] == "t" {
		return 0
	}
	return len(rows(t, conn, "SELECT * FROM postern.history"))
}

// crashAtCommit takes the server down before it is told to commit, and after:
// then the old state is there, or the new one.
func crashAtCommit(t *testing.T, server *throwaway.Server, url string, p *plan.Plan, want *State, before int) {
	t.Helper()
	for _, sent := range []bool{false, true} {
		last := fault{dial: func(c net.Conn) net.Conn {
			return &lastWord{Conn: c, sent: sent, then: func() {
				if err := server.Kill(); err != nil {
					t.Error(err)
				}
			}}
		}}
		if err := last.apply(t, url, p, 0); err == nil {
			t.Fatal("a crash is no error")
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		conn := connect(t, url)
		again, now := makePlan(t, conn, want), applies(t, conn)
		old, next := again.Fingerprint == p.Fingerprint && now == before, sent && again.Empty() && now == before+1
		if !old && !next {
			t.Fatalf("neither the old nor the new state, %d applies:\n%s", now, describe(again))
		}
	}
}

func crash(t *testing.T, server *throwaway.Server, url string, p *plan.Plan, at int) {
	t.Helper()
	fault := fault{statement: warn, on: func(*pgconn.PgConn) {
		if err := server.Kill(); err != nil {
			t.Error(err)
		}
	}}
	if err := fault.apply(t, url, p, at); err == nil || errors.Is(err, ErrStale) {
		t.Fatalf("a crash after statement %d gives %v", at, err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
}

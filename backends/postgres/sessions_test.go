package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestDryRun runs all of a plan and leaves nothing of it.
func TestDryRun(t *testing.T) {
	t.Parallel()
	f := plainFixture("dry")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	p := makePlan(t, conn, f.state())
	total := 0
	dry := ApplyOptions{Secrets: testSecrets("pw"), DryRun: true, Progress: func(done, _ int) { total = done }}
	if err := Apply(t.Context(), conn, p, dry); err != nil || total != len(p.Statements) {
		t.Fatalf("%d statements ran, error %v", total, err)
	}
	nothingDone(t, conn, f)
	apply(t, conn, p)
	requireEmpty(t, conn, f.state())
}

// TestSessionsThatKeepRights: a transaction under way, and one that is
// prepared, are named; they end only when that is asked for.
func TestSessionsThatKeepRights(t *testing.T) {
	t.Parallel()
	server, err := throwaway.Start(t.Context(), throwaway.Options{Settings: map[string]string{"max_prepared_transactions": "5"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := server.CreateDatabase(t.Context(), "keeping"); err != nil {
		t.Fatal(err)
	}
	url := server.URL("keeping")
	conn := connect(t, url)
	f := plainFixture("keeping")
	execute(t, conn, f.ddl())
	apply(t, conn, makePlan(t, conn, f.state()))
	idle, busy, prepared := connect(t, server.RoleURL(f.login, "pw", "keeping")), connect(t, server.RoleURL(f.login, "pw", "keeping")),
		connect(t, server.RoleURL(f.login, "pw", "keeping"))
	execute(t, idle, "SELECT 1")
	execute(t, busy, "BEGIN; SELECT 1")
	execute(t, prepared, "BEGIN; SELECT 1; PREPARE TRANSACTION 'it''s kept'")
	again := func(want *State, end bool) (kept []Session) {
		t.Helper()
		opts := ApplyOptions{Secrets: testSecrets("pw"), Kept: func(s []Session) { kept = s }, EndSessions: end}
		if err := Apply(t.Context(), conn, makePlan(t, conn, want), opts); err != nil {
			t.Fatal(err)
		}
		return kept
	}
	narrower := f.changed()
	named := again(narrower, false)
	if len(named) != 2 || named[0].PID != 0 && named[1].PID != 0 || named[0].Ended || named[1].Ended {
		t.Errorf("named %+v", named)
	}
	apply(t, conn, makePlan(t, conn, f.state()))
	ended := again(narrower, true)
	if len(ended) != 2 || !ended[0].Ended || !ended[1].Ended {
		t.Errorf("ended %+v", ended)
	}
	for _, s := range ended {
		if s.Role != f.login || s.PID == 0 && s.Prepared != "it's kept" || s.PID != 0 && s.PID != int(busy.PgConn().PID()) {
			t.Errorf("ended %+v", s)
		}
	}
	if _, err := busy.Exec(t.Context(), "SELECT 1"); err == nil || !strings.Contains(err.Error(), "terminating connection") {
		t.Errorf("the session goes on: %v", err)
	}
	for _, c := range []*pgx.Conn{idle, prepared} {
		execute(t, c, "SELECT 1")
	}
	if got := rows(t, conn, "SELECT count(*) FROM pg_prepared_xacts"); got[0] != "0" {
		t.Errorf("%s prepared transactions are left", got[0])
	}
}

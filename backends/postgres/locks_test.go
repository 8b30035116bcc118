package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// queued reports whether a reader of the table has to wait behind others.
func queued(t *testing.T, reader *pgx.Conn) bool {
	t.Helper()
	_, err := reader.Exec(t.Context(), "SET lock_timeout = '20ms'; SELECT * FROM deals", pgx.QueryExecModeSimpleProtocol)
	var pg *pgconn.PgError
	if err != nil && (!errors.As(err, &pg) || pg.Code != "55P03") {
		t.Fatal(err)
	}
	return err != nil
}

// awaitQueue returns when somebody waits for a lock on the table.
func awaitQueue(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	for waiting := false; !waiting; {
		if err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'deals'::regclass)").Scan(&waiting); err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadersAreNotQueued: while a plan waits for a transaction that reads its
// table, other readers go on. A plan that waited without a limit would hold
// them up until that transaction ends.
func TestReadersAreNotQueued(t *testing.T) {
	t.Parallel()
	f := plainFixture("queue")
	url := pgtest.Database(t)
	conn, long, reader := connect(t, url), connect(t, url), connect(t, url)
	execute(t, conn, f.ddl())
	p := makePlan(t, conn, f.state())
	execute(t, long, "BEGIN; SELECT * FROM deals")

	patient, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	waiting := connect(t, url)
	go func() {
		ended <- Apply(patient, waiting, p, ApplyOptions{Secrets: testSecrets("pw"), LockTimeout: time.Hour})
	}()
	awaitQueue(t, conn)
	if !queued(t, reader) {
		t.Error("nobody is held up by a plan that waits: this test would not see it")
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}

	// The default: reads of the table are counted against the plan's attempts.
	var longest time.Duration
	attempts, reads := 0, 0
	opts := ApplyOptions{Secrets: testSecrets("pw"), Attempts: 1000, Pause: func(context.Context, int) error {
		if attempts++; attempts == 10 {
			execute(t, long, "COMMIT")
		}
		return nil
	}}
	done, applying := make(chan error, 1), connect(t, url)
	go func() { done <- Apply(t.Context(), applying, p, opts) }()
	execute(t, reader, "RESET lock_timeout")
	for open := true; open; {
		select {
		case err := <-done:
			if err != nil {
				t.Fatal(err)
			}
			open = false
		default:
			began := time.Now()
			execute(t, reader, "SELECT * FROM deals")
			longest, reads = max(longest, time.Since(began)), reads+1
		}
	}
	if attempts < 10 || reads < attempts {
		t.Errorf("%d reads during %d attempts", reads, attempts)
	}
	if longest > 2*time.Second { // 50 ms, on a machine that has time
		t.Errorf("a reader waited %s", longest)
	}
	t.Logf("%d reads during %d attempts, the longest took %s", reads, attempts, longest)
}

// TestFirstAppliesOfOneCluster: where nothing is there yet, no role can be
// locked that all databases share. Making the same role is what keeps two first
// applies apart: one makes it, the other is told to plan again, and its new plan
// leaves the role out and runs nothing that it did not show before.
func TestFirstAppliesOfOneCluster(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		f := plainFixture("first " + string(rune('a'+round)))
		var conns []*pgx.Conn
		var plans []*plan.Plan
		for range 2 {
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, f.ddl())
			conns, plans = append(conns, conn), append(plans, makePlan(t, conn, f.state()))
		}
		type result struct {
			of  int
			err error
		}
		results := make(chan result, len(conns))
		for i := range conns {
			go func() {
				results <- result{i, Apply(t.Context(), conns[i], plans[i], ApplyOptions{Secrets: testSecrets("pw")})}
			}()
		}
		first, second := <-results, <-results
		if first.err != nil {
			first, second = second, first
		}
		if first.err != nil || !errors.Is(second.err, ErrStale) {
			t.Fatalf("round %d: %v and %v", round, first.err, second.err)
		}
		requireEmpty(t, conns[first.of], f.state())
		again := makePlan(t, conns[second.of], f.state())
		if !plans[second.of].Covers(again) || len(again.Statements) >= len(plans[second.of].Statements) {
			t.Errorf("round %d: the new plan runs what the one before did not:\n%s", round, describe(again))
		}
		apply(t, conns[second.of], again)
		for _, conn := range conns {
			requireEmpty(t, conn, f.state())
		}
	}
}

// TestRolesAreLockedInAllDatabases: a plan that changes roles waits for one of
// another database of the cluster that does, and a plan that does not goes on.
func TestRolesAreLockedInAllDatabases(t *testing.T) {
	t.Parallel()
	f := plainFixture("mutex")
	var conns []*pgx.Conn
	for range 2 {
		conn := connect(t, pgtest.Database(t))
		execute(t, conn, f.ddl())
		apply(t, conn, makePlan(t, conn, f.state()))
		conns = append(conns, conn)
	}
	roles, rights := f.state(), f.state()
	roles.Roles[RoleID(f.login)].ConnectionLimit = 9
	rights.Grants.Add(GrantKey{Object: TableID(f.schema, f.table), Grantee: ToRole(f.account), Privilege: PrivilegeDelete})
	once := ApplyOptions{Secrets: testSecrets("pw"), Attempts: 1}
	tried := false
	first := once
	first.Check = func(ctx context.Context, _ *pgx.Conn, _ *Live) error { // before it commits
		tried = true
		if err := Apply(ctx, conns[1], makePlan(t, conns[1], roles), once); !errors.Is(err, ErrBusy) {
			t.Errorf("a plan that changes roles: %v", err)
		}
		return Apply(ctx, conns[1], makePlan(t, conns[1], rights), once)
	}
	if err := Apply(t.Context(), conns[0], makePlan(t, conns[0], roles), first); err != nil || !tried {
		t.Errorf("%v", err)
	}
}

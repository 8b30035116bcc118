package postgres

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

func TestStale(t *testing.T) {
	t.Parallel()
	f := plainFixture("stale")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	p := makePlan(t, conn, f.state())
	execute(t, conn, "GRANT SELECT ON deals TO PUBLIC")
	if err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: testSecrets("pw")}); !errors.Is(err, ErrStale) {
		t.Errorf("got %v", err)
	}
	execute(t, conn, "REVOKE SELECT ON deals FROM PUBLIC; DROP TABLE deals")
	if err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: testSecrets("pw")}); !errors.Is(err, ErrStale) {
		t.Errorf("got %v", err)
	}
	other := connect(t, pgtest.Database(t))
	execute(t, other, f.ddl())
	if err := Apply(t.Context(), other, p, ApplyOptions{Secrets: testSecrets("pw")}); !errors.Is(err, ErrWrongDatabase) {
		t.Errorf("got %v", err)
	}
}

func nothingDone(t *testing.T, conn *pgx.Conn, f fixture) {
	t.Helper()
	got := rows(t, conn, "SELECT (SELECT count(*) FROM pg_policy), (SELECT count(*) FROM pg_namespace WHERE nspname = 'postern'),"+
		" (SELECT count(*) FROM pg_roles WHERE rolname = '"+f.account+"')")
	if !slices.Equal(got, []string{"0|0|0"}) {
		t.Errorf("policies, schemas, roles: %q", got)
	}
}

func TestFailureLeavesNothing(t *testing.T) {
	t.Parallel()
	f := plainFixture("failing")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	p := makePlan(t, conn, f.state())
	p.Statements = append(p.Statements, plan.Statement{SQL: "SELECT 1 / 0", Object: plan.Object{Kind: "test", Name: "last"}})
	err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: testSecrets("pw")})
	if err == nil || !strings.Contains(err.Error(), "test last") || !strings.Contains(err.Error(), "division by zero") {
		t.Errorf("got %v", err)
	}
	nothingDone(t, conn, f)
	if err := Apply(t.Context(), conn, p, ApplyOptions{}); err == nil || !strings.Contains(err.Error(), "password") {
		t.Errorf("without secrets: %v", err)
	}
	if err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: testSecrets("")}); !errors.Is(err, errEmptyPassword) {
		t.Errorf("empty password: %v", err)
	}
}

func TestCancelLeavesNothing(t *testing.T) {
	t.Parallel()
	f := plainFixture("cancelled")
	url := pgtest.Database(t)
	conn := connect(t, url)
	execute(t, conn, f.ddl())
	p := makePlan(t, conn, f.state())
	ctx, cancel := context.WithCancel(t.Context())
	applying := connect(t, url)
	err := Apply(ctx, applying, p, ApplyOptions{Secrets: testSecrets("pw"), Progress: func(int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	nothingDone(t, conn, f)
}

func TestBusyTableIsRetried(t *testing.T) {
	t.Parallel()
	f := plainFixture("busy")
	url := pgtest.Database(t)
	conn, reader := connect(t, url), connect(t, url)
	execute(t, conn, f.ddl())
	want := f.state()
	p := makePlan(t, conn, want)
	execute(t, reader, "BEGIN; SELECT * FROM deals")
	pauses := 0
	opts := ApplyOptions{Secrets: testSecrets("pw"), Attempts: 3, LockTimeout: 1, Pause: func(context.Context, int) error { pauses++; return nil }}
	if err := Apply(t.Context(), conn, p, opts); !errors.Is(err, ErrBusy) || pauses != 2 {
		t.Errorf("got %v after %d pauses", err, pauses)
	}
	opts.Pause = func(context.Context, int) error { execute(t, reader, "COMMIT"); return nil }
	if err := Apply(t.Context(), conn, p, opts); err != nil {
		t.Error(err)
	}
	requireEmpty(t, conn, want)
}

// Two plans made at once: one is applied, the other is refused.
func TestConcurrentApply(t *testing.T) {
	t.Parallel()
	f := plainFixture("concurrent")
	url := pgtest.Database(t)
	conn := connect(t, url)
	execute(t, conn, f.ddl())
	p := makePlan(t, conn, f.state())
	results := make(chan error, 2)
	for range 2 {
		c := connect(t, url)
		go func() { results <- Apply(t.Context(), c, p, ApplyOptions{Secrets: testSecrets("pw")}) }()
	}
	a, b := <-results, <-results
	if a != nil {
		a, b = b, a
	}
	if a != nil || !errors.Is(b, ErrStale) {
		t.Errorf("got %v and %v", a, b)
	}
}

// Whoever may log in may take advisory locks; that keeps no plan out.
func TestAdvisoryLocksKeepNothingOut(t *testing.T) {
	t.Parallel()
	f, conn, _ := applied(t, "advisory")
	other := connect(t, conn.Config().ConnString())
	execute(t, other, "SELECT pg_advisory_lock("+applyLock+")")
	p := makePlan(t, conn, f.changed())
	if err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: testSecrets("pw"), Attempts: 1}); err != nil {
		t.Error(err)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	f, conn, _ := applied(t, "password")
	stored := rows(t, conn, "SELECT rolpassword FROM pg_authid WHERE rolname = '"+f.login+"' UNION ALL SELECT verifier FROM postern.passwords")
	if len(stored) != 2 || stored[0] != stored[1] || !verifies(stored[0], "pw") || verifies(stored[0], "other") {
		t.Errorf("%q", stored)
	}
	execute(t, conn, "ALTER ROLE "+f.login+" PASSWORD 'naïve ☃'")
	stored = rows(t, conn, "SELECT rolpassword FROM pg_authid WHERE rolname = '"+f.login+"'")
	if !verifies(stored[0], "naïve ☃") {
		t.Error("what Postgres made of a password is not recognised")
	}
	for _, broken := range []string{"", "md5abc", "SCRAM-SHA-256$", "SCRAM-SHA-256$0:AAAA$x:y", "SCRAM-SHA-256$4096:!$x:y", "SCRAM-SHA-256$99999999999:AAAA$x:y"} {
		if verifies(broken, "pw") {
			t.Errorf("%q is taken for a verifier", broken)
		}
	}
}

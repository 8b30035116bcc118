package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// Why a plan was not applied. In all cases nothing was done.
var (
	// ErrStale says that the database is no longer what the plan was made from.
	ErrStale = errors.New("the database has changed since the plan was made: make a new plan")
	// ErrWrongDatabase says that the connection leads to another database.
	ErrWrongDatabase = errors.New("the plan is for another database")
	// ErrBusy says that other sessions held on to what the plan needs.
	ErrBusy = errors.New("other sessions are using the tables or roles that the plan changes")
	// ErrStandby says that the server takes no changes.
	ErrStandby = errors.New("the server is a standby and takes no changes")
)

// ApplyOptions say how a plan is applied. The zero value will do for a plan
// without passwords.
type ApplyOptions struct {
	Secrets Secrets
	Actor   string // who applies, for the history; default: the connected role
	// LockTimeout is how long one attempt waits for a lock; default 50 ms, since
	// whoever waits for an ACCESS EXCLUSIVE lock holds up everyone behind.
	LockTimeout time.Duration
	Attempts    int // default 40
	// Pause waits between two attempts; nil: from 20 ms on, growing up to a
	// second, with some randomness.
	Pause func(ctx context.Context, attempt int) error
	// DryRun runs everything and then rolls it back.
	DryRun bool
	// Kept is told, after the commit, which sessions keep rights that the plan
	// took away; EndSessions ends these first.
	Kept        func([]Session)
	EndSessions bool
	// Check looks at the database when all statements have run, in their
	// transaction, right before it is committed; before is what the database held
	// when that began. An error undoes the plan. It is called again where the
	// plan is tried again, and not for a dry run.
	Check func(ctx context.Context, conn *pgx.Conn, before *Live) error
	// Progress is told how many of the plan's statements have run.
	Progress func(done, total int)
}

func (o ApplyOptions) defaults() ApplyOptions {
	if o.LockTimeout == 0 {
		o.LockTimeout = 50 * time.Millisecond
	}
	if o.Attempts == 0 {
		o.Attempts = 40
	}
	if o.Pause == nil {
		o.Pause = backoff
	}
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	return o
}

func backoff(ctx context.Context, attempt int) error {
	wait := min(20*time.Millisecond<<min(attempt, 6), time.Second)
	wait += rand.N(wait) // #nosec G404 -- only spreads retries
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Apply runs the statements of a plan, and no others, in one transaction, if
// the database still is what the plan was made from. It writes down what was
// applied in the same transaction. Whatever goes wrong, nothing of it stays.
func Apply(ctx context.Context, conn *pgx.Conn, p *plan.Plan, opts ApplyOptions) error {
	opts = opts.defaults()
	statements, err := withSecrets(ctx, p, opts.Secrets)
	if err != nil {
		return err
	}
	a := &application{conn: conn, plan: p, opts: opts, statements: statements, hash: hashing(p)}
	for attempt := range opts.Attempts {
		if attempt > 0 {
			if err := opts.Pause(ctx, attempt); err != nil {
				return fmt.Errorf("waiting to try again: %w", err)
			}
		}
		if err = a.attempt(ctx); err == nil {
			a.tellKept(context.WithoutCancel(ctx))
			return nil
		}
		if !retryable(err) {
			return err
		}
	}
	return fmt.Errorf("%w: gave up after %d attempts, the last one with: %w", ErrBusy, opts.Attempts, err)
}

// hashing works a plan's hash out in the background: only the history, which is
// written last, needs it.
func hashing(p *plan.Plan) func() (string, error) {
	var hash string
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		hash, err = p.Hash()
	}()
	return func() (string, error) {
		<-done
		return hash, err
	}
}

// retryable reports whether another attempt may succeed: a lock was not to be
// had, or a catalog row was changed by another session at the same time.
func retryable(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "55P03", "40P01", "40001": // lock_not_available, deadlock_detected, serialization_failure
		return true
	case "XX000": // internal_error; the message is not translated
		return strings.Contains(pg.Message, "tuple concurrently")
	}
	return false
}

// madeMeanwhile reports whether a role or membership that was to be made has
// been made by a plan for another database of the cluster, after the state was
// read.
func madeMeanwhile(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return pg.Code == "42710" || pg.Code == "23505" && strings.HasPrefix(pg.ConstraintName, "pg_auth") // duplicate_object, unique_violation
}

// withSecrets puts verifiers into the statements that need them: one for each
// role, even where two statements hold it.
func withSecrets(ctx context.Context, p *plan.Plan, secrets Secrets) ([]string, error) {
	out := make([]string, len(p.Statements))
	made := map[string]string{}
	for i, s := range p.Statements {
		if s.Secret == nil {
			out[i] = s.SQL
			continue
		}
		if s.Secret.Kind == plan.SecretHashKey && secrets != nil {
			literal, err := hashKeyLiteral(ctx, *s.Secret, secrets)
			if err != nil {
				return nil, err
			}
			out[i] = s.With(string(literal))
			continue
		}
		if secrets == nil {
			return nil, fmt.Errorf("the plan sets the password of %s, but there is nothing to read it with", s.Secret.Role)
		}
		verifier, ok := made[s.Secret.Role]
		if !ok {
			password, err := secrets(ctx, *s.Secret)
			if err != nil {
				return nil, fmt.Errorf("the password of account %s, %s: %w", s.Secret.Account, s.Secret.From, err)
			}
			if verifier, err = newVerifier(password); err != nil {
				return nil, fmt.Errorf("the password of account %s, %s: %w", s.Secret.Account, s.Secret.From, err)
			}
			made[s.Secret.Role] = verifier
		}
		literal, err := sqltext.Literal(verifier)
		if err != nil {
			return nil, err
		}
		out[i] = s.With(string(literal))
	}
	return out, nil
}

// application is one plan being applied.
type application struct {
	conn       *pgx.Conn
	plan       *plan.Plan
	opts       ApplyOptions
	statements []string
	hash       func() (string, error)
	user       string   // the connected role
	contended  []string // views and tables that could not be locked, the last one first
	holders    []holder // who keeps rights that the plan takes away
}

func (a *application) attempt(ctx context.Context) error {
	tx, err := a.conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite})
	if err != nil {
		return fmt.Errorf("starting the transaction: %w", err)
	}
	// After a commit this does nothing; after a cancelled context the
	// connection is closed, which rolls back as well.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	if err := a.lock(ctx); err != nil {
		return err
	}
	live, err := inspect(ctx, a.conn, a.plan.Project, a.plan.Scope, nil)
	if err != nil {
		return err
	}
	switch {
	case live.Server.Recovery:
		return ErrStandby
	case live.Server.Database != a.plan.Database:
		return fmt.Errorf("%w: it was made for %q, this is %q", ErrWrongDatabase, a.plan.Database, live.Server.Database)
	case live.Fingerprint != a.plan.Fingerprint:
		return ErrStale
	}
	if setsSecret(a.plan) {
		if err := newReader(a.conn.PgConn()).run(ctx, &catalogQuery{name: "log", sql: noLog}); err != nil {
			return err
		}
	}
	a.user = live.Server.User
	if err := a.readHolders(ctx); err != nil {
		return err
	}
	if err := a.run(ctx); err != nil {
		if madeMeanwhile(err) {
			return ErrStale
		}
		return err
	}
	if err := a.writeHistory(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if a.opts.DryRun {
		a.holders = nil
		if err := tx.Rollback(context.WithoutCancel(ctx)); err != nil {
			return fmt.Errorf("rolling back: %w", err)
		}
		return nil
	}
	if a.opts.Check != nil {
		if err := a.opts.Check(ctx, a.conn, live); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// A commit that was sent is not taken back half way.
	if err := tx.Commit(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// chunk is how many statements go in one message: enough that round trips do
// not count, few enough that progress is seen.
const chunk = 500

func (a *application) run(ctx context.Context) error {
	for start := 0; start < len(a.statements); start += chunk {
		end := min(start+chunk, len(a.statements))
		if done, err := a.exec(ctx, a.statements[start:end]); err != nil {
			failed := start + min(done, end-start-1)
			return fmt.Errorf("statement %d of %d, %s: %w\n%s", failed+1, len(a.statements),
				a.plan.Statements[failed].Object, err, a.plan.Statements[failed].Text())
		}
		a.opts.Progress(end, len(a.statements))
	}
	return nil
}

// exec sends statements together and says how many of them were done.
func (a *application) exec(ctx context.Context, statements []string) (done int, err error) {
	results := a.conn.PgConn().Exec(ctx, strings.Join(statements, ";\n"))
	for results.NextResult() {
		if _, err := results.ResultReader().Close(); err == nil {
			done++
		}
	}
	return done, results.Close()
}

package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// applyLock is the key of the advisory lock that two first plans for one
// database compete for: "postern" in ASCII.
const applyLock = "31647739056321134"

// lockOut keeps other plans for the database out. Anyone may take an advisory
// lock, and so keep a plan from being applied; nobody but those who apply may
// lock the history. So the advisory lock is for when there is no history yet,
// or the connected role has no rights on it.
func (a *application) lockOut(ctx context.Context) error {
	history, ok := a.history()
	held := false
	if ok {
		name, err := build(func(b *sqltext.Builder) { b.Qualified(history.Schema, history.Name) })
		if err != nil {
			return err
		}
		err = newReader(a.conn.PgConn()).run(ctx, &catalogQuery{
			name: "history", args: [][]byte{[]byte(name)},
			sql:  "SELECT coalesce(has_table_privilege(to_regclass($1::text), 'DELETE'), false)",
			each: func(r row) error { held = r.bool(0); return nil },
		})
		if err != nil {
			return err
		}
		if held {
			_, err := a.conn.PgConn().Exec(ctx, "LOCK TABLE ONLY "+string(name)+" IN SHARE ROW EXCLUSIVE MODE").ReadAll()
			return lockError(err)
		}
	}
	return newReader(a.conn.PgConn()).run(ctx, &catalogQuery{name: "lock", sql: "SELECT pg_advisory_xact_lock(" + applyLock + ")"})
}

// lock keeps other plans out, and others off the tables that change.
func (a *application) lock(ctx context.Context) error {
	timeout := fmt.Sprintf("%dms", max(1, a.opts.LockTimeout.Milliseconds()))
	err := newReader(a.conn.PgConn()).run(ctx,
		&catalogQuery{name: "settings", sql: pinSession},
		&catalogQuery{name: "lock timeout", sql: "SELECT set_config('lock_timeout', $1, true)", args: [][]byte{[]byte(timeout)}},
	)
	if err != nil {
		return err
	}
	if err := a.lockOut(ctx); err != nil {
		return err
	}
	if err := a.lockRole(ctx); err != nil {
		return err
	}
	return a.lockRelations(ctx)
}

// lockRelations locks the views and tables that change. Readers lock a view
// before its table, and a table before those that its policies read; whoever
// locks the other way around waits for them while they wait for it, time and
// again where they keep coming. So views come first, and what was not to be
// had is what the next attempt begins with.
func (a *application) lockRelations(ctx context.Context) error {
	views, err := a.changedViews(ctx)
	if err != nil {
		return err
	}
	locks := map[string]string{} // statements, by the relation's name
	var names []string
	for _, v := range views {
		locks[v.name] = v.statement
		names = append(names, v.name)
	}
	for _, name := range a.plan.LockTables {
		// Names in a plan are printed, that is quoted, already.
		locks[name] = "LOCK TABLE ONLY " + name + " IN ACCESS EXCLUSIVE MODE"
		names = append(names, name)
	}
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(a.urgency(x), a.urgency(y)) })
	if len(names) == 0 {
		return nil
	}
	statements := make([]string, len(names))
	for i, n := range names {
		statements[i] = locks[n]
	}
	done, err := a.exec(ctx, statements)
	if err == nil {
		return nil
	}
	failed := names[min(done, len(names)-1)]
	a.contended = append([]string{failed}, slices.DeleteFunc(a.contended, func(n string) bool { return n == failed })...)
	return lockError(err)
}

// urgency is a relation's place among those that could not be locked.
func (a *application) urgency(name string) int {
	if at := slices.Index(a.contended, name); at >= 0 {
		return at
	}
	return len(a.contended)
}

// lockView locks a view and nothing else: LOCK would go for the table that it
// reads as well, as the view's owner, who may not.
type lockView struct{ name, statement string }

// changedViews are the views there that the plan changes or drops.
func (a *application) changedViews(ctx context.Context) ([]lockView, error) {
	var names []string
	for _, c := range a.plan.Changes {
		if object := c.What().Object; object.Kind == plan.Kind(KindView) && plan.ActionOf(c) != plan.ActionAdd {
			names = append(names, object.Name)
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	var out []lockView
	return out, newReader(a.conn.PgConn()).run(ctx, &catalogQuery{
		name: "owners of views", args: [][]byte{jsonArg(names)},
		sql: `SELECT v.name, n.nspname, c.relname, pg_get_userbyid(c.relowner)
			FROM json_array_elements_text($1::json) WITH ORDINALITY AS v(name, ord)
			JOIN pg_class c ON c.oid = to_regclass(v.name) AND c.relkind = 'v' JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE pg_has_role(c.relowner, 'USAGE') ORDER BY v.ord`,
		each: func(r row) error {
			// To give a view to its owner changes nothing.
			text, err := SetOwner(ViewID(r.text(1), r.text(2)), r.text(3))
			out = append(out, lockView{name: r.text(0), statement: string(text)})
			return err
		},
	})
}

func lockError(err error) error {
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000") { // a table or schema is gone
		return ErrStale
	}
	return fmt.Errorf("locking the tables: %w", err)
}

// lockRole serialises with plans for other databases of the same cluster:
// advisory locks are per database, roles are not. Writing a role's comment
// again locks that row of a shared catalog.
func (a *application) lockRole(ctx context.Context) error {
	if !a.changesRoles() {
		return nil
	}
	var name, comment string
	err := newReader(a.conn.PgConn()).run(ctx, &catalogQuery{
		name: "roles", args: [][]byte{jsonArg(a.plan.Scope.Roles), []byte(Mark(a.plan.Project))},
		sql: `SELECT min(rolname::text COLLATE "C"), $2::text FROM pg_roles
			WHERE rolname::text IN (SELECT json_array_elements_text($1::json)) AND shobj_description(oid, 'pg_authid') = $2::text`,
		each: func(r row) error { name, comment = r.text(0), r.text(1); return nil },
	})
	if err != nil || name == "" {
		return err
	}
	text, err := CommentOn(RoleID(name), comment)
	if err != nil {
		return err
	}
	if _, err := a.conn.PgConn().Exec(ctx, string(text)).ReadAll(); err != nil {
		return fmt.Errorf("locking role %s: %w", name, err)
	}
	return nil
}

func (a *application) changesRoles() bool {
	for _, s := range a.plan.Statements {
		switch s.Object.Kind {
		case plan.Kind(KindRole), "membership", "password", kindLogin:
			return true
		}
	}
	return false
}

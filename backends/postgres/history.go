package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// columnProgram is the column of the history that holds what the project said.
const columnProgram = "program"

// Applied is the newest row of postern.history: what was applied last.
type Applied struct {
	At       time.Time
	Project  string
	Revision string // git commit of the source, "" when unknown
	Actor    string
	Plan     string // the plan's hash
	// Program is what the project said of the datasource then, as HCL in which
	// secrets have no values; "" where it was not written down.
	Program string
	// Unreadable says that there is a history which the connected role may not
	// read; nothing else is known then.
	Unreadable bool
}

// queryHistory says whether the history can be read, and has the program.
const queryHistory = `SELECT
	has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid),
	EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = $3 AND NOT a.attisdropped)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'`

// LastApplied reads what was applied to a database last; nil when nothing was.
// Superusers and members of the role that owns the schema postern may read it.
func LastApplied(ctx context.Context, conn *pgx.Conn) (*Applied, error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, fmt.Errorf("starting to read the history: %w", err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	var readable, program bool
	err = tx.QueryRow(ctx, queryHistory, RuntimeSchema, tableHistory, columnProgram).Scan(&readable, &program)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking for the history: %w", err)
	case !readable:
		return &Applied{Unreadable: true}, nil
	}
	query, err := build(func(b *sqltext.Builder) {
		b.Raw("SELECT applied_at, project, revision, actor, plan, ")
		if program {
			b.Ident(columnProgram)
		} else {
			b.Raw("''")
		}
		b.Raw(" FROM ").Qualified(RuntimeSchema, tableHistory).Raw(" ORDER BY applied_at DESC LIMIT 1")
	})
	if err != nil {
		return nil, err
	}
	out := &Applied{}
	err = tx.QueryRow(ctx, string(query)).Scan(&out.At, &out.Project, &out.Revision, &out.Actor, &out.Plan, &out.Program)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the history: %w", err)
	}
	out.At = out.At.UTC()
	return out, nil
}

// history is the table that says what was applied.
func (a *application) history() (plan.TableName, bool) {
	for _, g := range a.plan.Scope.Generated {
		if g.Name == tableHistory {
			return g.TableName, true
		}
	}
	return plan.TableName{}, false
}

// writeHistory notes who applied what.
func (a *application) writeHistory(ctx context.Context) error {
	table, ok := a.history()
	if !ok {
		return nil
	}
	query, err := build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO ").Qualified(table.Schema, table.Name)
		b.Raw(" (applied_at, project, revision, actor, plan, ").Ident(columnProgram)
		b.Raw(") VALUES (clock_timestamp(), $1, $2, coalesce(nullif($3, ''), session_user::text), $4, $5)")
	})
	if err != nil {
		return err
	}
	hash, err := a.hash()
	if err != nil {
		return err
	}
	return newReader(a.conn.PgConn()).run(ctx, &catalogQuery{name: "history", sql: string(query), args: [][]byte{
		[]byte(a.plan.Project), []byte(a.plan.Revision), []byte(a.opts.Actor), []byte(hash), []byte(a.plan.Program),
	}})
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// PlanFor is DesiredIn and MakePlan in one: while the desired state is worked
// out, the server prints the policies of the declared tables, which takes it
// longest. The state is nil when it cannot be made, the plan when the
// diagnostics hold an error.
func PlanFor(ctx context.Context, conn *pgx.Conn, p *model.Program, opts PlanOptions) (*State, *plan.Plan, diag.List, error) {
	indexes, err := ReadIndexes(ctx, conn, opts.Datasource)
	if err != nil {
		return nil, nil, nil, err
	}
	var want *State
	var diags diag.List
	done := make(chan struct{})
	go func() {
		defer close(done)
		want, diags = DesiredWith(p, opts.Datasource, DesiredOptions{Indexes: indexes})
	}()
	var live *Live
	err = reading(ctx, conn, func() error {
		early, err := readAhead(ctx, conn, opts.Datasource)
		<-done
		if err == nil && !diags.HasErrors() {
			live, err = inspectAll(ctx, conn, want.Project, ScopeOf(want), early)
		}
		return err
	})
	<-done
	var refused *pgconn.PgError
	switch {
	case diags.HasErrors():
		return nil, nil, diags, nil
	case errors.As(err, &refused), errors.Is(err, ErrServerOld):
		live = nil // read once more, which says what is wrong
	case err != nil:
		return want, nil, diags, err
	}
	pl, found, err := planOf(ctx, conn, want, live, opts)
	return want, pl, append(diags, found...), err
}

// ahead is what was read of tables before it was known what else to read.
type ahead struct {
	tables            []string // their oids, and their children's, sorted
	columns, policies *fetched
}

// readAhead reads inside the transaction that is under way on conn.
func readAhead(ctx context.Context, conn *pgx.Conn, ds *model.Datasource) (*ahead, error) {
	names := make([]plan.TableName, len(ds.Tables))
	for i, t := range ds.Tables {
		names[i] = plan.TableName{Schema: t.Schema, Name: t.SQLName}
	}
	out := &ahead{columns: &fetched{}, policies: &fetched{}}
	r := newReader(conn.PgConn())
	err := r.run(ctx,
		&catalogQuery{name: "settings", sql: pinSession},
		&catalogQuery{name: "tables", sql: queryRelations, args: [][]byte{jsonArg(names)}, each: func(r row) error {
			out.tables = append(out.tables, r.text(0))
			return nil
		}},
	)
	if err != nil {
		return nil, err
	}
	slices.Sort(out.tables)
	tables := [][]byte{oidArray(out.tables)}
	return out, r.run(ctx,
		&catalogQuery{name: "columns", sql: queryColumns, args: tables, each: out.columns.keep},
		&catalogQuery{name: "policies", sql: queryPolicies, args: tables, each: out.policies.keep},
	)
}

// holds reports whether exactly these tables were read.
func (a *ahead) holds(tables []string) bool {
	return a != nil && slices.Equal(a.tables, slices.Sorted(slices.Values(tables)))
}

// reading calls f in a transaction that sees one state and changes nothing.
func reading(ctx context.Context, conn *pgx.Conn, f func() error) error {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("starting to read the database: %w", err)
	}
	err = f()
	// The transaction only read: rolling back is as good as committing.
	if rollback := tx.Rollback(context.WithoutCancel(ctx)); err == nil && rollback != nil {
		err = fmt.Errorf("reading the database: %w", rollback)
	}
	return err
}

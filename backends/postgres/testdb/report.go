package testdb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// Rows selects from a report's view which of the test's records it shows: none
// where the account has no such view.
func (db *DB) Rows(ctx context.Context, t *model.Test, r *model.Report) ([]*model.Fixture, error) {
	var out []*model.Fixture
	err := db.databases[r.From.Datasource].within(ctx, t, func(q *asker) error {
		markers, err := q.report(ctx, r)
		for _, f := range t.Fixtures {
			if number, here := q.rows[f]; here && f.Table == r.From && slices.Contains(markers, number) {
				out = append(out, f)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("report.%s: %w", r.Name, err)
	}
	return out, nil
}

// report reads the markers of the rows that a report shows.
func (q *asker) report(ctx context.Context, r *model.Report) ([]int, error) {
	id := postgres.ViewID(postgres.ViewsName(q.account.Role), postgres.ReportName(r))
	if q.state.Views[id] == nil {
		return nil, nil
	}
	if err := q.become(ctx); err != nil {
		return nil, err
	}
	sql, err := new(sqltext.Builder).Raw("SELECT ").Ident(marker).Raw(" FROM ").Qualified(id.Schema, id.Name).SQL()
	if err != nil {
		return nil, err
	}
	rows, _ := q.conn.Query(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	markers, err := pgx.CollectRows(rows, pgx.RowTo[int])
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
		return nil, nil
	}
	return markers, err
}

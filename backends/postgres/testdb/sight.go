package testdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// See selects each column of each record on its own: a column is visible when
// its row comes, and hidden when the account has no privilege on it or the row
// does not come.
func (db *DB) See(ctx context.Context, t *model.Test, records []*model.Fixture) ([]model.Sight, error) {
	out := make([]model.Sight, len(records))
	for _, ds := range db.program.Datasources {
		var mine []int
		for i, f := range records {
			if f.Table.Datasource == ds {
				mine = append(mine, i)
			}
		}
		if len(mine) == 0 {
			continue
		}
		err := db.databases[ds].within(ctx, t, func(q *asker) error {
			for _, i := range mine {
				var err error
				if out[i], err = q.see(ctx, records[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("datasource.%s: %w", ds.Name, err)
		}
	}
	return out, nil
}

func (q *asker) see(ctx context.Context, f *model.Fixture) (model.Sight, error) {
	out := model.Sight{Masked: map[string]any{}}
	for _, c := range f.Table.Columns {
		shown, err := q.shows(ctx, f, c)
		if err != nil {
			return out, err
		}
		if shown {
			out.Visible = append(out.Visible, c.Name)
		}
	}
	return out, nil
}

// shows selects one column between two savepoints.
func (q *asker) shows(ctx context.Context, f *model.Fixture, c *model.Column) (shown bool, err error) {
	if err := q.exec(ctx, "SAVEPOINT see"); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, q.exec(context.WithoutCancel(ctx), "ROLLBACK TO see")) }()
	if err := q.become(ctx); err != nil {
		return false, err
	}
	sql, err := new(sqltext.Builder).Raw("SELECT ").Ident(c.Name).Raw(" FROM ").Qualified(f.Table.Schema, f.Table.SQLName).
		Raw(" WHERE ").Ident(marker).Raw(" = ", sqltext.Int(q.rows[f])).SQL()
	if err != nil {
		return false, err
	}
	tag, err := q.conn.Exec(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == insufficientPrivilege {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", sql, err)
	}
	return tag.RowsAffected() == 1, nil
}

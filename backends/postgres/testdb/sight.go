package testdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// See selects each column of each record on its own: what comes is what the
// column shows, and null when the account has no privilege on it or the row does
// not come.
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
	out := model.Sight{Values: map[string]any{}}
	for _, c := range f.Table.Columns {
		shown, err := q.shows(ctx, f, c)
		if err != nil {
			return out, err
		}
		out.Values[c.Name] = shown
	}
	return out, nil
}

// undefinedColumn is the SQLSTATE of a column that a view does not have.
const undefinedColumn = "42703"

// shows selects one column between two savepoints.
func (q *asker) shows(ctx context.Context, f *model.Fixture, c *model.Column) (shown any, err error) {
	if err := q.exec(ctx, "SAVEPOINT see"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.exec(context.WithoutCancel(ctx), "ROLLBACK TO see")) }()
	if err := q.become(ctx); err != nil {
		return nil, err
	}
	at := q.reach(q.account, f.Table)
	sql, err := new(sqltext.Builder).Raw("SELECT to_jsonb(").Ident(c.Name).Raw(")::text FROM ").Qualified(at.Schema, at.Name).
		Raw(" WHERE ").Ident(marker).Raw(" = ", sqltext.Int(q.rows[f])).SQL()
	if err != nil {
		return nil, err
	}
	var text *string
	err = q.conn.QueryRow(ctx, string(sql), pgx.QueryExecModeSimpleProtocol).Scan(&text)
	var failed *pgconn.PgError
	switch {
	case errors.As(err, &failed) && (failed.Code == insufficientPrivilege || failed.Code == undefinedColumn), errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s: %w", sql, err)
	case text == nil:
		return nil, nil
	}
	return fromJSON(*text)
}

// fromJSON reads a value as a Document holds it.
func fromJSON(text string) (v any, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading a value: %w", err)
	}
	return v, nil
}

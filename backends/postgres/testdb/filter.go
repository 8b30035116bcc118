package testdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// Filtered are the numbers of the rows of a table, as Keep numbered them, that
// another engine's WHERE clause finds in it: "" finds all of them. The table is
// called "record" there, and no policy is asked.
func (db *DB) Filtered(ctx context.Context, t *model.Table, where sqltext.SQL) ([]int, error) {
	d := db.databases[t.Datasource]
	if d == nil {
		return nil, fmt.Errorf("%s is in no Postgres", t.Address())
	}
	b := new(sqltext.Builder).Raw("SELECT record.").Ident(marker).Raw(" FROM ").Qualified(t.Schema, t.SQLName).Raw(" AS record ", where)
	sql, err := b.SQL()
	if err != nil {
		return nil, err
	}
	rows, err := d.conn.Query(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sql, err)
	}
	return out, nil
}

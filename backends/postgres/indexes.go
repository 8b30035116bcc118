package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// Indexes say which columns stand first in a B-tree index over all rows of
// their table: conditions on them are written in the form that such an index
// answers, and, where there is none, in the one that is fastest without.
type Indexes struct {
	Columns map[IndexKey]Index // nil: nothing is known, and only primary keys count
	Rows    map[ObjectID]int64 // of each table, as far as its statistics tell
}

// largeTable is the number of rows from which a missing index is worth a word.
const largeTable = 10_000

// IndexKey is a column with the collation that it is indexed under: its own, or
// "C", which ordered comparisons of strings use.
type IndexKey struct {
	Table  ObjectID
	Column string
	C      bool
}

// Index is what is known of an indexed column.
type Index struct {
	NotNull bool // it holds no nulls, so that its whole range is all records
}

func (r *renderer) indexKey(c *model.Column, collateC bool) IndexKey {
	return IndexKey{TableID(r.table.Schema, r.table.SQLName), c.Name, collateC}
}

// hasIndex reports whether an index of the table answers conditions on a
// column.
func (r *renderer) hasIndex(c *model.Column, collateC bool) bool {
	if r.assumed {
		return true
	}
	if r.indexes.Columns == nil {
		return !collateC && len(r.table.PrimaryKey) > 0 && r.table.PrimaryKey[0] == c
	}
	_, ok := r.indexes.Columns[r.indexKey(c, collateC)]
	return ok
}

// DesiredIn is Desired for a database whose indexes are looked up. The error is
// of reading them.
func DesiredIn(ctx context.Context, conn *pgx.Conn, p *model.Program, ds *model.Datasource) (*State, diag.List, error) {
	indexes, err := ReadIndexes(ctx, conn, ds)
	if err != nil {
		return nil, nil, err
	}
	state, diags := DesiredWith(p, ds, DesiredOptions{Indexes: indexes})
	return state, diags, nil
}

// queryIndexes reads the first columns of indexes. A partial index answers only
// some queries, and one with another operator class or collation other
// comparisons.
const queryIndexes = `SELECT DISTINCT n.nspname, c.relname, a.attname, co.collname IS NOT DISTINCT FROM 'C', i.indcollation[0] = a.attcollation, a.attnotnull
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = 'btree'
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0] AND o.opcdefault
LEFT JOIN pg_catalog.pg_collation co ON co.oid = i.indcollation[0]
WHERE i.indisvalid AND i.indisready AND i.indpred IS NULL
AND (n.nspname::text, c.relname::text) IN (SELECT t ->> 'schema', t ->> 'name' FROM json_array_elements($1::json) AS t)`

// querySizes reads how many rows tables are known to have.
const querySizes = `SELECT n.nspname, c.relname, greatest(c.reltuples, 0)::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE (n.nspname::text, c.relname::text) IN (SELECT t ->> 'schema', t ->> 'name' FROM json_array_elements($1::json) AS t)`

// ReadIndexes reads which columns of a datasource's tables have an index. It
// needs no privileges.
func ReadIndexes(ctx context.Context, conn *pgx.Conn, ds *model.Datasource) (Indexes, error) {
	out := Indexes{Columns: map[IndexKey]Index{}, Rows: map[ObjectID]int64{}}
	names := make([]plan.TableName, len(ds.Tables))
	for i, t := range ds.Tables {
		names[i] = plan.TableName{Schema: t.Schema, Name: t.SQLName}
	}
	err := newReader(conn.PgConn()).run(ctx, &catalogQuery{
		name: "indexes", sql: queryIndexes, args: [][]byte{jsonArg(names)},
		each: func(r row) error {
			key := IndexKey{Table: TableID(r.text(0), r.text(1)), Column: r.text(2)}
			if r.bool(4) {
				out.Columns[key] = Index{NotNull: r.bool(5)}
			}
			if key.C = r.bool(3); key.C {
				out.Columns[key] = Index{NotNull: r.bool(5)}
			}
			return nil
		},
	}, &catalogQuery{
		name: "sizes", sql: querySizes, args: [][]byte{jsonArg(names)},
		each: func(r row) (err error) {
			out.Rows[TableID(r.text(0), r.text(1))], err = strconv.ParseInt(r.text(2), 10, 64)
			return err
		},
	})
	if err != nil {
		return Indexes{}, fmt.Errorf("looking for indexes: %w", err)
	}
	return out, nil
}

// missing lists the columns that would need an index for the condition not to
// read the whole table; none where it has one, and where none would help.
func (r *renderer) missing(c model.Cond) (keys []IndexKey, curable bool) {
	switch x := c.(type) {
	case *model.And:
		for _, t := range x.Terms {
			more, ok := r.missing(t)
			if ok && len(more) == 0 {
				return nil, true
			}
			if ok && !curable {
				keys, curable = more, true
			}
		}
		return keys, curable
	case *model.Or:
		for _, t := range x.Terms {
			if !columnful(t) {
				continue
			}
			more, ok := r.missing(t)
			if !ok {
				return nil, false
			}
			keys = append(keys, more...)
		}
		return keys, true
	case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	if !columnful(c) {
		return nil, false
	}
	if _, ok := r.anchor(c); ok {
		return nil, true
	}
	r.assumed = true
	a, ok := r.anchor(c)
	r.assumed = false
	if !ok {
		return nil, false
	}
	column := a.column
	if cast, isCast := column.(sqltext.Cast); isCast {
		column = cast.X
	}
	name := column.(sqltext.Column).Name // bare
	key := IndexKey{Table: TableID(r.table.Schema, r.table.SQLName), Column: name}
	_, isText := a.value.(sqltext.CollateC)
	key.C = isText && a.op != "="
	return []IndexKey{key}, true
}

// lintIndexes warns of indexes that the conditions on a large table miss.
func (d *desired) lintIndexes(r *renderer, c model.Cond) {
	id := TableID(r.table.Schema, r.table.SQLName)
	if d.indexes.Columns == nil || d.indexes.Rows[id] < largeTable {
		return
	}
	keys, _ := r.missing(c)
	for _, key := range keys {
		if d.linted[key] {
			continue
		}
		d.linted[key] = true
		statement, err := build(func(b *sqltext.Builder) {
			b.Raw("CREATE INDEX CONCURRENTLY ON ").Qualified(id.Schema, id.Name).Raw(" (").Ident(key.Column)
			if key.C {
				b.Raw(` COLLATE "C"`)
			}
			b.Raw(")")
		})
		if err != nil {
			d.errs = append(d.errs, err)
			continue
		}
		at := r.table.Span
		if column := r.table.Column(key.Column); column != nil && !column.Span.IsZero() {
			at = column.Span
		}
		d.warnings.Warn(CodeIndex, at,
			fmt.Sprintf("policies on %s read all of its records, about %d, for want of an index on %s", printed(id), d.indexes.Rows[id], inQuotes(key.Column)),
			string(statement)+"; then plan again: the policies take the form that the index answers.")
	}
}

package postgres

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// Indexes say which columns stand first in an index over all rows of their
// table: conditions on them are written in the form that such an index answers,
// and, where there is none, in the one that is fastest without.
type Indexes struct {
	Columns map[IndexKey]Index // nil: nothing is known, and only primary keys count
	Rows    map[ObjectID]int64 // of each table, as far as its statistics tell
}

// largeTable is the number of rows from which a missing index is worth a word.
const largeTable = 10_000

// IndexKey is a column with the collation that it is indexed under: its own, or
// "C", which ordered comparisons of strings and prefixes use. Method is the
// access method; "" is B-tree.
type IndexKey struct {
	Table  ObjectID
	Column string
	C      bool
	Method string
}

// methodPrefixes is the access method that finds strings by a prefix that is
// not known when a query is planned.
const methodPrefixes = "spgist"

// methodElements is the access method that finds arrays by an element.
const methodElements = "gin"

// Index is what is known of an indexed column.
type Index struct {
	NotNull  bool // it holds no nulls, so that its whole range is all records
	Prefixes bool // it answers prefixes that are constants
}

func (r *renderer) indexKey(c *model.Column, method string) IndexKey {
	return IndexKey{Table: TableID(r.table.Schema, r.table.SQLName), Column: c.Name, Method: method}
}

// hasIndex reports whether an index of the table answers conditions on a
// column.
func (r *renderer) hasIndex(key IndexKey) bool {
	if r.assumed {
		return true
	}
	if r.indexes.Columns == nil {
		return !key.C && key.Method == "" && len(r.table.PrimaryKey) > 0 && r.table.PrimaryKey[0].Name == key.Column
	}
	_, ok := r.indexes.Columns[key]
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
// comparisons. Since version 15 a B-tree under "C" answers constant prefixes.
const queryIndexes = `SELECT DISTINCT n.nspname, c.relname, a.attname, co.collname IS NOT DISTINCT FROM 'C', i.indcollation[0] = a.attcollation, a.attnotnull,
	CASE m.amname WHEN 'btree' THEN '' ELSE m.amname END, m.amname = 'btree' AND current_setting('server_version_num')::int >= 150000
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname IN ('btree', 'spgist', 'gin')
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
			key := IndexKey{Table: TableID(r.text(0), r.text(1)), Column: r.text(2), Method: r.text(6)}
			if r.bool(4) {
				out.Columns[key] = Index{NotNull: r.bool(5)}
			}
			if key.C = r.bool(3); key.C {
				out.Columns[key] = Index{NotNull: r.bool(5), Prefixes: r.bool(7)}
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

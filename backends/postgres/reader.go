package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// row is one result row in text form; nil is NULL.
type row [][]byte

func (r row) text(i int) string { return string(r[i]) }

func (r row) bool(i int) bool { return len(r[i]) == 1 && r[i][0] == 't' }

// catalogQuery is one query with its parameters in text form.
type catalogQuery struct {
	name string
	sql  string
	args [][]byte
	// skip lists the columns that depend on who asks: they are no part of the
	// fingerprint.
	skip []int
	each func(row) error
	// fetched are the rows where they are there already.
	fetched *fetched
}

// fetched are the rows of a query that was run before.
type fetched struct{ rows []row }

// keep keeps a row beyond the moment in which the connection lends it.
func (f *fetched) keep(r row) error {
	size := 0
	for _, v := range r {
		size += len(v)
	}
	text, kept := make([]byte, 0, size), make(row, len(r))
	for i, v := range r {
		if v != nil {
			at := len(text)
			text = append(text, v...)
			kept[i] = text[at:len(text):len(text)]
		}
	}
	f.rows = append(f.rows, kept)
	return nil
}

// next makes fetched rows look like a result.
func (f *fetched) next() func() (row, bool) {
	at := 0
	return func() (row, bool) {
		if at == len(f.rows) {
			return nil, false
		}
		at++
		return f.rows[at-1], true
	}
}

// reader runs catalog queries, several in one round trip, and keeps the
// fingerprint of all that they return.
type reader struct {
	conn *pgconn.PgConn
	sum  hash.Hash
}

func newReader(conn *pgconn.PgConn) *reader { return &reader{conn: conn, sum: sha256.New()} }

// run sends the queries together and reads their results in order.
func (r *reader) run(ctx context.Context, queries ...*catalogQuery) error {
	batch := &pgconn.Batch{}
	for _, q := range queries {
		if q.fetched == nil {
			batch.ExecParams(q.sql, q.args, nil, nil, nil)
		}
	}
	results := r.conn.ExecBatch(ctx, batch)
	var failed error
	for _, q := range queries {
		var err error
		if q.fetched != nil {
			err = r.read(q, q.fetched.next())
		} else if results.NextResult() {
			err = r.result(q, results.ResultReader())
		} else {
			break
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("reading %s: %w", q.name, err))
		}
	}
	if err := results.Close(); err != nil && failed == nil {
		return fmt.Errorf("reading the catalogs: %w", err)
	}
	return failed
}

func (r *reader) result(q *catalogQuery, result *pgconn.ResultReader) error {
	err := r.read(q, func() (row, bool) {
		if !result.NextRow() {
			return nil, false
		}
		return row(result.Values()), true
	})
	_, closing := result.Close()
	return errors.Join(err, closing)
}

// read scans one result and adds it to the fingerprint. Rows count as a set:
// the order in which the server returns them means nothing.
func (r *reader) read(q *catalogQuery, next func() (row, bool)) error {
	var sums [][sha256.Size]byte
	var buf []byte
	var failed error
	for values, ok := next(); ok; values, ok = next() {
		buf = buf[:0]
		for i, v := range values {
			switch {
			case slices.Contains(q.skip, i):
			case v == nil:
				buf = append(buf, 'n')
			default:
				buf = strconv.AppendInt(append(buf, 'v'), int64(len(v)), 10)
				buf = append(append(buf, ':'), v...)
			}
		}
		sums = append(sums, sha256.Sum256(buf))
		if q.each != nil && failed == nil {
			failed = q.each(values)
		}
	}
	if failed != nil {
		return failed
	}
	slices.SortFunc(sums, func(a, b [sha256.Size]byte) int { return slices.Compare(a[:], b[:]) })
	r.sum.Write(fmt.Appendf(nil, "%s %d\n", q.name, len(sums)))
	for _, s := range sums {
		r.sum.Write(s[:])
	}
	return nil
}

func (r *reader) fingerprint() string { return hex.EncodeToString(r.sum.Sum(nil)) }

// jsonArg is a parameter that holds a JSON array.
func jsonArg[T any](list []T) []byte {
	data, err := json.Marshal(list)
	if err != nil || list == nil { // only strings and structs of strings are passed
		return []byte("[]")
	}
	return data
}

// oidArray is a parameter of type oid[].
func oidArray(oids []string) []byte {
	out := []byte{'{'}
	for i, o := range oids {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, o...)
	}
	return append(out, '}')
}

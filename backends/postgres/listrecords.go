package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// KeyedRecord is a record with the values of its primary key as texts.
type KeyedRecord struct {
	Key    []string
	Record model.Document
}

// ListRecords reads at most limit records of a table with a primary key, in the
// key's order, after the one with the key after (nil: from the beginning), each as
// ReadRecord reads it. Like that it is an error where row security would hide
// records from the connection.
func ListRecords(ctx context.Context, conn *pgx.Conn, t *model.Table, after []string, limit, depth int) ([]KeyedRecord, error) {
	if len(t.PrimaryKey) == 0 || after != nil && len(after) != len(t.PrimaryKey) {
		return nil, fmt.Errorf("the records of %s cannot be listed by a key of %d columns: its primary key has %d", t.Address(), len(after), len(t.PrimaryKey))
	}
	query, err := listQuery(t, after, limit, depth)
	if err != nil {
		return nil, err
	}
	text, err := readOne(ctx, conn, query)
	if err != nil {
		return nil, fmt.Errorf("reading the records of %s: %w", t.Address(), plainError(err))
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var rows [][2]json.RawMessage
	if err := dec.Decode(&rows); err != nil {
		return nil, fmt.Errorf("reading the records of %s: %w", t.Address(), err)
	}
	out := make([]KeyedRecord, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row[0], &out[i].Key); err != nil {
			return nil, fmt.Errorf("reading the records of %s: %w", t.Address(), err)
		}
		dec := json.NewDecoder(bytes.NewReader(row[1]))
		dec.UseNumber()
		if err := dec.Decode(&out[i].Record); err != nil {
			return nil, fmt.Errorf("reading the records of %s: %w", t.Address(), err)
		}
	}
	return out, nil
}

// listQuery is one JSON array of pairs: key and record.
func listQuery(t *model.Table, after []string, limit, depth int) (string, error) {
	var b sqltext.Builder
	key := func() { b.Each(len(t.PrimaryKey), ", ", func(i int) { b.Raw("r1.").Ident(t.PrimaryKey[i].Name) }) }
	b.Raw("SELECT coalesce(jsonb_agg(jsonb_build_array(x.k, x.r)), '[]'::jsonb)::text FROM (SELECT jsonb_build_array(")
	b.Each(len(t.PrimaryKey), ", ", func(i int) { b.Raw("r1.").Ident(t.PrimaryKey[i].Name).Raw("::text") })
	b.Raw(") AS k, ")
	recordJSON(&b, t, "r1", 1, depth)
	b.Raw(" AS r FROM ").Qualified(t.Schema, t.SQLName).Raw(" AS r1")
	if after != nil {
		b.Raw(" WHERE (")
		key()
		b.Raw(") > (")
		b.Each(len(after), ", ", func(i int) { b.Literal(after[i]) })
		b.Raw(")")
	}
	b.Raw(" ORDER BY ")
	key()
	b.Raw(" LIMIT ", sqltext.Int(limit), ") AS x")
	sql, err := b.SQL()
	return string(sql), err
}

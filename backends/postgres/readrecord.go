package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// ErrNoRecord says that a table has no record with a key.
var ErrNoRecord = errors.New("there is no such record")

// ReadRecord reads one record by the values of its primary key, as text in the
// key's order, in the form of model.Document: with its related records nested
// in it, depth relations deep. It sees the record as it is stored: where row
// security would hide records from the connection it is an error.
func ReadRecord(ctx context.Context, conn *pgx.Conn, t *model.Table, key []string, depth int) (model.Document, error) {
	if len(t.PrimaryKey) == 0 {
		return nil, fmt.Errorf("the table %s declares no primary key to find a record by", t.Address())
	}
	if len(key) != len(t.PrimaryKey) {
		return nil, fmt.Errorf("the primary key of %s has %d columns, and %d values are given", t.Address(), len(t.PrimaryKey), len(key))
	}
	var b sqltext.Builder
	b.Raw("SELECT ")
	recordJSON(&b, t, "r1", 1, depth)
	b.Raw("::text FROM ").Qualified(t.Schema, t.SQLName).Raw(" AS r1 WHERE ")
	b.Each(len(key), " AND ", func(i int) { b.Raw("r1.").Ident(t.PrimaryKey[i].Name).Raw(" = ").Literal(key[i]) })
	query, err := b.SQL()
	if err != nil {
		return nil, err
	}
	text, err := readOne(ctx, conn, string(query))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fmt.Errorf("%w in %s", ErrNoRecord, t.Address())
	}
	if err != nil {
		return nil, fmt.Errorf("reading the record of %s: %w", t.Address(), plainError(err))
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	var doc model.Document
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("reading the record of %s: %w", t.Address(), err)
	}
	return doc, nil
}

// readOne runs a query of one text in a transaction that changes nothing, with
// the settings that the form of values follows.
func readOne(ctx context.Context, conn *pgx.Conn, query string) (text string, err error) {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	const pinned = "SET LOCAL row_security = off; SET LOCAL search_path = pg_catalog; SET LOCAL TimeZone = 'UTC'; SET LOCAL IntervalStyle = 'postgres'"
	if _, err := tx.Exec(ctx, pinned); err != nil {
		return "", err
	}
	err = tx.QueryRow(ctx, query, pgx.QueryExecModeSimpleProtocol).Scan(&text)
	return text, err
}

// recordJSON prints a record as a JSON object: its columns, and with them the
// related records. n is the number of the alias, which nested ones go on from.
func recordJSON(b *sqltext.Builder, t *model.Table, alias sqltext.SQL, n, depth int) {
	b.Raw("(to_jsonb((SELECT c FROM (SELECT ")
	b.Each(len(t.Columns), ", ", func(i int) { b.Raw(alias, ".").Ident(t.Columns[i].Name) })
	b.Raw(") AS c))")
	if depth > 0 {
		for _, r := range t.Relations {
			b.Raw(" || jsonb_build_object(").Literal(r.Name).Raw(", ")
			relatedJSON(b, r, alias, n+1, depth-1)
			b.Raw(")")
		}
	}
	b.Raw(")")
}

func relatedJSON(b *sqltext.Builder, r *model.Relation, outer sqltext.SQL, n, depth int) {
	alias := "r" + sqltext.Int(n)
	b.Raw("(SELECT ")
	if r.Many {
		b.Raw("coalesce(jsonb_agg(")
	}
	recordJSON(b, r.Table, alias, n, depth)
	if r.Many {
		b.Raw("), '[]'::jsonb)")
	}
	b.Raw(" FROM ").Qualified(r.Table.Schema, r.Table.SQLName).Raw(" AS ", alias, " WHERE ")
	b.Each(len(r.On), " AND ", func(i int) {
		b.Raw(alias, ".").Ident(r.On[i].To.Name).Raw(" = ", outer, ".").Ident(r.On[i].From.Name)
	})
	if !r.Many {
		b.Raw(" LIMIT 1")
	}
	b.Raw(")")
}

// plainError says what keeps a record from being read, in the server's words.
func plainError(err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	switch pg.Code {
	case "42501": // insufficient_privilege, and row security that would hide records
		return fmt.Errorf("%s: connect as the table's owner, or as a role that bypasses row security", pg.Message)
	case "22P02", "22007", "22008": // a text that is no value of the key's type
		return &BadKeyError{pg.Message}
	}
	return err
}

// BadKeyError says that a text is no value of a primary key's type.
type BadKeyError struct{ Message string }

func (e *BadKeyError) Error() string { return e.Message }

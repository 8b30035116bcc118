package testdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// Row is one row in the text form of Postgres, by column; a column that is not
// there is NULL.
type Row = map[string]string

// Keep makes the rows those that the tables hold, with `now()` at the given
// time, and returns what Postgres made of them: to_jsonb of each, or nil for a
// row that it refused. Tables of service datasources are left out.
func (db *DB) Keep(ctx context.Context, now model.Timestamp, rows map[*model.Table][]Row) (map[*model.Table][]model.Document, error) {
	out := map[*model.Table][]model.Document{}
	for _, ds := range db.program.Datasources {
		d := db.databases[ds]
		if d == nil {
			continue
		}
		if err := d.at(ctx, now); err != nil {
			return nil, err
		}
		if err := d.makeBulk(ctx); err != nil {
			return nil, fmt.Errorf("datasource.%s: %w", ds.Name, err)
		}
		for i, t := range ds.Tables {
			docs, err := d.keep(ctx, i, t, rows[t])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.Address(), err)
			}
			out[t] = docs
		}
	}
	return out, nil
}

// bulkSchema holds a copy of each table, from which a write takes the record
// that it makes, whatever columns the account may set.
const (
	bulkSchema = "postern test"
	becomes    = "postern_test.becomes"
)

func copyOf(b *sqltext.Builder, i int) *sqltext.Builder {
	return b.Qualified(bulkSchema, fmt.Sprintf("copy %d", i))
}

// makeBulk makes the copies, and triggers that put a row of the copy in the
// place of the one that is written.
func (d *database) makeBulk(ctx context.Context) error {
	if d.bulk {
		return nil
	}
	create := new(sqltext.Builder).Raw("CREATE SCHEMA ").Ident(bulkSchema).Raw("; GRANT USAGE ON SCHEMA ").Ident(bulkSchema).Raw(" TO PUBLIC")
	if err := d.built(ctx, create); err != nil {
		return err
	}
	for i, t := range d.ds.Tables {
		b := new(sqltext.Builder).Raw("CREATE TABLE ")
		copyOf(b, i).Raw(" (LIKE ").Qualified(t.Schema, t.SQLName).Raw(", PRIMARY KEY (").Ident(marker).Raw(")); CREATE INDEX ON ")
		b.Qualified(t.Schema, t.SQLName).Raw(" (").Ident(marker).Raw("); GRANT INSERT (").Ident(marker).Raw("), UPDATE (").Ident(marker).Raw(") ON ")
		b.Qualified(t.Schema, t.SQLName).Raw(" TO PUBLIC")
		if err := d.built(ctx, b); err != nil {
			return err
		}
		if err := d.bulkFunctions(ctx, i, t); err != nil {
			return err
		}
	}
	d.bulk = true
	return nil
}

func (d *database) bulkFunctions(ctx context.Context, i int, t *model.Table) error {
	table := func(b *sqltext.Builder) *sqltext.Builder { return b.Qualified(t.Schema, t.SQLName) }
	name := func(b *sqltext.Builder, kind string) *sqltext.Builder {
		return b.Qualified(bulkSchema, fmt.Sprintf("%s %d", kind, i))
	}
	b := new(sqltext.Builder)
	b.Raw("\n\tIF current_setting('", becomes, "', true) <> '' THEN\n\t\tSELECT * INTO NEW FROM ")
	copyOf(b, i).Raw(" c WHERE c.").Ident(marker).Raw(" = current_setting('", becomes, "')::integer;\n\tEND IF;\n\tRETURN NEW;\n")
	trigger := plpgsql(b, "")
	out := name(new(sqltext.Builder).Raw("CREATE FUNCTION "), "become")
	out.Raw("() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS ").Literal(trigger).Raw("; CREATE TRIGGER become BEFORE INSERT OR UPDATE ON ")
	name(table(out).Raw(" FOR EACH ROW EXECUTE FUNCTION "), "become").Raw("()")
	for n, a := range d.ds.Accounts {
		at := d.reach(a, t)
		edit := new(sqltext.Builder).Raw("UPDATE ").Qualified(at.Schema, at.Name).Raw(" SET ").Ident(marker).Raw(" = ").Ident(marker).
			Raw(" WHERE ").Ident(marker).Raw(" = old[i]")
		create := new(sqltext.Builder).Raw("INSERT INTO ").Qualified(at.Schema, at.Name).Raw(" DEFAULT VALUES")
		for kind, statement := range map[string]*sqltext.Builder{"edit": edit, "create": create} {
			body, err := loop(statement)
			if err != nil {
				return err
			}
			name(out.Raw("; CREATE FUNCTION "), fmt.Sprintf("%s by %d", kind, n)).
				Raw("(old integer[], new integer[]) RETURNS integer[] LANGUAGE plpgsql AS ").Literal(body)
		}
	}
	return d.built(ctx, out)
}

func plpgsql(body *sqltext.Builder, declare string) string {
	sql, err := body.SQL()
	if err != nil {
		return "\x00" // an error that SQL tells
	}
	return declare + "BEGIN" + string(sql) + "END"
}

// loop tries a write for each pair, undoes it, and lists the numbers of those
// that were done. A table may have columns of its variables' names.
func loop(write *sqltext.Builder) (string, error) {
	sql, err := write.SQL()
	if err != nil {
		return "", err
	}
	b := new(sqltext.Builder).Raw("\n\tFOR i IN 1 .. cardinality(new) LOOP\n\t\tPERFORM set_config('", becomes, "', new[i]::text, true);\n\t\tBEGIN\n\t\t\t", sql)
	b.Raw(";\n\t\t\tGET DIAGNOSTICS n = ROW_COUNT;\n\t\t\tIF n = 1 THEN\n\t\t\t\tdone := done || (i - 1);\n\t\t\tEND IF;\n",
		"\t\t\tRAISE EXCEPTION USING ERRCODE = 'PT001';\n\t\tEXCEPTION WHEN insufficient_privilege OR SQLSTATE 'PT001' THEN\n\t\t\tNULL;\n\t\tEND;\n\tEND LOOP;\n\tRETURN done;\n")
	return plpgsql(b, "#variable_conflict use_variable\nDECLARE\n\tdone integer[] := '{}';\n\tn bigint;\n"), nil
}

func (d *database) keep(ctx context.Context, number int, t *model.Table, rows []Row) ([]model.Document, error) {
	b := new(sqltext.Builder).Raw("BEGIN; SELECT set_config('", becomes, "', '', true); TRUNCATE ").Qualified(t.Schema, t.SQLName).Raw(", ")
	if err := d.built(ctx, copyOf(b, number)); err != nil {
		return nil, err
	}
	defer func() { _ = d.exec(context.WithoutCancel(ctx), "COMMIT") }()
	all := make([]int, len(rows))
	for i := range rows {
		all[i] = i
	}
	if err := d.insertRows(ctx, t, rows, all); err != nil {
		return nil, err
	}
	c := new(sqltext.Builder).Raw("INSERT INTO ")
	copyOf(c, number).Raw(" SELECT * FROM ").Qualified(t.Schema, t.SQLName)
	if err := d.built(ctx, c); err != nil {
		return nil, err
	}
	return d.readBack(ctx, t, len(rows))
}

// insertRows inserts many rows at once, and halves of them where Postgres
// refuses one.
func (d *database) insertRows(ctx context.Context, t *model.Table, rows []Row, some []int) error {
	if len(some) == 0 {
		return nil
	}
	b := new(sqltext.Builder).Raw("SAVEPOINT rows; INSERT INTO ").Qualified(t.Schema, t.SQLName).Raw(" VALUES ")
	b.Each(len(some), ", ", func(i int) {
		b.Raw("(")
		for _, c := range t.Columns {
			name, err := columnType(c)
			text, stated := rows[some[i]][c.Name]
			switch {
			case err != nil:
				b.Literal("\x00") // an error that SQL tells
			case stated:
				b.Literal(text).Raw("::", name.SQL(), ", ")
			default:
				b.Raw("NULL, ")
			}
		}
		b.Raw(sqltext.Int(some[i]), ")")
	})
	sql, err := b.SQL()
	if err != nil {
		return err
	}
	_, err = d.conn.PgConn().Exec(ctx, string(sql)).ReadAll()
	var bad *pgconn.PgError
	if err == nil || !errors.As(err, &bad) || !strings.HasPrefix(bad.Code, "22") && !strings.HasPrefix(bad.Code, "23") {
		return err
	}
	if err := d.exec(ctx, "ROLLBACK TO rows"); err != nil || len(some) == 1 {
		return err
	}
	half := len(some) / 2
	return errors.Join(d.insertRows(ctx, t, rows, some[:half]), d.insertRows(ctx, t, rows, some[half:]))
}

func (d *database) readBack(ctx context.Context, t *model.Table, n int) ([]model.Document, error) {
	b := new(sqltext.Builder).Raw("SELECT t.").Ident(marker).Raw(", to_jsonb(t)::text FROM ").Qualified(t.Schema, t.SQLName).Raw(" AS t")
	sql, err := b.SQL()
	if err != nil {
		return nil, err
	}
	rows, err := d.conn.Query(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil, fmt.Errorf("reading the rows: %w", err)
	}
	defer rows.Close()
	out := make([]model.Document, n)
	for rows.Next() {
		var i int
		var text string
		if err := rows.Scan(&i, &text); err != nil {
			return nil, fmt.Errorf("reading the rows: %w", err)
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(&out[i]); err != nil {
			return nil, fmt.Errorf("reading a row: %w", err)
		}
		delete(out[i], marker)
	}
	return out, rows.Err()
}

// BulkQuery is what is asked for one request about all rows of a table that
// Keep kept.
type BulkQuery struct {
	Request model.Request
	Table   *model.Table
	Rows    []int    // the numbers of the rows
	Edits   [][2]int // numbers of a row, and of the row that it is to become
	See     bool     // what the request sees of the rows is asked
}

// BulkAnswer tells for each action which rows (in the order of the query) the
// request may do it to, which edits it may make, and, by the rows' numbers, what
// it sees in each column of those that it sees: null where it is hidden.
type BulkAnswer struct {
	Allowed map[model.Action][]bool
	Edits   []bool
	Seen    map[int]map[string]any
}

// Bulk answers in one transaction, which is rolled back.
func (db *DB) Bulk(ctx context.Context, q *BulkQuery) (answer *BulkAnswer, err error) {
	d := db.databases[q.Table.Datasource]
	if d == nil {
		return nil, fmt.Errorf("%s is in no Postgres", q.Table.Address())
	}
	out := &BulkAnswer{Allowed: map[model.Action][]bool{}, Edits: make([]bool, len(q.Edits)), Seen: map[int]map[string]any{}}
	for _, a := range []model.Action{model.View, model.Create, model.Edit, model.Delete} {
		out.Allowed[a] = make([]bool, len(q.Rows))
	}
	account, entry, ok := d.account(q.Request.App)
	if !ok {
		return out, nil
	}
	if err := d.exec(ctx, "BEGIN"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.exec(context.WithoutCancel(ctx), "ROLLBACK")) }()
	b := &bulk{
		asker: &asker{database: d, account: account, entry: entry, request: q.Request}, query: q, answer: out,
		number: slices.Index(d.ds.Tables, q.Table), position: map[int]int{}, at: d.reach(account, q.Table),
	}
	for i, row := range q.Rows {
		b.position[row] = i
	}
	if err := b.become(ctx); refused(err) {
		return out, nil // an account that reaches nothing may not even say who asks
	} else if err != nil {
		return nil, err
	}
	return out, b.all(ctx)
}

type bulk struct {
	*asker
	query    *BulkQuery
	answer   *BulkAnswer
	number   int
	position map[int]int
	at       postgres.ObjectID // the table, or the account's view of it
}

func (b *bulk) all(ctx context.Context) error {
	view := new(sqltext.Builder).Raw("SELECT ").Ident(marker).Raw(" FROM ").Qualified(b.at.Schema, b.at.Name)
	if err := b.rows(ctx, view, model.View); err != nil {
		return err
	}
	if err := b.remove(ctx); err != nil {
		return err
	}
	same := make([][2]int, len(b.query.Rows))
	for i, row := range b.query.Rows {
		same[i] = [2]int{row, row}
	}
	for _, w := range []struct {
		kind  string
		pairs [][2]int
		out   []bool
	}{{"edit", same, b.answer.Allowed[model.Edit]}, {"create", same, b.answer.Allowed[model.Create]}, {"edit", b.query.Edits, b.answer.Edits}} {
		if err := b.writes(ctx, w.kind, w.pairs, w.out); err != nil {
			return err
		}
	}
	if !b.query.See {
		return nil
	}
	return b.see(ctx)
}

// rows marks the rows whose markers a statement returns; none when the account
// lacks the privilege.
func (b *bulk) rows(ctx context.Context, statement *sqltext.Builder, action model.Action) error {
	sql, err := statement.SQL()
	if err != nil {
		return err
	}
	if err := b.exec(ctx, "SAVEPOINT ask"); err != nil {
		return err
	}
	rows, _ := b.conn.Query(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	markers, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if refused(err) {
		markers, err = nil, nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	for _, m := range markers {
		b.answer.Allowed[action][b.position[m]] = true
	}
	return b.exec(ctx, "ROLLBACK TO ask")
}

// refused reports whether Postgres said "insufficient_privilege": for want of a
// grant, or by row security.
func refused(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "42501"
}

// remove deletes all rows with and without reading them, which must be the
// same: a DELETE that reads nothing is not under the policies for SELECT.
func (b *bulk) remove(ctx context.Context) error {
	t := b.query.Table
	statement := func() *sqltext.Builder {
		return new(sqltext.Builder).Raw("DELETE FROM ").Qualified(b.at.Schema, b.at.Name)
	}
	if err := b.rows(ctx, statement().Raw(" RETURNING ").Ident(marker), model.Delete); err != nil {
		return err
	}
	want := 0
	for _, yes := range b.answer.Allowed[model.Delete] {
		if yes {
			want++
		}
	}
	sql, err := statement().SQL()
	if err != nil {
		return err
	}
	if err := b.exec(ctx, "SAVEPOINT ask"); err != nil {
		return err
	}
	tag, err := b.conn.Exec(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	if err != nil && !refused(err) {
		return fmt.Errorf("%s: %w", sql, err)
	}
	if n := int(tag.RowsAffected()); n != want {
		return fmt.Errorf("a DELETE of %s that reads nothing takes %d rows, and one with RETURNING %d", t.Address(), n, want)
	}
	return b.exec(ctx, "ROLLBACK TO ask")
}

func (b *bulk) writes(ctx context.Context, kind string, pairs [][2]int, out []bool) error {
	if len(pairs) == 0 {
		return nil
	}
	before, after := make([]int32, len(pairs)), make([]int32, len(pairs))
	for i, p := range pairs {
		before[i], after[i] = int32(p[0]), int32(p[1]) // #nosec G115 -- numbers of rows
	}
	sql, err := new(sqltext.Builder).Raw("SELECT ").Qualified(bulkSchema, fmt.Sprintf("%s by %d %d", kind, slices.Index(b.ds.Accounts, b.account), b.number)).Raw("($1, $2)").SQL()
	if err != nil {
		return err
	}
	var done []int32
	if err := b.conn.QueryRow(ctx, string(sql), before, after).Scan(&done); err != nil {
		return fmt.Errorf("%s of many rows: %w", kind, err)
	}
	for _, i := range done {
		out[i] = true
	}
	return nil
}

// see reads what the columns show that the account may read.
func (b *bulk) see(ctx context.Context) error {
	name, err := new(sqltext.Builder).Qualified(b.at.Schema, b.at.Name).SQL()
	if err != nil {
		return err
	}
	var names []string
	for _, c := range b.query.Table.Columns {
		names = append(names, c.Name)
	}
	err = b.conn.QueryRow(ctx, `SELECT coalesce(array_agg(c ORDER BY n), '{}') FROM unnest($2::text[]) WITH ORDINALITY AS u(c, n)
		JOIN pg_attribute a ON a.attrelid = $1::regclass AND a.attname = c
		WHERE has_column_privilege(a.attrelid, a.attnum, 'SELECT')`, string(name), names).Scan(&names)
	if err != nil || len(names) == 0 {
		return err
	}
	q := new(sqltext.Builder).Raw("SELECT ").Ident(marker).Raw(", to_jsonb(t)::text FROM (SELECT ").Idents(append(names, marker)).Raw(" FROM ").
		Qualified(b.at.Schema, b.at.Name).Raw(") t")
	sql, err := q.SQL()
	if err != nil {
		return err
	}
	rows, _ := b.conn.Query(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	defer rows.Close()
	for rows.Next() {
		var number int
		var text string
		if err := rows.Scan(&number, &text); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		read, err := fromJSON(text)
		if err != nil {
			return err
		}
		seen, ok := read.(map[string]any)
		if !ok {
			return fmt.Errorf("a row is %T and no object", read)
		}
		delete(seen, marker)
		b.answer.Seen[number] = seen
	}
	if err := rows.Err(); err != nil && !refused(err) {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

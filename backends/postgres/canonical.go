package postgres

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// readBack reads the expressions of the scratch table's policies.
const readBack = `SELECT p.polname, coalesce(pg_get_expr(p.polqual, p.polrelid), ''), coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
WHERE c.relnamespace = pg_my_temp_schema() AND c.relname = $1::text ORDER BY p.polname`

// canonicalise finds live policies that differ from the desired ones in
// spelling alone, where neither the texts nor the record can tell: Postgres
// itself reads both on an empty temporary table with the same name and columns
// and prints them again. Nothing of it stays. What cannot be read this way (no
// right to make temporary tables, a standby, an expression that needs what is
// not there yet) counts as different.
func canonicalise(ctx context.Context, conn *pgx.Conn, want *State, live *Live) error {
	d := &differ{want: want, live: live}
	open := map[ObjectID][]ObjectID{} // table -> policies
	for _, id := range slices.SortedFunc(maps.Keys(want.Policies), ObjectID.Compare) {
		have := live.Policies[id]
		if have == nil || live.Server.Recovery {
			continue
		}
		same, byHand := d.samePolicyBody(want.Policies[id], have)
		if _, recorded := live.Records[id]; !same && (!recorded || byHand) {
			open[id.Table()] = append(open[id.Table()], id)
		}
	}
	for _, table := range slices.SortedFunc(maps.Keys(open), ObjectID.Compare) {
		if err := canonicaliseTable(ctx, conn, want, live, table, open[table]); err != nil {
			return err
		}
	}
	return canonicaliseViews(ctx, conn, d)
}

func canonicaliseTable(ctx context.Context, conn *pgx.Conn, want *State, live *Live, table ObjectID, ids []ObjectID) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	s := &scratch{ctx: ctx, conn: conn.PgConn(), table: table, read: map[string][2]sqltext.SQL{}}
	s.run(pinSession)
	s.statement(build(func(b *sqltext.Builder) {
		b.Raw("SET LOCAL lock_timeout = '1s'; CREATE TEMPORARY TABLE pg_temp.").Ident(table.Name)
		b.Raw(" (LIKE ").Qualified(table.Schema, table.Name).Raw(")")
	}))
	name := func(i int, kind string) string { return kind + string(sqltext.Int(i)) }
	for i, id := range ids {
		s.policy(name(i, "want"), want.Policies[id].Using, want.Policies[id].Check)
		s.policy(name(i, "live"), live.Policies[id].Using, live.Policies[id].Check)
	}
	s.readAll()
	// Some spellings settle only when what was printed is read once more.
	for i := range ids {
		w := s.read[name(i, "want")]
		s.policy(name(i, "again"), w[0], w[1])
	}
	s.readAll()
	if s.err != nil {
		var refused *pgconn.PgError
		if errors.As(s.err, &refused) {
			return nil
		}
		return s.err
	}
	for i, id := range ids {
		have := live.Policies[id]
		first := s.read[name(i, "want")]
		if first == [2]sqltext.SQL{have.Using, have.Check} || s.read[name(i, "again")] == s.read[name(i, "live")] {
			live.Same[id] = true
		}
	}
	return nil
}

// scratch is one temporary table in use; the first error ends it.
type scratch struct {
	ctx   context.Context //nolint:containedctx // lives for one call
	conn  *pgconn.PgConn
	table ObjectID
	read  map[string][2]sqltext.SQL
	err   error
}

func (s *scratch) run(text sqltext.SQL) {
	if s.err == nil {
		_, s.err = s.conn.Exec(s.ctx, string(text)).ReadAll()
	}
}

func (s *scratch) statement(text sqltext.SQL, err error) {
	if err != nil && s.err == nil {
		s.err = err
	}
	s.run(text)
}

func (s *scratch) policy(name string, using, check sqltext.SQL) {
	s.statement(build(func(b *sqltext.Builder) {
		b.Raw("CREATE POLICY ").Ident(name).Raw(" ON pg_temp.").Ident(s.table.Name)
		if using == "" && check != "" {
			b.Raw(" FOR INSERT")
		}
		policyBody(b, &Policy{Using: using, Check: check})
	}))
}

func (s *scratch) readAll() {
	if s.err != nil {
		return
	}
	s.err = newReader(s.conn).run(s.ctx, &catalogQuery{
		name: "scratch policies", sql: readBack, args: [][]byte{[]byte(s.table.Name)},
		each: func(r row) error {
			s.read[r.text(0)] = [2]sqltext.SQL{sqltext.SQL(r.text(1)), sqltext.SQL(r.text(2))}
			return nil
		},
	})
}

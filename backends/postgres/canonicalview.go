package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// canonicaliseViews is canonicalise for views: Postgres reads the desired query
// as that of a temporary view, and prints it again.
func canonicaliseViews(ctx context.Context, conn *pgx.Conn, d *differ) error {
	for _, id := range sortedIDs(d.want.Views) {
		have := d.live.Views[id]
		if have == nil || d.live.Server.Recovery {
			continue
		}
		same, byHand := d.sameView(d.want.Views[id], have)
		if _, recorded := d.live.Records[id]; same || recorded && !byHand {
			continue
		}
		text, err := readViewBack(ctx, conn, d.want.Views[id])
		var refused *pgconn.PgError
		if errors.As(err, &refused) {
			continue // it needs what is not there yet
		} else if err != nil {
			return err
		}
		d.live.Same[id] = text == have.Body
	}
	return nil
}

func readViewBack(ctx context.Context, conn *pgx.Conn, v *View) (text sqltext.SQL, err error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	s := &scratch{ctx: ctx, conn: conn.PgConn()}
	s.run(pinSession)
	s.statement(build(func(b *sqltext.Builder) {
		b.Raw("SET LOCAL lock_timeout = '1s'; CREATE TEMPORARY VIEW ").Ident(v.ID.Name).Raw(" AS\n", v.Body)
	}))
	if s.err != nil {
		return "", s.err
	}
	err = newReader(s.conn).run(ctx, &catalogQuery{
		name: "scratch view", args: [][]byte{[]byte(v.ID.Name)},
		sql:  "SELECT pg_get_viewdef(oid) FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relname = $1::text",
		each: func(r row) error { text = sqltext.SQL(r.text(0)); return nil },
	})
	return text, err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/serve/authzen"
)

// maxConnections is how many connections lookups have at once.
const maxConnections = 8

// lookup finds records in the databases that a server was told to use.
type lookup struct {
	session *session
	tickets chan struct{} // one for each connection that may be in use
	idle    chan connection
}

type connection struct {
	datasource string
	url        string // that it was made with
	conn       *pgx.Conn
}

func newLookup(s *session) *lookup {
	return &lookup{session: s, tickets: make(chan struct{}, maxConnections), idle: make(chan connection, maxConnections)}
}

func (l *lookup) close() {
	for {
		select {
		case c := <-l.idle:
			_ = c.conn.Close(context.Background())
		default:
			return
		}
	}
}

// of is the lookup of one program's records, nil when no datasource is named.
func (l *lookup) of(p *model.Program, names []string) (authzen.Records, error) {
	if len(names) == 0 {
		return nil, nil
	}
	databases, err := (&databaseFlags{datasources: names}).databases(p)
	if err != nil {
		return nil, err
	}
	return &programRecords{lookup: l, databases: databases, depth: testrun.RelationDepth(p)}, nil
}

// programRecords are the records of one program.
type programRecords struct {
	*lookup
	databases []*model.Datasource
	depth     int
}

func (r *programRecords) table(t *engine.Table) *model.Table {
	for _, ds := range r.databases {
		if ds.Name != t.Datasource() {
			continue
		}
		for _, table := range ds.Tables {
			if table.Name == t.Name() && len(table.PrimaryKey) > 0 {
				return table
			}
		}
	}
	return nil
}

// Has reports whether the table is one of a named datasource and has a primary
// key, which is what an id holds.
func (r *programRecords) Has(t *engine.Table) bool { return r.table(t) != nil }

func (r *programRecords) Find(ctx context.Context, t *engine.Table, id string) (out map[string]any, err error) {
	found := r.table(t)
	key, ok := authzen.Key(id, len(found.PrimaryKey))
	if !ok {
		return nil, authzen.ErrNoRecord
	}
	err = r.with(ctx, found, func(conn *pgx.Conn, table *model.Table) error {
		out, err = postgres.ReadRecord(ctx, conn, table, key, r.depth)
		return err
	})
	var bad *postgres.BadKeyError
	if errors.Is(err, postgres.ErrNoRecord) || errors.As(err, &bad) {
		return nil, authzen.ErrNoRecord
	}
	return out, err
}

func (r *programRecords) List(ctx context.Context, t *engine.Table, after string, limit int) (out []authzen.Found, err error) {
	found := r.table(t)
	var key []string
	if after != "" {
		var ok bool
		if key, ok = authzen.Key(after, len(found.PrimaryKey)); !ok {
			return nil, authzen.ErrNoRecord
		}
	}
	err = r.with(ctx, found, func(conn *pgx.Conn, table *model.Table) error {
		list, err := postgres.ListRecords(ctx, conn, table, key, limit, r.depth)
		for _, one := range list {
			out = append(out, authzen.Found{ID: authzen.ID(one.Key), Record: one.Record})
		}
		return err
	})
	return out, err
}

// with runs a query on a connection to a table's database.
func (r *programRecords) with(ctx context.Context, t *model.Table, query func(*pgx.Conn, *model.Table) error) error {
	select {
	case r.tickets <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting for a connection: %w", ctx.Err())
	}
	defer func() { <-r.tickets }()
	c, err := r.take(ctx, t.Datasource)
	if err != nil {
		return err
	}
	err = query(c.conn, t)
	if c.conn.IsClosed() {
		return err
	}
	select {
	case r.idle <- c:
	default:
		return errors.Join(err, c.conn.Close(ctx))
	}
	return err
}

// take is an idle connection to the datasource, or a new one. Those of another
// datasource go back; one that was made with another URL is closed.
func (r *programRecords) take(ctx context.Context, ds *model.Datasource) (connection, error) {
	url := ""
	if ds.URL != nil {
		var err error
		if url, err = r.session.read(ds.URL); err != nil {
			return connection{}, err
		}
	}
	var others []connection
	defer func() {
		for _, c := range others {
			r.idle <- c
		}
	}()
	for range cap(r.idle) {
		select {
		case c := <-r.idle:
			if c.datasource == ds.Name && c.url == url {
				return c, nil
			}
			if c.datasource == ds.Name {
				_ = c.conn.Close(ctx)
				continue
			}
			others = append(others, c)
		default:
		}
	}
	if i := len(others) - 1; i >= 0 && len(others) == cap(r.idle) {
		_ = others[i].conn.Close(ctx)
		others = slices.Delete(others, i, i+1)
	}
	conn, err := r.session.connect(ctx, ds)
	return connection{datasource: ds.Name, url: url, conn: conn}, err
}

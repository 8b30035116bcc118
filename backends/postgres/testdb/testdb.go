// Package testdb answers questions about a program by a real Postgres: a
// throw-away server with the program's tables, to which the program was
// applied, asked through the accounts' own logins. What it says is what the
// database does.
package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/compiler/model"
)

// DB is a server that holds one database for each Postgres datasource of a
// program. It is not safe for concurrent use.
type DB struct {
	program   *model.Program
	server    *throwaway.Server
	own       bool // the server is this DB's own
	databases map[*model.Datasource]*database
}

// database is one datasource's database.
type database struct {
	program *model.Program
	ds      *model.Datasource
	name    string
	conn    *pgx.Conn
	key     postgres.Key
	applied bool
	state   *postgres.State // that was applied last
	now     model.Timestamp // the time that the policies were written for
	bulk    bool            // what Keep and Bulk need is there
	roles   []string        // those of the program that it was not to make itself
}

// Start starts a server and makes the databases of a program. Close ends it.
func Start(ctx context.Context, p *model.Program) (*DB, error) {
	server, err := throwaway.Start(ctx, throwaway.Options{Settings: map[string]string{"max_locks_per_transaction": "1024"}})
	if err != nil {
		return nil, err
	}
	db, err := Open(ctx, server, p, "test")
	if err != nil {
		return nil, errors.Join(err, server.Stop())
	}
	db.own = true
	return db, nil
}

// Open makes the databases of a program, whose names start with the prefix, in
// a server that is there. Close drops them, and the program's roles.
func Open(ctx context.Context, server *throwaway.Server, p *model.Program, prefix string) (*DB, error) {
	db := &DB{program: p, server: server, databases: map[*model.Datasource]*database{}}
	for i, ds := range p.Datasources {
		if ds.Type != model.Postgres {
			continue
		}
		d := &database{program: p, ds: ds, name: fmt.Sprintf("%s_%d", prefix, i)}
		db.databases[ds] = d
		if err := d.create(ctx, server); err != nil {
			return nil, errors.Join(fmt.Errorf("making the database of datasource.%s: %w", ds.Name, err), db.Close())
		}
	}
	return db, nil
}

// Close ends the server and removes all that it held; in a server that was
// there, the databases and the roles of the program.
func (db *DB) Close() error {
	ctx := context.Background()
	for _, d := range db.databases {
		if d.conn != nil {
			_ = d.conn.Close(ctx)
		}
	}
	if db.own {
		return db.server.Stop()
	}
	var errs []error
	for _, d := range db.databases {
		errs = append(errs, db.server.DropDatabase(ctx, d.name))
	}
	return errors.Join(append(errs, db.dropRoles(ctx))...)
}

// dropRoles drops the roles that the program's databases had.
func (db *DB) dropRoles(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, db.server.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	rows, _ := conn.Query(ctx, "SELECT rolname FROM pg_roles WHERE shobj_description(oid, 'pg_authid') = $1", postgres.Mark(db.program.Project))
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("reading the roles: %w", err)
	}
	for _, d := range db.databases {
		names = append(names, d.roles...)
	}
	for _, name := range names {
		sql, err := new(sqltext.Builder).Raw("DROP ROLE ").Ident(name).SQL()
		if err == nil {
			_, err = conn.Exec(ctx, string(sql))
		}
		if err != nil {
			return fmt.Errorf("dropping the role %s: %w", name, err)
		}
	}
	return nil
}

// Name is "postgres".
func (*DB) Name() string { return "postgres" }

// Covers reports whether the table lives in a Postgres.
func (*DB) Covers(t *model.Table) bool { return t.Datasource.Type == model.Postgres }

func (d *database) create(ctx context.Context, server *throwaway.Server) error {
	if err := server.CreateDatabase(ctx, d.name); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, server.URL(d.name))
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	d.conn = conn
	for _, setting := range postgres.SessionSettings() {
		if err := d.exec(ctx, setting); err != nil {
			return err
		}
	}
	return d.makeTables(ctx)
}

// at makes the database hold the program with `now()` at the given time.
func (d *database) at(ctx context.Context, now model.Timestamp) error {
	if d.applied && d.now == now {
		return nil
	}
	if err := d.apply(ctx, now); err != nil {
		return err
	}
	if err := d.markRows(ctx); err != nil {
		return err
	}
	if !d.applied && d.ds.Identity == model.IdentitySigned {
		if err := d.addKey(ctx); err != nil {
			return err
		}
	}
	d.applied, d.now = true, now
	return nil
}

func (d *database) apply(ctx context.Context, now model.Timestamp) error {
	secrets := func(_ context.Context, s plan.Secret) (string, error) {
		if s.Kind == plan.SecretHashKey {
			return string(model.TestHashKey), nil
		}
		return "not used: logins are assumed", nil
	}
	pl, err := d.plan(ctx, now)
	if err == nil {
		err = postgres.Apply(ctx, d.conn, pl, postgres.ApplyOptions{Secrets: secrets})
	}
	if err != nil {
		return fmt.Errorf("applying the program: %w", err)
	}
	return nil
}

// plan is what makes the database hold the program.
func (d *database) plan(ctx context.Context, now model.Timestamp) (*plan.Plan, error) {
	want, list := postgres.DesiredWith(d.program, d.ds, postgres.DesiredOptions{Now: &now, Indexes: d.indexes(), Marker: marker})
	if list.HasErrors() {
		return nil, list.Err()
	}
	// The tables have no keys: one would stand in the way of a write that is only
	// asked about. Whoever makes the records sees to it that they differ.
	for _, t := range want.Scope.Tables {
		t.Single = nil
	}
	d.state = want
	pl, list, err := postgres.MakePlan(ctx, d.conn, want, postgres.PlanOptions{Datasource: d.ds, Created: time.Now(), Secrets: nil})
	if err == nil {
		err = list.Err()
	}
	return pl, err
}

// Left applies the program to each database and gives what a second plan finds
// to do: nothing, where the first has done its work.
func (db *DB) Left(ctx context.Context) ([]*plan.Plan, error) {
	var out []*plan.Plan
	for _, d := range db.databases {
		if err := d.apply(ctx, 0); err != nil {
			return nil, err
		}
		pl, err := d.plan(ctx, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, pl)
	}
	return out, nil
}

// indexes takes some columns for indexed, by their names, so that conditions
// are written in all of their forms. The tables are too small for it to matter
// whether they are.
func (d *database) indexes() postgres.Indexes {
	out := map[postgres.IndexKey]postgres.Index{}
	for _, t := range d.ds.Tables {
		table := postgres.TableID(t.Schema, t.SQLName)
		for i, c := range t.Columns {
			h := fnv.New32a()
			_, _ = h.Write([]byte(d.program.Project + t.Name + c.Name)) // a hash's Write never fails
			key := len(t.PrimaryKey) > 0 && t.PrimaryKey[0] == c
			if key || i < 2 || h.Sum32()%3 > 0 {
				index := postgres.Index{NotNull: key && !c.Null}
				out[postgres.IndexKey{Table: table, Column: c.Name}] = index
				out[postgres.IndexKey{Table: table, Column: c.Name, C: true}] = index
				out[postgres.IndexKey{Table: table, Column: c.Name, C: true, Method: "spgist"}] = index
				out[postgres.IndexKey{Table: table, Column: c.Name, Method: "gin"}] = index
			}
		}
	}
	return postgres.Indexes{Columns: out}
}

// reach is the view through which an account reaches a table, or the table.
func (d *database) reach(a *model.ServiceAccount, t *model.Table) postgres.ObjectID {
	id := postgres.ViewID(postgres.ViewsName(a.Role), t.SQLName)
	if v := d.state.Views[id]; v != nil && v.Table == postgres.TableID(t.Schema, t.SQLName) {
		return id
	}
	return postgres.TableID(t.Schema, t.SQLName)
}

// addKey makes a signing key that only this process knows.
func (d *database) addKey(ctx context.Context) error {
	secret := make([]byte, postgres.MinSecret)
	if _, err := rand.Read(secret); err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	d.key = postgres.Key{ID: 1, Secret: secret}
	insert, err := postgres.InsertKey(d.key)
	if err != nil {
		return err
	}
	return d.exec(ctx, insert)
}

func (d *database) exec(ctx context.Context, sql sqltext.SQL) error {
	if _, err := d.conn.PgConn().Exec(ctx, string(sql)).ReadAll(); err != nil {
		return fmt.Errorf("%s: %w", sql, err)
	}
	return nil
}

// built runs the statement of a builder.
func (d *database) built(ctx context.Context, b *sqltext.Builder) error {
	sql, err := b.SQL()
	if err != nil {
		return err
	}
	return d.exec(ctx, sql)
}

// marker is the column that the tables have here besides their own: it numbers
// the rows, and every account may read it, so that a question can name a row
// whatever the account sees of it.
const marker = "postern row number, for tests"

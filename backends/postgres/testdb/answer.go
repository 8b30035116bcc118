package testdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// Answer decides the questions of a test in one transaction for each
// datasource, which is rolled back. All must be about tables that it covers.
func (db *DB) Answer(ctx context.Context, t *model.Test, asks []model.Ask) ([]bool, error) {
	out := make([]bool, len(asks))
	for _, ds := range db.program.Datasources {
		var mine []int
		for i, a := range asks {
			if a.Table().Datasource == ds {
				mine = append(mine, i)
			}
		}
		if len(mine) == 0 {
			continue
		}
		err := db.databases[ds].within(ctx, t, func(q *asker) error {
			for _, i := range mine {
				var err error
				if out[i], err = q.ask(ctx, asks[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("datasource.%s: %w", ds.Name, err)
		}
	}
	return out, nil
}

// account is the way in that a request takes; false when it has none, and so
// reaches no database.
func (d *database) account(app string) (*model.ServiceAccount, model.Entry, bool) {
	for _, a := range d.ds.Accounts {
		e, ok := a.EntryOf()
		if ok && (e.App() == nil || e.App().Name == app) {
			return a, e, true
		}
	}
	return nil, model.Entry{}, false
}

// within calls ask in a transaction that has the test's records; without a way
// in it does not, so that all is denied.
func (d *database) within(ctx context.Context, t *model.Test, ask func(*asker) error) (err error) {
	account, entry, ok := d.account(t.Request.App)
	if !ok {
		return nil
	}
	if err := d.at(ctx, t.Request.Now); err != nil {
		return err
	}
	if _, err := d.conn.Exec(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("starting the test: %w", err)
	}
	defer func() {
		_, end := d.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, end)
	}()
	rows := map[*model.Fixture]int{}
	for i, f := range t.Fixtures {
		if f.Table.Datasource == d.ds {
			rows[f] = i
			if err := d.insert(ctx, f, i); err != nil {
				return err
			}
		}
	}
	return ask(&asker{database: d, account: account, entry: entry, request: t.Request, rows: rows})
}

// insufficientPrivilege is the SQLSTATE of a missing grant and of row security.
const insufficientPrivilege = "42501"

// notSupported is the SQLSTATE of setting a column that a view computes.
const notSupported = "0A000"

func (d *database) insert(ctx context.Context, f *model.Fixture, number int) error {
	b := new(sqltext.Builder).Raw("INSERT INTO ").Qualified(f.Table.Schema, f.Table.SQLName).Raw(" VALUES (")
	for _, c := range f.Table.Columns {
		literal(b, f.Values[c.Name], c)
		b.Raw(", ")
	}
	return d.built(ctx, b.Raw(sqltext.Int(number), ")"))
}

// asker asks as one account for one request.
type asker struct {
	*database
	account *model.ServiceAccount
	entry   model.Entry
	request model.Request
	rows    map[*model.Fixture]int
}

// ask decides one question between two savepoints.
func (q *asker) ask(ctx context.Context, a model.Ask) (allowed bool, err error) {
	if err := q.exec(ctx, "SAVEPOINT ask"); err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, q.exec(context.WithoutCancel(ctx), "ROLLBACK TO ask")) }()
	b, err := q.statement(ctx, a)
	if err != nil || b == nil {
		return false, err
	}
	sql, err := b.SQL()
	if err != nil {
		return false, err
	}
	if err := q.become(ctx); err != nil {
		return false, err
	}
	tag, err := q.conn.Exec(ctx, string(sql), pgx.QueryExecModeSimpleProtocol)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code == insufficientPrivilege || refused.Code == notSupported) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", sql, err)
	}
	return tag.RowsAffected() == 1, nil
}

// statement is what does the action; nil when there is no way to do it.
func (q *asker) statement(ctx context.Context, a model.Ask) (*sqltext.Builder, error) {
	t := a.Table()
	at := q.reach(q.account, t)
	b := new(sqltext.Builder)
	switch a.Action {
	case model.View:
		b.Raw("SELECT 1 FROM ").Qualified(at.Schema, at.Name)
	case model.Delete:
		b.Raw("DELETE FROM ").Qualified(at.Schema, at.Name)
	case model.Edit:
		columns, values := q.changes(a)
		if len(columns) == 0 {
			return nil, nil
		}
		b.Raw("UPDATE ").Qualified(at.Schema, at.Name).Raw(" SET ").Each(len(columns), ", ", func(i int) {
			b.Ident(columns[i].Name).Raw(" = ")
			literal(b, values[columns[i].Name], columns[i])
		})
	case model.Create:
		return q.create(ctx, a.Write)
	default:
		return nil, fmt.Errorf("a table of Postgres has no action %s", a.Action)
	}
	return b.Raw(" WHERE ").Ident(marker).Raw(" = ", sqltext.Int(q.rows[a.Old])), nil
}

// changes are the columns that an edit sets: those of its write, or, when
// nothing is to change, one that the user may set.
func (q *asker) changes(a model.Ask) ([]*model.Column, map[string]model.Value) {
	t := a.Table()
	if a.Write != nil && len(a.Write.Changed) > 0 {
		return named(t, a.Write.Changed), a.Write.To
	}
	writable := q.program.WritableColumns(q.entry, t, model.Edit)
	return writable[:min(1, len(writable))], a.Old.Values
}

// create inserts what the write sets; what it leaves out comes from defaults,
// as it would in the project's own database.
func (q *asker) create(ctx context.Context, w *model.Write) (*sqltext.Builder, error) {
	var set []*model.Column
	for _, c := range w.Table.Columns {
		if slices.Contains(w.Changed, c.Name) {
			set = append(set, c)
			continue
		}
		b := new(sqltext.Builder).Raw("ALTER TABLE ").Qualified(w.Table.Schema, w.Table.SQLName).Raw(" ALTER COLUMN ")
		b.Ident(c.Name).Raw(" SET DEFAULT ")
		literal(b, w.To[c.Name], c)
		if err := q.built(ctx, b); err != nil {
			return nil, err
		}
	}
	at := q.reach(q.account, w.Table)
	b := new(sqltext.Builder).Raw("INSERT INTO ").Qualified(at.Schema, at.Name)
	if len(set) == 0 {
		return b.Raw(" DEFAULT VALUES"), nil
	}
	b.Raw(" (").Each(len(set), ", ", func(i int) { b.Ident(set[i].Name) }).Raw(") VALUES (")
	b.Each(len(set), ", ", func(i int) { literal(b, w.To[set[i].Name], set[i]) })
	return b.Raw(")"), nil
}

func named(t *model.Table, names []string) []*model.Column {
	var out []*model.Column
	for _, c := range t.Columns {
		if slices.Contains(names, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

// become makes the session the account's login with the request's identity.
func (q *asker) become(ctx context.Context) error {
	if q.ds.Identity == model.IdentityRole {
		return q.becomeLogin(ctx)
	}
	login := q.account.Role
	if q.account.Managed {
		login = postgres.LoginName(q.account.Role, "a")
	}
	if err := q.built(ctx, new(sqltext.Builder).Raw("SET LOCAL SESSION AUTHORIZATION ").Ident(login)); err != nil {
		return err
	}
	if q.ds.Identity == model.IdentitySigned {
		return q.open(ctx)
	}
	if err := q.setting(ctx, q.ds.ClaimsSetting, q.request.User); err != nil {
		return err
	}
	return q.setting(ctx, "postern.request", q.request.Context)
}

func (q *asker) setting(ctx context.Context, name string, doc map[string]any) error {
	value := ""
	if doc != nil {
		data, err := json.Marshal(doc)
		if err != nil {
			return fmt.Errorf("claims as JSON: %w", err)
		}
		value = string(data)
	}
	if _, err := q.conn.Exec(ctx, "SELECT set_config($1, $2, true)", name, value); err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}

// open hands over the signed identity. An account whose users share its access
// may do so only where a condition asks about the request.
func (q *asker) open(ctx context.Context) error {
	if q.entry.AsApp() {
		var may bool
		err := q.conn.QueryRow(ctx, "SELECT has_function_privilege('postern.open(text)', 'EXECUTE')").Scan(&may)
		if refused(err) || err == nil && !may {
			return nil
		} else if err != nil {
			return fmt.Errorf("asking for the right to open: %w", err)
		}
	}
	token, err := postgres.MintToken(q.key, postgres.Token{
		Claims: q.request.User, Context: q.request.Context, Role: q.account.Role, Database: q.name,
		Expires: time.Now().Add(time.Hour),
	})
	if err != nil {
		return err
	}
	_, err = q.conn.Exec(ctx, "SELECT postern.open($1)", token)
	if err != nil {
		return fmt.Errorf("opening the transaction: %w", err)
	}
	return nil
}

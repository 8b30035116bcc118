package postgres_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// compile compiles one file of HCL.
func compile(t testing.TB, hcl string) *model.Program {
	t.Helper()
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(hcl)}}}
	p, diags := compiler.Compile(context.Background(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags.Err())
	}
	return p
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func execute(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// database is a database that a project's script was run on.
type database struct {
	url   string
	name  string
	admin *pgx.Conn
}

var ctx = context.Background()

const password = "a password of tests"

// applied makes a database, the tables of setup, and runs the script that the
// emitter writes for the program's only Postgres datasource.
func applied(t testing.TB, p *model.Program, setup string) *database {
	t.Helper()
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	execute(t, d.admin, setup)
	artifacts, err := postgres.Emitter{}.Emit(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(d.url)
	if err != nil {
		t.Fatal(err)
	}
	d.name = strings.TrimPrefix(u.Path, "/")
	execute(t, d.admin, asPsqlWould(string(artifacts[0].Data), d.name))
	return d
}

// asPsqlWould does what psql does to the script: its variables and the one
// backslash command.
func asPsqlWould(script, database string) string {
	var out strings.Builder
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, `\set ON_ERROR_STOP on`) {
			continue
		}
		if before, _, ok := strings.Cut(line, " PASSWORD :'"); ok {
			line = before + " PASSWORD '" + password + "';\n"
		}
		out.WriteString(strings.Replace(line, `:"DBNAME"`, `"`+database+`"`, 1))
	}
	return out.String()
}

// as connects as the login of a role.
func (d *database) as(t testing.TB, role string) *pgx.Conn {
	t.Helper()
	return connect(t, pgtest.Server(t).RoleURL(postgres.LoginName(role, "a"), password, d.name))
}

// values runs a query in a transaction that states the claims and joins the
// first column of its rows.
func values(t testing.TB, conn *pgx.Conn, claims, query string) string {
	t.Helper()
	got, err := try(conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(context.Background(), "SELECT set_config('postern.claims', $1, true)", claims)
		return err
	}, query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return got
}

// try runs a query after a preparation in the same transaction, and rolls back.
func try(conn *pgx.Conn, prepare func(pgx.Tx) error, query string) (string, error) {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return "", err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	if err := prepare(tx); err != nil {
		return "", err
	}
	return column(tx, query)
}

// column runs a query and joins the first column of its rows.
func column(tx pgx.Tx, query string) (string, error) {
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return "", err
	}
	got, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		v, err := row.Values()
		if err != nil || len(v) == 0 {
			return "", err
		}
		return fmt.Sprint(v[0]), nil
	})
	return strings.Join(got, " "), err
}

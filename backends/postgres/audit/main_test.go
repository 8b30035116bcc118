package audit_test

import (
	"context"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/audit"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const project = `
postern { project = "NAME" }
identity {
  attribute "id" { type = string }
}
datasource "crm" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
table "crm" "accounts" {
  column "id"    { type = int }
  column "owner" { type = string }
  primary_key = ["id"]
}
table "crm" "deals" {
  column "id"    { type = int }
  column "owner" { type = string }
  column "body"  { type = string }
  column "payer" { type = int }
  primary_key = ["id"]
  relation "account" {
    table = table.crm.accounts
    on    = { payer = "id" }
  }
}
service_account "app" {
  datasource  = datasource.crm
  role        = "NAME_app"
  description = "d"
  password    = env("P")
}
app "web" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.crm
    service_account = service_account.app
    as              = "user"
  }
}
policy "theirs" {
  description = "d"
  on    = [table.crm.deals]
  to    = [access_level.user]
  allow = [view, edit, create, delete]
  when  = record.owner == user.id || record.account.owner == user.id
}
`

const tables = `
CREATE ROLE @owner;
CREATE ROLE @x;
CREATE ROLE @y LOGIN;
GRANT @x TO @y;
REVOKE TEMPORARY ON DATABASE @database FROM PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
CREATE TABLE accounts (id bigint PRIMARY KEY, owner text);
CREATE TABLE deals (id bigserial PRIMARY KEY, owner text NOT NULL, body text, payer bigint);
ALTER TABLE accounts OWNER TO @owner;
ALTER TABLE deals OWNER TO @owner;
INSERT INTO deals (owner, body) VALUES ('ann', 'hers'), ('bob', 'his');
`

// governed is a database that the project was applied to.
type governed struct {
	name  string
	conn  *pgx.Conn
	want  *postgres.State
	ds    *model.Datasource
	words *strings.Replacer
}

// apply makes a database with the project's tables, and applies the project.
func apply(t *testing.T, name string) *governed {
	t.Helper()
	return applyProject(t, name, project)
}

func applyProject(t *testing.T, name, hcl string) *governed {
	t.Helper()
	g := &governed{name: name, conn: connect(t, pgtest.Database(t))}
	words := []string{"@database", quoted(g.conn.Config().Database)}
	for short, role := range map[string]string{"@owner": "_owner", "@x": "_x", "@y": "_y", "@app": "_app", "@login": "_app_a"} {
		words = append(words, short, quoted(name+role))
	}
	words = append(words, "@posterns", quoted("postern_"+name), "postern_N", "postern_"+name)
	g.words = strings.NewReplacer(words...)
	g.run(t, tables)
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(strings.ReplaceAll(hcl, "NAME", name))}}}
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags.Err())
	}
	g.ds = p.Datasources[0]
	g.want, diags = postgres.Desired(p, g.ds)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	g.apply(t)
	return g
}

func (g *governed) apply(t *testing.T) {
	t.Helper()
	secrets := func(context.Context, plan.Secret) (string, error) { return "a password of tests", nil }
	pl, diags, err := postgres.MakePlan(t.Context(), g.conn, g.want, postgres.PlanOptions{Datasource: g.ds, Created: time.Unix(0, 0), Secrets: secrets})
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	if err := postgres.Apply(t.Context(), g.conn, pl, postgres.ApplyOptions{Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// run runs statements as the superuser; @x and the like stand for roles.
func (g *governed) run(t *testing.T, sql string) {
	t.Helper()
	g.statement(t, g.words.Replace(sql))
}

func (g *governed) statement(t *testing.T, sql string) {
	t.Helper()
	if _, err := g.conn.Exec(t.Context(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// audit uses a session of its own, which has the database's settings.
func (g *governed) audit(t *testing.T) *audit.Report {
	t.Helper()
	conn := connect(t, g.conn.Config().ConnString())
	defer func() { _ = conn.Close(t.Context()) }()
	r, err := audit.Run(t.Context(), conn, g.want)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// beside begins a transaction as an apply does. When others have changed the
// database in the meantime, what it finds to stand, and what stands for whoever
// looks from outside, is what is critical in a report.
func (g *governed) beside(t *testing.T) func(*audit.Report) {
	t.Helper()
	conn := connect(t, g.conn.Config().ConnString())
	tx, err := conn.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before, err := postgres.InspectIn(t.Context(), conn, g.want.Project, postgres.ScopeOf(g.want))
	if err != nil {
		t.Fatal(err)
	}
	return func(r *audit.Report) {
		t.Helper()
		var want []audit.Finding
		for _, f := range r.Findings {
			if f.Declared && f.Severity == audit.Critical {
				want = append(want, f)
			}
		}
		after, err := audit.StandingAfter(t.Context(), conn, g.want, before)
		if err := errors.Join(err, tx.Rollback(t.Context())); err != nil {
			t.Fatal(err)
		}
		outside, err := audit.Standing(t.Context(), conn, g.want)
		if err := errors.Join(err, conn.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		for where, got := range map[string][]audit.Finding{"before a commit": after, "from outside": outside} {
			if !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
				t.Errorf("%s there stands %+v, want %+v", where, got, want)
			}
		}
	}
}

// old reports a server before PostgreSQL 15.
func old(t *testing.T) bool {
	t.Helper()
	var version int
	conn := connect(t, pgtest.Server(t).URL("postgres"))
	if err := conn.QueryRow(t.Context(), "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		t.Fatal(err)
	}
	return version < 150000
}

// end runs the statements that are given against a finding.
func (g *governed) end(t *testing.T, f audit.Finding) {
	t.Helper()
	for _, statement := range f.Fix {
		g.statement(t, statement)
	}
}

func find(r *audit.Report, rule, object string) (audit.Finding, bool) {
	for _, f := range r.Findings {
		if f.Rule == rule && f.Object.String() == object {
			return f, true
		}
	}
	return audit.Finding{}, false
}

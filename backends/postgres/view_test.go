package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

// staff is a project whose users see less of some columns than is stored.
const staff = `
postern { project = "PROJECT" }
identity {
  attribute "id" { type = string }
}
group "hr"    { description = "d" }
group "leads" { description = "d" }
datasource "hr" {
  type     = "postgres"
  identity = "setting"
  owner    = "exempt"
}
table "hr" "people" {
  column "id"     { type = int }
  column "team"   { type = string }
  column "name"   {
    type   = string
    native = "character varying(20)"
  }
  column "ssn"    { type = string }
  column "salary" {
    type   = number
    native = "numeric(10,2)"
  }
  column "notes"  { type = string }
  column "born"   { type = date }
  primary_key = ["id"]
}
service_account "web" {
  datasource  = datasource.hr
  role        = "ROLE"
  description = "d"
}
app "web" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.hr
    service_account = service_account.web
  }
}
policy "all" {
  description = "Everybody sees who works here"
  on      = [table.hr.people]
  to      = [access_level.user]
  allow   = [view]
  columns = ["id", "team", "name", "ssn", "born"]
}
policy "own_team" {
  description = "Leads see what their team earns"
  on      = [table.hr.people]
  to      = [group.leads]
  allow   = [view]
  when    = record.team == "red"
  columns = except(["notes"])
}
policy "hire" {
  description = "People team hires, moves and dismisses"
  on      = [table.hr.people]
  to      = [group.hr]
  allow   = [create, edit, delete]
  columns = ["id", "team"]
}
mask "ssn" {
  description = "The last four"
  on      = [table.hr.people]
  columns = ["ssn"]
  unless  = [group.hr]
  with    = last(4)
}
mask "name" {
  description = "The first letter"
  on      = [table.hr.people]
  columns = ["name"]
  unless  = [group.hr]
  with    = first(1)
}
mask "born" {
  description = "A day that is none's"
  on      = [table.hr.people]
  columns = ["born"]
  unless  = [group.hr, group.leads]
  with    = "1900-01-01"
}
mask "born_hidden" {
  description = "Nothing"
  on      = [table.hr.people]
  columns = ["born"]
  unless  = [group.hr]
  with    = null
}
`

const staffTables = `
CREATE TABLE people (id int8 PRIMARY KEY, team text, name varchar(20), ssn text, salary numeric(10,2), notes text, born date);
INSERT INTO people VALUES (1, 'red', 'Ada', '123-45-6789', 10, 'n', '2000-01-01'), (2, 'blue', 'Bob', '6789', 20, 'n', NULL), (3, 'red', NULL, NULL, NULL, NULL, NULL);
GRANT ALL ON people TO PUBLIC;
`

// staffed applies the staff project to a database.
func staffed(t *testing.T, name string) (*database, *model.Program) {
	t.Helper()
	p := compile(t, project(staff, name))
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	execute(t, d.admin, staffTables)
	d.name = d.admin.Config().Database
	applyTo(t, d.admin, p)
	return d, p
}

const (
	claimsUser = `{"id": "u"}`
	claimsHR   = `{"id": "h", "groups": ["hr"]}`
	claimsLead = `{"id": "l", "groups": ["leads"]}`
)

func TestViewShowsWhatTheUserMaySee(t *testing.T) {
	t.Parallel()
	d, _ := staffed(t, "viewsees")
	conn := loginOf(t, d, "viewsees_role")
	const all = "SELECT (id, team, name, ssn, salary, born)::text FROM people ORDER BY id"
	for _, c := range []struct{ claims, query, want string }{
		{claimsUser, all, `(1,red,A…,…6789,,) (2,blue,B…,…,,) (3,red,,,,)`},
		{claimsHR, all, `(1,red,Ada,123-45-6789,,2000-01-01) (2,blue,Bob,6789,,) (3,red,,,,)`},
		{claimsLead, all, `(1,red,A…,…6789,10.00,) (2,blue,B…,…,,) (3,red,,,,)`},
		{"", all, ""},
		{claimsUser, "SELECT id FROM people WHERE ssn = '123-45-6789'", ""},
		{claimsUser, "SELECT id FROM people WHERE ssn = '…6789'", "1"},
		{claimsUser, "SELECT pg_typeof(name) || format_type(atttypid, atttypmod) FROM people, pg_attribute WHERE attrelid = 'people'::regclass AND attname = 'name' AND id = 1", "character varyingcharacter varying(20)"},
	} {
		if got := values(t, conn, c.claims, c.query); got != c.want {
			t.Errorf("%s\nclaims %s: got %s, want %s", c.query, c.claims, got, c.want)
		}
	}
}

// loginOf connects as an account's login; its first password is set here.
func loginOf(t *testing.T, d *database, role string) *pgx.Conn {
	t.Helper()
	execute(t, d.admin, `ALTER ROLE `+role+`_a PASSWORD '`+password+`'`)
	return d.as(t, role)
}

func TestViewWrites(t *testing.T) {
	t.Parallel()
	d, _ := staffed(t, "viewwrites")
	conn := loginOf(t, d, "viewwrites_role")
	for _, c := range []struct{ claims, statement, want, fails string }{
		{claims: claimsHR, statement: "UPDATE people SET team = 'green' WHERE id = 1 RETURNING ssn", want: "123-45-6789"},
		{claims: claimsUser, statement: "UPDATE people SET team = 'green' WHERE id = 1 RETURNING ssn", want: ""},
		{claims: claimsHR, statement: "INSERT INTO people (id, team) VALUES (9, 'red') RETURNING id", want: "9"},
		{claims: claimsHR, statement: "INSERT INTO people (id, team) VALUES (1, 'red') ON CONFLICT (id) DO UPDATE SET team = excluded.team || '!' RETURNING team", want: "red!"},
		{claims: claimsUser, statement: "INSERT INTO people (id, team) VALUES (9, 'red')", fails: "row-level security"},
		{claims: claimsHR, statement: "DELETE FROM people WHERE id = 2 RETURNING name", want: "Bob"},
		{claims: claimsUser, statement: "DELETE FROM people RETURNING id", want: ""},
		{claims: claimsHR, statement: "SELECT id FROM people WHERE id = 1 FOR UPDATE", want: "1"},
		{claims: claimsHR, statement: "UPDATE people SET ssn = 'x'", fails: "cannot update column"},
		{claims: claimsHR, statement: "UPDATE public.people SET team = 'x'", fails: "permission denied"},
		{claims: claimsHR, statement: "SELECT id FROM public.people", fails: "permission denied"},
	} {
		got, err := try(conn, setting(c.claims), c.statement)
		switch {
		case c.fails == "" && (err != nil || got != c.want):
			t.Errorf("%s: got %q, %v; want %q", c.statement, got, err, c.want)
		case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
			t.Errorf("%s: got %q, %v; want an error with %q", c.statement, got, err, c.fails)
		}
	}
}

// What docs/postgres.md says that a view cannot do.
func TestViewLimits(t *testing.T) {
	t.Parallel()
	d, _ := staffed(t, "viewlimits")
	conn := loginOf(t, d, "viewlimits_role")
	version := major(t, d.admin)
	for _, c := range []struct {
		statement, fails string
		since, until     int
	}{
		{statement: "MERGE INTO people p USING (SELECT 1 AS id) s ON s.id = p.id WHEN MATCHED THEN UPDATE SET team = 'x'", fails: "ERROR", since: 15, until: 17},
		{statement: "COPY people TO STDOUT", fails: "cannot copy from view"},
		{statement: "COPY people (id) FROM STDIN", fails: "ERROR"},
		{statement: "INSERT INTO people (id) VALUES (1) ON CONFLICT ON CONSTRAINT people_pkey DO NOTHING", fails: "does not exist"},
		{statement: "TRUNCATE people", fails: "is not a table"},
		{statement: "SELECT ctid FROM people", fails: "does not exist"},
		{statement: "SELECT id FROM people TABLESAMPLE SYSTEM (50)", fails: "TABLESAMPLE"},
		{statement: "SELECT notes FROM people", fails: "does not exist"},
		{statement: "INSERT INTO people (id, ssn) VALUES (7, 'x')", fails: "cannot insert into column"},
	} {
		if c.since > version || c.until != 0 && c.until <= version {
			continue
		}
		if got, err := try(conn, setting(claimsHR), c.statement); err == nil || !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: got %q, %v; want an error with %q", c.statement, got, err, c.fails)
		}
	}
	if got, err := try(conn, setting(claimsHR), "SELECT count(*) FROM (SELECT * FROM people) x"); err != nil || got != "3" {
		t.Errorf("SELECT *: %q, %v", got, err)
	}
}

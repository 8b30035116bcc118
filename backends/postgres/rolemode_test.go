package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

const roleProject = `
postern { project = "logins" }
identity {
  key = "login"
  attribute "login" { type = string }
  attribute "region" { type = string }
}
group "sales" { description = "d" }
group "managers" {
  description = "d"
  member_of   = [group.sales]
}
datasource "crm" {
  type     = "postgres"
  identity = "role"
  owner    = "bound"
  identity {
    attribute "region" {
      from   = table.crm.staff
      match  = "login"
      column = "region"
    }
  }
}
table "crm" "staff" {
  column "login" { type = string }
  column "region" { type = string }
}
table "crm" "deals" {
  column "id" { type = int }
  column "owner" { type = string }
  column "region" { type = string }
  column "secret" { type = string }
  primary_key = ["id"]
}
service_account "people" {
  datasource  = datasource.crm
  description = "d"
}
policy "own" {
  description = "d"
  on          = [table.crm.deals]
  to          = [access_level.user]
  allow       = [view, edit]
  when        = record.owner == user.login
  columns     = ["id", "owner", "region"]
}
policy "region" {
  description = "d"
  on          = [table.crm.deals]
  to          = [group.sales]
  allow       = [view]
  when        = record.region == user.region
  columns     = ["id", "owner", "region"]
}
`

const roleTables = `
CREATE TABLE staff (login text NOT NULL, region text NOT NULL);
CREATE TABLE deals (id bigint PRIMARY KEY, owner text NOT NULL, region text NOT NULL, secret text NOT NULL);
INSERT INTO staff VALUES ('ann', 'EMEA'), ('bob', 'EMEA'), ('cy', 'EMEA'), ('people', 'EMEA'), ('sales', 'EMEA'), ('postgres', 'EMEA');
INSERT INTO deals VALUES (1, 'ann', 'LATAM', 's'), (2, 'x', 'EMEA', 's'), (3, 'bob', 'LATAM', 's'), (4, 'people', 'LATAM', 's'), (5, 'sales', 'LATAM', 's');
CREATE ROLE sales; CREATE ROLE managers; CREATE ROLE other;
`

// TestLoginRoles: the user is who logged in, through every change of role that
// a client may make.
func TestLoginRoles(t *testing.T) {
	t.Parallel()
	p := compile(t, roleProject)
	server := pgtest.Isolated(t)
	admin := connect(t, server.URL("postgres"))
	execute(t, admin, roleTables)
	applyTo(t, admin, p)
	for _, sql := range []string{
		"CREATE ROLE ann LOGIN IN ROLE people PASSWORD '" + password + "'", // in no group
		"CREATE ROLE bob LOGIN NOINHERIT PASSWORD '" + password + "'",
		"GRANT people, sales, other TO bob",
		"CREATE ROLE cy LOGIN IN ROLE people, managers PASSWORD '" + password + "'",
		"CREATE ROLE stranger LOGIN IN ROLE sales PASSWORD '" + password + "'", // in a group, and not among the people
		"CREATE ROLE root SUPERUSER LOGIN IN ROLE people PASSWORD '" + password + "'",
		"GRANT ann TO cy", // whoever may act as another is still who logged in
	} {
		execute(t, admin, sql)
	}
	requireNothing(t, planFor(t, admin, p, p.Datasources[0])) // who the people are is not the project's
	for _, x := range []struct{ login, before, want string }{
		{"ann", "", "1"},
		{"ann", "SET ROLE people", "1"},
		{"ann", "SELECT set_config('postern.claims', '{\"login\": \"bob\", \"groups\": [\"sales\"]}', true)", "1"},
		{"ann", "SET TimeZone = 'Asia/Tokyo'", "1"},
		{"bob", "SET ROLE people", "2 3"}, // a member of sales, though it inherits nothing and is another role now
		{"cy", "", "2"},
		{"cy", "SET ROLE people", "2"},
		{"cy", "SET ROLE ann", "2"},
		{"root", "SET ROLE people", ""}, // a superuser is a member of everything, which says nothing
	} {
		conn := connect(t, server.RoleURL(x.login, password, "postgres"))
		got, err := try(conn, func(tx pgx.Tx) error {
			if x.before == "" {
				return nil
			}
			_, err := tx.Exec(ctx, x.before)
			return err
		}, allIDs)
		if err != nil || got != x.want {
			t.Errorf("%s after %q sees %q (%v), want %q", x.login, x.before, got, err, x.want)
		}
	}
	for _, x := range []struct{ login, sql, want string }{
		{"bob", "SELECT id FROM deals", "permission denied"}, // NOINHERIT, as itself
		{"bob", "SET ROLE sales; SELECT id FROM deals", "permission denied"},
		{"bob", "SET ROLE other; SELECT id FROM deals", "permission denied"},
		{"stranger", "SELECT id FROM deals", "permission denied"},
		{"ann", "SELECT secret FROM deals", "permission denied"},
		{"ann", "SELECT region FROM staff", "permission denied"},
		{"ann", "SELECT postern.lookup_region()", "permission denied"},
		{"ann", "SET SESSION AUTHORIZATION bob", "permission denied"},
		{"ann", "SET ROLE cy", "permission denied"},
		{"ann", "SET ROLE logins_postern", ""},
		{"ann", "UPDATE deals SET owner = 'bob' WHERE id = 1", "row-level security"},
		{"ann", "GRANT people TO other", "permission denied"},
	} {
		conn := connect(t, server.RoleURL(x.login, password, "postgres"))
		if _, err := conn.Exec(ctx, x.sql, pgx.QueryExecModeSimpleProtocol); err == nil || !strings.Contains(err.Error(), x.want) && !strings.Contains(err.Error(), "must ha") {
			t.Errorf("%s: %s: %v", x.login, x.sql, err)
		}
	}
}

// TestLoginRolesDrift: the account's role itself is the project's: what it is a
// member of is drift.
func TestLoginRolesDrift(t *testing.T) {
	t.Parallel()
	p := compile(t, roleProject)
	server := pgtest.Isolated(t)
	admin := connect(t, server.URL("postgres"))
	execute(t, admin, roleTables)
	applyTo(t, admin, p)
	execute(t, admin, "CREATE ROLE ann LOGIN IN ROLE people; GRANT other TO people")
	made := planFor(t, admin, p, p.Datasources[0])
	if len(made.Statements) != 1 || !strings.Contains(made.Statements[0].SQL, "REVOKE") {
		t.Errorf("%v", made.Statements)
	}
	if err := postgres.Apply(t.Context(), admin, made, postgres.ApplyOptions{Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
	requireNothing(t, planFor(t, admin, p, p.Datasources[0]))
}

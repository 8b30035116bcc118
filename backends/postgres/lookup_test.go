package postgres_test

import (
	"strings"
	"testing"
)

const lookupProject = `
postern { project = "PROJECT" }
identity {
  attribute "id" { type = string }
  attribute "region" { type = string }
  attribute "since" { type = timestamp }
  attribute "teams" { type = set(string) }
}
datasource "crm" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
  identity {
    attribute "region" {
      from   = table.crm.staff
      match  = "login"
      column = "region"
    }
    attribute "since" {
      from   = table.crm.staff
      match  = "login"
      column = "since"
    }
    attribute "teams" {
      from   = table.crm.members
      match  = "login"
      column = "team"
    }
  }
}
table "crm" "staff" {
  schema = "hr data"
  column "login" { type = string }
  column "region" {
    type = string
    null = true
  }
  column "since" { type = timestamp }
  column "salary" { type = int }
}
table "crm" "members" {
  column "login" { type = string }
  column "team" { type = string }
}
table "crm" "deals" {
  column "id" { type = int }
  column "region" { type = string }
  primary_key = ["id"]
}
service_account "ROLE" {
  datasource  = datasource.crm
  description = "d"
  password    = env("STAFF_PASSWORD")
}
app "web" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.crm
    service_account = service_account.ROLE
  }
}
policy "region" {
  description = "d"
  on          = [table.crm.deals]
  to          = [everyone]
  allow       = [view]
  when        = record.region == user.region || user.since == "1900-01-01T00:00:00Z" && record.id == 3 || contains(user.teams, record.region)
}
policy "oneself" {
  description = "A policy that asks for what is looked up in its own table"
  on          = [table.crm.staff]
  to          = [everyone]
  allow       = [view]
  columns     = ["login"]
  when        = record.region == user.region
}
`

const lookupTables = `
CREATE SCHEMA "hr data";
CREATE TABLE "hr data".staff (login text NOT NULL, region text, since timestamptz NOT NULL, salary bigint NOT NULL);
CREATE TABLE members (login text NOT NULL, team text NOT NULL);
CREATE TABLE deals (id bigint PRIMARY KEY, region text NOT NULL);
INSERT INTO "hr data".staff VALUES ('ann', 'EMEA', '1900-01-01T00:00:00Z', 1), ('bob', NULL, now(), 2), ('two', 'EMEA', now(), 3), ('two', 'EMEA', now(), 4), ('cy', 'EMEA', now(), 5);
INSERT INTO members VALUES ('bob', 'APAC'), ('bob', 'LATAM'), ('ann', 'none');
INSERT INTO deals VALUES (1, 'EMEA'), (2, 'APAC'), (3, 'x'), (4, 'LATAM');
`

// TestLookups: attributes come from tables that the account may not read,
// whatever its session's settings are, and the claims do not count.
func TestLookups(t *testing.T) {
	t.Parallel()
	p := compile(t, project(lookupProject, "lookups"))
	d := applied(t, p, lookupTables)
	applyTo(t, d.admin, p) // what the script makes, and again nothing
	conn := d.as(t, "lookups_role")
	execute(t, conn, "SET TimeZone = 'Europe/Amsterdam'; SET DateStyle = 'SQL, DMY'; SET standard_conforming_strings = off")
	for claims, want := range map[string]string{
		`{"id": "ann", "region": "APAC", "teams": ["APAC"]}`:             "1 3",
		`{"id": "bob", "region": "EMEA"}`:                                "2 4",
		`{"id": "two", "region": "EMEA"}`:                                "",
		`{"id": "who", "region": "EMEA", "teams": ["EMEA"]}`:             "",
		`{"region": "EMEA"}`:                                             "",
		`{"id": "ann", "access_level": "anonymous"}`:                     "",
		`{"id": "ann' OR true --"}`:                                      "",
		`{"id": ["ann"], "region": "EMEA", "access_level": "superuser"}`: "",
		``: "",
	} {
		if got := values(t, conn, claims, allIDs); got != want {
			t.Errorf("%s sees %q, not %q", claims, got, want)
		}
	}
	if got := values(t, conn, `{"id": "cy"}`, `SELECT login FROM "hr data".staff ORDER BY 1`); got != "ann cy two two" {
		t.Errorf("of the staff one sees %q", got)
	}
	for _, query := range []string{
		"SELECT postern.lookup_region()", `SELECT salary FROM "hr data".staff`, `SELECT region FROM "hr data".staff`, "SELECT FROM members",
	} {
		if _, err := conn.Exec(t.Context(), query); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// TestLookupDrift: without its policy the attribute is unknown, and the plan
// restores it.
func TestLookupDrift(t *testing.T) {
	t.Parallel()
	p := compile(t, project(lookupProject, "lookdrift"))
	d := applied(t, p, lookupTables)
	conn := d.as(t, "lookdrift_role")
	execute(t, d.admin, `DROP POLICY postern_related ON "hr data".staff`)
	if got := values(t, conn, `{"id": "ann"}`, allIDs); got != "" {
		t.Errorf("without the policy one sees %q", got)
	}
	if made := planFor(t, d.admin, p, p.Datasources[0]); made.Empty() {
		t.Error("the plan does not see that the policy is gone")
	}
	applyTo(t, d.admin, p)
	if got := values(t, conn, `{"id": "ann"}`, allIDs); got != "1 3" {
		t.Errorf("then one sees %q", got)
	}
}

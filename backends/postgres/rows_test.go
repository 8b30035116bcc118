package postgres_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

const crm = `
postern { project = "PROJECT" }
identity {
  attribute "id"     { type = string }
  attribute "region" {
    type  = string
    claim = "app_metadata.region"
  }
}
group "reps" { description = "d" }
group "managers" {
  description = "d"
  member_of   = [group.reps]
}
user "pinned" {
  access_level = access_level.anonymous
  attributes   = { id = "pinned" }
}
user "moved" {
  groups     = [group.managers]
  attributes = { id = "moved", region = "APAC" }
}
datasource "crm" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
table "crm" "deals" {
  column "id"     { type = int }
  column "owner"  { type = string }
  column "region" {
    type = string
    null = true
  }
  column "secret" { type = string }
  primary_key = ["id"]
}
service_account "sales" {
  datasource  = datasource.crm
  role        = "ROLE"
  description = "d"
  limits {
    connections       = 30
    statement_timeout = "30s"
    valid_until       = "2099-01-01T00:00:00Z"
  }
}
app "desk" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.crm
    service_account = service_account.sales
    as              = "user"
  }
}
policy "own" {
  description = "d"
  on      = [table.crm.deals]
  to      = [access_level.user]
  allow   = [view, edit, create, delete]
  when    = record.owner == user.id
  columns = except(["secret"])
}
policy "regional" {
  description = "d"
  on      = [table.crm.deals]
  to      = [group.reps]
  allow   = [view]
  when    = record.region == user.region
  columns = except(["secret"])
}
policy "open" {
  description = "d"
  on      = [table.crm.deals]
  to      = [everyone]
  allow   = [view]
  when    = record.region == "public"
  columns = except(["secret"])
}
`

const crmTables = `
CREATE TABLE deals (id bigint PRIMARY KEY, owner text NOT NULL, region text, secret text NOT NULL DEFAULT 's');
INSERT INTO deals VALUES (1, 'ann', 'EMEA'), (2, 'bob', 'EMEA'), (3, 'bob', 'APAC'), (4, 'bob', NULL), (5, 'bob', 'public');
GRANT ALL ON deals TO PUBLIC;
`

func project(hcl, name string) string {
	return strings.NewReplacer("PROJECT", name, "ROLE", name+"_role").Replace(hcl)
}

func TestRowsOfUsers(t *testing.T) {
	t.Parallel()
	d := applied(t, compile(t, project(crm, "rows_setting")), crmTables)
	for name, c := range map[string]struct{ claims, want string }{
		"owner":                 {`{"id": "ann"}`, "1 5"},
		"rep":                   {`{"id": "cy", "groups": ["reps"], "app_metadata": {"region": "EMEA"}}`, "1 2 5"},
		"nested group":          {`{"id": "cy", "groups": ["managers"], "app_metadata": {"region": "EMEA"}}`, "1 2 5"},
		"other group":           {`{"id": "cy", "groups": ["x"], "app_metadata": {"region": "EMEA"}}`, "5"},
		"anonymous":             {``, "5"},
		"no key":                {`{"groups": ["reps"], "app_metadata": {"region": "EMEA"}}`, "5"},
		"no key, stated level":  {`{"access_level": "user", "groups": ["reps"], "app_metadata": {"region": "EMEA"}}`, "1 2 5"},
		"stated anonymous":      {`{"id": "ann", "access_level": "anonymous"}`, "5"},
		"unknown level":         {`{"id": "ann", "access_level": "root"}`, "5"},
		"level of a wrong type": {`{"id": "ann", "access_level": 1}`, "5"},
		"key of a wrong type":   {`{"id": 5}`, "5"},
		"groups not all text":   {`{"id": "cy", "groups": ["reps", 1], "app_metadata": {"region": "EMEA"}}`, "5"},
		"claim path in array":   {`{"id": "cy", "groups": ["reps"], "app_metadata": [{"region": "EMEA"}]}`, "5"},
		"directory pins":        {`{"id": "pinned", "groups": ["reps"], "access_level": "superuser", "app_metadata": {"region": "EMEA"}}`, "5"},
		"directory replaces":    {`{"id": "moved", "groups": [], "app_metadata": {"region": "EMEA"}}`, "3 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := d.as(t, "rows_setting_role")
			if got := values(t, conn, c.claims, "SELECT id FROM deals ORDER BY id"); got != c.want {
				t.Errorf("sees %q, want %q", got, c.want)
			}
		})
	}
}

func TestMalformedClaimsAreErrors(t *testing.T) {
	t.Parallel()
	d := applied(t, compile(t, project(crm, "malformed")), crmTables)
	conn := d.as(t, "malformed_role")
	for _, claims := range []string{"{", "[]", `"ann"`, "null", "5"} {
		got, err := try(conn, setting(claims), "SELECT id FROM deals")
		if err == nil {
			t.Errorf("claims %s: sees %q, want an error", claims, got)
		}
	}
}

func TestWritesAndColumns(t *testing.T) {
	t.Parallel()
	d := applied(t, compile(t, project(crm, "writes")), crmTables)
	ann := `{"id": "ann", "groups": ["reps"], "app_metadata": {"region": "EMEA"}}`
	for name, c := range map[string]struct{ query, want, fails string }{
		"edit own":             {"UPDATE deals SET region = 'x' WHERE id = 1 RETURNING id", "1", ""},
		"edit visible":         {"UPDATE deals SET region = 'x' WHERE id = 2 RETURNING id", "", ""},
		"edit all":             {"UPDATE deals SET region = 'x' RETURNING id", "1", ""},
		"give away":            {"UPDATE deals SET owner = 'bob' WHERE id = 1", "", "row-level security"},
		"delete all":           {"DELETE FROM deals RETURNING id", "1", ""},
		"create own":           {"INSERT INTO deals (id, owner) VALUES (9, 'ann') RETURNING id", "9", ""},
		"create for another":   {"INSERT INTO deals (id, owner) VALUES (9, 'bob')", "", "row-level security"},
		"hidden column":        {"SELECT secret FROM deals", "", "permission denied"},
		"hidden column edited": {"UPDATE deals SET secret = 'x'", "", "permission denied"},
		"truncate":             {"TRUNCATE deals", "", "permission denied"},
		"the directory":        {"SELECT key FROM postern.directory", "", "permission denied"},
		"the generation":       {"SELECT hash FROM postern.generation", "", "permission denied"},
		"the history":          {"SELECT plan FROM postern.history", "", "permission denied"},
		"the claims":           {"SELECT postern.claims()", "", "permission denied"},
		"a new function":       {"CREATE FUNCTION postern.user_id() RETURNS text LANGUAGE sql AS 'SELECT 1'", "", "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := try(d.as(t, "writes_role"), setting(ann), c.query)
			switch {
			case c.fails == "" && err != nil:
				t.Fatal(err)
			case c.fails != "" && (err == nil || !strings.Contains(err.Error(), c.fails)):
				t.Fatalf("got %q and error %v, want an error with %q", got, err, c.fails)
			case got != c.want:
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func setting(claims string) func(pgx.Tx) error {
	return func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT set_config('postern.claims', $1, true)", claims)
		return err
	}
}

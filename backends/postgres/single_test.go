package postgres

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

const toOne = `
postern { project = "single" }
identity {
  attribute "id" { type = string }
}
datasource "d" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
service_account "single" {
  datasource  = datasource.d
  description = "d"
  password    = env("P")
}
app "web" {
  description = "d"
  users       = [everyone]
  connect {
    datasource      = datasource.d
    service_account = service_account.single
    as              = "user"
  }
}
table "d" "accounts" {
  column "id"    { type = string }
  column "part"  { type = int }
  column "owner" { type = string }
  primary_key = ["id", "part"]
}
table "d" "deals" {
  column "id"      { type = int }
  column "account" { type = string }
  column "part"    { type = int }
  primary_key = ["id"]
  relation "payer" {
    table = table.d.accounts
    on    = { account = "id", part = "part" }
  }
}
policy "theirs" {
  description = "d"
  on    = [table.d.deals]
  to    = [access_level.user]
  allow = [view]
  when  = record.payer.owner == user.id
}
`

// A second record with the same key would be taken for the related one by
// Postgres: the database has to keep it out.
func TestToOneRelationNeedsALiveKey(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ sql, want string }{
		"primary key":          {`ALTER TABLE accounts ADD PRIMARY KEY (id, part)`, ""},
		"other order":          {`CREATE UNIQUE INDEX ON accounts (part, id)`, ""},
		"fewer columns":        {`CREATE UNIQUE INDEX ON accounts (id) INCLUDE (owner)`, ""},
		"nothing":              {``, "No unique key is on id, part there."},
		"not unique":           {`CREATE INDEX ON accounts (id, part)`, "No unique key is on id, part there."},
		"other columns":        {`CREATE UNIQUE INDEX ON accounts (id, part, owner)`, "No unique key is on id, part there."},
		"partial":              {`CREATE UNIQUE INDEX part ON accounts (id, part) WHERE part > 0`, `index "public"."part" holds for some rows alone.`},
		"over an expression":   {`CREATE UNIQUE INDEX low ON accounts (part, lower(id))`, `index "public"."low" is over expressions.`},
		"deferrable":           {`ALTER TABLE accounts ADD CONSTRAINT late UNIQUE (id, part) DEFERRABLE`, `index "public"."late" is deferrable`},
		"of another collation": {`CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); ALTER TABLE accounts ALTER COLUMN id TYPE text COLLATE loose; CREATE UNIQUE INDEX fine ON accounts (id COLLATE "C", part)`, "compares otherwise than = does"},
		"an heir":              {`ALTER TABLE accounts ADD PRIMARY KEY (id, part); CREATE TABLE heirs () INHERITS (accounts)`, `"public"."heirs" inherits from it`},
		"a partition":          {`DROP TABLE accounts; CREATE TABLE accounts (id text, part bigint, owner text, PRIMARY KEY (id, part)) PARTITION BY HASH (id); CREATE TABLE p PARTITION OF accounts FOR VALUES WITH (MODULUS 1, REMAINDER 0)`, ""},
		"one partition has none": {`DROP TABLE accounts; CREATE TABLE accounts (id text, part bigint, owner text) PARTITION BY HASH (id);
			CREATE TABLE p PARTITION OF accounts FOR VALUES WITH (MODULUS 1, REMAINDER 0); CREATE UNIQUE INDEX half ON ONLY accounts (id, part)`, `index "public"."half" is not valid`},
	}
	p := compileText(t, toOne)
	want, diags := Desired(p, p.Datasources[0])
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, "CREATE TABLE accounts (id text, part bigint, owner text); CREATE TABLE deals (id bigint PRIMARY KEY, account text, part bigint);"+c.sql)
			_, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: testDatasource(), Created: time.Unix(0, 0)})
			if err != nil {
				t.Fatal(err)
			}
			requireKeysHere(t, conn, want, c.want == "")
			if c.want == "" {
				if diags.HasErrors() {
					t.Error(diags)
				}
				return
			}
			if len(diags) != 1 || diags[0].Code != CodeKeyMissing || diags[0].Span.Start.Line != 36 || !strings.Contains(diags[0].Detail, c.want) ||
				!strings.Contains(diags[0].Detail, `ALTER TABLE "public"."accounts" ADD UNIQUE ("id", "part")`) {
				t.Errorf("diagnostics %v, want one at line 36 with %q", diags, c.want)
			}
		})
	}
}

// requireKeysHere: the script's own check comes to what the plan says.
func requireKeysHere(t *testing.T, conn *pgx.Conn, want *State, there bool) {
	t.Helper()
	check, err := requireKeys(want)
	if err != nil || check == "" {
		t.Fatalf("the script's check is %q: %v", check, err)
	}
	_, err = conn.Exec(t.Context(), string(check))
	var pg *pgconn.PgError
	switch {
	case there && err != nil:
		t.Errorf("the script fails: %v", err)
	case !there && (!errors.As(err, &pg) || pg.Detail != `deals.payer: ALTER TABLE "public"."accounts" ADD UNIQUE ("id", "part")`):
		t.Errorf("the script ends with %v, %+v", err, pg)
	}
}

// A key that goes between plan and apply makes the plan a stale one.
func TestKeyIsPartOfThePlan(t *testing.T) {
	t.Parallel()
	p := compileText(t, strings.ReplaceAll(toOne, "single", "single_stale"))
	want, _ := Desired(p, p.Datasources[0])
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, "CREATE TABLE accounts (id text, part bigint, owner text); CREATE UNIQUE INDEX k ON accounts (id, part); CREATE TABLE deals (id bigint PRIMARY KEY, account text, part bigint)")
	pl := makePlan(t, conn, want)
	execute(t, conn, "DROP INDEX k")
	if err := Apply(t.Context(), conn, pl, ApplyOptions{Secrets: testSecrets("pw")}); err == nil || !strings.Contains(err.Error(), ErrStale.Error()) {
		t.Errorf("applying without the key: %v", err)
	}
}

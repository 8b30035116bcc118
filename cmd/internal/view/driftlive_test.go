package view

import (
	"context"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

const watchedProject = `
postern {
  project  = "watched"
  hash_key = env("HASH_KEY")
}
identity {
  attribute "id" { type = string }
}
group "staff" { description = "d" }
user "boss" {
  groups     = [group.staff]
  attributes = { id = "boss" }
}
datasource "crm" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
table "crm" "deals" {
  column "id"    { type = int }
  column "owner" { type = string }
  column "stage" {
    type   = enum("open", "won")
    native = "public.stage"
  }
  primary_key = ["id"]
}
table "crm" "people" {
  column "id"   { type = int }
  column "name" { type = string }
  primary_key = ["id"]
}
table "crm" "parts" {
  column "id"    { type = int }
  column "owner" { type = string }
}
service_account "app" {
  datasource = datasource.crm
  role       = "watched_app"
  password   = env("APP_PASSWORD")
  limits {
    connections       = 9
    statement_timeout = "30s"
    valid_until       = "2099-01-01T00:00:00Z"
  }
}
app "desk" {
  users = [everyone]
  connect {
    datasource      = datasource.crm
    service_account = service_account.app
  }
}
policy "own" {
  on    = [table.crm.deals, table.crm.parts]
  to    = [access_level.user]
  allow = [view, create, edit]
  when  = record.owner == user.id
}
policy "people" {
  on    = [table.crm.people]
  to    = [access_level.user]
  allow = [view]
}
mask "name" {
  on      = [table.crm.people]
  columns = ["name"]
  unless  = [group.staff]
  with    = hash()
}
report "own" {
  from = table.crm.deals
  to   = [access_level.user]
}
`

const watchedTables = `
CREATE TYPE stage AS ENUM ('open', 'won');
CREATE DOMAIN label AS text;
CREATE TABLE deals (id bigserial PRIMARY KEY, owner text NOT NULL, stage stage NOT NULL);
CREATE TABLE people (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE parts (id bigint NOT NULL, owner text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE elsewhere (id int);
CREATE ROLE watched_other;
CREATE ROLE watched_more;
`

// handmade is a change by hand: what shows it, who can do what because of it,
// and from which version of the server on it can be made.
type handmade struct {
	sql, line, effect string
	since             int
}

// watched lists what bears on access, each changed by hand.
var watched = []handmade{
	// Policies and row security.
	{`ALTER POLICY postern_watched_app_view ON deals USING (true)`, `change policy postern_watched_app_view on public.deals`, `Now the rows are those that the lines with - say.`, 0},
	{`ALTER POLICY postern_watched_app_view ON deals TO PUBLIC`, `TO PUBLIC`, `rows`, 0},
	{`CREATE POLICY hand ON deals USING (true)`, `remove policy hand on public.deals`, `Now it gives rows that the project does not.`, 0},
	{`CREATE POLICY hand ON parts_1 USING (true)`, `remove policy hand on public.parts_1`, `Now it gives rows`, 0},
	{`DROP POLICY postern_watched_app_view ON deals`, `add policy postern_watched_app_view`, `Now it gives nobody any row.`, 0},
	{`ALTER TABLE deals DISABLE ROW LEVEL SECURITY`, `row security public.deals`, `Now no policy holds on public.deals`, 0},
	{`ALTER TABLE deals NO FORCE ROW LEVEL SECURITY`, `row security public.deals`, `Now no policy holds for the owner of public.deals.`, 0},
	{`ALTER TABLE parts_1 DISABLE ROW LEVEL SECURITY`, `row security public.parts_1`, `Now no policy holds on public.parts_1`, 0},
	{`CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20)`, `row security public.parts_2`, `Now no policy holds on public.parts_2`, 0},
	{`CREATE TABLE parts_3 (id bigint NOT NULL, owner text NOT NULL); GRANT SELECT ON parts_3 TO watched_other; ALTER TABLE parts ATTACH PARTITION parts_3 FOR VALUES FROM (20) TO (30)`, `remove grant table public.parts_3 to watched_other`, `Now the role watched_other has SELECT on the table public.parts_3.`, 0},
	// Grants.
	{`GRANT SELECT ON deals TO PUBLIC`, `remove grant table public.deals to PUBLIC`, `Now every role of the server has SELECT on the table public.deals.`, 0},
	{`GRANT SELECT, TRUNCATE ON deals TO watched_other`, `remove grant table public.deals to watched_other`, `Now the role watched_other has SELECT, TRUNCATE on the table public.deals.`, 0},
	{`GRANT UPDATE (stage) ON deals TO watched_other`, `remove grant table public.deals to watched_other`, `Now the role watched_other has UPDATE (stage) on the table public.deals.`, 0},
	{`GRANT SELECT (owner) ON deals TO PUBLIC`, `to PUBLIC`, `Now every role of the server has SELECT (owner) on the table public.deals.`, 0},
	{`GRANT CREATE ON SCHEMA public TO PUBLIC`, `remove grant schema public to PUBLIC`, `Now every role of the server has CREATE on the schema public.`, 0},
	{`GRANT CREATE ON SCHEMA public TO watched_app`, `remove grant schema public to watched_app`, `Now the role watched_app has CREATE on the schema public.`, 0},
	{`GRANT USAGE ON SCHEMA watched_app_views TO watched_other`, `remove grant schema watched_app_views to watched_other`, `has USAGE on the schema watched_app_views.`, 0},
	{`GRANT USAGE ON SEQUENCE deals_id_seq TO PUBLIC`, `remove grant sequence public.deals_id_seq to PUBLIC`, `Now every role of the server has USAGE on the sequence public.deals_id_seq.`, 0},
	{`GRANT SELECT ON SEQUENCE deals_id_seq TO watched_other`, `remove grant sequence public.deals_id_seq to watched_other`, `Now the role watched_other has SELECT on the sequence`, 0},
	{`GRANT EXECUTE ON FUNCTION postern.user_id() TO PUBLIC`, `remove grant function postern.user_id() to PUBLIC`, `Now every role of the server has EXECUTE on the function postern.user_id().`, 0},
	{`GRANT EXECUTE ON FUNCTION postern.user_groups() TO watched_other`, `remove grant function postern.user_groups() to watched_other`, `Now the role watched_other has EXECUTE on the function postern.user_groups().`, 0},
	{`GRANT SELECT ON postern.hash_key TO watched_app`, `remove grant table postern.hash_key to watched_app`, `Now the role watched_app has SELECT on the table postern.hash_key.`, 0},
	{`GRANT SELECT ON watched_app_views.people TO watched_other`, `remove grant table watched_app_views.people to watched_other`, `Now the role watched_other has SELECT`, 0},
	{`GRANT INSERT (id) ON deals TO watched_app WITH GRANT OPTION`, `change grant table public.deals to watched_app`, `Now the role watched_app can give INSERT (id) on the table public.deals to anybody.`, 0},
	{`GRANT DELETE ON deals TO watched_app`, `remove grant table public.deals to watched_app`, `Now the role watched_app has DELETE on the table public.deals.`, 0},
	{`GRANT SELECT ON elsewhere TO watched_app_a`, `remove grant table public.elsewhere to watched_app_a`, `Now the role watched_app_a has SELECT on the table public.elsewhere.`, 0},
	{`GRANT USAGE ON TYPE stage TO watched_app`, `remove grant type public.stage to watched_app`, `Now the role watched_app has USAGE on the type public.stage.`, 0},
	{`GRANT USAGE ON DOMAIN label TO watched_app_b`, `remove grant type public.label to watched_app_b`, `Now the role watched_app_b has USAGE on the type public.label.`, 0},
	{`GRANT USAGE ON LANGUAGE plpgsql TO watched_app`, `remove grant language plpgsql to watched_app`, `Now the role watched_app has USAGE on the language plpgsql.`, 0},
	{`CREATE FOREIGN DATA WRAPPER watched_fdw; CREATE SERVER watched_server FOREIGN DATA WRAPPER watched_fdw; GRANT USAGE ON FOREIGN SERVER watched_server TO watched_app; GRANT USAGE ON FOREIGN DATA WRAPPER watched_fdw TO watched_app`, `remove grant foreign server watched_server to watched_app`, `Now the role watched_app has USAGE on the foreign server watched_server.`, 0},
	{`SELECT lo_create(4711); GRANT SELECT, UPDATE ON LARGE OBJECT 4711 TO watched_app`, `remove grant large object 4711 to watched_app`, `Now the role watched_app has SELECT, UPDATE on the large object 4711.`, 0},
	{`GRANT CREATE ON TABLESPACE pg_default TO watched_app`, `remove grant tablespace pg_default to watched_app`, `Now the role watched_app has CREATE on the tablespace pg_default.`, 0},
	{`GRANT SET ON PARAMETER log_statement TO watched_app`, `remove grant parameter log_statement to watched_app`, `Now the role watched_app has SET on the parameter log_statement.`, 150000},
	{`GRANT ALTER SYSTEM ON PARAMETER session_preload_libraries TO watched_app_a`, `remove grant parameter session_preload_libraries to watched_app_a`, `Now the role watched_app_a has ALTER SYSTEM on the parameter`, 150000},
	{`DO $$ BEGIN EXECUTE format('GRANT CREATE, TEMPORARY ON DATABASE %I TO watched_app', current_database()); END $$`, `remove grant database`, `Now the role watched_app has CREATE, TEMPORARY on the database`, 0},
	{`REVOKE SELECT (id) ON deals FROM watched_app`, `add grant table public.deals to watched_app`, `Now the role watched_app lacks SELECT (id) on the table public.deals.`, 0},
	{`REVOKE USAGE ON SEQUENCE deals_id_seq FROM watched_app`, `add grant sequence public.deals_id_seq to watched_app`, `Now the role watched_app lacks USAGE on the sequence public.deals_id_seq.`, 0},
	{`REVOKE EXECUTE ON FUNCTION postern.user_id() FROM watched_app`, `add grant function postern.user_id() to watched_app`, `Now the role watched_app lacks EXECUTE on the function postern.user_id().`, 0},
	{`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO watched_app`, `remove default privilege tables made by postgres, to watched_app`, `Now the role watched_app gets SELECT on tables made by postgres from now on.`, 0},
	{`ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO watched_app_a`, `remove default privilege functions made by postgres, to watched_app_a`, `gets EXECUTE on functions made by postgres from now on.`, 0},
	// Roles.
	{`ALTER ROLE watched_app SUPERUSER`, `change role watched_app`, `Now no policy and no grant holds for watched_app.`, 0},
	{`ALTER ROLE watched_app_a BYPASSRLS`, `change role watched_app_a`, `Now no policy holds for watched_app_a.`, 0},
	{`ALTER ROLE watched_app CREATEROLE`, `change role watched_app`, `Now roles can be made, and memberships given, by watched_app.`, 0},
	{`ALTER ROLE watched_app_a REPLICATION`, `change role watched_app_a`, `Now everything can be copied past all policies by watched_app_a.`, 0},
	{`ALTER ROLE watched_app CREATEDB`, `change role watched_app`, `Now databases can be made by watched_app.`, 0},
	{`ALTER ROLE watched_app LOGIN`, `change role watched_app`, `Now clients can log in as watched_app.`, 0},
	{`ALTER ROLE watched_app_b LOGIN PASSWORD 'x'`, `change role watched_app_b`, `Now clients can log in as watched_app_b.`, 0},
	{`ALTER ROLE watched_app_a NOLOGIN`, `change role watched_app_a`, `Now nobody can log in as watched_app_a.`, 0},
	{`ALTER ROLE watched_app_a NOINHERIT`, `change role watched_app_a`, `Now sessions of watched_app_a have other limits or settings`, 0},
	{`ALTER ROLE watched_app_a CONNECTION LIMIT 99`, `change role watched_app_a`, `Now sessions of watched_app_a have other limits or settings`, 0},
	{`ALTER ROLE watched_app_a VALID UNTIL 'infinity'`, `change role watched_app_a`, `Now sessions of watched_app_a have other limits or settings`, 0},
	{`ALTER ROLE watched_app_a SET search_path = pg_catalog`, `change role watched_app_a`, `Now sessions of watched_app_a have other limits or settings`, 0},
	{`ALTER ROLE watched_app_b SET statement_timeout = 0`, `change role watched_app_b`, `Now sessions of watched_app_b have other limits or settings`, 0},
	{`DO $$ BEGIN EXECUTE format('ALTER ROLE watched_app_a IN DATABASE %I SET search_path = public', current_database()); END $$`, `change role watched_app_a`, `Now sessions of watched_app_a have other limits or settings`, 0},
	{`ALTER ROLE watched_app_a PASSWORD 'mine'`, `change password watched_app_a`, `Now whoever knows the other password can log in, and the apps cannot.`, 0},
	{`DROP ROLE watched_app_b`, `add role watched_app_b`, `Now nobody can log in as watched_app_b`, 0},
	{`ALTER ROLE postern_watched LOGIN`, `change role postern_watched`, `Now clients can log in as postern_watched.`, 0},
	{`ALTER ROLE watched_app_views BYPASSRLS`, `change role watched_app_views`, `Now no policy holds for watched_app_views.`, 0},
	{`COMMENT ON ROLE watched_app IS NULL`, `change role watched_app`, `Now`, 0},
	// Memberships.
	{`GRANT watched_app TO watched_other`, `remove membership watched_other in watched_app`, `Now watched_other, and whoever is a member of it, has all rights of watched_app.`, 0},
	{`GRANT watched_other TO watched_app_a`, `remove membership watched_app_a in watched_other`, `has all rights of watched_other.`, 0},
	{`GRANT pg_read_all_data TO watched_app`, `remove membership watched_app in pg_read_all_data`, `has all rights of pg_read_all_data.`, 0},
	{`GRANT watched_app_views TO watched_app`, `remove membership watched_app in watched_app_views`, `has all rights of watched_app_views.`, 0},
	{`GRANT postern_watched TO watched_other`, `remove membership watched_other in postern_watched`, `has all rights of postern_watched.`, 0},
	{`GRANT watched_app TO watched_app_a WITH ADMIN OPTION`, `change membership watched_app_a in watched_app`, `Now watched_app_a can give the rights of watched_app to anybody.`, 0},
	{`GRANT watched_app TO watched_app_a WITH INHERIT FALSE`, `change membership watched_app_a in watched_app`, `Now watched_app_a uses the rights of watched_app otherwise than the project says.`, 160000},
	{`GRANT watched_app TO watched_app_a WITH SET FALSE`, `change membership watched_app_a in watched_app`, `Now watched_app_a uses the rights of watched_app otherwise`, 160000},
	{`GRANT watched_app TO watched_other WITH INHERIT FALSE, SET TRUE`, `remove membership watched_other in watched_app`, `has all rights of watched_app.`, 160000},
	{`GRANT watched_app TO watched_more WITH ADMIN TRUE; SET ROLE watched_more; GRANT watched_app TO watched_other; RESET ROLE`, `remove membership watched_other in watched_app`, `has all rights of watched_app.`, 160000},
	{`REVOKE watched_app FROM watched_app_a`, `add membership watched_app_a in watched_app`, `Now watched_app_a has no rights of watched_app.`, 0},
	// Owners.
	{`ALTER TABLE deals OWNER TO watched_other`, `owner public.deals`, `Now watched_other can switch row security off there, and drop the table.`, 0},
	{`ALTER TABLE deals OWNER TO postgres`, `owner public.deals`, `Now postgres can switch row security off there`, 0},
	{`ALTER SCHEMA postern OWNER TO watched_other`, `change schema postern`, `Now its owner can change what policies call.`, 0},
	{`ALTER SCHEMA watched_app_views OWNER TO watched_other`, `change schema watched_app_views`, `Now its owner can change what policies call.`, 0},
	{`ALTER FUNCTION postern.user_id() OWNER TO watched_other`, `change function postern.user_id()`, `Now policies that use it go by what it says.`, 0},
	{`ALTER VIEW watched_app_views.people OWNER TO postgres`, `change view watched_app_views.people`, `Now`, 0},
	{`ALTER TABLE postern.directory OWNER TO watched_other`, `change table postern.directory`, `Now`, 0},
	// What is generated.
	{`CREATE OR REPLACE FUNCTION postern.user_id() RETURNS text LANGUAGE sql STABLE AS $$SELECT 'boss'::text$$`, `change function postern.user_id()`, `Now policies that use it go by what it says.`, 0},
	{`ALTER FUNCTION postern.user_id() SECURITY INVOKER`, `change function postern.user_id()`, `Now policies that use it`, 0},
	{`ALTER FUNCTION postern.user_id() RESET ALL`, `change function postern.user_id()`, `Now policies that use it`, 0},
	{`ALTER FUNCTION postern.user_id() LEAKPROOF`, `change function postern.user_id()`, `Now policies that use it`, 0},
	{`CREATE OR REPLACE VIEW watched_app_views.people WITH (security_barrier) AS SELECT id, name FROM people`, `change view watched_app_views.people`, `Now`, 0},
	{`ALTER VIEW watched_app_views.people SET (security_barrier = false)`, `change view watched_app_views.people`, `Now`, 0},
	{`ALTER VIEW watched_app_views.own RESET (security_barrier)`, `change view watched_app_views.own`, `Now`, 0},
	{`DROP VIEW watched_app_views.own`, `add view watched_app_views.own`, `Now what needs it fails.`, 0},
	{`DELETE FROM postern.directory`, `row postern.directory`, `Now policies go by other users, groups or keys than the project's.`, 0},
	{`ALTER TABLE postern.directory DISABLE ROW LEVEL SECURITY`, `change table postern.directory`, `Now`, 0},
	// What stands on a declared table without being the project's.
	{`CREATE VIEW over_deals AS SELECT * FROM deals`, `view public.over_deals`, `Now whoever may read public.over_deals`, 0},
	{`CREATE VIEW over_view AS SELECT * FROM over_deals`, `view public.over_view`, `Now whoever may read public.over_view`, 0},
	{`CREATE MATERIALIZED VIEW kept_deals AS SELECT * FROM deals`, `materialized view public.kept_deals`, `Now whoever may read public.kept_deals`, 0},
	{`CREATE FUNCTION all_deals() RETURNS SETOF deals LANGUAGE sql SECURITY DEFINER AS 'SELECT * FROM deals'`, `function public.all_deals()`, `Now whoever may call public.all_deals()`, 0},
	{`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$; CREATE TRIGGER note BEFORE INSERT ON deals FOR EACH ROW EXECUTE FUNCTION note()`, `trigger note on public.deals`, `Now`, 0},
	{`CREATE RULE copied AS ON INSERT TO deals DO ALSO INSERT INTO elsewhere VALUES (NEW.id)`, `rule copied on public.deals`, `Now`, 0},
	{`CREATE FUNCTION ddl() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN END$$; CREATE EVENT TRIGGER watched_ddl ON ddl_command_end EXECUTE FUNCTION ddl()`, `event trigger watched_ddl`, `Now`, 0},
}

// TestHandmade: each change by hand is drift, with what it lets whom do; the
// plan takes it back, and nothing is left. So it is for a superuser, and for a
// role with CREATEROLE that owns the tables; what that role may not take back is
// a privilege that is lacking, with its name, and nothing half done.
func TestHandmade(t *testing.T) {
	t.Parallel()
	w := watch(t, false)
	w.each(func(h handmade) {
		defer alone(h.sql)()
		perform(t, w.root, w.named(h.sql))
		made, diags := w.plan(t, w.by)
		if made == nil {
			t.Fatalf("%s: %v", h.sql, diags)
		}
		shown, done := "", len(made.Changes) > 0
		for _, c := range made.Changes {
			before, after := plan.Texts(c)
			text := string(plan.ActionOf(c)) + " " + unquoted(c.What().Object.String()) + " | " + unquoted(before) + " | " + unquoted(after)
			shown += "\n    " + text + "\n      " + effect(c)
			done = done && c.What().Drift && effect(c) != ""
		}
		if !done || !strings.Contains(shown, h.line) || !strings.Contains(shown, h.effect) {
			t.Errorf("%s\n  want %s\n    %s\n  got%s", h.sql, h.line, h.effect, shown)
		}
		w.heal(t, h, w.by, made)
	})
}

// ofCluster keeps the tests from changing at once what is one for the cluster.
var ofCluster sync.Mutex

// alone waits until nobody else changes what the statement is about.
func alone(sql string) (release func()) {
	if strings.Contains(sql, "TABLESPACE") || strings.Contains(sql, "PARAMETER") {
		ofCluster.Lock()
		return ofCluster.Unlock
	}
	return func() {}
}

// lacked is what a plan says of a privilege that the connected role has not.
var lacked = regexp.MustCompile(`^role "?ownerly_owner"? (lacks (the rights of|the ADMIN option on|SUPERUSER|BYPASSRLS|REPLICATION|CREATEDB)|may not read table)`)

func TestHandmadeForAnOwner(t *testing.T) {
	t.Parallel()
	w := watch(t, true)
	healed := 0
	w.each(func(h handmade) {
		defer alone(h.sql)()
		perform(t, w.root, w.named(h.sql))
		made, diags := w.plan(t, w.by)
		by := w.by
		for _, d := range diags {
			if d.Severity == diag.Error && (d.Code != postgres.CodePrivilege || !lacked.MatchString(d.Summary) || !mended.MatchString(d.Detail)) {
				t.Errorf("%s: %s %s", h.sql, d.Summary, d.Detail)
			}
		}
		if made == nil {
			by = w.root
			made, _ = w.plan(t, by)
		} else {
			healed++
		}
		w.heal(t, h, by, made)
	})
	if healed < len(watched)/2 {
		t.Errorf("the owner could take back %d of %d changes", healed, len(watched))
	}
}

// mended is the way out that each of them comes with.
var mended = regexp.MustCompile(`(GRANT|ALTER) .*; or plan and apply as a role that has it|Plan (and apply )?as a superuser`)

// watchedDatabase is one that the project was applied to.
type watchedDatabase struct {
	root, by *pgx.Conn // a superuser; who plans and applies
	version  int
	name     string // of the project, and what its roles begin with
}

// named puts the project's name in the place of watched.
func (w *watchedDatabase) named(text string) string {
	return strings.ReplaceAll(text, "watched", w.name)
}

// watch makes the database. Its tables are those of the role that plans.
func watch(t *testing.T, owner bool) *watchedDatabase {
	t.Helper()
	open := func(url string) *pgx.Conn {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := conn.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		return conn
	}
	w := &watchedDatabase{root: open(pgtest.Database(t)), name: "watched"}
	w.by = w.root
	if owner {
		w.name = "ownerly"
	}
	perform(t, w.root, w.named(watchedTables))
	if owner {
		database := w.root.Config().Database
		perform(t, w.root, "CREATE ROLE ownerly_owner LOGIN CREATEROLE PASSWORD 'x'; ALTER DATABASE "+database+" OWNER TO ownerly_owner; ALTER SCHEMA public OWNER TO ownerly_owner;"+
			"ALTER TABLE deals OWNER TO ownerly_owner; ALTER TABLE people OWNER TO ownerly_owner; ALTER TABLE parts OWNER TO ownerly_owner; ALTER TABLE parts_1 OWNER TO ownerly_owner")
		w.by = open(pgtest.Server(t).RoleURL("ownerly_owner", "x", database))
		t.Cleanup(func() {
			perform(t, w.root, "ALTER DATABASE "+database+" OWNER TO CURRENT_USER; REASSIGN OWNED BY ownerly_owner TO CURRENT_USER")
		})
	}
	made, diags := w.plan(t, w.by)
	if made == nil {
		t.Fatal(diags)
	}
	w.version = made.ServerVersion
	if err := postgres.Apply(t.Context(), w.by, made, postgres.ApplyOptions{Secrets: watchedSecret}); err != nil {
		t.Fatal(err)
	}
	return w
}

// each makes every change that the server's version has.
func (w *watchedDatabase) each(f func(handmade)) {
	for _, h := range watched {
		if w.version >= h.since {
			f(h)
		}
	}
}

// heal applies the plan, after which there is nothing to do.
func (w *watchedDatabase) heal(t *testing.T, h handmade, by *pgx.Conn, made *plan.Plan) {
	t.Helper()
	if err := postgres.Apply(t.Context(), by, made, postgres.ApplyOptions{Secrets: watchedSecret}); err != nil {
		t.Fatalf("%s: %v", h.sql, err)
	}
	left, diags := w.plan(t, w.by)
	if left == nil {
		t.Fatalf("after %s: %v", h.sql, diags)
	}
	if !left.Empty() {
		t.Errorf("after %s there is still to do: %v", h.sql, left.Changes)
	}
}

func (w *watchedDatabase) plan(t *testing.T, by *pgx.Conn) (*plan.Plan, diag.List) {
	t.Helper()
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(w.named(watchedProject))}}}
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags.Err())
	}
	want, diags, err := postgres.DesiredIn(t.Context(), by, p, p.Datasources[0])
	if err != nil || diags.HasErrors() {
		t.Fatal(err, diags)
	}
	made, diags, err := postgres.MakePlan(t.Context(), by, want, postgres.PlanOptions{
		Datasource: p.Datasources[0], Created: time.Unix(0, 0), Secrets: watchedSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	return made, diags
}

func watchedSecret(_ context.Context, s plan.Secret) (string, error) {
	if s.Kind == plan.SecretHashKey {
		return strings.Repeat("k", 40), nil
	}
	return "a password of tests", nil
}

func perform(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(context.Background(), sql, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

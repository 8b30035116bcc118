package postgres

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// driftCases are changes by hand: A is the account, L its login, O the owner of
// schema postern, X a role outside.
var driftCases = map[string]struct {
	sql  string
	want string // part of the description of the plan
}{
	"policy altered":           {`ALTER POLICY "deals: view" ON deals USING (true)`, plan.ReasonDrift},
	"policy check altered":     {`ALTER POLICY "create" ON deals WITH CHECK (true)`, plan.ReasonDrift},
	"policy to all":            {`ALTER POLICY "deals: view" ON deals TO PUBLIC`, `change policy "deals: view"`},
	"policy added":             {`CREATE POLICY hand ON deals TO PUBLIC USING (true)`, `remove policy "hand"`},
	"restrictive added":        {`CREATE POLICY hand ON deals AS RESTRICTIVE USING (false)`, `remove policy "hand"`},
	"policy dropped":           {`DROP POLICY "deals: view" ON deals`, `add policy "deals: view"`},
	"policy made restrictive":  {`DROP POLICY "create" ON deals; CREATE POLICY "create" ON deals AS RESTRICTIVE FOR INSERT TO A WITH CHECK (amount > 1)`, "RESTRICTIVE"},
	"row security off":         {`ALTER TABLE deals DISABLE ROW LEVEL SECURITY`, "ENABLE ROW LEVEL SECURITY"},
	"no force":                 {`ALTER TABLE deals NO FORCE ROW LEVEL SECURITY`, "FORCE ROW LEVEL SECURITY"},
	"grant to PUBLIC":          {`GRANT SELECT ON deals TO PUBLIC`, "to PUBLIC"},
	"grant to another role":    {`GRANT SELECT, TRUNCATE ON deals TO X`, "TRUNCATE"},
	"grant on a column":        {`GRANT UPDATE (amount) ON deals TO X`, `UPDATE ("amount")`},
	"more for the account":     {`GRANT DELETE ON deals TO A`, "DELETE"},
	"grant option":             {`GRANT INSERT ON deals TO A WITH GRANT OPTION`, "GRANT OPTION"},
	"grant passed on":          {`GRANT INSERT ON deals TO X WITH GRANT OPTION; SET ROLE X; GRANT INSERT ON deals TO PUBLIC; RESET ROLE`, "to PUBLIC"},
	"grant elsewhere":          {`CREATE TABLE other (id int); GRANT SELECT ON other TO A`, `"public"."other"`},
	"grant elsewhere, passed":  {`CREATE TABLE other (id int); GRANT SELECT ON other TO X WITH GRANT OPTION; SET ROLE X; GRANT SELECT ON other TO L; RESET ROLE`, "SET LOCAL ROLE"},
	"grant on the sequence":    {`GRANT SELECT ON SEQUENCE deals_id_seq TO X`, "deals_id_seq"},
	"grant revoked":            {`REVOKE INSERT ON deals FROM A`, "add grant table"},
	"create on schema":         {`GRANT CREATE ON SCHEMA public TO PUBLIC`, "anyone could make objects there"},
	"usage on schema postern":  {`GRANT ALL ON SCHEMA postern TO X`, `schema "postern" to`},
	"execute for everyone":     {`GRANT EXECUTE ON FUNCTION postern.me() TO PUBLIC`, "to PUBLIC"},
	"reading the passwords":    {`GRANT SELECT ON postern.passwords TO X`, "passwords"},
	"default privileges":       {`ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO A`, "ALTER DEFAULT PRIVILEGES"},
	"bypassrls":                {`ALTER ROLE A BYPASSRLS`, "NOBYPASSRLS"},
	"superuser":                {`ALTER ROLE L SUPERUSER`, "NOSUPERUSER"},
	"createrole":               {`ALTER ROLE L CREATEROLE`, "NOCREATEROLE"},
	"replication":              {`ALTER ROLE L REPLICATION`, "NOREPLICATION"},
	"createdb":                 {`ALTER ROLE A CREATEDB`, "NOCREATEDB"},
	"account logs in":          {`ALTER ROLE A LOGIN`, "NOLOGIN"},
	"owner of postern logs in": {`ALTER ROLE O LOGIN`, "NOLOGIN"},
	"member of owner role":     {`GRANT O TO X`, "REVOKE"},
	"owner role a member":      {`GRANT X TO O`, "REVOKE"},
	"member through another":   {`GRANT A TO X; CREATE ROLE "far y"; GRANT X TO "far y"`, "REVOKE"},
	"create for the account":   {`GRANT CREATE ON SCHEMA public TO A`, "CREATE ON SCHEMA"},
	"create on the database":   {`DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO ' || quote_ident('drift create on the database_reps'), current_database()); END $$`, "CREATE ON DATABASE"},
	"schema for the account":   {`CREATE SCHEMA more; GRANT USAGE ON SCHEMA more TO L`, `SCHEMA "more"`},
	"function for the account": {`CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT EXECUTE ON FUNCTION f() TO A`, `"public"."f"`},
	"sequence for everyone":    {`GRANT USAGE ON SEQUENCE deals_id_seq TO PUBLIC`, "to PUBLIC"},
	"default for the account":  {`ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO L`, "ALTER DEFAULT PRIVILEGES"},
	"large object":             {`SELECT lo_create(77); GRANT SELECT ON LARGE OBJECT 77 TO A`, "LARGE OBJECT 77"},
	"policy on a child":        {`CREATE TABLE child () INHERITS (deals); ALTER TABLE child ENABLE ROW LEVEL SECURITY; CREATE POLICY hand ON child USING (true)`, `remove policy "hand"`},
	"owner of the table":       {`ALTER TABLE deals OWNER TO X`, "owner"},
	"role setting":             {`ALTER ROLE L SET statement_timeout = 0; ALTER ROLE L SET work_mem = '1GB'`, `RESET "work_mem"`},
	"role setting here":        {`DO $$ BEGIN EXECUTE format('ALTER ROLE L IN DATABASE %I SET work_mem = 1024', current_database()); END $$`, "IN DATABASE"},
	"connection limit":         {`ALTER ROLE L CONNECTION LIMIT -1 VALID UNTIL 'infinity'`, "VALID UNTIL '2031"},
	"password":                 {`ALTER ROLE L PASSWORD 'other'`, "PASSWORD «env(REPS_PASSWORD)»"},
	"new member":               {`GRANT A TO X`, "REVOKE"},
	"member elsewhere":         {`GRANT X TO L`, "REVOKE"},
	"member of a predefined":   {`GRANT pg_read_all_data TO A`, "pg_read_all_data"},
	"member who may add":       {`GRANT A TO L WITH ADMIN OPTION`, "may add members"},
	"member revoked":           {`REVOKE A FROM L`, "GRANT"},
	"function redefined":       {`CREATE OR REPLACE FUNCTION postern.me() RETURNS text LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$SELECT 'x'$$`, "change function"},
	"function made definer":    {`ALTER FUNCTION postern.me() SECURITY DEFINER`, "SECURITY DEFINER"},
	"function without path":    {`ALTER FUNCTION postern.me() RESET search_path`, "change function"},
	"function given away":      {`ALTER FUNCTION postern.me() OWNER TO X`, "change function"},
	"row edited":               {`UPDATE postern.groups SET name = 'y'`, "change row"},
	"row added":                {`INSERT INTO postern.groups VALUES (2, 'z'), (3, NULL)`, "remove row"},
	"row deleted":              {`DELETE FROM postern.groups`, "add row"},
	"generated table reshaped": {`ALTER TABLE postern.groups ADD COLUMN extra text; GRANT SELECT ON postern.groups TO X`, "other columns"},
	"record lost":              {`DELETE FROM postern.objects`, "record"},
	"record forged":            {`UPDATE postern.objects SET desired = 'x'; ALTER POLICY "create" ON deals WITH CHECK (true)`, "change policy"},
	"mark of a role removed":   {`COMMENT ON ROLE A IS NULL`, "without the project's mark"},
	"mark of schema removed":   {`COMMENT ON SCHEMA postern IS NULL`, "change schema"},
	"schema given away":        {`ALTER SCHEMA postern OWNER TO X`, "change schema"},
	"child table": {
		`CREATE TABLE child () INHERITS (deals); GRANT SELECT ON child TO X; CREATE TABLE grandchild () INHERITS (child)`,
		`"public"."grandchild"`,
	},
}

// Each case changes an applied database by hand; the plan after it must say
// so, mend it, and leave nothing to do.
func TestDriftIsFoundAndHealed(t *testing.T) {
	t.Parallel()
	for name, c := range driftCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := plainFixture("drift " + name)
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, f.ddl())
			outside := "drift " + name + " x"
			execute(t, conn, "CREATE ROLE "+quoted(t, outside))
			want := f.state()
			apply(t, conn, makePlan(t, conn, want))
			execute(t, conn, forRoles(t, f, outside, c.sql))
			p := makePlan(t, conn, want)
			if text := describe(p); !strings.Contains(text, c.want) {
				t.Errorf("the plan lacks %q:\n%s", c.want, text)
			}
			if len(p.Changes) == 0 {
				t.Error("there is no change to show")
			}
			apply(t, conn, p)
			requireEmpty(t, conn, want)
			execute(t, conn, "DROP OWNED BY "+quoted(t, outside))
		})
	}
}

// forRoles puts role names in the place of A, L, O and X.
func forRoles(t testing.TB, f fixture, outside, sql string) string {
	t.Helper()
	words := strings.Split(sql, " ")
	names := map[string]string{"A": f.account, "L": f.login, "O": f.owner, "X": outside}
	for i, w := range words {
		bare := strings.TrimRight(w, ";")
		if n, ok := names[bare]; ok {
			words[i] = quoted(t, n) + w[len(bare):]
		}
		if n, ok := names[strings.TrimPrefix(w, "format('")]; ok {
			words[i] = quoted(t, n)
		}
	}
	return strings.Join(words, " ")
}

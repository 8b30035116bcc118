package postgres

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/lang/diag"
)

// applied is a database to which a fixture's state has been applied.
func applied(t *testing.T, prefix string) (fixture, *pgx.Conn, *State) {
	t.Helper()
	f := plainFixture(prefix)
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	want := f.state()
	apply(t, conn, makePlan(t, conn, want))
	return f, conn, want
}

// diagnose plans and gives the codes of the diagnostics.
func diagnose(t *testing.T, conn *pgx.Conn, want *State) ([]string, diag.List) {
	t.Helper()
	p, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{Datasource: testDatasource(), Secrets: testSecrets("pw")})
	if err != nil {
		t.Fatal(err)
	}
	if p != nil && diags.HasErrors() {
		t.Error("there is a plan in spite of errors")
	}
	var codes []string
	for _, d := range diags {
		codes = append(codes, string(d.Code))
	}
	return codes, diags
}

func TestAccountRemoved(t *testing.T) {
	t.Parallel()
	f, conn, want := applied(t, "gone")
	for _, name := range []string{f.account, f.login} {
		delete(want.Roles, RoleID(name))
		delete(want.Scope.Accounts, name)
	}
	want.Memberships, want.Policies = map[MembershipKey]*Membership{}, map[ObjectID]*Policy{}
	for k := range want.Grants {
		if k.Grantee.Role == f.account {
			delete(want.Grants, k)
		}
	}
	want.Scope.Tables[TableID(f.schema, f.table)].Inserters = nil
	execute(t, conn, "CREATE TABLE other (id int); GRANT SELECT ON other TO "+quoted(t, f.account))
	p := makePlan(t, conn, want)
	if !slices.ContainsFunc(p.Hazards, func(h plan.Hazard) bool {
		d, ok := h.(plan.DropsRole)
		return ok && d.Role == f.account
	}) {
		t.Errorf("hazards %v", p.Hazards)
	}
	apply(t, conn, p)
	requireEmpty(t, conn, want)
	if left := rows(t, conn, "SELECT rolname FROM pg_roles WHERE rolname LIKE 'gone\\_%'"); !slices.Equal(left, []string{f.owner}) {
		t.Errorf("roles left: %q", left)
	}
}

func TestRoleInUseElsewhere(t *testing.T) {
	t.Parallel()
	f, conn, want := applied(t, "inuse")
	other := connect(t, pgtest.Database(t))
	execute(t, other, "CREATE TABLE t (id int); GRANT SELECT ON t TO "+quoted(t, f.login))
	execute(t, conn, "CREATE TABLE mine (id int); ALTER TABLE mine OWNER TO "+quoted(t, f.login))
	delete(want.Roles, RoleID(f.login))
	delete(want.Scope.Accounts, f.login)
	want.Memberships = map[MembershipKey]*Membership{}
	codes, diags := diagnose(t, conn, want)
	if !slices.Equal(codes, []string{"postgres-role-in-use", "postgres-role-in-use"}) {
		t.Fatalf("%v", diags)
	}
	text := diags.Error()
	if !strings.Contains(text, "owns table public.mine") || !strings.Contains(text, "in database testroleinuseelsewhere") {
		t.Errorf("%s", text)
	}
	execute(t, other, "DROP OWNED BY "+quoted(t, f.login))
}

func TestTableNoLongerDeclared(t *testing.T) {
	t.Parallel()
	f, conn, want := applied(t, "undeclared")
	table := TableID(f.schema, f.table)
	delete(want.Tables, table)
	delete(want.Scope.Tables, table)
	want.Policies = map[ObjectID]*Policy{}
	for k := range want.Grants {
		if k.Object == table {
			delete(want.Grants, k)
		}
	}
	execute(t, conn, "CREATE POLICY hand ON deals USING (false)")
	apply(t, conn, makePlan(t, conn, want))
	requireEmpty(t, conn, want)
	got := rows(t, conn, "SELECT polname, relrowsecurity FROM pg_policy JOIN pg_class c ON c.oid = polrelid")
	if !slices.Equal(got, []string{"hand|t"}) {
		t.Errorf("what is left: %q; the hand-made policy and row security stay", got)
	}
	if got := rows(t, conn, "SELECT has_table_privilege('"+f.account+"', 'deals', 'INSERT')"); !slices.Equal(got, []string{"f"}) {
		t.Errorf("the account may still insert")
	}
}

func TestUnmarkedIsNeverTouched(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ sql, code string }{
		"role without mark":     {`CREATE ROLE A`, "postgres-role-unmarked"},
		"another project":       {`CREATE ROLE A; COMMENT ON ROLE A IS 'postern:project=else'`, "postgres-foreign-mark"},
		"schema without mark":   {`CREATE SCHEMA postern`, "postgres-schema-unmarked"},
		"schema of another one": {`CREATE SCHEMA postern; COMMENT ON SCHEMA postern IS 'postern:project=else'`, "postgres-foreign-mark"},
		"table is missing":      {`ALTER TABLE deals RENAME TO dealz`, "postgres-table-missing"},
		"table is a view":       {`ALTER TABLE deals RENAME TO d2; CREATE VIEW deals AS SELECT 1 AS owner_id`, "postgres-table-kind"},
		"column dropped":        {`ALTER TABLE deals DROP COLUMN amount`, "postgres-column-missing"},
		"column of other type":  {`ALTER TABLE deals ALTER COLUMN owner_id TYPE character varying(3)`, "postgres-column-type"},
		"owner is an account":   {`CREATE ROLE A; COMMENT ON ROLE A IS 'postern:project=test'; ALTER TABLE deals OWNER TO A`, "postgres-owner-account"},
		"reserved role":         {``, "postgres-role-reserved"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := plainFixture("unmarked " + name)
			if c.code == "postgres-role-reserved" {
				f.account = "public"
			}
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, f.ddl())
			if c.sql != "" {
				execute(t, conn, forRoles(t, f, "", c.sql))
			}
			codes, diags := diagnose(t, conn, f.state())
			if !slices.Equal(codes, []string{c.code}) {
				t.Errorf("got %v\n%v", codes, diags)
			}
			for _, d := range diags {
				if d.Detail == "" {
					t.Errorf("%s has no detail that says what to do", d.Code)
				}
			}
		})
	}
}

func TestAdoptedRole(t *testing.T) {
	t.Parallel()
	f := plainFixture("adopted")
	want := f.state()
	role := want.Roles[RoleID(f.account)]
	role.Managed, role.Comment = false, ""
	want.Scope.Accounts[f.account].Managed = false
	delete(want.Roles, RoleID(f.login))
	delete(want.Scope.Accounts, f.login)
	want.Memberships = map[MembershipKey]*Membership{}
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl())
	if codes, diags := diagnose(t, conn, want); !slices.Equal(codes, []string{"postgres-role-missing"}) {
		t.Errorf("%v", diags)
	}
	execute(t, conn, "CREATE ROLE "+f.account+" LOGIN BYPASSRLS; CREATE ROLE adopted_member IN ROLE "+f.account+
		"; CREATE TABLE other (id int); GRANT SELECT ON other TO "+f.account+"; GRANT SELECT ON deals TO "+f.account)
	if codes, diags := diagnose(t, conn, want); !slices.Equal(codes, []string{"postgres-role-bypasses"}) {
		t.Errorf("%v", diags)
	}
	execute(t, conn, "ALTER ROLE "+f.account+" NOBYPASSRLS")
	apply(t, conn, makePlan(t, conn, want))
	requireEmpty(t, conn, want)
	got := rows(t, conn, "SELECT has_table_privilege('adopted_reps', 'other', 'SELECT'), has_table_privilege('adopted_reps', 'deals', 'SELECT'),"+
		" pg_has_role('adopted_member', 'adopted_reps', 'MEMBER'), rolcanlogin FROM pg_roles WHERE rolname = 'adopted_reps'")
	if !slices.Equal(got, []string{"t|f|t|t"}) {
		t.Errorf("elsewhere, here, member, login: %q", got)
	}
	execute(t, conn, "DROP ROLE adopted_member")
}

func TestHazards(t *testing.T) {
	t.Parallel()
	f := plainFixture("hazards")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl()+"; CREATE ROLE hazards_x; GRANT SELECT, UPDATE (amount) ON deals TO hazards_x;"+
		"CREATE ROLE hazards_o; ALTER TABLE deals OWNER TO hazards_o;"+
		"CREATE VIEW \"by \"\"owner\" AS SELECT * FROM deals; CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM \"by \"\"owner\";"+
		"CREATE VIEW of_others AS SELECT * FROM deals; ALTER VIEW \"by \"\"owner\" OWNER TO hazards_o; ALTER MATERIALIZED VIEW counted OWNER TO hazards_o;"+
		"CREATE FUNCTION archive() RETURNS void LANGUAGE sql SECURITY DEFINER AS 'SELECT NULL::void'; ALTER FUNCTION archive OWNER TO hazards_o;"+
		"CREATE PUBLICATION copies FOR TABLE deals")
	p := makePlan(t, conn, f.state())
	var got []string
	for _, h := range p.Hazards {
		got = append(got, h.Message())
	}
	text := strings.Join(got, "\n")
	for _, want := range []string{
		`takes ACCESS EXCLUSIVE on "public"."deals"`,
		`role "hazards_x" loses rights on table "public"."deals"`,
		`sessions of "hazards_x" that are open keep`,
		`"hazards_o", the owner of "public"."deals", sees only`,
		`; look at function "public"."archive", materialized view "public"."counted", publication "copies", view "public"."by ""owner"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	if !slices.Equal(p.LockTables, []string{`"public"."deals"`}) {
		t.Errorf("locks %q", p.LockTables)
	}
	// Row security holds for no superuser, and for nobody with BYPASSRLS.
	for _, exempt := range []string{"BYPASSRLS", "NOBYPASSRLS SUPERUSER"} {
		execute(t, conn, "ALTER ROLE hazards_o "+exempt)
		for _, h := range makePlan(t, conn, f.state()).Hazards {
			if _, binds := h.(plan.BindsOwner); binds {
				t.Errorf("%s: %s", exempt, h.Message())
			}
		}
	}
	execute(t, conn, "ALTER ROLE hazards_o NOSUPERUSER; DROP OWNED BY hazards_x; DROP OWNED BY hazards_o CASCADE")
}

// What a plan does stands in the order that never widens access on the way.
func TestOrder(t *testing.T) {
	t.Parallel()
	f := plainFixture("ordered")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl()+"; GRANT SELECT ON deals TO PUBLIC")
	var order []string
	for _, s := range makePlan(t, conn, f.state()).Statements {
		for _, word := range []string{
			"CREATE ROLE", "REVOKE CASCADE", "ENABLE ROW", "CREATE SCHEMA", "CREATE OR REPLACE FUNCTION",
			"CREATE POLICY", "GRANT", "INSERT INTO \"postern\".\"objects\"",
		} {
			first, second, _ := strings.Cut(word, " CASCADE")
			if strings.HasPrefix(s.SQL, first) && (second != "" || !strings.Contains(word, "CASCADE") || strings.Contains(s.SQL, "PUBLIC CASCADE")) ||
				word == "ENABLE ROW" && strings.Contains(s.SQL, word) {
				if !slices.Contains(order, word) {
					order = append(order, word)
				}
			}
		}
	}
	want := []string{
		"CREATE ROLE", "REVOKE CASCADE", "ENABLE ROW", "CREATE SCHEMA", "CREATE OR REPLACE FUNCTION", "CREATE POLICY",
		"GRANT", "INSERT INTO \"postern\".\"objects\"",
	}
	if !slices.Equal(order, want) {
		t.Errorf("got %q, want %q", order, want)
	}
}

// A role that is no superuser can plan and apply when it may create roles and
// owns what it is about; what it lacks is named otherwise.
func TestWithoutSuperuser(t *testing.T) {
	t.Parallel()
	f := plainFixture("ordinary")
	url := pgtest.Database(t)
	root := connect(t, url)
	execute(t, root, "CREATE ROLE ordinary_admin LOGIN PASSWORD 'x'")
	execute(t, root, f.ddl())
	database := rows(t, root, "SELECT current_database()")[0]
	conn := connect(t, pgtest.Server(t).RoleURL("ordinary_admin", "x", database))
	codes, diags := diagnose(t, conn, f.state())
	for _, c := range codes {
		if c != "postgres-privilege" {
			t.Errorf("%v", diags)
		}
	}
	text := diags.Error()
	for _, want := range []string{"CREATEROLE", "CREATE on database", `owner of "public"."deals"`, `owner of schema "public"`, "the database's owner"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q:\n%s", want, text)
		}
	}
	// What mends it stands there: nothing is lacking after that.
	for _, d := range diags {
		statement, _, ok := strings.Cut(d.Detail, ". ")
		_, statement, _ = strings.Cut(d.Detail, statement+". ")
		statement, _, _ = strings.Cut(statement, ";")
		if !ok || !strings.Contains(statement, `"ordinary_admin"`) {
			t.Fatalf("%s: %s", d.Summary, d.Detail)
		}
		execute(t, root, statement)
	}
	want := f.state()
	apply(t, conn, makePlan(t, conn, want))
	requireEmpty(t, conn, want)
	requireEmpty(t, root, want)
	execute(t, root, "GRANT SELECT ON deals TO PUBLIC; ALTER ROLE "+f.account+" CREATEDB; UPDATE postern.groups SET name = 'y'")
	if serverVersion(t, root) >= 160000 {
		requireLacking(t, conn, want, "CREATEDB")
		execute(t, root, "ALTER ROLE ordinary_admin CREATEDB")
	}
	apply(t, conn, makePlan(t, conn, want))
	requireEmpty(t, conn, want)
	attributeRights(t, root, conn, want, f)
	execute(t, root, "ALTER DATABASE "+database+" OWNER TO CURRENT_USER; REASSIGN OWNED BY ordinary_admin TO CURRENT_USER")
}

// attributeRights gives the account more than the connected role could take
// away, and tells each time what that role lacks.
func attributeRights(t *testing.T, root, conn *pgx.Conn, want *State, f fixture) {
	t.Helper()
	modern := serverVersion(t, root) >= 160000
	for _, c := range []struct {
		attribute  string
		old, since string // what is lacking, before PostgreSQL 16 and from then on
	}{
		{"BYPASSRLS", "SUPERUSER", "BYPASSRLS"},
		{"REPLICATION", "SUPERUSER", "REPLICATION"},
		{"SUPERUSER", "SUPERUSER", "SUPERUSER"},
	} {
		execute(t, root, "ALTER ROLE "+f.account+" "+c.attribute)
		lack := c.old
		if modern {
			lack = c.since
		}
		requireLacking(t, conn, want, lack)
		execute(t, root, "ALTER ROLE "+f.account+" NO"+c.attribute)
	}
	if !modern {
		return
	}
	execute(t, root, "CREATE ROLE ordinary_x; GRANT "+f.account+" TO ordinary_x")
	requireLacking(t, conn, want, `the rights of "postgres", who granted a membership`)
	execute(t, root, "DROP ROLE ordinary_x; ALTER ROLE "+f.account+" CONNECTION LIMIT 1; REVOKE "+f.account+" FROM ordinary_admin CASCADE")
	requireLacking(t, conn, want, `the ADMIN option on role "ordinary_reps"`)
}

// requireLacking makes a plan that must fail for nothing but this privilege.
func requireLacking(t *testing.T, conn *pgx.Conn, want *State, lack string) {
	t.Helper()
	codes, diags := diagnose(t, conn, want)
	if !slices.Contains(codes, "postgres-privilege") || !strings.Contains(diags.Error(), `role "ordinary_admin" lacks `+lack) ||
		slices.ContainsFunc(codes, func(c string) bool { return c != "postgres-privilege" }) {
		t.Errorf("want that %s is lacking, got %v\n%v", lack, codes, diags)
	}
}

func serverVersion(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	n, err := strconv.Atoi(rows(t, conn, "SELECT current_setting('server_version_num')")[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Without a record Postgres itself tells spelling from meaning, and what is
// the same is only written down again.
func TestRecordLost(t *testing.T) {
	t.Parallel()
	_, conn, want := applied(t, "lost")
	execute(t, conn, "DELETE FROM postern.objects")
	p := makePlan(t, conn, want)
	if len(p.Changes) != 1 || p.Changes[0].What().Object.Kind != "record" || len(p.LockTables) != 0 {
		t.Errorf("more than the record changes:\n%s", describe(p))
	}
	apply(t, conn, p)
	requireEmpty(t, conn, want)
	execute(t, conn, `UPDATE postern.objects SET live = 'x'; ALTER POLICY "create" ON deals WITH CHECK (amount > 1 OR true)`)
	p = makePlan(t, conn, want)
	if text := describe(p); !strings.Contains(text, `change policy "create"`) || strings.Contains(text, `change policy "deals: view"`) {
		t.Errorf("one policy of two was altered:\n%s", text)
	}
	apply(t, conn, p)
	requireEmpty(t, conn, want)
}

// Default privileges do not open what a plan makes.
func TestDefaultPrivilegesOpenNothing(t *testing.T) {
	t.Parallel()
	f := plainFixture("defaults")
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, f.ddl()+`; CREATE ROLE defaults_x; ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO defaults_x, PUBLIC;
		ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO defaults_x; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO defaults_x`)
	want := f.state()
	apply(t, conn, makePlan(t, conn, want))
	requireEmpty(t, conn, want)
	open := rows(t, conn, `SELECT has_table_privilege('defaults_x', 'postern.passwords', 'SELECT'),
		has_function_privilege('defaults_x', 'postern.me()', 'EXECUTE'), has_schema_privilege('defaults_x', 'postern', 'USAGE')`)
	if !slices.Equal(open, []string{"f|f|f"}) {
		t.Errorf("open: %q", open)
	}
	execute(t, conn, `ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM defaults_x, PUBLIC; DROP OWNED BY defaults_x`)
}

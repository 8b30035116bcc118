package postgres

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// connect opens a connection that ends with the test.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// execute runs SQL that must succeed.
func execute(t testing.TB, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func quoted(t testing.TB, name string) string {
	t.Helper()
	return printed(RoleID(name))
}

// names of one test's hand-built state; roles belong to the whole cluster, so
// each test has its own.
type fixture struct {
	owner, account, login string
	schema, table, policy string
}

func plainFixture(prefix string) fixture {
	return fixture{
		owner: prefix + "_postern", account: prefix + "_reps", login: prefix + "_reps_a", schema: "public",
		table: "deals", policy: "deals: view",
	}
}

// ddl makes the table that the fixture's state governs.
func (f fixture) ddl() string {
	table := printed(TableID(f.schema, f.table))
	return "CREATE SCHEMA IF NOT EXISTS " + printed(SchemaID(f.schema)) + "; CREATE TABLE " + table +
		" (id bigserial PRIMARY KEY, owner_id text, amount numeric, region character varying(40))"
}

// state is a desired state with one of each kind of object.
func (f fixture) state() *State {
	s := NewState("test")
	table := TableID(f.schema, f.table)
	s.Scope.OwnerRole = f.owner
	for _, name := range []string{f.owner, f.account, f.login} {
		s.Roles[RoleID(name)] = &Role{ID: RoleID(name), Inherit: true, ConnectionLimit: -1, Managed: true, Comment: Mark("test")}
	}
	login := s.Roles[RoleID(f.login)]
	until := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	login.Login, login.ConnectionLimit, login.PasswordFor, login.ValidUntil = true, 5, "reps", &until
	login.Settings = map[string]string{"statement_timeout": "30s", "search_path": "pg_catalog, pg_temp"}
	key := MembershipKey{Role: f.account, Member: f.login}
	s.Memberships[key] = &Membership{MembershipKey: key, Inherit: true, Set: true}
	s.Scope.Accounts[f.account] = &AccountScope{Managed: true}
	s.Scope.Accounts[f.login] = &AccountScope{Managed: true, Login: true}
	s.Schemas[SchemaID("postern")] = &Schema{ID: SchemaID("postern"), Owner: f.owner, Comment: Mark("test"), Managed: true}
	s.Tables[table] = &Table{ID: table, Kind: "r", RLS: true, Force: true}
	s.Scope.Tables[table] = &TableScope{
		Required:  []Column{{Name: "owner_id", Type: "text"}, {Name: "amount"}},
		Inserters: []string{f.account},
	}
	me := FunctionID("postern", "me", "")
	s.Functions[me] = &Function{
		ID: me, Returns: "text", Language: "sql", Body: "SELECT current_setting('postern.me', true)",
		Volatility: "STABLE", Parallel: "RESTRICTED", Config: []string{"search_path=pg_catalog, pg_temp"}, Owner: f.owner,
	}
	// As it is written here, Postgres prints it otherwise.
	view := PolicyID(table, f.policy)
	s.Policies[view] = &Policy{
		ID: view, Command: CommandSelect, Permissive: true, To: []Grantee{ToRole(f.account)},
		Using: "owner_id = (SELECT postern.me()) OR region IN ('a', 'b')",
	}
	create := PolicyID(table, "create")
	s.Policies[create] = &Policy{
		ID: create, Command: CommandInsert, Permissive: true, To: []Grantee{ToRole(f.account)},
		Check: "amount > 1",
	}
	groups := TableID("postern", "groups")
	one, two := "1", "x"
	s.Generated[groups] = &GeneratedTable{
		ID: groups, Owner: f.owner, PrimaryKey: []string{"id"}, Filled: true,
		Columns: []Column{{Name: "id", Type: "bigint", NotNull: true}, {Name: "name", Type: "text"}}, Rows: [][]*string{{&one, &two}},
	}
	for _, t := range bookkeepingTables("postern", f.owner) {
		s.Generated[t.ID] = t
	}
	to := ToRole(f.account)
	grant := func(id ObjectID, p Privilege) { s.Grants.Add(GrantKey{Object: id, Grantee: to, Privilege: p}) }
	grant(DatabaseID(), PrivilegeConnect)
	grant(SchemaID(f.schema), PrivilegeUsage)
	grant(SchemaID("postern"), PrivilegeUsage)
	grant(me, PrivilegeExecute)
	grant(table, PrivilegeInsert)
	for _, c := range []string{"id", "owner_id", "amount"} {
		grant(ColumnID(table, c), PrivilegeSelect)
	}
	s.Scope.Denied = []GrantRule{
		{Object: SchemaID(f.schema), Grantee: Public(), Privilege: PrivilegeCreate, Why: "anyone could make objects there"},
	}
	return s
}

func testDatasource() *model.Datasource {
	ds := &model.Datasource{Name: "crm", OwnerStated: true, OwnerBound: true}
	ds.Accounts = []*model.ServiceAccount{{Name: "reps", Password: &model.Secret{Kind: model.SecretEnv, Name: "REPS_PASSWORD"}}}
	return ds
}

func testSecrets(password string) Secrets {
	return func(_ context.Context, s plan.Secret) (string, error) {
		if s.Kind == plan.SecretHashKey {
			return string(model.TestHashKey), nil
		}
		return password, nil
	}
}

func makePlan(t testing.TB, conn *pgx.Conn, want *State) *plan.Plan {
	t.Helper()
	p, diags, err := MakePlan(t.Context(), conn, want, PlanOptions{
		Datasource: testDatasource(), Revision: "abc", Program: "# program", Created: time.Unix(0, 0), Secrets: testSecrets("pw"),
	})
	if err != nil || diags.HasErrors() {
		t.Fatalf("plan: %v\n%v", err, diags)
	}
	return p
}

func apply(t testing.TB, conn *pgx.Conn, p *plan.Plan) {
	t.Helper()
	if err := Apply(t.Context(), conn, p, ApplyOptions{Secrets: testSecrets("pw"), Actor: "tester"}); err != nil {
		t.Fatal(err)
	}
}

func describe(p *plan.Plan) string {
	var lines []string
	for _, c := range p.Changes {
		before, after := plan.Texts(c)
		lines = append(lines, string(plan.ActionOf(c))+" "+c.What().Object.String()+" ["+c.What().Reason+"]\n    - "+before+"\n    + "+after)
	}
	for _, s := range p.Statements {
		lines = append(lines, s.Text())
	}
	return strings.Join(lines, "\n")
}

func requireEmpty(t testing.TB, conn *pgx.Conn, want *State) {
	t.Helper()
	if p := makePlan(t, conn, want); !p.Empty() {
		t.Errorf("the plan after an apply is not empty:\n%s", describe(p))
	}
}

func TestApplyThenEmpty(t *testing.T) {
	t.Parallel()
	fixtures := map[string]fixture{
		"plain": plainFixture("plain"),
		"hostile": {
			owner: `Own"er; drop table x; --`, account: "PUBLIC", login: "Public's \\", schema: "Mixed Schema",
			table: `"; drop table x; --`, policy: "naïve ☃ $1 '",
		},
		"long": {
			owner: strings.Repeat("o", 63), account: strings.Repeat("é", 31) + "x", login: strings.Repeat("é", 31) + "y",
			schema: strings.Repeat("s", 63), table: strings.Repeat("t", 63), policy: strings.Repeat("p", 63),
		},
	}
	for name, f := range fixtures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, pgtest.Database(t))
			execute(t, conn, f.ddl())
			want := f.state()
			first := makePlan(t, conn, want)
			apply(t, conn, first)
			requireEmpty(t, conn, want)
			data, err := first.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(data), "SCRAM-SHA-256$") {
				t.Error("the plan holds a verifier")
			}
			again, err := plan.Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := Apply(t.Context(), conn, again, ApplyOptions{Secrets: testSecrets("pw")}); err == nil || !strings.Contains(err.Error(), ErrStale.Error()) {
				t.Errorf("applying a plan twice: %v", err)
			}
			history := rows(t, conn, "SELECT actor, revision, program FROM postern.history")
			if !slices.Equal(history, []string{"tester|abc|# program"}) {
				t.Errorf("history %q", history)
			}
		})
	}
}

func rows(t testing.TB, conn *pgx.Conn, sql string) []string {
	t.Helper()
	results, err := conn.PgConn().Exec(t.Context(), sql).ReadAll()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var out []string
	for _, r := range results[len(results)-1].Rows {
		cells := make([]string, len(r))
		for i, c := range r {
			cells[i] = string(c)
		}
		out = append(out, strings.Join(cells, "|"))
	}
	return out
}

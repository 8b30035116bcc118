package postgres_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestPostgREST: a project whose server switches between roles of its own is
// governed as it is. The server does what PostgREST does: one login, SET LOCAL
// ROLE and the claims in a setting for each request.
func TestPostgREST(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "examples", "postgrest")
	p := compileFolder(t, dir)
	server := pgtest.Isolated(t)
	admin := connect(t, server.URL("postgres"))
	for _, file := range []string{"schema.sql", "seed.sql"} {
		data, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		execute(t, admin, string(data))
	}
	execute(t, admin, "ALTER ROLE authenticator PASSWORD '"+password+"'")
	made := planFor(t, admin, p, p.Datasources[0])
	for _, s := range made.Statements {
		for _, owned := range []string{`ALTER ROLE "anon"`, `ALTER ROLE "auth`, "authenticator"} {
			if strings.Contains(s.SQL, owned) {
				t.Errorf("a role that is not the project's is touched: %s", s.SQL)
			}
		}
	}
	applyTo(t, admin, p)
	conn := connect(t, server.RoleURL("authenticator", password, "postgres"))
	request := func(role, claims string) func(pgx.Tx) error {
		return func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SET LOCAL ROLE "+role)
			if err == nil && claims != "" {
				_, err = tx.Exec(ctx, "SELECT set_config('request.jwt.claims', $1, true)", claims)
			}
			return err
		}
	}
	const user = `{"sub": "00000000-0000-4000-8000-0000000000a1", "role": "authenticated", "aud": "authenticated", "app_metadata": {"team": 7, "provider": "email"}}`
	const moderator = `{"sub": "00000000-0000-4000-8000-0000000000a3", "role": "authenticated", "app_metadata": {"roles": ["moderator"]}}`
	for _, x := range []struct{ who, role, claims, want string }{
		{"without a token", "anon", "", "1"},
		{"with the claims that anon has", "anon", `{"role": "anon"}`, "1"},
		{"a user", "authenticated", user, "1 2 3"},
		{"a moderator", "authenticated", moderator, "1 2 3 4"},
		{"a user's claims in the role of anon", "anon", user, "1 3"},
		{"no claims in the role of users", "authenticated", "", ""},
		{"claims that name nobody", "authenticated", `{"role": "authenticated"}`, ""},
	} {
		if got, err := try(conn, request(x.role, x.claims), "SELECT id FROM notes ORDER BY id"); err != nil || got != x.want {
			t.Errorf("%s: sees %q (%v), want %q", x.who, got, err, x.want)
		}
	}
	const create = "INSERT INTO notes (owner_id, title) VALUES ('00000000-0000-4000-8000-0000000000a1', 'x') RETURNING 'made'"
	if got, err := try(conn, request("authenticated", user), create); err != nil || got != "made" {
		t.Errorf("a user makes %q (%v)", got, err)
	}
	for who, prepare := range map[string]func(pgx.Tx) error{
		"anon": request("anon", user), "a moderator": request("authenticated", moderator), "the login itself": func(pgx.Tx) error { return nil },
	} {
		if got, err := try(conn, prepare, create); err == nil {
			t.Errorf("%s makes %q", who, got)
		}
	}
	if got, err := try(conn, func(pgx.Tx) error { return nil }, "SELECT id FROM notes"); err == nil {
		t.Errorf("the server's login itself sees %q", got)
	}
}

// TestAdoptedRoles: a role that is adopted must be there, and policies must
// hold for it.
func TestAdoptedRoles(t *testing.T) {
	t.Parallel()
	dir := filepath.Join("..", "..", "examples", "postgrest")
	p := compileFolder(t, dir)
	server := pgtest.Isolated(t)
	admin := connect(t, server.URL("postgres"))
	execute(t, admin, "CREATE TABLE notes (id bigint PRIMARY KEY, owner_id uuid NOT NULL, team bigint, title text NOT NULL, published boolean NOT NULL); CREATE ROLE anon BYPASSRLS")
	want, diags := postgres.Desired(p, p.Datasources[0])
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	made, found, err := postgres.MakePlan(t.Context(), admin, want, postgres.PlanOptions{Datasource: p.Datasources[0]})
	if made != nil || err != nil {
		t.Errorf("there is a plan: %v", err)
	}
	text := found.Error()
	for _, part := range []string{`role "anon" is a superuser or has BYPASSRLS`, `role "authenticated" does not exist`} {
		if !strings.Contains(text, part) {
			t.Errorf("nothing says %s:\n%s", part, text)
		}
	}
}

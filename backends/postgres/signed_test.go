package postgres_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres"
)

var signingKey = postgres.Key{ID: 7, Secret: []byte("0123456789abcdef0123456789abcdef")}

// signed is the project with signed identities and a second account.
func signed(t *testing.T, name string) *database {
	t.Helper()
	hcl := strings.Replace(project(crm, name), `"setting"`, `"signed"`, 1)
	d := applied(t, compile(t, hcl), crmTables)
	insert, err := postgres.InsertKey(signingKey)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, d.admin, string(insert))
	execute(t, d.admin, fmt.Sprintf(`CREATE ROLE %[1]s_other; GRANT %[1]s_other TO postgres`, name))
	t.Cleanup(func() { execute(t, connect(t, d.url), "DROP ROLE "+name+"_other") })
	return d
}

func (d *database) token(t *testing.T, change func(*postgres.Token)) string {
	t.Helper()
	token := postgres.Token{
		Claims:   map[string]any{"id": "ann", "groups": []string{"reps"}, "app_metadata": map[string]any{"region": "EMEA"}},
		Database: d.name, Expires: time.Now().Add(10 * time.Minute),
	}
	change(&token)
	out, err := postgres.MintToken(signingKey, token)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func open(token string) func(pgx.Tx) error {
	return func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SELECT postern.open($1)", token)
		return err
	}
}

const allIDs = "SELECT id FROM deals ORDER BY id"

func TestSignedIdentity(t *testing.T) {
	t.Parallel()
	d := signed(t, "signed")
	conn := d.as(t, "signed_role")
	good := d.token(t, func(k *postgres.Token) { k.Role = "signed_role" })
	if got, err := try(conn, open(good), allIDs); err != nil || got != "1 2 5" {
		t.Errorf("sees %q, error %v", got, err)
	}
	if got, err := try(conn, func(pgx.Tx) error { return nil }, allIDs); err != nil || got != "5" {
		t.Errorf("the next transaction sees %q, error %v: want what an anonymous user sees", got, err)
	}
	if _, err := conn.Exec(ctx, "SELECT postern.open($1)", good); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM deals").Scan(&n); err != nil || n != 1 {
		t.Errorf("outside a transaction %d rows are seen, error %v", n, err)
	}
	if got, err := try(conn, open(d.token(t, func(k *postgres.Token) { k.Role, k.Claims = "signed_role", nil })), allIDs); err != nil || got != "5" {
		t.Errorf("a token of an anonymous user sees %q, error %v", got, err)
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	d := signed(t, "refused")
	conn := d.as(t, "refused_role")
	good := d.token(t, func(k *postgres.Token) { k.Role = "refused_role" })
	other, err := postgres.MintToken(postgres.Key{ID: 7, Secret: []byte(strings.Repeat("x", 32))},
		postgres.Token{Role: "refused_role", Database: d.name, Expires: time.Now().Add(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"expired":           d.token(t, func(k *postgres.Token) { k.Role, k.Expires = "refused_role", time.Now().Add(-time.Second) }),
		"another account":   d.token(t, func(k *postgres.Token) { k.Role = "refused_other" }),
		"no such account":   d.token(t, func(k *postgres.Token) { k.Role = "nobody here" }),
		"another database":  d.token(t, func(k *postgres.Token) { k.Role, k.Database = "refused_role", "postgres" }),
		"another key":       other,
		"unknown key":       strings.Replace(good, "v1.7.", "v1.8.", 1),
		"edited":            strings.Join([]string{parts[0], parts[1], "eyJ1c2VyIjp7ImlkIjoiYm9iIn19", parts[3]}, "."),
		"cut":               good[:len(good)-1],
		"empty":             "",
		"without signature": strings.Join(parts[:3], "."),
	} {
		if got, err := try(conn, open(token), allIDs); err == nil {
			t.Errorf("%s: sees %q, want an error", name, got)
		}
	}
	if _, err := conn.Exec(ctx, "SELECT postern.open(NULL)"); err == nil {
		t.Error("a null token is taken")
	}
}

// TestForgedSessions tries what a client that writes its own SQL could try.
func TestForgedSessions(t *testing.T) {
	t.Parallel()
	d := signed(t, "forged")
	conn := d.as(t, "forged_role")
	token := d.token(t, func(k *postgres.Token) { k.Role = "forged_role" })
	seal, err := try(conn, open(token), "SELECT current_setting('postern.identity')")
	if err != nil || !strings.HasPrefix(seal, "7.") {
		t.Fatalf("seal %q, error %v", seal, err)
	}
	set := func(value string) func(pgx.Tx) error {
		return func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, "SELECT set_config('postern.identity', $1, true), set_config('postern.claims', '{\"id\": \"ann\"}', true)", value)
			return err
		}
	}
	stale := strings.Split(seal, ".")
	var now string
	renew := func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT trunc(extract(epoch FROM transaction_timestamp()) * 1000000)::text").Scan(&now); err != nil {
			return err
		}
		return set(strings.Join([]string{stale[0], stale[1], stale[2], now, stale[4]}, "."))(tx)
	}
	for name, prepare := range map[string]func(pgx.Tx) error{
		"replayed seal": set(seal), "garbage": set("x"), "seal with a new time": renew,
		"another backend": func(tx pgx.Tx) error {
			other := d.as(t, "forged_role")
			foreign, err := try(other, open(token), "SELECT current_setting('postern.identity')")
			return errors.Join(err, set(foreign)(tx))
		},
	} {
		if got, err := try(conn, prepare, allIDs); err == nil || !strings.Contains(err.Error(), "identity of this session was changed") {
			t.Errorf("%s: sees %q, error %v", name, got, err)
		}
	}
	for _, empty := range []string{""} {
		if got, err := try(conn, set(empty), allIDs); err != nil || got != "5" {
			t.Errorf("an empty seal sees %q, error %v", got, err)
		}
	}
	for _, attack := range []string{
		"SELECT postern.mac(7, 'session:x')", "SELECT id FROM postern.keys", "SELECT postern.session()",
		"CREATE OR REPLACE FUNCTION postern.user_id() RETURNS text LANGUAGE sql AS 'SELECT ''bob'''",
		"ALTER FUNCTION postern.user_id() SET search_path = public", "SET ROLE postern_forged", "CREATE SCHEMA mine",
		"ALTER TABLE deals DISABLE ROW LEVEL SECURITY", "SET row_security = off; SELECT id FROM deals",
	} {
		if _, err := conn.Exec(ctx, attack, pgx.QueryExecModeSimpleProtocol); err == nil {
			t.Errorf("%s is allowed", attack)
		}
	}
	execute(t, conn, "RESET row_security")
}

// TestReadersOfAllData: the roles that Postgres gives all data read no keys.
func TestReadersOfAllData(t *testing.T) {
	t.Parallel()
	d := signed(t, "readall")
	execute(t, d.admin, "GRANT pg_read_all_data TO readall_role")
	conn := d.as(t, "readall_role")
	var n int
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM postern.keys").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d keys are read, error %v", n, err)
	}
}

func TestMintTokenRefuses(t *testing.T) {
	t.Parallel()
	full := postgres.Token{Role: "r", Database: "d", Expires: time.Now()}
	if _, err := postgres.MintToken(postgres.Key{ID: 1, Secret: []byte("short")}, full); !errors.Is(err, postgres.ErrKey) {
		t.Errorf("a short secret: %v", err)
	}
	if _, err := postgres.MintToken(postgres.Key{ID: -1, Secret: signingKey.Secret}, full); !errors.Is(err, postgres.ErrKey) {
		t.Errorf("a negative number: %v", err)
	}
	if _, err := postgres.MintToken(signingKey, postgres.Token{Role: "r", Database: "d"}); !errors.Is(err, postgres.ErrToken) {
		t.Errorf("no expiry: %v", err)
	}
}

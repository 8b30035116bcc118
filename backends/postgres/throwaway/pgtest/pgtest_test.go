package pgtest_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func TestDatabasesAreApart(t *testing.T) {
	t.Parallel()
	first, second := pgtest.Database(t), pgtest.Database(t)
	run(t, first, "CREATE TABLE only_here (id int)")
	if got := value(t, second, "SELECT count(*)::text FROM pg_class WHERE relname = 'only_here'"); got != "0" {
		t.Errorf("the second database sees the first one's table: %s", got)
	}
}

func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var name string
	// Not parallel: its cleanup must be over before this test goes on.
	ok := t.Run("inner/with-Ünïcode and a name that is far longer than sixty-three bytes", func(t *testing.T) {
		name = value(t, pgtest.Database(t), "SELECT current_database()")
	})
	if !ok {
		t.FailNow()
	}
	got := value(t, pgtest.Server(t).URL("postgres"), "SELECT count(*)::text FROM pg_database WHERE datname = '"+name+"'")
	if diff := cmp.Diff("0", got); diff != "" {
		t.Errorf("database %s is still there (-want +got):\n%s", name, diff)
	}
}

func TestIsolatedHasItsOwnRoles(t *testing.T) {
	t.Parallel()
	own := pgtest.Isolated(t)
	run(t, own.URL("postgres"), "CREATE ROLE only_here")
	if got := value(t, pgtest.Server(t).URL("postgres"), "SELECT count(*)::text FROM pg_roles WHERE rolname = 'only_here'"); got != "0" {
		t.Errorf("the shared cluster sees the isolated one's role: %s", got)
	}
}

func run(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func value(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	var v string
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return v
}

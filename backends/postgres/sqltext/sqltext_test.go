package sqltext_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

var hostileTexts = []string{
	"", "a", "PUBLIC", "public", "user", "select", `"`, `""`, `'`, `''`, `\`, `\'`, `'; drop table x; --`, `"; drop table x; --`,
	"$$", "$postern$", "/* */", "--", "\n", "\r\n", "\t", "é", "e\u0301", "\U0010ffff", "\u202e", "%s", ":'x'", `:"DBNAME"`, "{{1}}",
	strings.Repeat("a", 63), strings.Repeat("é", 31), strings.Repeat(`"`, 63), `E'\n'`, "U&'x'", "\x01", "\ufeff", "x.y",
}

func connect(t testing.TB) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	return conn
}

// ask asks the server for what it makes of a literal or of an expression, and
// of a name.
func ask(t testing.TB, conn *pgx.Conn, text string) {
	t.Helper()
	literal, err := sqltext.Literal(text)
	if err != nil {
		t.Fatal(err)
	}
	printed, err := sqltext.Print(sqltext.Const{Text: text, Type: sqltext.Builtin("text")})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []sqltext.SQL{literal, printed} {
		if got := one(t, conn, "SELECT "+sql); got != text {
			t.Errorf("literal %s is read as %q, want %q", sql, got, text)
		}
	}
	name, err := sqltext.Ident(text)
	if err != nil {
		if text != "" && len(text) <= sqltext.MaxIdent {
			t.Errorf("name %q: %v", text, err)
		}
		return
	}
	bare, err := sqltext.Print(sqltext.Column{Name: text})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []sqltext.SQL{name, bare} {
		results, err := conn.PgConn().Exec(t.Context(), "SELECT 1 AS "+string(sql)).ReadAll()
		if err != nil {
			t.Fatalf("name %s: %v", sql, err)
		}
		if got := results[0].FieldDescriptions[0].Name; got != text {
			t.Errorf("name %s is read as %q, want %q", sql, got, text)
		}
	}
	if got := one(t, conn, "SELECT quote_ident("+literal+")"); got != string(bare) && got != string(name) {
		t.Errorf("name %s: Postgres writes %s", bare, got)
	}
}

func one(t testing.TB, conn *pgx.Conn, sql sqltext.SQL) string {
	t.Helper()
	results, err := conn.PgConn().Exec(t.Context(), string(sql)).ReadAll()
	if err != nil || len(results) != 1 || len(results[0].Rows) != 1 {
		t.Fatalf("%s: %v", sql, err)
	}
	return string(results[0].Rows[0][0])
}

func TestHostileTexts(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	for _, text := range hostileTexts {
		ask(t, conn, text)
	}
}

func TestRefusedTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"": sqltext.ErrIdentEmpty, strings.Repeat("a", 64): sqltext.ErrIdentLong, "a\x00b": sqltext.ErrNUL, "\xff": sqltext.ErrUTF8,
	} {
		if _, err := sqltext.Ident(text); !errors.Is(err, want) {
			t.Errorf("name %q: %v, want %v", text, err, want)
		}
	}
	for text, want := range map[string]error{"a\x00b": sqltext.ErrNUL, "\xff": sqltext.ErrUTF8} {
		if _, err := sqltext.Literal(text); !errors.Is(err, want) {
			t.Errorf("literal %q: %v, want %v", text, err, want)
		}
		var b sqltext.Builder
		if _, err := b.Literal(text).SQL(); !errors.Is(err, want) {
			t.Errorf("built literal %q: %v, want %v", text, err, want)
		}
	}
}

func FuzzTexts(f *testing.F) {
	for _, s := range hostileTexts {
		f.Add(s)
	}
	conn, err := pgx.Connect(f.Context(), pgtest.Database(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := sqltext.Literal(text); err != nil {
			if !strings.ContainsRune(text, 0) && !errors.Is(err, sqltext.ErrUTF8) {
				t.Errorf("literal %q: %v", text, err)
			}
			return
		}
		ask(t, conn, text)
	})
}

// TestTypeNames reads types as the server prints them, and prints them alike.
func TestTypeNames(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	const setup = `CREATE SCHEMA "Odd ""schema"; CREATE TYPE "Odd ""schema"."My Enum" AS ENUM ('a'); CREATE DOMAIN public.dm AS text; SET search_path = pg_catalog`
	if _, err := conn.PgConn().Exec(t.Context(), setup).ReadAll(); err != nil {
		t.Fatal(err)
	}
	for _, typ := range []string{
		"bigint", "character varying(40)", "character(5)", "numeric(12,2)", "timestamp(3) with time zone", "timestamp without time zone",
		"text[]", "numeric(12,2)[]", `"Odd ""schema"."My Enum"`, `"Odd ""schema"."My Enum"[]`, "public.dm", "double precision", "timestamp(0) without time zone",
	} {
		parsed, err := sqltext.ParseType(typ)
		if err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		if got := string(parsed.SQL()); got != typ {
			t.Errorf("%s is printed as %s", typ, got)
		}
		if _, err := conn.PgConn().Exec(t.Context(), "SELECT NULL::"+string(parsed.SQL())).ReadAll(); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
	}
	for _, bad := range []string{"", "text; drop table x", `"a`, "a.b.c", "text(", "text)", "numeric(a)", `x"y`, "Foo", "int)("} {
		if got, err := sqltext.ParseType(bad); err == nil {
			t.Errorf("%q is read as %s", bad, got.SQL())
		}
	}
}

package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// hostileNames are role names that look like parts of an access list.
var hostileNames = []string{
	"plain", "PUBLIC", "Mixed Case", `quo"te`, `"`, `""`, `back\\slash`, `\`, "com,ma", "a=r/b", "=", "/", "*", "{}", "}", "NULL", "null",
	"é", "☃ naïve", " lead", "tail ", "tab\tnew\nline", "group x", "12345", "'", "$1", strings.Repeat("é", 31) + `"`,
}

// aclRows lists a parsed access list as aclexplode does.
func aclRows(items []aclItem) []string {
	var out []string
	for _, item := range items {
		item.rights.each(func(bit rights, p Privilege) {
			out = append(out, fmt.Sprintf("%q %v %s %v %q", item.grantee.Role, item.grantee.Public, p, item.option&bit != 0, item.grantor))
		})
	}
	slices.Sort(out)
	return out
}

// TestParseACLAgainstServer has a server print access lists with hostile names
// in all places, and take them apart itself.
func TestParseACLAgainstServer(t *testing.T) {
	t.Parallel()
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, "CREATE TABLE public.acl (a int, b int)")
	prefix := pgName(t)
	names := make([]string, len(hostileNames))
	for i, n := range hostileNames {
		// Roles are the cluster's; other tests run beside this one.
		names[i] = n + prefix
		if len(names[i]) > 63 {
			names[i] = prefix + "é" + `"`
		}
		role := quoted(t, names[i])
		execute(t, conn, "CREATE ROLE "+role+"; GRANT SELECT (a), UPDATE (b), INSERT ON public.acl TO "+role+" WITH GRANT OPTION")
		if i > 0 {
			execute(t, conn, "SET ROLE "+quoted(t, names[i-1])+"; GRANT INSERT ON public.acl TO "+role+", PUBLIC; RESET ROLE")
		}
		execute(t, conn, "GRANT SELECT, DELETE, TRUNCATE, REFERENCES, TRIGGER ON public.acl TO "+role)
	}
	t.Cleanup(func() {
		for _, n := range names {
			_, err := conn.Exec(context.WithoutCancel(t.Context()), "DROP OWNED BY "+quoted(t, n)+" CASCADE; DROP ROLE "+quoted(t, n))
			if err != nil {
				t.Error(err)
			}
		}
	})
	for _, list := range []string{
		"SELECT relacl FROM pg_class WHERE oid = 'public.acl'::regclass",
		"SELECT attacl FROM pg_attribute WHERE attrelid = 'public.acl'::regclass AND attname = 'a'",
		"SELECT attacl FROM pg_attribute WHERE attrelid = 'public.acl'::regclass AND attname = 'b'",
	} {
		var text string
		if err := conn.QueryRow(t.Context(), "SELECT ("+list+")::text").Scan(&text); err != nil {
			t.Fatal(err)
		}
		items, err := parseACL(text)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		found, err := conn.Query(t.Context(), "SELECT CASE WHEN grantee <> 0 THEN pg_get_userbyid(grantee) ELSE '' END, grantee = 0,"+
			" privilege_type, is_grantable, pg_get_userbyid(grantor) FROM aclexplode(("+list+"))")
		if err != nil {
			t.Fatal(err)
		}
		for found.Next() {
			var grantee, privilege, grantor string
			var public, grantable bool
			if err := found.Scan(&grantee, &public, &privilege, &grantable, &grantor); err != nil {
				t.Fatal(err)
			}
			want = append(want, fmt.Sprintf("%q %v %s %v %q", grantee, public, privilege, grantable, grantor))
		}
		if err := found.Err(); err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, aclRows(items)); diff != "" || len(want) < len(names) {
			t.Errorf("%s\n%s\n(-server +parsed):\n%s", list, text, diff)
		}
	}
}

// pgName is a text that no other run's roles carry.
func pgName(t testing.TB) string {
	t.Helper()
	var name string
	if err := connect(t, pgtest.Database(t)).QueryRow(t.Context(), "SELECT '_' || oid FROM pg_database WHERE datname = current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestParseACLKeepsNames writes items as Postgres does and reads them again.
func TestParseACLKeepsNames(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[ -~é☃\n\t]{1,8}`)
		want := rapid.SliceOf(rapid.Custom(func(t *rapid.T) aclItem {
			item := aclItem{grantee: ToRole(name.Draw(t, "grantee")), grantor: name.Draw(t, "grantor")}
			if rapid.Bool().Draw(t, "public") {
				item.grantee = Public()
			}
			item.rights = rights(rapid.Uint32Range(0, 1<<len(aclLetters)-1).Draw(t, "rights"))
			item.option = item.rights & rights(rapid.Uint32().Draw(t, "option"))
			return item
		})).Draw(t, "items")
		text := make([]string, len(want))
		for i, item := range want {
			text[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printItem(item)) + `"`
		}
		got, err := parseACL("{" + strings.Join(text, ",") + "}")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(want) || !slices.Equal(got, want) {
			t.Fatalf("%v\n%v", want, got)
		}
	})
}

func printItem(item aclItem) string {
	quote := func(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
	out := ""
	if !item.grantee.Public {
		out = quote(item.grantee.Role)
	}
	out += "="
	for i := range len(aclLetters) {
		bit := rights(1) << i
		if item.rights&bit != 0 {
			out += aclLetters[i : i+1]
		}
		if item.option&bit != 0 {
			out += "*"
		}
	}
	return out + "/" + quote(item.grantor)
}

// FuzzParseACL looks for texts that are neither read nor refused.
func FuzzParseACL(f *testing.F) {
	for _, seed := range []string{`{}`, `{postgres=arwd/postgres,=r*/"a b"}`, `{"\"a \"\"b\"=r/x"}`, `{a}`, `{,}`, `{"}`, `{a=*/b}`, `{a=Q/b}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items, err := parseACL(text)
		if err != nil && !errors.Is(err, errACL) || err != nil && items != nil {
			t.Errorf("%q: %v %v", text, items, err)
		}
		for _, item := range items {
			if item.option&^item.rights != 0 || item.grantee.Public && item.grantee.Role != "" {
				t.Errorf("%q: %+v", text, item)
			}
		}
	})
}

package postgres_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestUpgrade: a database that an earlier version made is brought to what this
// one makes by one plan, after which there is nothing left to do, and its
// users see what they saw. testdata/before/apply.sql holds the statements that
// the earlier version's apply ran.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join("testdata", "before", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	d := &database{url: pgtest.Database(t)}
	d.admin = connect(t, d.url)
	d.name = d.admin.Config().Database
	execute(t, d.admin, read("tables.sql"))
	execute(t, d.admin, strings.ReplaceAll(read("apply.sql"), `"DATABASE"`, `"`+d.name+`"`))
	app := loginOf(t, d, "before_role")
	sights := func() (out []string) {
		for _, claims := range []string{
			``, `{"id": "ann"}`, `{"id": "bob", "access_level": "superuser"}`, `{"id": "cy", "groups": ["managers"], "app_metadata": {"region": "EMEA"}}`,
			`{"id": "moved"}`, `{"id": "dan", "groups": ["reps"], "regions": ["APAC"]}`, `{"id": "ann", "access_level": "nobody"}`,
		} {
			for _, query := range []string{"SELECT id FROM deals ORDER BY id", "SELECT ssn FROM people ORDER BY id", "UPDATE deals SET owner = owner RETURNING id"} {
				out = append(out, claims+": "+values(t, app, claims, query))
			}
		}
		return out
	}
	before := strings.Join(sights(), "\n")
	applyTo(t, d.admin, compile(t, read("project.hcl"))) // plans again, and finds nothing
	if after := strings.Join(sights(), "\n"); after != before {
		t.Errorf("before\n%s\nafter\n%s", before, after)
	}
	for _, want := range []string{"ann\"}: 1 2\n", "superuser\"}: 1 2 3 4 5\n", "moved\"}: 1 2\n"} {
		if !strings.Contains(before, want) {
			t.Errorf("%q is not in\n%s", want, before)
		}
	}
}

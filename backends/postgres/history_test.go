package postgres

import (
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestLastApplied: the last apply can be read back, by those who may; a history
// that an older version made is given the column that it lacks.
func TestLastApplied(t *testing.T) {
	t.Parallel()
	url := pgtest.Database(t)
	conn := connect(t, url)
	f := plainFixture("last")
	execute(t, conn, f.ddl())
	if a, err := LastApplied(t.Context(), conn); a != nil || err != nil {
		t.Fatalf("before the first apply: %+v, %v", a, err)
	}
	first := makePlan(t, conn, f.state())
	apply(t, conn, first)
	hash, err := first.Hash()
	if err != nil {
		t.Fatal(err)
	}
	a, err := LastApplied(t.Context(), conn)
	if err != nil || a == nil {
		t.Fatalf("%+v, %v", a, err)
	}
	if a.Program != "# program" || a.Revision != "abc" || a.Actor != "tester" || a.Plan != hash || a.Project != f.state().Project ||
		a.Unreadable || time.Since(a.At).Abs() > time.Hour {
		t.Errorf("%+v", a)
	}

	execute(t, conn, "ALTER TABLE postern.history DROP COLUMN program")
	if a, err := LastApplied(t.Context(), conn); err != nil || a.Program != "" || a.Revision != "abc" {
		t.Errorf("without a program: %+v, %v", a, err)
	}
	apply(t, conn, makePlan(t, conn, f.state()))
	requireEmpty(t, conn, f.state())
	if a, err := LastApplied(t.Context(), conn); err != nil || a.Program != "# program" {
		t.Errorf("after it was given the column: %+v, %v", a, err)
	}
	if got := rows(t, conn, "SELECT count(*) FROM postern.history WHERE program = ''"); got[0] != "1" {
		t.Errorf("%s older rows", got[0])
	}

	execute(t, conn, "SET ROLE "+printed(RoleID(f.account)))
	if a, err := LastApplied(t.Context(), conn); err != nil || !a.Unreadable || a.Program != "" {
		t.Errorf("without rights: %+v, %v", a, err)
	}
}

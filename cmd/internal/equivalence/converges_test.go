package equivalence_test

import (
	"fmt"
	"testing"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/testdb"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/cmd/internal/equivalence"
)

// TestConverges applies random programs, on columns of all native types: a plan
// after that is empty.
func TestConverges(t *testing.T) {
	t.Parallel()
	server := pgtest.Isolated(t)
	done := 0
	for seed := 5000; done < 12; seed++ {
		p, text, _, _, err := equivalence.Source(seed)
		if err != nil {
			t.Fatal(err)
		}
		if (postgres.Emitter{}).Audit(p).HasErrors() {
			continue // not all can be said to Postgres
		}
		done++
		db, err := testdb.Open(t.Context(), server, p, fmt.Sprintf("settle_%d", seed))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, text)
		}
		left, err := db.Left(t.Context())
		if err != nil {
			t.Errorf("seed %d: %v\n%s", seed, err, text)
		}
		for _, pl := range left {
			for _, c := range pl.Changes {
				before, after := plan.Texts(c)
				t.Errorf("seed %d: %s\n- %s\n+ %s\n%s", seed, c.What().Object, before, after, text)
			}
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

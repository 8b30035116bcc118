package postgres_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
)

// TestHashMaskRemoved: the key goes with the last view that shows hashes, and
// comes back with the next.
func TestHashMaskRemoved(t *testing.T) {
	t.Parallel()
	plain := project(crm, "unhashed")
	masked := plain + `
mask "region" {
  on      = [table.crm.deals]
  columns = ["region"]
  with    = MASK
}
`
	hashed := strings.Replace(strings.Replace(masked, "MASK", "hash()", 1), `project = "unhashed"`, `
  project  = "unhashed"
  hash_key = env("HASH_KEY")
`, 1)
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, crmTables)
	for _, step := range []struct {
		hcl  string
		kept bool
	}{{hashed, true}, {strings.Replace(masked, "MASK", `redact("x")`, 1), false}, {hashed, true}, {plain, false}} {
		applyTo(t, conn, compile(t, step.hcl))
		var kept bool
		if err := conn.QueryRow(ctx, "SELECT to_regclass('postern.hash_key') IS NOT NULL").Scan(&kept); err != nil {
			t.Fatal(err)
		}
		if kept != step.kept {
			t.Errorf("the key is stored: %t", kept)
		}
	}
}

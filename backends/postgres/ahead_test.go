package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler/model"
)

// What is read ahead of the desired state is what is read after it: the plans
// are the same, also where tables that are no longer declared are read besides.
func TestReadAhead(t *testing.T) {
	t.Parallel()
	both := compileText(t, strings.ReplaceAll(toOne, "single", "ahead"))
	alone := compileText(t, strings.ReplaceAll(toOne, "single", "ahead"))
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, "CREATE TABLE accounts (id text, part bigint, owner text, PRIMARY KEY (id, part)); CREATE TABLE deals (id bigint PRIMARY KEY, account text, part bigint);"+
		"CREATE TABLE heirs () INHERITS (deals); GRANT SELECT ON deals TO PUBLIC")
	for step, p := range []*model.Program{both, both, alone} {
		if step == 2 { // accounts has policies still, and is not declared
			p.Datasources[0].Tables = p.Datasources[0].Tables[:0]
		}
		opts := PlanOptions{Datasource: p.Datasources[0], Created: time.Unix(0, 0), Secrets: testSecrets("pw")}
		want, diags := Desired(p, p.Datasources[0])
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		plain, _, err := MakePlan(t.Context(), conn, want, opts)
		if err != nil {
			t.Fatal(err)
		}
		_, ahead, _, err := PlanFor(t.Context(), conn, p, opts)
		if err != nil {
			t.Fatal(err)
		}
		if plain.Fingerprint != ahead.Fingerprint || describe(plain) != describe(ahead) || plain.Empty() != (step == 1) {
			t.Errorf("step %d: read ahead\n%s\nplain\n%s", step, describe(ahead), describe(plain))
		}
		apply(t, conn, ahead)
	}
}

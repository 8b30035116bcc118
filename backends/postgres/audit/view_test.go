package audit_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/audit"
)

// veiled is the project with a mask and a report, and so with views.
const veiled = project + `
mask "body" {
  description = "d"
  on          = [table.crm.accounts]
  columns     = ["owner"]
  with        = last(1)
}
policy "accounts" {
  description = "d"
  on    = [table.crm.accounts]
  to    = [access_level.user]
  allow = [view]
}
report "hers" {
  description = "d"
  from        = table.crm.deals
  where       = record.owner == "ann"
  to          = [access_level.user]
}
`

// Views as the project made them are no way past the protection; what was made
// of them by hand is.
func TestViewsOfTheProject(t *testing.T) {
	t.Parallel()
	g := applyProject(t, "a_veiled", veiled)
	told := func() (out []string) {
		for _, f := range g.audit(t).Findings {
			if f.Severity.AtLeast(audit.Low) && (f.Declared || strings.Contains(f.Object.String(), "a_veiled")) {
				out = append(out, f.Rule+" "+f.Object.String())
			}
		}
		return out
	}
	if got := told(); got != nil {
		t.Errorf("as it was applied: %q", got)
	}
	g.run(t, `CREATE OR REPLACE VIEW a_veiled_app_views.accounts AS SELECT id, owner FROM accounts`)
	if got := strings.Join(told(), "; "); !strings.Contains(got, "a_veiled_app_views") {
		t.Errorf("after the mask was taken out by hand: %q", got)
	}
}

package postgres_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/postgres"
)

// threeAccounts has two accounts that get the same, and one that only reads.
const threeAccounts = `
postern { project = "shared" }
identity {
  attribute "id" { type = string }
}
datasource "main" {
  type     = "postgres"
  identity = "setting"
  owner    = "bound"
}
service_account "shared_b" {
  description = "B"
  datasource  = datasource.main
}
service_account "shared_a" {
  description = "A"
  datasource  = datasource.main
}
service_account "shared_c" {
  description = "C"
  datasource  = datasource.main
  read_only   = true
}
app "reader" {
  description = "Reads"
  users       = [everyone]
  connect {
    datasource      = datasource.main
    service_account = service_account.shared_c
    as              = "user"
  }
}
app "a" {
  description = "Reads and removes"
  users       = [everyone]
  connect {
    datasource      = datasource.main
    service_account = service_account.shared_a
    as              = "user"
  }
}
app "b" {
  description = "The same"
  users       = [everyone]
  connect {
    datasource      = datasource.main
    service_account = service_account.shared_b
    as              = "user"
  }
}
table "main" "t" {
  column "id"    { type = string }
  column "owner" { type = string }
  primary_key = ["id"]
}
policy "read" {
  description = "Everybody reads what is theirs."
  on          = [table.main.t]
  to          = [everyone]
  allow       = [view]
  when        = record.owner == user.id
}
policy "remove" {
  description = "Through two apps, everybody removes what is theirs."
  on          = [table.main.t]
  to          = [everyone]
  via         = [app.a, app.b]
  allow       = [delete]
  when        = record.owner == user.id
}
`

// TestAccountsShare checks that what several accounts get alike is said once.
func TestAccountsShare(t *testing.T) {
	t.Parallel()
	p := compile(t, threeAccounts)
	state, diags := postgres.Desired(p, p.Datasources[0])
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for id, policy := range state.Policies {
		for _, to := range policy.To {
			got[id.Sub] = append(got[id.Sub], to.Role)
		}
	}
	want := map[string][]string{
		"postern_shared_a_view":   {"shared_a", "shared_b", "shared_c"},
		"postern_shared_a_delete": {"shared_a", "shared_b"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	script, err := postgres.Script(state, "main", "")
	if err != nil {
		t.Fatal(err)
	}
	var grants []string
	for line := range strings.Lines(string(script)) {
		if strings.HasPrefix(line, "GRANT") && strings.Contains(line, ` ON TABLE "public"`) {
			grants = append(grants, strings.TrimSpace(line))
		}
	}
	wantGrants := []string{
		`GRANT DELETE, SELECT ("id", "owner") ON TABLE "public"."t" TO "shared_a", "shared_b";`,
		`GRANT SELECT ("id", "owner") ON TABLE "public"."t" TO "shared_c";`,
	}
	if diff := cmp.Diff(wantGrants, grants); diff != "" {
		t.Errorf("grants (-want +got):\n%s\npolicies: %v", diff, slices.Sorted(maps.Keys(got)))
	}
}

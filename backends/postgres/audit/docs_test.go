package audit_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/backends/postgres/audit"
)

// docs/audit.md says what the rules say.
func TestRulesAreDocumented(t *testing.T) {
	t.Parallel()
	const file, mark = "../../../docs/audit.md", "<!-- rules -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(data), mark)
	if !found {
		t.Fatalf("%s has no %q", file, mark)
	}
	var b strings.Builder
	b.WriteString(head + mark)
	for _, r := range audit.Rules() {
		fmt.Fprintf(&b, "\n### `%s`\n\n**%s.** %s %s\n\n| | |\n|---|---|\n| example | `%s` |\n| fix | %s |\n",
			r.Name, strings.ToUpper(string(r.Severity[:1]))+string(r.Severity[1:]), r.Summary, r.Reason, r.Example, r.Fix)
	}
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(data), b.String()); diff != "" {
		t.Errorf("%s (-is +want):\n%s", file, diff)
	}
}

package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/lint"
)

// TestLints holds lints.md to the rules: each has its section in their order,
// with what the rule says of itself, and an example that gives exactly its
// finding. What stands before the rules gives none.
func TestLints(t *testing.T) {
	t.Parallel()
	lines := pages(t)["lints.md"]
	found, err := examples("lints.md", lines)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{} // findings by section
	for _, e := range found {
		section := sectionOf(lines, e.line)
		got[section] = append(got[section], lintOf(t, e)...)
	}
	at := 0
	for _, r := range lint.Rules() {
		i := slices.Index(lines, "### `"+r.Name+"`")
		if i < at {
			t.Fatalf("%s has no section, or not in its place", r.Name)
		}
		at = i
		if want := "**" + r.Summary + "** " + r.Reason; lines[i+2] != want {
			t.Errorf("lints.md:%d: want %s", i+3, want)
		}
		if list := got[r.Name]; !slices.Equal(list, []string{r.Name}) {
			t.Errorf("the example of %s gives %v", r.Name, list)
		}
		delete(got, r.Name)
	}
	for section, list := range got {
		if len(list) > 0 {
			t.Errorf("the examples of %q give %v", section, list)
		}
	}
}

// sectionOf is the rule that a line of the page is about, "" before the rules.
func sectionOf(lines []string, line int) string {
	for _, l := range slices.Backward(lines[:line]) {
		if name, ok := strings.CutPrefix(l, "### `"); ok {
			return strings.TrimSuffix(name, "`")
		}
	}
	return ""
}

func lintOf(t *testing.T, e example) []string {
	t.Helper()
	set, err := e.set()
	if err != nil {
		t.Fatal(err)
	}
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	report, err := lint.Run(t.Context(), p, set, lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range report.Findings {
		out = append(out, f.Rule)
	}
	return out
}

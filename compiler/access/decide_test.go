package access_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/compiler/access"
)

// TestCases compares the two programs of each case: shared.hcl with before.hcl,
// and with after.hcl.
func TestCases(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../testdata/access/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			arch, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			file := func(name string) string {
				for _, f := range arch.Files {
					if f.Name == name {
						return string(f.Data)
					}
				}
				return ""
			}
			before, after := compile(t, file("shared.hcl")+file("before.hcl")), compile(t, file("shared.hcl")+file("after.hcl"))
			d, err := access.Compare(t.Context(), before, after, access.Options{})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, path, arch, report(d))
		})
	}
}

func golden(t *testing.T, path string, arch *txtar.Archive, got string) {
	t.Helper()
	i := slices.IndexFunc(arch.Files, func(f txtar.File) bool { return f.Name == "want" })
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if i < 0 {
			arch.Files = append(arch.Files, txtar.File{Name: "want"})
			i = len(arch.Files) - 1
		}
		arch.Files[i].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(arch), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if i < 0 {
		t.Fatal("the case has no want; fill it in with UPDATE_GOLDEN=1")
	}
	if d := cmp.Diff(string(arch.Files[i].Data), got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

func report(d *access.Diff) string {
	var b strings.Builder
	for _, c := range d.Changes {
		fmt.Fprintf(&b, "%s %s", c.Verdict, c)
		if len(c.Apps) > 0 {
			fmt.Fprintf(&b, " through %s", strings.Join(c.Apps, ", "))
		}
		for _, s := range c.Spans {
			fmt.Fprintf(&b, " %d", s.Start.Line)
		}
		b.WriteString("\n")
		for _, r := range c.Removed {
			fmt.Fprintln(&b, "  removed", r.Object, r.Span)
		}
		for _, r := range c.Added {
			fmt.Fprintln(&b, "  added", r.Object, r.Span)
		}
		if c.Gained != nil {
			fmt.Fprintln(&b, "  gained by", c.Gained)
		}
		if c.Lost != nil {
			fmt.Fprintln(&b, "  lost by", c.Lost)
		}
		if c.Reason != "" {
			fmt.Fprintln(&b, "  because", c.Reason)
		}
	}
	fmt.Fprintf(&b, "same %d\n", d.Same)
	return b.String()
}

package lint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/lint"
	"github.com/postern-dev/postern/lang/source"
)

// TestCases runs every case of testdata/lint: a project, and in `want` what is
// found in it.
func TestCases(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../testdata/lint/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			arch, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			set := &source.Set{}
			for _, f := range arch.Files {
				if f.Name != "want" {
					set.Files = append(set.Files, source.File{Name: f.Name, Data: f.Data})
				}
			}
			golden(t, path, arch, run(t, set))
		})
	}
}

// run is what is found in a project, as text.
func run(t *testing.T, set *source.Set) string {
	t.Helper()
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	report, err := lint.Run(t.Context(), p, set, lint.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, f := range append(report.Findings, report.Ignored...) {
		fmt.Fprintf(&out, "%s %s %s %s\n  %s\n", f.Span, f.Rule, f.Object, f.Table, f.Message)
		if f.Proof != nil {
			fmt.Fprintf(&out, "  proven: %d of %s\n", f.Proof.Cells, strings.Join(f.Proof.Each, ", "))
		}
		for _, r := range f.Related {
			fmt.Fprintf(&out, "  %s %s %s\n", r.Span, r.Object, r.Message)
		}
		if f.Witness != nil {
			fmt.Fprintf(&out, "  %s\n  %s\n", f.Example, f.Witness)
		}
		if f.Ignored != "" {
			fmt.Fprintf(&out, "  ignored: %s\n", f.Ignored)
		}
	}
	return strings.ReplaceAll(out.String(), " \n", "\n")
}

func golden(t *testing.T, path string, arch *txtar.Archive, got string) {
	t.Helper()
	i := slices.IndexFunc(arch.Files, func(f txtar.File) bool { return f.Name == "want" })
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if i < 0 {
			arch.Files = append(arch.Files, txtar.File{})
			i = len(arch.Files) - 1
		}
		arch.Files[i] = txtar.File{Name: "want", Data: []byte(got)}
		if err := os.WriteFile(path, txtar.Format(arch), 0o644); err != nil {
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

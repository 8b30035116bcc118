package targets_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// TestTargetDiagnostics pins what targets say of projects that they cannot
// carry: each code with its exact place and text.
func TestTargetDiagnostics(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../../testdata/diag-targets/*.txtar")
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
			set := &source.Set{Files: []source.File{{Name: arch.Files[0].Name, Data: arch.Files[0].Data}}}
			p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
			if p == nil {
				t.Fatal(diags)
			}
			var out bytes.Buffer
			if err := diag.Render(&out, targets.Audit(p, targets.Names()), set, diag.RenderOptions{}); err != nil {
				t.Fatal(err)
			}
			expectation(t, path, arch, out.String())
		})
	}
}

func expectation(t *testing.T, path string, arch *txtar.Archive, got string) {
	t.Helper()
	i := slices.IndexFunc(arch.Files, func(f txtar.File) bool { return f.Name == "want" })
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if i < 0 {
			arch.Files = append(arch.Files, txtar.File{Name: "want"})
			i = len(arch.Files) - 1
		}
		arch.Files[i].Data = []byte(got)
		if err := os.WriteFile(path, txtar.Format(arch), 0o644); err != nil { // #nosec G306 -- a case in the repository
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

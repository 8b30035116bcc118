package targets_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/source"
)

// TestEquivalenceCases runs the cases of testdata/equivalence on the evaluator
// and on every target that can express their project: the test blocks, and the
// one question of a case.json.
func TestEquivalenceCases(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"*.txtar", "found/*.txtar"} {
		found, err := filepath.Glob("../../../testdata/equivalence/" + pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no cases: %v", err)
		}
		files = append(files, found...)
	}
	fleet := targets.NewFleet(targets.Names())
	t.Cleanup(func() {
		if err := fleet.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, file := range files {
		runCase(t, fleet, file)
	}
}

func runCase(t *testing.T, fleet *targets.Fleet, file string) {
	t.Helper()
	name := filepath.Base(file)
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	set := &source.Set{}
	var question []byte
	for _, f := range archive.Files {
		if f.Name == "case.json" {
			question = f.Data
		} else if strings.HasSuffix(f.Name, ".hcl") {
			set.Files = append(set.Files, source.File{Name: f.Name, Data: f.Data})
		}
	}
	p, tests, diags := compiler.CompileTests(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Errorf("%s: %v", name, diags)
		return
	}
	if question == nil && len(tests) == 0 {
		t.Errorf("%s: it has no test and no case.json", name)
	}
	if len(tests) > 0 {
		engines, err := targets.Engines(t.Context(), p, targets.Names())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		results, err := testrun.Run(t.Context(), p, tests, engines.All)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, r := range results {
			for _, f := range r.Failures {
				t.Errorf("%s: %s: %s: %s", name, r.Name, f.Target, f.Message)
			}
		}
		if err := engines.Close(); err != nil {
			t.Error(err)
		}
	}
	if question == nil {
		return
	}
	c, err := verify.ParseCase(question)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	out, err := verify.Ask(t.Context(), p, c, fleet.Starter())
	switch {
	case err != nil:
		t.Errorf("%s: %v", name, err)
	case len(out.Differ) > 0:
		t.Errorf("%s: the evaluator says %v %v, and not %v", name, out.Allowed, out.Columns, out.Differ)
	case out.Allowed != c.Allowed || !slices.Equal(out.Columns, c.Columns):
		t.Errorf("%s: the evaluator says %v %v, the case %v %v", name, out.Allowed, out.Columns, c.Allowed, c.Columns)
	}
}

package targets_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/source"
)

// All engines agree about generated users and records of the projects that are
// here.
func TestVerifyProjects(t *testing.T) {
	t.Parallel()
	fleet := targets.NewFleet(targets.Names())
	t.Cleanup(func() {
		if err := fleet.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, set := range projects(t) {
		p, diags := compiler.Compile(context.Background(), set, compiler.Inputs{})
		if p == nil {
			t.Fatalf("%s: %v", name, diags)
		}
		begin := time.Now()
		engines, err := fleet.Start(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		started := time.Since(begin)
		report, err := verify.Run(t.Context(), p, engines.All, verify.Options{Seed: 1, Budget: 3000})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if report.Found != nil {
			t.Errorf("%s: %v\nrequest %v\nrecord %v", name, report.Found, report.Found.Request, report.Found.World.Records[report.Found.Table][max(report.Found.Old, report.Found.New)].Doc)
		}
		t.Logf("%s: start %v, %d decisions (%d allowed) in %v, targets %v, left out %v", name, started, report.Decisions, report.Allowed, report.Elapsed, report.Targets, engines.LeftOut)
		for _, c := range append(report.Policies, report.Guards...) {
			if c.Yes == 0 || c.No == 0 {
				t.Logf("   %s: yes %d, no %d", c.Name, c.Yes, c.No)
			}
		}
		if err := engines.Close(); err != nil {
			t.Error(err)
		}
	}
}

func projects(t *testing.T) map[string]*source.Set {
	t.Helper()
	out := map[string]*source.Set{}
	cases, err := filepath.Glob("../../../testdata/equivalence/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		archive, err := txtar.ParseFile(c)
		if err != nil {
			t.Fatal(err)
		}
		set := &source.Set{}
		for _, f := range archive.Files {
			if strings.HasSuffix(f.Name, ".hcl") && !strings.HasSuffix(f.Name, ".test.hcl") {
				set.Files = append(set.Files, source.File{Name: f.Name, Data: f.Data})
			}
		}
		out[filepath.Base(c)] = set
	}
	for _, example := range []string{"low-code", "llm-apps", "game-backend"} {
		set, err := source.FromDir(filepath.Join("../../../examples", example))
		if err != nil {
			t.Fatal(err)
		}
		out[example] = set
	}
	return out
}

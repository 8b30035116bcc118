package print_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// A printed program compiles, and is then printed the same.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	sets := map[string]*source.Set{}
	for _, pattern := range []string{"../../testdata/equivalence/*.txtar", "../../testdata/compile/whole.txtar", "../../testdata/compile/modules.txtar", "../../testdata/compile/fleet.txtar"} {
		cases, err := filepath.Glob(pattern)
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
			sets[filepath.Base(c)] = set
		}
	}
	for _, example := range []string{"low-code", "llm-apps", "game-backend"} {
		set, err := source.FromDir(filepath.Join("../../examples", example))
		if err != nil {
			t.Fatal(err)
		}
		sets[example] = set
	}
	for name, set := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, diags := compiler.Compile(context.Background(), set, compiler.Inputs{})
			if p == nil {
				t.Fatal(diags)
			}
			first := print.Project(p)
			again, diags := compiler.Compile(context.Background(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(first)}}}, compiler.Inputs{})
			if again == nil {
				t.Fatalf("%v\n%s", diags, first)
			}
			if diff := cmp.Diff(first, print.Project(again)); diff != "" {
				t.Error(diff)
			}
			for _, d := range p.Datasources {
				part := print.Datasource(p, d)
				alone, diags := compiler.Compile(context.Background(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(part)}}}, compiler.Inputs{})
				if alone == nil {
					t.Fatalf("%s alone: %v\n%s", d.Name, diags, part)
				}
				if diff := cmp.Diff(part, print.Datasource(alone, alone.Datasources[0])); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

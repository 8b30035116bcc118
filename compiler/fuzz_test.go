package compiler_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// FuzzCompile holds that no text makes the compiler fail otherwise than by a
// diagnostic, that there is a program or an error, and that a second run says
// the same.
func FuzzCompile(f *testing.F) {
	for _, pattern := range []string{"../testdata/compile/*.txtar", diagCases} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			arch, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			var main, tests []byte
			for _, file := range arch.Files {
				switch {
				case strings.HasSuffix(file.Name, ".test.hcl"):
					tests = append(tests, file.Data...)
				case strings.HasSuffix(file.Name, ".hcl") && !strings.Contains(file.Name, ".pvars."):
					main = append(main, file.Data...)
				}
			}
			f.Add(main, tests)
		}
	}
	f.Fuzz(func(t *testing.T, main, tests []byte) {
		set := &source.Set{Files: []source.File{{Name: "a.test.hcl", Data: tests}, {Name: "main.hcl", Data: main}}}
		p, _, diags := compiler.CompileTests(t.Context(), set, compiler.Inputs{})
		if (p == nil) != diags.HasErrors() {
			t.Fatalf("program %v with %v", p != nil, diags)
		}
		var first, second bytes.Buffer
		_, _, again := compiler.CompileTests(t.Context(), set, compiler.Inputs{})
		for out, list := range map[*bytes.Buffer]diag.List{&first: diags, &second: again} {
			if err := diag.Render(out, list, set, diag.RenderOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if first.String() != second.String() {
			t.Errorf("first:\n%s\nsecond:\n%s", &first, &second)
		}
	})
}

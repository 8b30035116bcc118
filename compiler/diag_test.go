package compiler_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

const diagCases = "../testdata/diag/*.txtar"

// readCase splits an archive: the project, the inputs (`env` and `vars` hold
// name=value lines, `FILE.pvars.hcl` named in `var-files` are -var-file), and
// the expectation.
func readCase(t *testing.T, path string) (*txtar.Archive, *source.Set, compiler.Inputs) {
	t.Helper()
	arch, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	set, in := &source.Set{}, compiler.Inputs{Env: map[string]string{}, Version: "0.1.0"}
	for _, f := range arch.Files {
		switch f.Name {
		case "want":
		case "env", "vars":
			for _, line := range strings.Fields(string(f.Data)) {
				name, value, _ := strings.Cut(line, "=")
				if f.Name == "env" {
					in.Env[name] = value
				} else {
					in.Assignments = append(in.Assignments, compiler.Assignment{Name: name, Value: value})
				}
			}
		case "var-file.pvars.hcl":
			in.Assignments = append(in.Assignments, compiler.Assignment{File: &source.File{Name: f.Name, Data: f.Data}})
			set.Files = append(set.Files, source.File{Name: f.Name, Data: f.Data})
		default:
			set.Files = append(set.Files, source.File{Name: f.Name, Data: f.Data})
		}
	}
	slices.SortFunc(set.Files, func(a, b source.File) int { return strings.Compare(a.Name, b.Name) })
	return arch, set, in
}

// golden compares a result with the archive's `want`, or fills it in.
func golden(t *testing.T, path string, arch *txtar.Archive, got string) {
	t.Helper()
	i := slices.IndexFunc(arch.Files, func(f txtar.File) bool { return f.Name == "want" })
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if i < 0 {
			arch.Files = append(arch.Files, txtar.File{Name: "want"})
			i = len(arch.Files) - 1
		}
		arch.Files[i].Data = []byte(got)
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

func cases(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases at %s: %v", pattern, err)
	}
	return paths
}

// TestDiagnostics renders what is wrong with each project.
func TestDiagnostics(t *testing.T) {
	t.Parallel()
	for _, path := range cases(t, diagCases) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			arch, set, in := readCase(t, path)
			_, _, diags := compiler.CompileTests(t.Context(), set, in)
			if len(diags) == 0 {
				t.Fatal("nothing is wrong with the project")
			}
			var out bytes.Buffer
			if err := diag.Render(&out, diags, set, diag.RenderOptions{}); err != nil {
				t.Fatal(err)
			}
			golden(t, path, arch, out.String())
		})
	}
}

// code is one diagnostic code of the source.
type code struct{ name, doc, pkg string }

// codes reads the constants of type diag.Code below a folder.
func codes(t *testing.T, roots ...string) []code {
	t.Helper()
	var out []code
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			for _, decl := range file.Decls {
				if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.CONST {
					out = append(out, codesOf(t, g, filepath.ToSlash(filepath.Dir(strings.TrimPrefix(path, "../"))))...)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(out, func(a, b code) int { return strings.Compare(a.name+a.pkg, b.name+b.pkg) })
	return out
}

func codesOf(t *testing.T, g *ast.GenDecl, pkg string) []code {
	t.Helper()
	var out []code
	for _, spec := range g.Specs {
		v, ok := spec.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			continue
		}
		sel, ok := v.Type.(*ast.SelectorExpr)
		lit, isLit := v.Values[0].(*ast.BasicLit)
		if !ok || !isLit || sel.Sel.Name != "Code" {
			continue
		}
		name, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		doc := strings.TrimSpace(v.Doc.Text() + v.Comment.Text())
		if doc == "" && !g.Lparen.IsValid() {
			doc = strings.TrimSpace(g.Doc.Text())
		}
		_, after, found := strings.Cut(doc, v.Names[0].Name+": ")
		if found {
			doc = after
		}
		doc = strings.Join(strings.Fields(doc), " ")
		if doc == "" {
			t.Errorf("the code %s has no comment", name)
		}
		out = append(out, code{name, doc, pkg})
	}
	return out
}

var shownCode = regexp.MustCompile(`(?m)^(?:Error|Warning): .*\[([a-z-]+)\]$`)

// TestEveryCodeHasACase holds each code of the language's packages to a case
// that shows it with its place.
func TestEveryCodeHasACase(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, path := range cases(t, diagCases) {
		arch, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range arch.Files {
			if f.Name == "want" {
				for _, m := range shownCode.FindAllStringSubmatch(string(f.Data), -1) {
					seen[m[1]] = true
				}
			}
		}
	}
	for _, c := range codes(t, "../lang", "../compiler/resolve", "../compiler/condition") {
		// All inputs of a project are known, so this one is for callers of the
		// package alone.
		if !seen[c.name] && c.name != "value-not-known" {
			t.Errorf("no case in testdata/diag shows %s (%s)", c.name, c.doc)
		}
	}
}

// TestCodesAreDocumented keeps docs/diagnostics.md in step with the source.
func TestCodesAreDocumented(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Diagnostics\n\nEvery finding has a code that never changes its meaning. Errors stop a run; warnings do not.\n\n" +
		"| code | means | found by |\n|---|---|---|\n")
	for _, c := range codes(t, "../lang", "../compiler", "../backends", "../cmd") {
		b.WriteString("| `" + c.name + "` | " + strings.ReplaceAll(c.doc, "|", `\|`) + " | " + c.pkg + " |\n")
	}
	const path = "../docs/diagnostics.md"
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), b.String()); d != "" {
		t.Errorf("docs/diagnostics.md is not in step, refill it with UPDATE_GOLDEN=1 (-have +want):\n%s", d)
	}
}

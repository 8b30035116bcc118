package rego

import (
	"testing"
	"unicode/utf8"

	"github.com/open-policy-agent/opa/v1/ast"
)

// FuzzQuote requires that any valid text comes back from the engine's parser as
// it was, as a string, as a step of a reference and in metadata.
func FuzzQuote(f *testing.F) {
	for _, s := range []string{
		"", `"`, `\`, "`", "a\nb", "\x00", "\u0085\u2028\ufeff\uffff", "😀", "\U0010ffff", "é", "e\u0301",
		"{{x}}", "${x}", "# METADATA", "]", "\u007f", "data", "if", "package", "%s", "$\"{x}\"", "a: b", "- x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // JSON text cannot carry it, and no value of a program holds it
		}
		p := &printer{}
		p.term(text(s))
		parsed, err := ast.ParseTerm(p.String())
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if got, ok := parsed.Value.(ast.String); !ok || string(got) != s {
			t.Fatalf("%q came back as %s", s, parsed)
		}
		checkFile(t, s)
	})
}

// checkFile prints a file that has the text wherever a name can stand.
func checkFile(t *testing.T, s string) {
	t.Helper()
	out := printFile(&file{
		note: &note{title: "x" + s, description: "y" + s, source: "z" + s}, pkg: []string{"postern", s, s},
		imports: []imported{{path: []string{"postern", s, "lib"}}},
		rules: []rule{{
			name: "when", args: []term{text(s), name("record")},
			body: body{test{term: infix{"==", ref{"record", []string{s}}, text(s)}}},
		}},
	})
	m, err := ast.ParseModuleWithOpts("x.rego", string(out), ast.ParserOptions{ProcessAnnotation: true})
	if err != nil {
		t.Fatalf("%q: %v\n%s", s, err, out)
	}
	if got := m.Package.Path[2].Value; got.Compare(ast.String(s)) != 0 {
		t.Fatalf("package %q came back as %s", s, got)
	}
	if got := m.Rules[0].Head.Args[0].Value; got.Compare(ast.String(s)) != 0 {
		t.Fatalf("argument %q came back as %s", s, got)
	}
	if len(m.Annotations) == 0 || m.Annotations[0].Title != "x"+s {
		t.Fatalf("title %q came back as %v", s, m.Annotations)
	}
}

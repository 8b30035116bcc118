package condition_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/lang/diag"
)

// TestGolden compiles the cases of testdata: in each, the text above the line
// of dashes is a condition and what follows is what comes of it. Refill with
// UPDATE_GOLDEN=1.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			golden(t, name)
		})
	}
}

const ruler = "----\n"

func golden(t *testing.T, name string) {
	t.Helper()
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range archive.Files {
		src, want, _ := strings.Cut(string(f.Data), ruler)
		got := outcome(strings.TrimSuffix(src, "\n"))
		if os.Getenv("UPDATE_GOLDEN") != "" {
			archive.Files[i].Data = []byte(src + ruler + got)
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, %s (-want +got):\n%s", f.Name, src, diff)
		}
	}
	if os.Getenv("UPDATE_GOLDEN") == "" {
		return
	}
	old, err := os.ReadFile(name)
	if data := txtar.Format(archive); err != nil || !bytes.Equal(old, data) {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// outcome is the lowered forms of a condition, or its diagnostics.
func outcome(src string) string {
	var diags diag.List
	expr, parsed := hclsyntax.ParseExpression([]byte(src), "c.hcl", hcl.InitialPos)
	if parsed.HasErrors() {
		return "parse: " + parsed.Error() + "\n"
	}
	got := condition.Compile(expr, scope(), &diags)
	var b strings.Builder
	for _, d := range diags.Sorted() {
		s, e := d.Span.Start, d.Span.End
		fmt.Fprintf(&b, "%s %s %d:%d-%d:%d %q\n  %s\n", d.Severity, d.Code, s.Line, s.Column, e.Line, e.Column, src[s.Byte:e.Byte], d.Summary)
		if d.Detail != "" {
			fmt.Fprintf(&b, "  %s\n", d.Detail)
		}
		if d.Fix != nil {
			fmt.Fprintf(&b, "  fix: %s\n", d.Fix.Text)
		}
	}
	if !diags.HasErrors() {
		fmt.Fprintf(&b, "true:  %s\nfalse: %s\n", show(got.Holds), show(got.Fails))
	}
	return b.String()
}

// seeds are the conditions of all golden cases.
func seeds(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var out []string
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			src, _, _ := strings.Cut(string(f.Data), ruler)
			out = append(out, strings.TrimSuffix(src, "\n"))
		}
	}
	return out
}

// TestEveryCode wants a golden case for each code of codes.go, save those
// whose tests stand in Go.
func TestEveryCode(t *testing.T) {
	t.Parallel()
	codes, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	cases, err := os.ReadFile("testdata/diag.txtar")
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := []diag.Code{condition.CodeSize, condition.CodeTypeInvalid}
	found := regexp.MustCompile(`diag\.Code = "([a-z-]+)"`).FindAllSubmatch(codes, -1)
	if len(found) < 15 {
		t.Fatalf("only %d codes found", len(found))
	}
	for _, m := range found {
		code := string(m[1])
		if !slices.Contains(elsewhere, diag.Code(code)) && !bytes.Contains(cases, []byte(" "+code+" ")) {
			t.Errorf("no case gives %s", code)
		}
	}
}

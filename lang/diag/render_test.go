package diag_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

func set(text string) *source.Set {
	return &source.Set{Files: []source.File{{Name: "a.hcl", Data: []byte(text)}}}
}

// span marks the first occurrence of a text of one line.
func span(t *testing.T, in, what string) source.Span {
	t.Helper()
	at := strings.Index(in, what)
	if at < 0 {
		t.Fatalf("%q is not in %q", what, in)
	}
	line := strings.Count(in[:at], "\n") + 1
	column := len([]rune(in[strings.LastIndexByte(in[:at], '\n')+1:at])) + 1
	return source.Span{
		File:  "a.hcl",
		Start: source.Pos{Line: line, Column: column, Byte: at},
		End:   source.Pos{Line: line, Column: column + len([]rune(what)), Byte: at + len(what)},
	}
}

func render(t *testing.T, text string, opts diag.RenderOptions, list ...diag.Diagnostic) string {
	t.Helper()
	var b bytes.Buffer
	if err := diag.Render(&b, list, set(text), opts); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRender(t *testing.T) {
	t.Parallel()
	const text = "policy \"p\" {\n\twhen = record.\u4f60 == user.x\n}\n"
	one := diag.Diagnostic{
		Code: "name-unknown", Severity: diag.Error, Summary: "There is no x", Detail: "Did you mean y? It is a long sentence that wraps.",
		Span: span(t, text, "user.x"), Fix: &diag.Fix{Span: span(t, text, "x\n"), Text: "y"},
	}
	one.Fix.Span = span(t, text, "user.x")
	want := `Error: There is no x [name-unknown]

  on a.hcl line 2, in policy "p":
  2 |   when = record.你 == user.x
    |                       ^^^^^^

  Did you mean y? It is a long
  sentence that wraps.

  Fix: replace user.x with y
`
	if d := cmp.Diff(want, render(t, text, diag.RenderOptions{Width: 30}, one)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	colored := render(t, text, diag.RenderOptions{Color: true}, one)
	if !strings.Contains(colored, "\x1b[1;31mError:\x1b[0m") || !strings.Contains(colored, "\x1b[1;31m^^^^^^\x1b[0m") {
		t.Errorf("no colour in %q", colored)
	}
}

func TestRenderPlaces(t *testing.T) {
	t.Parallel()
	const text = "group \"a\" {\n}\nx = <<E\n1\n2\n3\n4\n5\n6\n7\nE\n"
	whole := source.Span{File: "a.hcl", Start: source.Pos{Line: 3, Column: 5, Byte: 18}, End: source.Pos{Line: 12, Column: 1, Byte: len(text)}}
	for name, c := range map[string]struct {
		d    diag.Diagnostic
		want string
	}{
		"no place":     {diag.Diagnostic{Code: "c", Severity: diag.Warning, Summary: "S"}, "Warning: S [c]\n"},
		"other file":   {diag.Diagnostic{Code: "c", Severity: diag.Error, Summary: "S", Span: source.Span{File: "b.hcl", Start: source.Pos{Line: 9}}}, "Error: S [c]\n\n  on b.hcl line 9\n"},
		"beyond":       {diag.Diagnostic{Code: "c", Severity: diag.Error, Summary: "S", Span: source.Span{File: "a.hcl", Start: source.Pos{Line: 99, Byte: 999}}}, "Error: S [c]\n\n  on a.hcl line 99:\n"},
		"many lines":   {diag.Diagnostic{Code: "c", Severity: diag.Error, Summary: "S", Span: whole}, "Error: S [c]\n\n  on a.hcl line 3:\n   3 | x = <<E\n     |     ^^^\n   4 | 1\n     | ^\n   5 | 2\n     | ^\n   6 | 3\n     | ^\n   7 | 4\n     | ^\n   8 | 5\n     | ^\n     | …\n"},
		"control text": {diag.Diagnostic{Code: "c", Severity: diag.Error, Summary: "S \x1b[2J\u202e"}, "Error: S \ufffd[2J\ufffd [c]\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if d := cmp.Diff(c.want, render(t, text, diag.RenderOptions{}, c.d)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}

func TestRenderHidesSecrets(t *testing.T) {
	t.Parallel()
	const text = "a {\n  password = \"hunter2\"\n}\n"
	out := render(t, text, diag.RenderOptions{},
		diag.Diagnostic{Code: "secret", Severity: diag.Error, Summary: "A secret", Span: span(t, text, `"hunter2"`), Secret: true},
		diag.Diagnostic{Code: "other", Severity: diag.Error, Summary: "Another", Span: span(t, text, "password"), Fix: &diag.Fix{Span: span(t, text, `"hunter2"`), Text: "x"}})
	if strings.Contains(out, "hunter2") || !strings.Contains(out, "*********") {
		t.Error(out)
	}
}

func TestRenderJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	list := diag.List{
		{Code: "b", Severity: diag.Error, Summary: "second", Span: source.Span{File: "b.hcl"}, Secret: true},
		{Code: "a", Severity: diag.Warning, Summary: "first <x>", Span: source.Span{File: "a.hcl"}},
	}
	if err := diag.RenderJSON(&b, list); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		FormatVersion string            `json:"format_version"`
		Diagnostics   []diag.Diagnostic `json:"diagnostics"`
	}
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.FormatVersion != "1.0" || len(doc.Diagnostics) != 2 || doc.Diagnostics[0].Summary != "first <x>" || doc.Diagnostics[1].Secret {
		t.Errorf("%+v", doc)
	}
	b.Reset()
	if err := diag.RenderJSON(&b, nil); err != nil || !strings.Contains(b.String(), `"diagnostics": []`) {
		t.Errorf("%s, %v", b.String(), err)
	}
}

// FuzzRender holds that no span makes the renderer fail or write a control
// character.
func FuzzRender(f *testing.F) {
	f.Add("a \"b\" {\n\tc = 1\n}\n", "S", 1, 2, 3, 2, 9, 5)
	f.Fuzz(func(t *testing.T, text, message string, l1, c1, b1, l2, c2, b2 int) {
		s := source.Span{File: "a.hcl", Start: source.Pos{Line: l1, Column: c1, Byte: b1}, End: source.Pos{Line: l2, Column: c2, Byte: b2}}
		var out bytes.Buffer
		d := diag.Diagnostic{Code: "c", Severity: diag.Error, Summary: message, Detail: message, Span: s, Fix: &diag.Fix{Span: s, Text: message}}
		if err := diag.Render(&out, diag.List{d}, set(text), diag.RenderOptions{Width: 40}); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\r\x00") {
			t.Errorf("%q", out.String())
		}
	})
}

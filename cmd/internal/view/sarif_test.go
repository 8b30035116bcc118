package view

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// The expected log was held to the schema that OASIS publishes.
func TestSARIF(t *testing.T) {
	t.Parallel()
	log := SARIF{
		Version: "1.2.3", Folder: "access/crm",
		Rules: []SARIFRule{
			{ID: "unused-group", Summary: "A group that no policy names", Level: SARIFNote},
			{ID: "grant-public", Summary: "Everybody may read", Reason: "Any role may.", HelpURL: "https://example.org/a#b", Level: SARIFError, Tags: []string{"security"}},
		},
		Results: []SARIFResult{
			{Rule: "unused-group", Level: SARIFNote, Message: "nobody names it", Suppressed: "it comes next month"},
			{
				Rule: "grant-public", Level: SARIFError, Message: `PUBLIC may read "deals" <now>`, Object: "table public.deals",
				Span:       source.Span{File: "who & where.hcl", Start: source.Pos{Line: 3, Column: 1, Byte: 20}, End: source.Pos{Line: 5, Column: 2, Byte: 60}},
				Related:    []SARIFRelated{{Span: source.Span{File: "x.hcl", Start: source.Pos{Line: 9}}, Message: "policy.a grants the same"}, {Message: "nowhere"}},
				Properties: map[string]any{"fix": "REVOKE"},
			},
		},
	}
	var out strings.Builder
	if err := log.Write(&out); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "log.sarif")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

// A diagnostic has its rule, its second place, and no text of the source.
func TestDiagnosticsSARIF(t *testing.T) {
	t.Parallel()
	at := func(file string, line int) source.Span {
		return source.Span{File: file, Start: source.Pos{Line: line, Column: 3}, End: source.Pos{Line: line, Column: 9}}
	}
	list := diag.List{
		{Code: "b-wrong", Severity: diag.Error, Summary: "Second", Detail: "Do so.", Span: at("x.hcl", 7), Related: []diag.Related{{Span: at("y.hcl", 2), Message: "first here"}}},
		{Code: "a-odd", Severity: diag.Warning, Summary: "First", Span: at("x.hcl", 1)},
		{Code: "b-wrong", Severity: diag.Error, Summary: "Outside", Span: at("/elsewhere/vars.hcl", 1)},
		{Code: "b-wrong", Severity: diag.Error, Summary: "Second", Detail: "Do so.", Span: at("x.hcl", 7)},
	}
	var out strings.Builder
	if err := DiagnosticsSARIF(list, "1.2.3", "sub").Write(&out); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "diagnostics.sarif")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestSARIFWithoutResults(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := (SARIF{}).Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"results": []`, `"rules": []`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, out.String())
		}
	}
}

package view

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/lint"
)

// Linted is what `postern lint` found.
type Linted struct {
	FormatVersion string `json:"format_version"`
	Project       string `json:"project"`
	*lint.Report
}

// Lint prints advice. What comments in the source ignore is counted, and listed
// when the output is verbose.
func Lint(o Output, l Linted) error {
	if o.JSON {
		return writeJSON(o.W, l)
	}
	p := &printer{Output: o}
	for _, f := range l.Findings {
		p.advice(f)
	}
	for _, f := range l.Ignored {
		if o.Verbose {
			p.advice(f)
		}
	}
	ignored := ""
	if n := len(l.Ignored); n > 0 {
		ignored = fmt.Sprintf(", and %d that comments ignore", n)
	}
	p.printf("Lint: %s%s.\n", plural(len(l.Findings), "finding"), ignored)
	return p.err
}

func (p *printer) advice(f lint.Finding) {
	color := yellow
	if f.Ignored != "" {
		color = dim
	}
	p.printf("%s  %s  %s\n", p.paint(color, f.Rule), p.paint(bold, safeLine(adviceOn(f))), p.paint(dim, safe(f.Span.String())))
	p.paragraph(safeLine(f.Message), "")
	if f.Ignored != "" {
		p.paragraph("ignored: "+safeLine(f.Ignored), dim)
	}
	p.printf("\n")
}

// adviceOn is what a finding is about.
func adviceOn(f lint.Finding) string {
	switch {
	case f.Object == "":
		return "a comment"
	case f.Table != "":
		return f.Object + " on " + f.Table
	}
	return f.Object
}

// LintSARIF is advice as SARIF. folder is where the project stands in its
// repository.
func LintSARIF(l Linted, version, folder string) SARIF {
	out := SARIF{Version: version, Folder: folder}
	for _, r := range lint.Rules() {
		out.Rules = append(out.Rules, SARIFRule{
			ID: r.Name, Summary: r.Summary, Reason: r.Reason, Level: SARIFWarning, Tags: []string{"maintainability"},
			HelpURL: "https://github.com/postern-dev/postern/blob/main/docs/lints.md#" + r.Name,
		})
	}
	for _, list := range [][]lint.Finding{l.Findings, l.Ignored} {
		for _, f := range list {
			object := strings.TrimSpace(f.Object + " " + f.Table)
			out.Results = append(out.Results, SARIFResult{
				Rule: f.Rule, Level: SARIFWarning, Message: f.Message, Span: f.Span, Object: object, Suppressed: f.Ignored,
			})
		}
	}
	return out
}

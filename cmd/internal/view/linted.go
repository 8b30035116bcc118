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
	p.proof(f)
	if f.Ignored != "" {
		p.paragraph("ignored: "+safeLine(f.Ignored), dim)
	}
	p.printf("\n")
}

// proof prints what a finding rests on.
func (p *printer) proof(f lint.Finding) {
	if f.Proof != nil {
		p.paragraph(proofText(f.Proof), dim)
	}
	for _, r := range f.Related {
		p.paragraph(safeLine(r.Span.String()+"  "+relatedText(r)), dim)
	}
	if f.Witness != nil {
		p.paragraph(safeLine("e.g. "+f.Witness.String()+": "+f.Example), dim)
	}
}

// proofText says how much was proven, such as "proven for all 12 combinations
// of subject, app and action".
func proofText(p *lint.Proof) string {
	each := strings.Join(p.Each[:len(p.Each)-1], ", ") + " and " + p.Each[len(p.Each)-1]
	switch p.Cells {
	case 0:
		return "nothing is granted there that would have to be proven"
	case 1:
		return "proven for the only combination of " + each
	}
	return fmt.Sprintf("proven for all %d combinations of %s", p.Cells, each)
}

func relatedText(r lint.Related) string { return r.Object + " " + r.Message }

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
			result := SARIFResult{Rule: f.Rule, Level: SARIFWarning, Message: f.Message, Span: f.Span, Object: object, Suppressed: f.Ignored}
			for _, r := range f.Related {
				result.Related = append(result.Related, SARIFRelated{Span: r.Span, Message: relatedText(r)})
			}
			if f.Proof != nil {
				result.Properties = map[string]any{"proof": f.Proof}
				if f.Witness != nil {
					result.Properties["witness"], result.Properties["example"] = f.Witness, f.Example
				}
			}
			out.Results = append(out.Results, result)
		}
	}
	return out
}

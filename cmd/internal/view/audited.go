package view

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/audit"
)

// Audited is what `postern audit` found.
type Audited struct {
	FormatVersion string                 `json:"format_version"`
	Datasource    string                 `json:"datasource"`
	Counts        map[audit.Severity]int `json:"counts"` // every severity, also those of which there is none
	// FailOn is the least severity that fails the command, "never" for none.
	FailOn string `json:"fail_on"`
	Failed bool   `json:"failed"`
	*audit.Report
}

// NewAudited sums a report up.
func NewAudited(datasource string, r *audit.Report, failOn string) Audited {
	out := Audited{FormatVersion: FormatVersion, Datasource: datasource, Counts: map[audit.Severity]int{}, FailOn: failOn, Report: r}
	for _, s := range audit.Severities() {
		out.Counts[s] = r.Count()[s]
		out.Failed = out.Failed || failOn != "never" && s.AtLeast(audit.Severity(failOn)) && out.Counts[s] > 0
	}
	return out
}

// Audit prints findings. What is only to be known is summed up unless the
// output is verbose.
func Audit(o Output, a Audited) error {
	if o.JSON {
		return writeJSON(o.W, a)
	}
	p := &printer{Output: o}
	p.printf("%s · %s · datasource.%s (%s)\n", p.paint(bold, "Postern audit"), safeLine(a.Project), safeLine(a.Datasource), safeLine(a.Server))
	folded := 0
	for _, f := range a.Findings {
		if f.Severity == audit.Info && !o.Verbose {
			folded++
			continue
		}
		p.finding(f)
	}
	p.printf("\n")
	for _, u := range a.Unseen {
		if o.Verbose {
			p.paragraph("not seen: "+u, "")
		}
	}
	p.printf("Audit: %s.\n", auditCounts(a))
	if folded > 0 {
		p.printf("%s\n", p.paint(dim, fmt.Sprintf("%s to be known, and what could not be seen: --verbose lists them.", plural(folded, "thing"))))
	}
	return p.err
}

func auditCounts(a Audited) string {
	var parts []string
	for _, s := range audit.Severities() {
		parts = append(parts, fmt.Sprintf("%d %s", a.Counts[s], s))
	}
	return strings.Join(parts, ", ")
}

func (p *printer) finding(f audit.Finding) {
	colors := map[audit.Severity]string{audit.Critical: red, audit.High: red, audit.Medium: yellow}
	place := ""
	if !f.Span.IsZero() {
		place = "  " + p.paint(dim, safe(f.Span.String()))
	}
	p.printf("\n%s  %s  %s%s\n", p.paint(colors[f.Severity], fmt.Sprintf("%-8s", f.Severity)), p.paint(bold, safeLine(f.Object.String())), p.paint(dim, f.Rule), place)
	if len(f.Who) > 0 {
		p.paragraph("by "+safeLine(strings.Join(f.Who, ", ")), "")
	}
	p.paragraph(safeLine(f.Effect), "")
	for _, statement := range f.Fix {
		p.printf("          %s\n", p.paint(green, safeLine(unquoted(statement))))
	}
}

func (p *printer) paragraph(text, color string) {
	for _, line := range paragraph(text, p.Width-10) {
		p.printf("          %s\n", p.paint(color, line))
	}
}

// levels are how SARIF says severities.
var levels = map[audit.Severity]SARIFLevel{
	audit.Critical: SARIFError, audit.High: SARIFError, audit.Medium: SARIFWarning, audit.Low: SARIFNote, audit.Info: SARIFNote,
}

// scores are how GitHub ranks security findings of one level.
var scores = map[audit.Severity]string{audit.Critical: "9.5", audit.High: "8.0", audit.Medium: "5.5", audit.Low: "3.0", audit.Info: "1.0"}

// AuditSARIF is an audit as SARIF. folder is where the project stands in its
// repository.
func AuditSARIF(a Audited, version, folder string) SARIF {
	out := SARIF{Version: version, Folder: folder}
	for _, r := range audit.Rules() {
		out.Rules = append(out.Rules, SARIFRule{
			ID: r.Name, Summary: r.Summary, Reason: r.Reason, Level: levels[r.Severity], Tags: []string{"security"},
			HelpURL: "https://github.com/postern-dev/postern/blob/main/docs/audit.md#" + r.Name,
		})
	}
	for _, f := range a.Findings {
		message := f.Object.String() + ": " + f.Effect
		if len(f.Who) > 0 {
			message += " By " + strings.Join(f.Who, ", ") + "."
		}
		out.Results = append(out.Results, SARIFResult{
			Rule: f.Rule, Level: levels[f.Severity], Message: message, Span: f.Span, Object: a.Database + ": " + f.Object.String(),
			Properties: map[string]any{
				"severity": f.Severity, "who": f.Who, "fix": f.Fix, "declared": f.Declared, "security-severity": scores[f.Severity],
			},
		})
	}
	return out
}

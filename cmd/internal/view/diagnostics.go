package view

import (
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// Diagnostics prints a run's diagnostics, sorted, quoting the source where it
// is given.
func Diagnostics(o Output, list diag.List, set *source.Set) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "diagnostics": list.Sorted()})
	}
	return diag.Render(o.W, list, set, diag.RenderOptions{Color: o.Color, Width: o.Width})
}

// DiagnosticsSARIF is a run's diagnostics as SARIF. folder is where the project
// stands in its repository.
func DiagnosticsSARIF(list diag.List, version, folder string) SARIF {
	out := SARIF{Version: version, Folder: folder}
	levels := map[diag.Severity]SARIFLevel{diag.Error: SARIFError, diag.Warning: SARIFWarning}
	seen := map[diag.Code]bool{}
	for _, d := range list.Sorted() {
		if !seen[d.Code] {
			seen[d.Code] = true
			out.Rules = append(out.Rules, SARIFRule{
				ID: string(d.Code), Summary: string(d.Code), Level: SARIFError, Tags: []string{"correctness"},
				HelpURL: "https://github.com/postern-dev/postern/blob/main/docs/diagnostics.md",
			})
		}
		message := d.Summary + "."
		if d.Detail != "" {
			message += " " + d.Detail
		}
		result := SARIFResult{Rule: string(d.Code), Level: levels[d.Severity], Message: message, Span: d.Span}
		for _, r := range d.Related {
			result.Related = append(result.Related, SARIFRelated{Span: r.Span, Message: r.Message})
		}
		out.Results = append(out.Results, result)
	}
	return out
}

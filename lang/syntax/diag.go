package syntax

import (
	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/lang/diag"
)

// FromHCL appends HCL's own diagnostics under one code. HCL's summaries end
// without a full stop and its details are sentences, as ours are.
func FromHCL(diags *diag.List, code diag.Code, from hcl.Diagnostics) {
	for _, d := range from {
		out := diag.Diagnostic{Code: code, Severity: diag.Error, Summary: d.Summary, Detail: d.Detail}
		if d.Severity == hcl.DiagWarning {
			out.Severity = diag.Warning
		}
		if d.Subject != nil {
			out.Span = Span(*d.Subject)
		}
		diags.Add(out)
	}
}

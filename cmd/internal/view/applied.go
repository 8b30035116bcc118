package view

import "github.com/postern-dev/postern/lang/diag"

// AppliedPlan is what became of one datasource's plan.
type AppliedPlan struct {
	Datasource string `json:"datasource"`
	Database   string `json:"database"`
	Statements int    `json:"statements"`
	Applied    bool   `json:"applied"`
}

// Applied prints which plans were applied, and, as JSON, what kept the others.
func Applied(o Output, plans []AppliedPlan, found ...diag.Diagnostic) error {
	if o.JSON {
		if plans == nil {
			plans = []AppliedPlan{}
		}
		if found == nil {
			found = []diag.Diagnostic{}
		}
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "plans": plans, "diagnostics": found})
	}
	p := &printer{Output: o}
	if len(plans) == 0 {
		p.printf("Nothing to apply.\n")
	}
	for _, a := range plans {
		if a.Applied {
			p.printf("%s datasource.%s: %s ran in one transaction.\n", p.paint(green, "Applied"), safe(a.Datasource),
				plural(a.Statements, "statement"))
		} else {
			p.printf("%s datasource.%s: nothing was changed.\n", p.paint(red, "Not applied"), safe(a.Datasource))
		}
	}
	return p.err
}

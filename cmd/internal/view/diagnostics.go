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

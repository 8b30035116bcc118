package view

import (
	"github.com/postern-dev/postern/compiler"
)

// Outputs prints the values that a project offers. A sensitive one is named
// and not shown.
func Outputs(o Output, outputs []compiler.Output) error {
	if o.JSON {
		values := map[string]compiler.Output{}
		for _, x := range outputs {
			values[x.Name] = x
		}
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "outputs": values})
	}
	p := &printer{Output: o}
	for _, x := range outputs {
		text := safe(x.Text)
		if x.Sensitive {
			text = p.paint(dim, "(sensitive)")
		}
		p.printf("%s = %s\n", safeLine(x.Name), text)
	}
	if len(outputs) == 0 {
		p.printf("The project has no outputs.\n")
	}
	return p.err
}

package view

import (
	"strings"

	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/source"
)

// coverage prints what no test reaches.
func (p *printer) coverage(c *testrun.Coverage, set *source.Set) {
	p.printf("\nCoverage: %d of %s of conditions\n", c.Reached, plural(c.Sides, "side"))
	missing := p.rules("policy", "never grants", c.Policies, set) + p.rules("guard", "never refuses", c.Guards, set)
	if missing == 0 {
		p.printf("  The tests reach every policy, guard and side of a condition.\n")
	}
}

// rules prints the rules of which something is missing, and counts them.
func (p *printer) rules(kind, idle string, rules []testrun.RuleCoverage, set *source.Set) int {
	missing := 0
	for _, r := range rules {
		if r.Full() {
			continue
		}
		missing++
		p.printf("  %s %s  %s\n", kind, safeLine(r.Name), p.paint(dim, r.Span.String()))
		if !r.Asked {
			p.printf("      %s\n", p.paint(yellow, "no test asks it"))
			continue
		}
		if !r.Decided {
			p.printf("      %s\n", p.paint(yellow, idle))
		}
		for _, a := range r.Atoms {
			if len(a.Missing) > 0 {
				p.printf("      %s  %s  %s\n", p.paint(yellow, "never "+strings.Join(a.Missing, " or ")+":"), excerpt(set, a.Span), p.paint(dim, a.Span.String()))
			}
		}
	}
	return missing
}

// excerpt is the text at a place, on one line.
func excerpt(set *source.Set, at source.Span) string {
	f := set.File(at.File)
	if f == nil || at.Start.Byte < 0 || at.End.Byte > len(f.Data) || at.Start.Byte > at.End.Byte {
		return ""
	}
	return safeLine(strings.Join(strings.Fields(string(f.Data[at.Start.Byte:at.End.Byte])), " "))
}

package view

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
)

// Plans prints what would change, one plan a datasource.
func Plans(o Output, plans []*plan.Plan) error {
	if o.JSON {
		return plansJSON(o, plans)
	}
	p := &printer{Output: o}
	for i, pl := range plans {
		if i > 0 {
			p.printf("\n")
		}
		p.plan(pl)
	}
	return p.err
}

func plansJSON(o Output, plans []*plan.Plan) error {
	raw := make([]json.RawMessage, len(plans))
	for i, pl := range plans {
		data, err := pl.Encode()
		if err != nil {
			return fmt.Errorf("printing the plan: %w", err)
		}
		raw[i] = data
	}
	return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "plans": raw})
}

func (p *printer) plan(pl *plan.Plan) {
	title := []string{"Postern plan", safe(pl.Project)}
	if pl.Revision != "" {
		title = append(title, pl.Revision[:min(7, len(pl.Revision))])
	}
	title = append(title, "datasource."+safe(pl.Datasource)+" ("+pl.Server+")")
	p.printf("%s\n\n", p.paint(bold, strings.Join(title, " · ")))
	if pl.Empty() {
		p.printf("No changes. %s holds what the project says.\n", safe(pl.Database))
		return
	}
	for _, c := range pl.Changes {
		p.change(c)
	}
	if len(pl.Hazards) > 0 {
		p.printf("\n%s\n", p.paint(bold, "Mind"))
		for _, h := range pl.Hazards {
			p.printf("  %s %s\n", p.paint(yellow, "!"), safe(h.Message()))
		}
	}
	add, change, remove := pl.Count()
	p.printf("\nPlan: %d to add, %d to change, %d to remove.\n", add, change, remove)
}

// change prints one change: the object with its place or reason at the right,
// and what differs below.
func (p *printer) change(c plan.Change) {
	before, after := plan.Texts(c)
	symbol, color := "~", yellow
	switch plan.ActionOf(c) {
	case plan.ActionAdd:
		symbol, color = "+", green
	case plan.ActionRemove:
		symbol, color = "-", red
	case plan.ActionChange:
	}
	about := c.What()
	p.headline(p.paint(color, symbol), safe(about.Object.String()), note(about))
	was, is := lines(before), lines(after)
	for _, l := range was {
		if plan.ActionOf(c) != plan.ActionRemove && !contains(is, l) {
			p.printf("      %s %s\n", p.paint(red, "-"), safe(l))
		}
	}
	for _, l := range is {
		if !contains(was, l) {
			p.printf("      %s %s\n", p.paint(green, "+"), safe(l))
		}
	}
}

// headline prints a line with a note at the right edge where it fits.
func (p *printer) headline(symbol, text, note string) {
	if note == "" {
		p.printf("  %s %s\n", symbol, text)
		return
	}
	gap := p.Width - 4 - len([]rune(text)) - len([]rune(note))
	p.printf("  %s %s%s%s\n", symbol, text, strings.Repeat(" ", max(2, gap)), p.paint(dim, note))
}

func note(a plan.About) string {
	if a.Reason != "" {
		return a.Reason
	}
	return safe(a.Span.String())
}

func lines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(s, "\n"), "\n")
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

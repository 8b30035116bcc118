package view

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
)

// Plans prints what would change, one plan a datasource, and who gains and who
// loses by it, one report a plan, and what would change in the places that are
// published to, each with the report that names it, if any; asked is what a gate
// says of it.
func Plans(o Output, plans []*plan.Plan, reports []*review.Report, asked review.Outcome, publications ...*plan.Publication) error {
	if o.JSON {
		return plansJSON(o, plans, reports, asked, publications)
	}
	// A plan may have many thousand lines: not each of them is written by itself.
	buffered := bufio.NewWriter(o.W)
	p := &printer{Output: o}
	p.W = buffered
	for i, pl := range plans {
		if i > 0 {
			p.printf("\n")
		}
		var r *review.Report
		if i < len(reports) {
			r = reports[i]
		}
		p.plan(pl, r)
	}
	for i, pub := range publications {
		if i > 0 || len(plans) > 0 {
			p.printf("\n")
		}
		var r *review.Report
		if at := slices.IndexFunc(reports, func(r *review.Report) bool { return r.Publish == pub.Publish }); at >= 0 {
			r = reports[at]
		}
		p.publication(pub, r)
	}
	return errors.Join(p.err, buffered.Flush())
}

// listOf is a list that is [] in JSON also when there is none.
func listOf[T any](list []T) []T { return append([]T{}, list...) }

func plansJSON(o Output, plans []*plan.Plan, reports []*review.Report, asked review.Outcome, publications []*plan.Publication) error {
	raw := make([]json.RawMessage, len(plans))
	for i, pl := range plans {
		data, err := pl.Encode()
		if err != nil {
			return fmt.Errorf("printing the plan: %w", err)
		}
		raw[i] = data
	}
	out := map[string]any{"format_version": FormatVersion, "plans": raw, "access": reports, "refused": listOf(asked.Refused), "approved": listOf(asked.Approved)}
	if len(publications) > 0 {
		out["publications"] = publications
	}
	return writeJSON(o.W, out)
}

func (p *printer) plan(pl *plan.Plan, r *review.Report) {
	p.title("Postern plan", pl)
	if pl.Empty() {
		p.printf("No changes. The database %s holds what the project says.\n", safeLine(pl.Database))
		return
	}
	p.changes(pl.Changes)
	p.hazards(pl)
	access := ""
	if r != nil {
		p.printf("\n%s\n", p.paint(bold, accessHeading(r.Before)))
		p.accessChanges(r)
		access = " " + accessCounts(r.Counts) + "."
	}
	add, change, remove := pl.Count()
	p.printf("\nPlan: %d to add, %d to change, %d to remove.%s\n", add, change, remove, access)
}

func (p *printer) title(what string, pl *plan.Plan) {
	title := []string{what, safeLine(pl.Project)}
	if pl.Revision != "" {
		title = append(title, safeLine(pl.Revision[:min(7, len(pl.Revision))]))
	}
	title = append(title, "datasource."+safeLine(pl.Datasource)+" ("+shortServer(pl.Server)+")")
	p.printf("%s\n\n", p.paint(bold, strings.Join(title, " · ")))
}

// shortServer is a server without the name of its package.
func shortServer(text string) string {
	short, _, _ := strings.Cut(text, " (")
	return safeLine(short)
}

// changes prints changes in their order; what the generated schema gains is
// one line, where the first of it stands.
func (p *printer) changes(list []plan.Change) {
	folded := 0
	for _, c := range list {
		if generated(c) && !p.Verbose {
			folded++
		}
	}
	told := false
	for _, c := range list {
		switch {
		case !generated(c) || p.Verbose:
			p.change(c)
		case !told:
			told = true
			p.headline(p.paint(green, "+"), fmt.Sprintf("%s of the schema postern, which carries who the user is", plural(folded, "object")),
				"--verbose lists them")
		}
	}
}

func (p *printer) hazards(pl *plan.Plan) {
	if len(pl.Hazards) == 0 {
		return
	}
	p.printf("\n%s\n", p.paint(bold, "Mind"))
	for _, h := range pl.Hazards {
		for i, line := range paragraph(safeLine(unquoted(h.Message())), p.Width-4) {
			if i == 0 {
				p.printf("  %s %s\n", p.paint(yellow, "!"), line)
			} else {
				p.printf("    %s\n", line)
			}
		}
	}
}

// paragraph breaks a sentence between words.
func paragraph(s string, room int) []string {
	var out []string
	line := ""
	for _, w := range strings.Fields(s) {
		if line != "" && columns(line)+1+columns(w) > room {
			out = append(out, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += w
	}
	return append(out, line)
}

// change prints one change: the object with its place or reason at the right,
// and what differs below.
func (p *printer) change(c plan.Change) {
	symbol, color := "~", yellow
	switch plan.ActionOf(c) {
	case plan.ActionAdd:
		symbol, color = "+", green
	case plan.ActionRemove:
		symbol, color = "-", red
	case plan.ActionChange:
	}
	w := words(c)
	head, tail, at := safeLine(w.head), safeLine(w.tail), note(c.What())
	below := ""
	if columns(at) > p.Width*4/10 {
		at, below = "", at
	}
	if tail != "" && columns(head)+columns(tail)+columns(at)+7 <= p.Width {
		head, tail = head+" "+tail, ""
	}
	p.headline(p.paint(color, symbol), head, at)
	if tail != "" {
		p.printf("      %s\n", tail)
	}
	if below != "" {
		for _, line := range paragraph(below, p.Width-6) {
			p.printf("      %s\n", p.paint(dim, line))
		}
	}
	if plan.ActionOf(c) != plan.ActionRemove || c.What().Object.Kind == "policy" {
		p.side(red, "-", w.was, w.is)
	}
	p.side(green, "+", w.is, w.was)
}

// side prints the lines that the other side does not have.
func (p *printer) side(color, symbol string, mine, other []string) {
	for _, l := range mine {
		if slices.Contains(other, l) {
			continue
		}
		for _, part := range wrap(safe(l), p.Width-8) {
			p.printf("      %s %s\n", p.paint(color, symbol), part)
		}
	}
}

// headline prints a line with a note at the right edge; a text that is too
// long goes on below.
func (p *printer) headline(symbol, text, note string) {
	room := p.Width - 4
	if note != "" {
		room -= columns(note) + 2
	}
	for i, l := range wrap(text, max(room, 40)) {
		if i > 0 {
			p.printf("    %s\n", l)
			continue
		}
		if note == "" {
			p.printf("  %s %s\n", symbol, l)
			continue
		}
		gap := strings.Repeat(" ", max(2, p.Width-4-columns(l)-columns(note)))
		p.printf("  %s %s%s%s\n", symbol, l, gap, p.paint(dim, note))
	}
}

func note(a plan.About) string {
	if a.Reason != "" {
		return safeLine(a.Reason)
	}
	if a.Span.IsZero() {
		return ""
	}
	return safeLine(a.Span.String())
}

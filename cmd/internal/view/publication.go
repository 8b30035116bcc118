package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
)

// publication prints what would change in a place that is published to, and who
// gains and who loses by it, where that is known.
func (p *printer) publication(pub *plan.Publication, r *review.Report) {
	p.publicationTitle("Postern plan", pub)
	if pub.Empty() {
		p.printf("No changes. What is published there is what the project says.\n")
		return
	}
	var add, change, remove int
	for _, c := range pub.Changes {
		switch c.(type) {
		case plan.Add:
			add++
		case plan.Modify:
			change++
		case plan.Remove:
			remove++
		}
		p.publishedChange(c)
	}
	access := ""
	if r != nil {
		p.printf("\n%s\n", p.paint(bold, accessHeading(r.Before)))
		p.accessChanges(r)
		access = " " + accessCounts(r.Counts) + "."
	}
	p.printf("\nPlan: %d to add, %d to change, %d to remove.%s\n", add, change, remove, access)
}

func (p *printer) publicationTitle(what string, pub *plan.Publication) {
	title := []string{what, safeLine(pub.Project)}
	if pub.Revision != "" {
		title = append(title, safeLine(pub.Revision[:min(7, len(pub.Revision))]))
	}
	title = append(title, "publish."+safeLine(pub.Publish)+" ("+safeLine(pub.Place)+")")
	p.printf("%s\n\n", p.paint(bold, strings.Join(title, " · ")))
}

// publicationDrift prints what differs in a place: what is not as it was
// published, and what is not published yet.
func (p *printer) publicationDrift(pub *plan.Publication) {
	p.publicationTitle("Postern drift", pub)
	hand, source := byOrigin(pub.Changes)
	if pub.Empty() {
		p.printf("No drift. The place holds what was published.\n")
		return
	}
	if len(hand) > 0 {
		p.printf("%s\n", p.paint(bold, "Made by hand; apply would undo it"))
		for _, c := range hand {
			p.publishedChange(c)
		}
	}
	if len(source) > 0 {
		if len(hand) > 0 {
			p.printf("\n")
		}
		p.printf("%s\n", p.paint(bold, "In the project, not applied yet"))
		for _, c := range source {
			p.publishedChange(c)
		}
	}
	p.printf("\nDrift: %d made by hand, %d not applied yet.\n", len(hand), len(source))
}

func byOrigin(list []plan.Change) (hand, source []plan.Change) {
	for _, c := range list {
		if c.What().Drift {
			hand = append(hand, c)
		} else {
			source = append(source, c)
		}
	}
	return hand, source
}

// publishedChange prints one change: a rule by its name, a file or an OPA with
// what differs.
func (p *printer) publishedChange(c plan.Change) {
	about := c.What()
	symbol, color := "~", yellow
	switch c.(type) {
	case plan.Add:
		symbol, color = "+", green
	case plan.Remove:
		symbol, color = "-", red
	case plan.Modify:
	}
	p.headline(p.paint(color, symbol), string(about.Object.Kind)+" "+safeLine(about.Object.Name), note(about))
	before, after := plan.Texts(c)
	if _, modified := c.(plan.Modify); modified && (p.Verbose || about.Object.Kind == "file" || about.Object.Kind == "opa" || before != "") {
		p.side(red, "-", lines(before), lines(after))
		p.side(green, "+", lines(after), lines(before))
	}
}

// PublicationsMarkdown prints what would change in the places that are
// published to, as plain text inside of Markdown.
func PublicationsMarkdown(w io.Writer, publications []*plan.Publication) error {
	for _, pub := range publications {
		var text bytes.Buffer
		p := &printer{Output: Output{W: &text, Width: 100}}
		p.publication(pub, nil) // who gains and who loses stands above
		fence := "```"
		for strings.Contains(text.String(), fence) {
			fence += "`"
		}
		if _, err := fmt.Fprintf(w, "\n%stext\n%s%s\n", fence, text.String(), fence); err != nil {
			return fmt.Errorf("printing the plan: %w", err)
		}
	}
	return nil
}

// placeDrift is a place's differences as JSON.
type placeDrift struct {
	Publish    string       `json:"publish"`
	Place      string       `json:"place"`
	ByHand     []changeJSON `json:"by_hand"`
	NotApplied []changeJSON `json:"not_applied"`
}

func driftOfPublications(list []*plan.Publication) []placeDrift {
	out := make([]placeDrift, len(list))
	for i, pub := range list {
		hand, source := byOrigin(pub.Changes)
		out[i] = placeDrift{pub.Publish, pub.Place, changesJSON(hand), changesJSON(source)}
	}
	return out
}

package view

import (
	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/lang/source"
)

// changeJSON is a change with its origin decided.
type changeJSON struct {
	Action plan.Action `json:"action"`
	Object plan.Object `json:"object"`
	Span   source.Span `json:"span"`
	Reason string      `json:"reason"`
	Before string      `json:"before"`
	After  string      `json:"after"`
	Effect string      `json:"effect,omitempty"`
}

// Drift prints what differs from the project, one plan a datasource: what was
// changed by hand, and what is not applied yet; and who gained and who lost by
// what was changed by hand, as far as a datasource has a report of it.
func Drift(o Output, plans []*plan.Plan, reports []*review.Report, publications ...*plan.Publication) error {
	if o.JSON {
		type datasource struct {
			Datasource string       `json:"datasource"`
			Database   string       `json:"database"`
			ByHand     []changeJSON `json:"by_hand"`
			NotApplied []changeJSON `json:"not_applied"`
			// Access is null where nothing differs, or nothing was applied.
			Access *review.Report `json:"access"`
		}
		out := make([]datasource, len(plans))
		for i, pl := range plans {
			hand, source := origins(pl)
			out[i] = datasource{pl.Datasource, pl.Database, changesJSON(hand), changesJSON(source), reportOf(reports, pl)}
		}
		doc := map[string]any{"format_version": FormatVersion, "datasources": out}
		if len(publications) > 0 {
			doc["publications"] = driftOfPublications(publications)
		}
		return writeJSON(o.W, doc)
	}
	p := &printer{Output: o}
	for i, pl := range plans {
		if i > 0 {
			p.printf("\n")
		}
		p.drift(pl, reportOf(reports, pl))
	}
	for i, pub := range publications {
		if i > 0 || len(plans) > 0 {
			p.printf("\n")
		}
		p.publicationDrift(pub)
	}
	return p.err
}

// origins splits a plan's changes.
func origins(pl *plan.Plan) (hand, source []plan.Change) { return byOrigin(pl.Changes) }

func changesJSON(list []plan.Change) []changeJSON {
	out := make([]changeJSON, len(list))
	for i, c := range list {
		about := c.What()
		before, after := plan.Texts(c)
		out[i] = changeJSON{plan.ActionOf(c), about.Object, about.Span, about.Reason, before, after, effect(c)}
	}
	return out
}

// reportOf is the report of a plan's datasource; nil for none.
func reportOf(reports []*review.Report, pl *plan.Plan) *review.Report {
	for _, r := range reports {
		if r.Datasource == pl.Datasource {
			return r
		}
	}
	return nil
}

func (p *printer) drift(pl *plan.Plan, r *review.Report) {
	p.title("Postern drift", pl)
	hand, source := origins(pl)
	if len(hand)+len(source) == 0 {
		p.printf("No drift. The database %s holds what was applied.\n", safeLine(pl.Database))
		return
	}
	p.differences(hand, source, r)
}

func (p *printer) differences(hand, source []plan.Change, r *review.Report) {
	if len(hand) > 0 {
		p.printf("%s\n", p.paint(bold, "Made by hand; apply would undo it"))
		for _, c := range hand {
			p.change(placed(c))
			if e := effect(c); e != "" {
				for _, line := range paragraph(safeLine(e), p.Width-6) {
					p.printf("      %s\n", p.paint(yellow, line))
				}
			}
		}
	}
	if len(source) > 0 {
		if len(hand) > 0 {
			p.printf("\n")
		}
		p.printf("%s\n", p.paint(bold, "In the project, not applied yet"))
		p.changes(source)
	}
	access := ""
	if r != nil && (len(hand) > 0 || !r.Empty()) {
		p.printf("\n%s\n", p.paint(bold, "Access changes by what was made by hand"))
		p.accessChanges(r)
		access = " " + accessCounts(r.Counts) + "."
	}
	p.printf("\nDrift: %d made by hand, %d not applied yet.%s\n", len(hand), len(source), access)
}

// placed is a change with its place instead of a reason that the heading says
// already.
func placed(c plan.Change) plan.Change {
	about := c.What()
	if about.Reason == plan.ReasonDrift {
		about.Reason = ""
	}
	return plan.With(c, about)
}

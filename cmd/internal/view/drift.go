package view

import (
	"strings"

	"github.com/postern-dev/postern/backends/plan"
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
// changed by hand, and what is not applied yet.
func Drift(o Output, plans []*plan.Plan) error {
	if o.JSON {
		type datasource struct {
			Datasource string       `json:"datasource"`
			Database   string       `json:"database"`
			ByHand     []changeJSON `json:"by_hand"`
			NotApplied []changeJSON `json:"not_applied"`
		}
		out := make([]datasource, len(plans))
		for i, pl := range plans {
			hand, source := origins(pl)
			out[i] = datasource{pl.Datasource, pl.Database, changesJSON(hand), changesJSON(source)}
		}
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "datasources": out})
	}
	p := &printer{Output: o}
	for i, pl := range plans {
		if i > 0 {
			p.printf("\n")
		}
		p.drift(pl)
	}
	return p.err
}

// origins splits a plan's changes.
func origins(pl *plan.Plan) (hand, source []plan.Change) {
	for _, c := range pl.Changes {
		if c.What().Drift {
			hand = append(hand, c)
		} else {
			source = append(source, c)
		}
	}
	return hand, source
}

func changesJSON(list []plan.Change) []changeJSON {
	out := make([]changeJSON, len(list))
	for i, c := range list {
		about := c.What()
		before, after := plan.Texts(c)
		out[i] = changeJSON{plan.ActionOf(c), about.Object, about.Span, about.Reason, before, after, effect(c)}
	}
	return out
}

func (p *printer) drift(pl *plan.Plan) {
	p.title("Postern drift", pl)
	hand, source := origins(pl)
	if len(hand)+len(source) == 0 {
		p.printf("No drift. The database %s holds what was applied.\n", safeLine(pl.Database))
		return
	}
	p.differences(hand, source)
}

func (p *printer) differences(hand, source []plan.Change) {
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
	p.printf("\nDrift: %d made by hand, %d not applied yet.\n", len(hand), len(source))
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

// effect is who can do what as long as a change made by hand stands; "" where
// the change says it itself.
func effect(c plan.Change) string {
	about := c.What()
	if !about.Drift {
		return ""
	}
	before, after := plan.Texts(c)
	name := unquoted(about.Object.Name)
	switch about.Object.Kind {
	case "row security":
		switch {
		case strings.HasPrefix(after, "enable"):
			return "Now no policy holds on " + name + ": whoever has a grant on it reaches all its rows."
		case strings.HasPrefix(after, "force"):
			return "Now no policy holds for the owner of " + name + "."
		}
	case "grant":
		verbs, where, ok := strings.Cut(unquoted(strings.TrimPrefix(before+after, "GRANT ")), " ON ")
		object, to, found := cutLast(where, " TO ")
		if !ok || !found {
			return ""
		}
		who := "the role " + to
		if to == "PUBLIC" {
			who = "every role of the server"
		}
		if plan.ActionOf(c) == plan.ActionRemove {
			return "Now " + who + " has " + verbs + " on the " + kindWord(object) + "."
		}
		if plan.ActionOf(c) == plan.ActionAdd {
			return "Now " + who + " lacks " + verbs + " on the " + kindWord(object) + "."
		}
	case "policy":
		return policyEffect(c)
	case "role":
		for _, w := range strings.Fields(before) {
			if w == "SUPERUSER" || w == "BYPASSRLS" {
				return "Now no policy holds for " + name + "."
			}
		}
	case "membership":
		member, role, ok := strings.Cut(name, " in ")
		if ok && plan.ActionOf(c) == plan.ActionRemove {
			return "Now " + member + " has all rights of " + role + "."
		}
	}
	return ""
}

func policyEffect(c plan.Change) string {
	before, after := plan.Texts(c)
	restrictive := strings.HasPrefix(before+after, "RESTRICTIVE")
	switch c.(type) {
	case plan.Add:
		if restrictive {
			return "Now it keeps nobody from any row."
		}
		return "Now it gives nobody any row."
	case plan.Remove:
		if restrictive {
			return "Now it keeps rows back that the project gives."
		}
		return "Now it gives rows that the project does not."
	case plan.Modify:
	}
	return ""
}

// kindWord writes the kind of an object small, and its name as it is.
func kindWord(object string) string {
	kind, name, ok := strings.Cut(object, " ")
	if !ok {
		return object
	}
	return strings.ToLower(kind) + " " + name
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

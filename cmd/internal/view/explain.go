package view

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/lang/source"
)

// Explanation prints why a request may or may not do something to a record.
func Explanation(o Output, x *explain.Explanation) error {
	if o.JSON {
		return writeJSON(o.W, struct {
			FormatVersion string `json:"format_version"`
			*explain.Explanation
		}{FormatVersion, x})
	}
	p := &printer{Output: o}
	verdict := p.paint(red, "Denied")
	if x.Allowed {
		verdict = p.paint(green, "Allowed")
	}
	title := string(x.Action) + " · " + safeLine(x.Table)
	if x.App != "" {
		title += " · " + safeLine(x.App)
	}
	p.printf("%s: %s\n", verdict, sentenceOf(x.Reason))
	p.printf("%s\n", p.paint(bold, title))
	p.explainedUser(x)
	for _, c := range x.Checks {
		p.check(c)
	}
	p.sight(x.Columns)
	if len(x.Notes) > 0 {
		p.printf("\n%s\n", p.paint(bold, "Note"))
		for _, n := range x.Notes {
			p.printf("  %s %s\n", p.paint(yellow, "!"), safeLine(n))
		}
	}
	return p.err
}

// sentenceOf ends a clause as a sentence.
func sentenceOf(s string) string { return safeLine(s) + "." }

func (p *printer) explainedUser(x *explain.Explanation) {
	p.printf("\n%s\n", p.paint(bold, "The request"))
	for _, f := range append([]explain.Fact{x.User.Level, x.User.Groups}, x.User.Attributes...) {
		p.printf("  %s\n", factText(f))
	}
	if e := x.Entry; e.App != "" {
		switch {
		case e.AsApp:
			p.headline(" ", safeLine(e.App)+": all its users share its access; they are "+subjectsText(e.Subjects), placeOf(e.Span))
		default:
			p.headline(" ", safeLine(e.App)+": its users are "+subjectsText(e.Subjects), placeOf(e.Span))
		}
	}
}

func subjectsText(list []explain.SubjectFact) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = fmt.Sprintf("%s (%s)", safeLine(s.Subject), s.Value)
	}
	if len(parts) == 0 {
		return "nobody that counts here"
	}
	return strings.Join(parts, ", ")
}

// factText is a value as `record.region = "EMEA"`.
func factText(f explain.Fact) string {
	switch f.State {
	case explain.IsNull:
		return safeLine(f.Text) + " = null"
	case explain.IsUnknown:
		return safeLine(f.Text) + " unknown"
	case explain.IsValue:
	}
	return safeLine(f.Text) + " = " + jsonText(f.Value)
}

// jsonText is a value as JSON on one line.
func jsonText(v any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return safeLine(fmt.Sprint(v))
	}
	return safeLine(strings.TrimSuffix(b.String(), "\n"))
}

func placeOf(s source.Span) string { return safeLine(s.String()) }

// question is what a check asks, in words.
func question(c explain.Check) string {
	of := ""
	if c.Record == "new" {
		of = " the new record"
	}
	switch c.Kind {
	case explain.Policies:
		if of != "" {
			of = " on" + of
		}
		return "Does a policy grant " + string(c.Action) + of + "?"
	case explain.Guards:
		if of == "" {
			of = " it"
		}
		return "Does every guard let" + of + " pass?"
	case explain.Columns:
		return "May each column be set?"
	}
	return ""
}

func (p *printer) check(c explain.Check) {
	answer := p.paint(red, "no")
	if c.Holds {
		answer = p.paint(green, "yes")
	}
	p.printf("\n%s %s\n", p.paint(bold, question(c)), answer)
	for _, r := range c.Rules {
		p.rule(r)
	}
	for _, s := range c.Set {
		if s.Holds {
			p.printf("  %s %s\n", p.paint(green, "yes"), safeLine(s.Name))
		} else {
			p.printf("  %s  %s: %s\n", p.paint(red, "no"), safeLine(s.Name), safeLine(s.Why))
		}
	}
	if len(c.Rules)+len(c.Set) == 0 {
		switch c.Kind {
		case explain.Policies:
			p.printf("  no policy allows it on this table\n")
		case explain.Guards:
			p.printf("  the table has none\n")
		case explain.Columns:
			p.printf("  the write sets none\n")
		}
	}
}

func (p *printer) rule(r explain.Rule) {
	text := r.Kind + " " + safeLine(r.Name) + " " + string(r.Outcome)
	symbol := p.paint(dim, "·")
	switch r.Outcome {
	case explain.Grants, explain.Passes:
		symbol = p.paint(green, "✓")
	case explain.NotGrants, explain.Refuses:
		symbol = p.paint(red, "✗")
	case explain.DoesNotApply:
		text += ": to " + subjectsText(r.Subjects)
		if len(r.Via) > 0 {
			text += " via " + subjectsText(r.Via)
		}
	}
	p.headline(symbol, text, placeOf(r.Span))
	if r.Condition != nil {
		p.node(r.Condition, r.Span.File, 6)
	}
}

// node prints a condition with its values; a place in the rule's own file is
// its line alone.
func (p *printer) node(n *explain.Node, file string, indent int) {
	color := map[explain.Truth]string{explain.True: green, explain.False: red, explain.Unknown: yellow}[n.Value]
	at := ""
	if n.Joins == "" && !n.Span.IsZero() {
		at = safeLine(n.Span.String())
		if n.Span.File == file {
			at = fmt.Sprintf(":%d", n.Span.Start.Line)
		}
	}
	lead := strings.Repeat(" ", indent) + p.paint(color, pad(string(n.Value), 8))
	text := safeLine(n.Text)
	if at != "" {
		gap := strings.Repeat(" ", max(2, p.Width-indent-8-columns(text)-columns(at)))
		at = gap + p.paint(dim, at)
	}
	p.printf("%s%s%s\n", lead, text, at)
	if len(n.Facts) > 0 {
		parts := make([]string, len(n.Facts))
		for i, f := range n.Facts {
			parts[i] = factText(f)
		}
		p.printf("%s%s\n", strings.Repeat(" ", indent+8), p.paint(dim, strings.Join(parts, ", ")))
	}
	for _, part := range n.Parts {
		p.node(part, file, indent+2)
	}
	if n.More > 0 {
		p.printf("%sand %s more\n", strings.Repeat(" ", indent+2), plural(n.More, "record"))
	}
}

// sight prints what the user sees of the record.
func (p *printer) sight(list []explain.Column) {
	if len(list) == 0 {
		return
	}
	p.printf("\n%s\n", p.paint(bold, "Columns of the record"))
	var visible, hidden []string
	for _, c := range list {
		switch c.Access {
		case "visible":
			visible = append(visible, safeLine(c.Name))
		case "hidden":
			hidden = append(hidden, safeLine(c.Name))
		}
	}
	if len(visible) > 0 {
		p.printf("  %s  %s\n", p.paint(green, "visible"), strings.Join(visible, ", "))
	}
	for _, c := range list {
		if c.Access == "masked" {
			p.printf("  %s   %s shows %s (mask %s)\n", p.paint(yellow, "masked"), safeLine(c.Name), jsonText(c.Shows), safeLine(c.Mask))
		}
	}
	if len(hidden) > 0 {
		p.printf("  %s   %s\n", p.paint(red, "hidden"), strings.Join(hidden, ", "))
	}
}

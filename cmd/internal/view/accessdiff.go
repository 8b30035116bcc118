package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// maxAccess is how many changes in access are listed without --verbose.
const maxAccess = 50

// AccessDiff prints who gains and who loses between two revisions.
func AccessDiff(o Output, project string, r *review.Report, asked review.Outcome) error {
	if o.JSON {
		return writeJSON(o.W, struct {
			FormatVersion string `json:"format_version"`
			Project       string `json:"project"`
			*review.Report
			Refused  []review.Refusal  `json:"refused"`
			Approved []review.Approval `json:"approved"`
		}{FormatVersion, project, r, listOf(asked.Refused), listOf(asked.Approved)})
	}
	p := &printer{Output: o}
	p.printf("%s\n\n", p.paint(bold, "Postern diff · "+safeLine(project)+" · "+sideText(r.Before)+" → "+sideText(r.After)))
	p.accessChanges(r)
	p.printf("\n%s.\n", accessCounts(r.Counts))
	return p.err
}

// sideText names one of the two that are compared.
func sideText(s review.Side) string {
	switch s.Kind {
	case review.Revision:
		text := s.Revision[:min(7, len(s.Revision))]
		if s.Name != "" && !strings.HasPrefix(s.Revision, s.Name) {
			text += " (" + safeLine(s.Name) + ")"
		}
		return text
	case review.Folder:
		return "the folder"
	case review.Applied:
		text := "what was applied"
		if s.At != nil {
			text += " on " + s.At.UTC().Format(time.DateTime)
		}
		if s.Revision != "" {
			text += " from " + safeLine(s.Revision[:min(7, len(s.Revision))])
		}
		if s.By != "" {
			text += " by " + safeLine(s.By)
		}
		if s.ByHand {
			text += ", and changed by hand since"
		}
		return text
	case review.Nothing:
		return "nothing was applied"
	case review.Planned:
		return "this plan"
	case review.Live:
		return "what the database lets be done"
	case review.Unknown:
	}
	return "what is not known"
}

// accessHeading says since when access changes.
func accessHeading(before review.Side) string {
	switch {
	case before.Kind == review.Nothing:
		return "Access changes (nothing was applied before)"
	case before.ByHand:
		return "Access changes (from what the database lets be done now)"
	case before.Kind == review.Applied && before.Revision != "":
		return "Access changes since " + safeLine(before.Revision[:min(7, len(before.Revision))])
	}
	return "Access changes"
}

// accessCounts sums a report up.
func accessCounts(c review.Counts) string {
	text := fmt.Sprintf("Access: %d wider, %d narrower", c.Wider, c.Narrower)
	if c.Both > 0 {
		text += fmt.Sprintf(", %d both", c.Both)
	}
	return text + fmt.Sprintf(", %d undecided", c.Undecided)
}

// mark is the sign and colour of a verdict.
func mark(v access.Verdict) (sign, color string) {
	switch v {
	case access.Wider:
		return "▲", red
	case access.Narrower:
		return "▼", green
	case access.Both:
		return "◆", red
	case access.Undecided:
	}
	return "?", yellow
}

// accessChanges lists who gains and who loses.
func (p *printer) accessChanges(r *review.Report) {
	if r.Undecided != "" {
		sign, color := mark(access.Undecided)
		for i, l := range paragraph(safeLine(r.Undecided)+": who gains and who loses is undecided.", p.Width-4) {
			if i > 0 {
				sign = " "
			}
			p.printf("  %s %s\n", p.paint(color, sign), l)
		}
	}
	widths := [2]int{}
	shown := r.Changes
	if !p.Verbose && len(shown) > maxAccess {
		shown = shown[:maxAccess]
	}
	for _, c := range shown {
		widths[0] = max(widths[0], columns(safeLine(c.Subject)))
		widths[1] = max(widths[1], columns(safeLine(string(c.Action))))
	}
	for _, c := range shown {
		p.accessChange(c, widths)
	}
	if rest := len(r.Changes) - len(shown); rest > 0 {
		p.printf("  … and %d more; --verbose lists them\n", rest)
	}
	for _, b := range r.ByHand {
		sign, color := mark(b.Verdict)
		p.headline(p.paint(color, sign), pad(string(b.Verdict), 9)+" "+handText(b), placeOf(b.Span))
		for _, l := range paragraph(safeLine(handEffect(b)), p.Width-14) {
			p.printf("              %s\n", p.paint(dim, l))
		}
	}
	switch {
	case r.Same == 0 && len(r.Changes) == 0 && r.Undecided == "":
		p.printf("  = same      no policy grants anything, before or after\n")
	case r.Same > 0 && len(r.Changes) == 0:
		p.printf("  = same      all %d, proven equal\n", r.Same)
	case r.Same > 0:
		p.printf("  = same      %s, proven equal\n", plural(r.Same, "other"))
	}
}

func (p *printer) accessChange(c review.Change, widths [2]int) {
	sign, color := mark(c.Verdict)
	text := pad(string(c.Verdict), 9) + " " + pad(safeLine(c.Subject), widths[0]) + "  " + pad(safeLine(string(c.Action)), widths[1]) + "  " + safeLine(c.Table)
	if len(c.Columns) > 0 {
		text += " (" + p.columnList(c.Columns) + ")"
	}
	if len(c.Apps) > 0 {
		text += " via " + safeLine(strings.Join(c.Apps, ", "))
	}
	p.headline(p.paint(color, sign), text, spansText(c.Spans))
	for _, e := range evidence(c.Change) {
		for i, l := range paragraph(safeLine(e), p.Width-14) {
			indent := "              "
			if i > 0 {
				indent += "  "
			}
			p.printf("%s%s\n", indent, p.paint(dim, l))
		}
	}
}

// maxColumns is how many columns of a change are listed without --verbose.
const maxColumns = 6

func (p *printer) columnList(names []string) string {
	if p.Verbose || len(names) <= maxColumns {
		return safeLine(strings.Join(names, ", "))
	}
	return safeLine(strings.Join(names[:maxColumns], ", ")) + fmt.Sprintf(" and %d more", len(names)-maxColumns)
}

// evidence is why a change has its verdict.
func evidence(c access.Change) []string {
	var out []string
	gains, loses := "e.g. ", "e.g. "
	if c.Verdict == access.Both || c.Verdict == access.Undecided {
		gains, loses = "gains: ", "loses: "
	}
	if c.Reason != "" {
		out = append(out, c.Reason)
	}
	for _, r := range c.Removed {
		out = append(out, r.Object+" is gone, which was at "+r.Span.String())
	}
	for _, r := range c.Added {
		out = append(out, r.Object+" is new, at "+r.Span.String())
	}
	if c.Gained != nil {
		out = append(out, gains+c.Gained.String())
	}
	if c.Lost != nil {
		out = append(out, loses+c.Lost.String())
	}
	return out
}

// spansText is the first place, and how many more there are.
func spansText(list []source.Span) string {
	if len(list) == 0 || list[0].IsZero() {
		return ""
	}
	text := safeLine(list[0].String())
	if len(list) > 1 {
		text += fmt.Sprintf(" +%d", len(list)-1)
	}
	return text
}

// handText names what was made outside of the project.
func handText(b review.ByHand) string {
	return safeLine(string(b.Object.Kind) + " " + unquoted(b.Object.Name))
}

// handEffect says what a plan does to it.
func handEffect(b review.ByHand) string {
	switch {
	case b.Before != "" && b.After == "":
		return "made outside of the project, taken away: " + onOneLine(b.Before)
	case b.Before == "":
		return "taken away outside of the project, made again: " + onOneLine(b.After)
	}
	return "changed outside of the project: " + onOneLine(b.Before) + " becomes " + onOneLine(b.After)
}

// onOneLine is what a policy or grant says, which may have been written on
// several lines.
func onOneLine(statement string) string { return strings.ReplaceAll(unquoted(statement), "\n", " ") }

// Refused prints what a gate stops, and the lines that would let it pass.
func Refused(o Output, code diag.Code, refused []review.Refusal) error {
	if o.JSON {
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "code": code, "refused": refused})
	}
	p := &printer{Output: o}
	p.printf("%s %s not approved [%s]\n", p.paint(red, "Refused:"), plural(len(refused), "change")+isAre(len(refused)), code)
	for _, r := range refused {
		sign, color := mark(r.Verdict)
		p.printf("  %s %s %s\n", p.paint(color, sign), pad(string(r.Verdict), 9), safeLine(r.Change))
		if r.Stale != "" {
			p.printf("              %s\n", safeLine(r.Stale))
		}
	}
	p.printf("To approve, a code owner commits to %s:\n", review.ApprovalsFile)
	for _, r := range refused {
		p.printf("%s\n", safeLine(r.Approve))
	}
	return p.err
}

func isAre(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// Approved prints which approvals let changes pass a gate.
func Approved(o Output, used []review.Approval) error {
	p := &printer{Output: o}
	for _, a := range used {
		p.printf("Approved by %s: %s\n", safeLine(a.Source()), safeLine(a.Key))
	}
	return p.err
}

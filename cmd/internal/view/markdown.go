package view

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler/access"
)

// maxMarkdown is the size in bytes that a comment never passes; forges take
// 64 KiB and more.
const maxMarkdown = 60_000

// Marker is the hidden first line by which a comment is found again, to be
// updated in place.
const Marker = "<!-- postern -->"

// code is untrusted text as a code span, in which nothing is markup, a mention,
// a link or a reference. Its fence is longer than any run of backticks inside
// (CommonMark, 6.1).
func code(s string) string {
	s = safeLine(s)
	if s == "" {
		return ""
	}
	if strings.Trim(s, "` ") != s {
		s = " " + s + " "
	}
	f := fence(s, 1)
	return f + s + f
}

// cellCode is code in a cell of a table, which a bar would end whatever stands
// around it; so it is shown as a broken one.
func cellCode(s string) string { return code(strings.ReplaceAll(s, "|", "¦")) }

// fence is a run of backticks that does not stand in any of the texts.
func fence(s string, least int) string {
	run := 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		least = max(least, run+1)
	}
	return strings.Repeat("`", least)
}

// markdown collects a comment piece by piece.
type markdown struct {
	b bytes.Buffer
	// room is what is left for the next pieces, in bytes.
	room int
}

// add appends a piece that fits whole, or nothing.
func (m *markdown) add(s string) bool {
	if len(s) > m.room {
		return false
	}
	m.b.WriteString(s)
	m.room -= len(s)
	return true
}

// PlansMarkdown prints plans as a comment on a pull request: who gains and who
// loses first, the statements folded away. The same plans give the same bytes,
// at most maxMarkdown of them: what does not fit is counted.
func PlansMarkdown(w io.Writer, plans []*plan.Plan, reports []*review.Report, asked review.Outcome) error {
	m := &markdown{room: maxMarkdown}
	project := ""
	if len(plans) > 0 {
		project = plans[0].Project
	}
	m.add(Marker + "\n### Postern plan · " + code(clip(project, 80)) + "\n")
	m.room -= 1000 // for what says that there is more
	m.reports(reports, asked, maxMarkdown*6/10)
	for i, pl := range plans {
		m.room -= 200
		m.statements(pl, m.room/(len(plans)-i))
		m.room += 200
	}
	m.room += 1000
	return m.write(w)
}

// AccessMarkdown prints who gains and who loses as a comment on a pull request.
func AccessMarkdown(w io.Writer, project string, reports []*review.Report, asked review.Outcome) error {
	m := &markdown{room: maxMarkdown}
	m.add(Marker + "\n### Postern diff · " + code(clip(project, 80)) + "\n")
	m.room -= 1000
	m.reports(reports, asked, m.room)
	m.room += 1000
	return m.write(w)
}

func (m *markdown) write(w io.Writer) error {
	if m.b.Len() > maxMarkdown || !utf8.Valid(m.b.Bytes()) {
		return errors.New("the Markdown has become too large") // a mistake in this package
	}
	_, err := w.Write(m.b.Bytes())
	return err
}

// reports prints access changes within some bytes.
func (m *markdown) reports(reports []*review.Report, asked review.Outcome, bytes int) {
	rest := max(0, m.room-bytes)
	m.room -= rest
	for i, r := range reports {
		share := m.room / (len(reports) - i)
		spare := m.room - share
		m.room = share
		m.report(r)
		m.room += spare
	}
	m.refused(asked.Refused)
	m.approved(asked.Approved)
	m.room += rest
}

func (m *markdown) report(r *review.Report) {
	title := "\n**Access changes**"
	if target := r.Target(); target != "" {
		title += " · " + code(clip(target, 91))
	}
	c := r.Counts
	summary := fmt.Sprintf(" · %d wider, %d narrower, ", c.Wider, c.Narrower)
	if c.Both > 0 {
		summary += fmt.Sprintf("%d both, ", c.Both)
	}
	if !m.add(title + summary + fmt.Sprintf("%d undecided, %d proven equal\n", c.Undecided, r.Same)) {
		return
	}
	m.add("\nFrom " + code(clip(sideText(r.Before), 200)) + " to " + code(clip(sideText(r.After), 200)) + "\n")
	if r.Undecided != "" {
		m.add("\n⚠️ " + code(clip(r.Undecided, 500)) + ": who gains and who loses is undecided.\n")
	}
	if len(r.Changes)+len(r.ByHand) == 0 {
		return
	}
	if !m.add("\n| | who | may | on | for example |\n|---|---|---|---|---|\n") {
		return
	}
	left := 0
	m.room -= 100
	// What widens comes first: it is what must not be cut off.
	for _, wide := range []bool{true, false} {
		for _, c := range r.Changes {
			if c.Verdict.Widens() == wide && (left > 0 || !m.add(changeRow(c))) {
				left++
			}
		}
		for _, b := range r.ByHand {
			if b.Verdict.Widens() == wide && (left > 0 || !m.add(handRow(b))) {
				left++
			}
		}
	}
	m.room += 100
	if left > 0 {
		m.add(fmt.Sprintf("\n… and %d more changes in access, which are not listed here.\n", left))
	}
}

// emoji is the sign of a verdict where a forge shows it.
func emoji(v access.Verdict) string {
	switch v {
	case access.Wider:
		return "🔺 wider"
	case access.Narrower:
		return "🔽 narrower"
	case access.Both:
		return "🔶 both"
	case access.Undecided:
	}
	return "❔ undecided"
}

func changeRow(c review.Change) string {
	on := cellCode(clip(c.Table, 120))
	if len(c.Columns) > 0 {
		on += " " + cellCode(clip(strings.Join(c.Columns, ", "), 200))
	}
	if len(c.Apps) > 0 {
		on += " via " + cellCode(clip(strings.Join(c.Apps, ", "), 200))
	}
	parts := evidence(c.Change)
	for i := range parts {
		parts[i] = cellCode(clip(parts[i], 400))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", emoji(c.Verdict), cellCode(clip(c.Subject, 120)), cellCode(clip(string(c.Action), 80)), on, strings.Join(parts, "<br>"))
}

func handRow(b review.ByHand) string {
	return fmt.Sprintf("| %s | %s | | | %s |\n", emoji(b.Verdict), cellCode(clip(handText(b), 200)), cellCode(clip(handEffect(b), 400)))
}

// statements prints what a plan runs, folded away.
func (m *markdown) statements(pl *plan.Plan, bytes int) {
	rest := max(0, m.room-bytes)
	m.room -= rest
	defer func() { m.room += rest }()
	add, change, remove := pl.Count()
	if !m.add(fmt.Sprintf("\n**%s** · %d to add, %d to change, %d to remove\n", code("datasource."+clip(pl.Datasource, 80)), add, change, remove)) || pl.Empty() {
		return
	}
	m.hazards(pl)
	lines := make([]string, len(pl.Statements))
	for i, s := range pl.Statements {
		lines[i] = statementText(s)
	}
	m.folded(plural(len(lines), "statement"), "sql", lines)
}

// folded prints lines of code that open on a click.
func (m *markdown) folded(summary, language string, lines []string) {
	foot := "\n</details>\n"
	m.room -= len(foot)
	if m.add("\n<details><summary>" + summary + "</summary>\n\n") {
		m.block(language, lines)
		m.room += len(foot)
		m.add(foot)
		return
	}
	m.room += len(foot)
}

// block prints untrusted lines as a code block (CommonMark, 4.5), and counts
// those that do not fit.
func (m *markdown) block(language string, lines []string) {
	f := fence(strings.Join(lines, "\n"), 3)
	foot := f + "\n"
	reserved := len(foot) + 80
	m.room -= reserved
	defer func() { m.room += reserved }()
	if !m.add(f + language + "\n") {
		return
	}
	left := 0
	for _, l := range lines {
		if left > 0 || !m.add(l+"\n") {
			left++
		}
	}
	m.room += reserved
	m.add(foot)
	if left > 0 {
		m.add(fmt.Sprintf("… and %d more, which are not shown here\n", left))
	}
	m.room -= reserved
}

// hazards prints what the statements do not show at a glance.
func (m *markdown) hazards(pl *plan.Plan) {
	if len(pl.Hazards) == 0 {
		return
	}
	m.add("\n")
	left := 0
	for i, h := range pl.Hazards {
		if i >= 10 || !m.add("- "+code(clip(unquoted(h.Message()), 400))+"\n") {
			left++
		}
	}
	if left > 0 {
		m.add(fmt.Sprintf("- … and %d more to mind\n", left))
	}
}

// refused prints what a gate stops.
func (m *markdown) refused(list []review.Refusal) {
	if len(list) == 0 {
		return
	}
	if !m.add(fmt.Sprintf("\n⛔ **%s not approved.** To approve, a code owner commits to %s:\n\n",
		plural(len(list), "change")+isAre(len(list)), code(review.ApprovalsFile))) {
		return
	}
	lines := make([]string, len(list))
	for i, r := range list {
		lines[i] = safeLine(r.Approve)
	}
	m.block("", lines)
}

// approved names the approvals that let changes pass, and who committed them.
func (m *markdown) approved(list []review.Approval) {
	const most = 20
	for i, a := range list {
		if i == most {
			m.add(fmt.Sprintf("\n✅ … and %d more are approved.\n", len(list)-most))
			return
		}
		m.add("\n✅ " + code(clip(a.Key, 400)) + " is approved by " + code(clip(a.Source(), 200)) + "\n")
	}
}

// clip cuts a text that is longer than n characters.
func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

package view

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/postern-dev/postern/compiler/explain"
)

// Access prints all that a user may do.
func Access(o Output, a *explain.Access) error {
	if o.JSON {
		return writeJSON(o.W, struct {
			FormatVersion string `json:"format_version"`
			*explain.Access
		}{FormatVersion, a})
	}
	p := &printer{Output: o}
	p.printf("%s\n", p.paint(bold, "The user"))
	for _, f := range append([]explain.Fact{a.User.Level, a.User.Groups}, a.User.Attributes...) {
		p.printf("  %s\n", factText(f))
	}
	last := ""
	for _, g := range a.Grants {
		title := safeLine(g.Table)
		if g.App != "" {
			title += " · " + safeLine(g.App)
		}
		if title != last {
			p.printf("\n%s\n", p.paint(bold, title))
			last = title
		}
		p.grant(g)
	}
	if len(a.Without) > 0 {
		p.printf("\n%s\n", p.paint(bold, "Nothing on"))
		for _, t := range a.Without {
			p.printf("  %s\n", safeLine(t))
		}
	}
	return p.err
}

// condText is a condition in words where it is none.
func condText(c string) string {
	if c == "true" {
		return "every record"
	}
	return safeLine(c)
}

func (p *printer) grant(g explain.Grant) {
	lead := pad(safeLine(string(g.Action)), 8)
	line := func(color, lead, text string) {
		for i, l := range wrapCond(text, p.Width-12) {
			if i > 0 {
				lead = strings.Repeat(" ", columns(lead))
			}
			p.printf("  %s  %s\n", p.paint(color, lead), l)
		}
	}
	if g.When != "" {
		line(green, lead, condText(g.When))
		lead = pad("", 8)
	}
	if g.Becomes != "" && g.Becomes != g.When {
		if g.When != "" {
			lead = "becomes "
		}
		line(green, lead, condText(g.Becomes))
	}
	verb := "shows"
	if g.Becomes != "" {
		verb = "sets"
	}
	for _, c := range g.Columns {
		text := verb + " " + safeLine(strings.Join(c.Names, ", "))
		if c.Mask != "" {
			text += " through mask " + safeLine(c.Mask)
		}
		if c.When != "" {
			text += " when " + safeLine(c.When)
		}
		line(dim, pad("", 8), text)
	}
}

// wrapCond breaks a condition before its operators.
func wrapCond(s string, room int) []string {
	if columns(s) <= room {
		return []string{s}
	}
	return paragraph(s, room)
}

// AccessCSV prints all that a user may do as comma-separated values (RFC 4180).
func AccessCSV(w io.Writer, a *explain.Access) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"table", "app", "action", "when", "becomes", "columns", "columns_when", "mask"}}
	for _, g := range a.Grants {
		row := []string{g.Table, g.App, string(g.Action), g.When, g.Becomes}
		if len(g.Columns) == 0 {
			rows = append(rows, append(row, "", "", ""))
		}
		for _, c := range g.Columns {
			rows = append(rows, append(row[:len(row):len(row)], strings.Join(c.Names, " "), c.When, c.Mask))
		}
	}
	for _, r := range rows {
		for i := range r {
			r[i] = cell(r[i])
		}
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("printing CSV: %w", err)
	}
	return nil
}

// cell keeps a spreadsheet from taking a text for a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// Audience prints who may do something to a record.
func Audience(o Output, a *explain.Audience) error {
	if o.JSON {
		return writeJSON(o.W, struct {
			FormatVersion string `json:"format_version"`
			*explain.Audience
		}{FormatVersion, a})
	}
	p := &printer{Output: o}
	title := "Who may " + string(a.Action) + " the record · " + safeLine(a.Table)
	if a.App != "" {
		title += " · " + safeLine(a.App)
	}
	p.printf("%s\n", p.paint(bold, title))
	width := 12
	for _, u := range a.Users {
		width = max(width, columns(safeLine(u.User)))
	}
	for _, k := range a.Kinds {
		width = max(width, columns(safeLine(k.Kind)))
	}
	for _, u := range a.Users {
		answer := p.paint(red, pad("no", 8))
		if u.Allowed {
			answer = p.paint(green, pad("yes", 8))
		}
		p.printf("  %s  %s%s\n", pad(safeLine(u.User), width), answer, safeLine(u.Reason))
	}
	for _, k := range a.Kinds {
		switch k.Answer {
		case explain.Yes:
			p.printf("  %s  %s\n", pad(safeLine(k.Kind), width), p.paint(green, "yes"))
		case explain.No:
			p.printf("  %s  %s\n", pad(safeLine(k.Kind), width), p.paint(red, "no"))
		case explain.Depends:
			for i, l := range wrapCond(safeLine(k.When), p.Width-width-12) {
				lead, answer := pad(safeLine(k.Kind), width), p.paint(yellow, pad("when", 8))
				if i > 0 {
					lead, answer = pad("", width), pad("", 8)
				}
				p.printf("  %s  %s%s\n", lead, answer, l)
			}
		}
	}
	return p.err
}

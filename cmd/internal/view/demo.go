package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/plan"
)

// Demo prints the steps of the demo.
type Demo struct{ p *printer }

// NewDemo begins the demo's output.
func NewDemo(o Output) Demo {
	o.Width = min(o.Width, 100)
	d := Demo{&printer{Output: o}}
	d.p.printf("%s\n", d.p.paint(bold, "Postern demo"))
	d.p.printf("%s\n", d.p.paint(dim, "One warehouse, an assistant that writes its own SQL, and everybody sees what is theirs to see."))
	return d
}

// Quote is a block of the source.
type Quote struct {
	Place string
	Lines []string
}

// DemoUser is one of the users who ask.
type DemoUser struct {
	Title  string
	Claims map[string]any
}

// DemoRow is a row of the table and, for each user, whether Postgres, OPA and
// the JSON engine let them see it.
type DemoRow struct {
	Name, About string
	Answers     [][3]bool
}

// DemoRows is what all engines said.
type DemoRows struct {
	Table string
	Users []DemoUser
	Rows  []DemoRow
}

// Agree reports whether all engines gave the same answers.
func (r *DemoRows) Agree() bool {
	for _, row := range r.Rows {
		for _, a := range row.Answers {
			if a[0] != a[1] || a[0] != a[2] {
				return false
			}
		}
	}
	return true
}

func (d Demo) step(title string, took time.Duration) {
	d.p.printf("\n%s", d.p.paint(bold, "── "+title+" "))
	rest := d.p.Width - columns(title) - 4
	end := ""
	if took > 0 {
		end = fmt.Sprintf(" %.1f s", took.Seconds())
	}
	d.p.printf("%s%s\n\n", d.p.paint(dim, strings.Repeat("─", max(3, rest-columns(end)))), d.p.paint(dim, end))
}

// Started tells of the server.
func (d Demo) Started(server, example string, took time.Duration) error {
	d.step("A database", took)
	d.p.printf("  A throw-away %s on 127.0.0.1 with the tables and rows of examples/%s.\n", shortServer(server), example)
	return d.p.err
}

// Source quotes the blocks that the rest is about.
func (d Demo) Source(quotes []Quote) error {
	d.step("What the project says about customers", 0)
	for i, q := range quotes {
		if i > 0 {
			d.p.printf("\n")
		}
		for n, line := range q.Lines {
			if n > 0 {
				d.p.printf("  %s\n", line)
				continue
			}
			gap := strings.Repeat(" ", max(2, d.p.Width-2-columns(line)-columns(q.Place)))
			d.p.printf("  %s%s%s\n", line, gap, d.p.paint(dim, q.Place))
		}
	}
	return d.p.err
}

// Plan shows a plan in short, and one of its policies in full.
func (d Demo) Plan(pl *plan.Plan, policy string) error {
	d.step("postern plan", 0)
	counts := map[string]int{}
	for _, c := range pl.Changes {
		counts[kindOf(c)]++
	}
	for _, line := range []struct{ kind, one, many string }{
		{"role", "role", "roles: for each app one that carries its rights and one that logs in"},
		{"row security", "table comes under row security", "tables come under row security"},
		{"generated", "object", "objects of the schema postern, which carries who the user is"},
		{"policy", "policy", "policies, one for each table, account and action; this is one of them:"},
	} {
		n := counts[line.kind]
		if n == 0 {
			continue
		}
		words := line.many
		if n == 1 {
			words = line.one
		}
		d.p.printf("  %s %3d %s\n", d.p.paint(green, "+"), n, words)
	}
	d.p.printf("\n")
	for _, c := range pl.Changes {
		if c.What().Object.Kind == "policy" && unquoted(c.What().Object.Name) == policy {
			d.p.change(c)
		}
	}
	d.p.printf("\n  %s %3d grants, on no more columns than the policies name\n", d.p.paint(green, "+"), counts["grant"])
	d.p.printf("  %s %3d more: passwords, memberships, and what PUBLIC loses\n", d.p.paint(yellow, "~"), counts["other"])
	add, change, remove := pl.Count()
	d.p.printf("\n  Plan: %d to add, %d to change, %d to remove.\n", add, change, remove)
	return d.p.err
}

func kindOf(c plan.Change) string {
	kind := string(c.What().Object.Kind)
	switch {
	case generated(c):
		return "generated"
	case kind == "role", kind == "row security", kind == "policy":
		return kind
	case kind == "grant" && plan.ActionOf(c) == plan.ActionAdd:
		return kind
	}
	return "other"
}

// Applied tells that a plan ran.
func (d Demo) Applied(statements int, empty bool, took time.Duration) error {
	d.step("postern apply", took)
	d.p.printf("  %s in one transaction.", plural(statements, "statement"))
	if empty {
		d.p.printf(" A second plan is empty.")
	}
	d.p.printf("\n")
	return d.p.err
}

// Seen shows which rows the users see, engine by engine.
func (d Demo) Seen(r *DemoRows) error {
	d.step("Two users, one query", 0)
	d.p.printf("  SELECT … FROM %s, by the assistant's own login; a signed token says for whom.\n", r.Table)
	d.p.printf("  OPA and the JSON engine are asked about the same rows.\n\n")
	d.table(r)
	if r.Agree() {
		d.p.printf("\n  %s Postgres, OPA and the JSON engine agree on every row.\n", d.p.paint(green, "✓"))
	}
	return d.p.err
}

// table prints a column for each user and engine.
func (d Demo) table(r *DemoRows) {
	const first, each = 34, 26
	titles, engines := strings.Repeat(" ", first), fmt.Sprintf("%-*s", first, r.Table)
	for _, u := range r.Users {
		titles += fmt.Sprintf("%-*s", each, u.Title)
		engines += fmt.Sprintf("%-*s", each, "Postgres  OPA  JSON")
	}
	d.p.printf("  %s\n", d.p.paint(bold, strings.TrimRight(titles, " ")))
	d.p.printf("  %s\n", d.p.paint(dim, strings.TrimRight(engines, " ")))
	for _, row := range r.Rows {
		line := fmt.Sprintf("%-12s %s", row.Name, row.About)
		d.p.printf("  %-*s", first, safeLine(line))
		for i, a := range row.Answers {
			if i > 0 {
				d.p.printf("%s", strings.Repeat(" ", each-16))
			}
			d.p.printf("   %s       %s    %s", d.mark(a[0], a[0] != a[1] || a[0] != a[2]), d.mark(a[1], false), d.mark(a[2], false))
		}
		d.p.printf("\n")
	}
}

func (d Demo) mark(sees, wrong bool) string {
	switch {
	case wrong:
		return d.p.paint(red, "✗")
	case sees:
		return d.p.paint(green, "●")
	}
	return d.p.paint(dim, "·")
}

// Drift shows what was done by hand, what it opened, and the drift found.
func (d Demo) Drift(statements []string, r *DemoRows, pl *plan.Plan) error {
	d.step("Somebody is in a hurry", 0)
	for _, s := range statements {
		d.p.printf("  %s %s;\n", d.p.paint(dim, "psql>"), s)
	}
	d.p.printf("\n")
	d.table(r)
	if !r.Agree() {
		d.p.printf("\n  %s Postgres no longer answers as the project says; OPA and the JSON engine still do.\n", d.p.paint(red, "✗"))
	}
	d.step("postern drift", 0)
	hand, source := origins(pl)
	d.p.differences(hand, source, nil)
	return d.p.err
}

// Healed tells that the drift is gone.
func (d Demo) Healed(statements int, r *DemoRows) error {
	d.step("postern apply", 0)
	d.p.printf("  %s in one transaction. No drift is left, and the engines agree again:\n\n", plural(statements, "statement"))
	d.table(r)
	return d.p.err
}

// End says what is left, and where to go on.
func (d Demo) End(took time.Duration) error {
	d.step("Done", took)
	d.p.printf("  The throw-away database is gone. To go on with this project:\n\n")
	d.p.printf("    postern -C my-project init     %s\n", d.p.paint(dim, "the files that were used here, with a README"))
	d.p.printf("    postern -C my-project test     %s\n", d.p.paint(dim, "their tests"))
	return d.p.err
}

package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/verify"
)

// VerifyReport is what `postern verify` did and found.
type VerifyReport struct {
	FormatVersion string            `json:"format_version"`
	Seed          uint64            `json:"seed"`
	Decisions     int               `json:"decisions"` // questions asked
	Allowed       int               `json:"allowed"`   // of them, by the evaluator
	PerSecond     int               `json:"decisions_per_second"`
	Targets       map[string]int    `json:"targets"`            // questions asked of each target
	LeftOut       map[string]string `json:"left_out,omitempty"` // targets that cannot express the project, and why
	Policies      []*verify.Count   `json:"policies"`           // how often each granted, and how often not
	Guards        []*verify.Count   `json:"guards"`             // how often each let pass, and how often not
	Disagreement  *Disagreement     `json:"disagreement,omitempty"`
}

// Disagreement is a question on which a target and the evaluator differ.
type Disagreement struct {
	Target  string `json:"target"`
	Summary string `json:"summary"`
	// Archive is a small project and the question, in txtar form.
	Archive string `json:"archive,omitempty"`
}

// NewVerifyReport sums up a run.
func NewVerifyReport(r *verify.Report) VerifyReport {
	out := VerifyReport{
		FormatVersion: FormatVersion, Seed: r.Seed, Decisions: r.Decisions, Allowed: r.Allowed, Targets: r.Targets,
		LeftOut: map[string]string{}, Policies: r.Policies, Guards: r.Guards,
	}
	if s := r.Elapsed.Seconds(); s > 0 {
		out.PerSecond = int(float64(r.Decisions) / s)
	}
	return out
}

// Verified prints a report of verify.
func Verified(o Output, r VerifyReport) error {
	if o.JSON {
		return writeJSON(o.W, r)
	}
	p := &printer{Output: o}
	p.counts("policy", "granted", "did not", r.Policies)
	p.counts("guard", "let pass", "did not", r.Guards)
	names := []string{"evaluator"}
	for _, name := range slices.Sorted(maps.Keys(r.Targets)) {
		names = append(names, name)
		p.printf("%-10s %8d decisions\n", name, r.Targets[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.LeftOut)) {
		p.printf("%-10s %s %s\n", name, p.paint(yellow, "left out:"), safe(r.LeftOut[name]))
	}
	if d := r.Disagreement; d != nil {
		p.printf("\n%s %s\n", p.paint(red, "Not the same:"), safe(d.Summary))
		if d.Archive == "" {
			p.printf("The difference is gone when the project is written out in one file: run again with --seed %d.\n", r.Seed)
		} else {
			p.printf("\n%s", safe(d.Archive))
		}
		return p.err
	}
	p.printf("\n%s: %s on %s, %d of them allowed (seed %d, %d a second)\n", p.paint(green, "All the same"),
		plural(r.Decisions, "decision"), joinAnd(names), r.Allowed, r.Seed, r.PerSecond)
	return p.err
}

// counts prints a table of how often policies or guards held; what never did,
// or always, stands out.
func (p *printer) counts(what, yes, no string, list []*verify.Count) {
	if len(list) == 0 {
		return
	}
	width := max(len(what), 12)
	for _, c := range list {
		width = max(width, columns(safeLine(c.Name)))
	}
	p.printf("%s\n", p.paint(bold, pad(what, width)+fmt.Sprintf(" %10s %9s", yes, no)))
	for _, c := range list {
		note := ""
		if c.Yes == 0 {
			note = p.paint(yellow, "   never")
		}
		p.printf("%s %10d %9d%s\n", pad(safeLine(c.Name), width), c.Yes, c.No, note)
	}
	p.printf("\n")
}

// pad fills a text up to a width.
func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-columns(s))) }

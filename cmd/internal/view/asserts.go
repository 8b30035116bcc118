package view

import (
	"strings"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/lang/source"
)

// AssertResult is how one assert ended.
type AssertResult struct {
	Name   string      `json:"name"`
	Span   source.Span `json:"span"`
	Passed bool        `json:"passed"`
	Claims []Claim     `json:"claims"`
}

// Claim is what was found of one claim of an assert, on one table.
type Claim struct {
	access.Finding
	Span source.Span `json:"span"`
}

// told is what a claim that does not pass says, in one line.
func (c Claim) told() string {
	switch c.Outcome {
	case access.Refuted:
		s := c.Claim + ": refuted by " + c.Witness.String()
		if len(c.Columns) > 0 {
			s += ", who reaches " + strings.Join(c.Columns, ", ")
		}
		return s
	case access.NotDecided:
		return c.Claim + ": not decided: " + c.Reason
	case access.Proven:
	}
	return c.Claim + ": proven"
}

// asserts prints asserts as tests are printed, and below a refuted one the
// policies behind it.
func (p *printer) asserts(list []AssertResult) {
	for _, a := range list {
		mark := p.paint(green, "ok  ")
		if !a.Passed {
			mark = p.paint(red, "FAIL")
		}
		p.printf("%s  %s  %s\n", mark, safe(a.Name), p.paint(dim, a.Span.String()))
		for _, c := range a.Claims {
			if c.Outcome == access.Proven {
				continue
			}
			p.printf("      %s  %s\n", safe(c.told()), p.paint(dim, c.Span.String()))
			for _, s := range c.Spans {
				p.printf("        by the policy at %s\n", s)
			}
		}
	}
}

// junitAsserts are asserts as test cases.
func junitAsserts(list []AssertResult) []junitCase {
	var out []junitCase
	for _, a := range list {
		c := junitCase{Name: a.Name, Class: "postern." + a.Span.File, File: a.Span.File, Line: a.Span.Start.Line}
		for _, claim := range a.Claims {
			if claim.Outcome == access.Proven {
				continue
			}
			text := claim.Span.String()
			for _, s := range claim.Spans {
				text += "\nby the policy at " + s.String()
			}
			c.Failures = append(c.Failures, junitFailure{Message: claim.told(), Text: text})
		}
		out = append(out, c)
	}
	return out
}

package view

import (
	"encoding/xml"
	"fmt"
	"io"

	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/source"
)

// TestReport is what `postern test` found.
type TestReport struct {
	FormatVersion string           `json:"format_version"`
	Targets       []string         `json:"targets"` // the evaluator first
	Tests         []testrun.Result `json:"tests"`
	Asserts       []AssertResult   `json:"asserts"`
	Passed        int              `json:"passed"` // of tests and asserts
	Failed        int              `json:"failed"`
	Decisions     int              `json:"decisions"` // asked of each target
	// Coverage is what the tests reach, nil when it was not asked for.
	Coverage *testrun.Coverage `json:"coverage,omitempty"`

	// Sources show the conditions that are not covered.
	Sources *source.Set `json:"-"`
}

// NewTestReport sums up results.
func NewTestReport(targets []string, results []testrun.Result, asserts []AssertResult) TestReport {
	r := TestReport{FormatVersion: FormatVersion, Targets: targets, Tests: results, Asserts: asserts}
	if r.Tests == nil {
		r.Tests = []testrun.Result{}
	}
	for _, a := range asserts {
		if a.Passed {
			r.Passed++
		} else {
			r.Failed++
		}
	}
	for _, t := range results {
		r.Decisions += t.Decisions
		if t.Passed {
			r.Passed++
		} else {
			r.Failed++
		}
	}
	return r
}

// Tests prints a test report.
func Tests(o Output, r TestReport) error {
	if o.JSON {
		return writeJSON(o.W, r)
	}
	p := &printer{Output: o}
	for _, t := range r.Tests {
		mark := p.paint(green, "ok  ")
		if !t.Passed {
			mark = p.paint(red, "FAIL")
		}
		p.printf("%s  %s  %s\n", mark, safe(t.Name), p.paint(dim, t.Span.String()))
		for _, f := range t.Failures {
			p.printf("      %s %s  %s\n", p.paint(red, f.Target+":"), safe(f.Message), p.paint(dim, f.Span.String()))
		}
	}
	p.asserts(r.Asserts)
	p.printf("\n%d passed, %d failed: %s on %s\n", r.Passed, r.Failed, plural(r.Decisions, "decision"), joinAnd(r.Targets))
	if r.Coverage != nil {
		p.coverage(r.Coverage, r.Sources)
	}
	return p.err
}

func joinAnd(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	out := words[0]
	for i, w := range words[1:] {
		if i == len(words)-2 {
			out += " and " + w
		} else {
			out += ", " + w
		}
	}
	return out
}

type junitSuite struct {
	XMLName  xml.Name    `xml:"testsuite"`
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name     string         `xml:"name,attr"`
	Class    string         `xml:"classname,attr"`
	File     string         `xml:"file,attr"`
	Line     int            `xml:"line,attr"`
	Failures []junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit writes a test report in the XML form that CI systems read.
func JUnit(w io.Writer, r TestReport) error {
	suite := junitSuite{Name: "postern", Tests: len(r.Tests) + len(r.Asserts), Failures: r.Failed}
	for _, t := range r.Tests {
		c := junitCase{Name: t.Name, Class: "postern." + t.Span.File, File: t.Span.File, Line: t.Span.Start.Line}
		for _, f := range t.Failures {
			c.Failures = append(c.Failures, junitFailure{Message: f.Target + ": " + f.Message, Text: f.Span.String()})
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Cases = append(suite.Cases, junitAsserts(r.Asserts)...)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(suite); err != nil {
		return fmt.Errorf("writing JUnit: %w", err)
	}
	return nil
}

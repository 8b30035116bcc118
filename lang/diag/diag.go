// Package diag holds diagnostics as data: what is wrong, where, how bad, and
// how to mend it. Terminal text, JSON and SARIF are rendered from one record.
package diag

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/lang/source"
)

// Severity says whether a diagnostic stops the run.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// Code is a stable, documented name of a kind of diagnostic, in the form
// "area-what" (for example "name-unknown", "type-mismatch"). Codes never
// change meaning; docs/diagnostics.md lists them.
type Code string

// Related is a second place that helps to understand a diagnostic.
type Related struct {
	Span    source.Span `json:"span"`
	Message string      `json:"message"`
}

// Fix is a replacement of one span by a text that would mend the diagnostic.
type Fix struct {
	Span source.Span `json:"span"`
	Text string      `json:"text"`
}

// Diagnostic is one finding. Summary is one clear sentence without a final
// full stop; Detail (may be empty) says why and how to mend it.
type Diagnostic struct {
	Code     Code        `json:"code"`
	Severity Severity    `json:"severity"`
	Summary  string      `json:"summary"`
	Detail   string      `json:"detail,omitempty"`
	Span     source.Span `json:"span"`
	Related  []Related   `json:"related,omitempty"`
	Fix      *Fix        `json:"fix,omitempty"`
	// Secret says that the text at Span is a secret, which is never shown.
	Secret bool `json:"-"`
}

// Error makes a single diagnostic usable as an error.
func (d Diagnostic) Error() string {
	var b strings.Builder
	if !d.Span.IsZero() {
		b.WriteString(d.Span.String())
		b.WriteString(": ")
	}
	b.WriteString(d.Summary)
	if d.Detail != "" {
		b.WriteString(": ")
		b.WriteString(d.Detail)
	}
	return b.String()
}

// List is the diagnostics of a run. Every phase appends to it and goes on as
// far as it can, so that all errors of a run are shown at once.
type List []Diagnostic

// Add appends one diagnostic.
func (l *List) Add(d Diagnostic) {
	if d.Severity == "" {
		d.Severity = Error
	}
	*l = append(*l, d)
}

// Fail appends an error at a place.
func (l *List) Fail(code Code, span source.Span, summary, detail string) {
	l.Add(Diagnostic{Code: code, Severity: Error, Summary: summary, Detail: detail, Span: span})
}

// Warn appends a warning at a place.
func (l *List) Warn(code Code, span source.Span, summary, detail string) {
	l.Add(Diagnostic{Code: code, Severity: Warning, Summary: summary, Detail: detail, Span: span})
}

// HasErrors reports whether any diagnostic is an error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sorted returns the list ordered by file, place, severity and code, with
// exact repeats removed: the same run always prints the same text.
func (l List) Sorted() List {
	out := slices.Clone(l)
	slices.SortStableFunc(out, func(a, b Diagnostic) int {
		if c := a.Span.Compare(b.Span); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.Severity), string(b.Severity)); c != 0 {
			return c
		}
		if c := strings.Compare(string(a.Code), string(b.Code)); c != 0 {
			return c
		}
		return strings.Compare(a.Summary+a.Detail, b.Summary+b.Detail)
	})
	return slices.CompactFunc(out, func(a, b Diagnostic) bool {
		return a.Span == b.Span && a.Code == b.Code && a.Summary == b.Summary && a.Detail == b.Detail
	})
}

// Err returns the list as an error when it holds an error, else nil.
func (l List) Err() error {
	if !l.HasErrors() {
		return nil
	}
	return l
}

// Error joins the diagnostics, one a line.
func (l List) Error() string {
	var lines []string
	for _, d := range l.Sorted() {
		lines = append(lines, d.Error())
	}
	return strings.Join(lines, "\n")
}

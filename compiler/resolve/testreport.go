package resolve

import (
	"fmt"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// rows reads which records a test expects a report to show.
func (t *testBuilder) rows(b *syntax.Rows, seen map[string]source.Span) {
	name := b.Label(0)
	if first, ok := seen[name]; ok {
		t.duplicate(b.Span, first, fmt.Sprintf("A second expectation for the report %q", name))
		return
	}
	seen[name] = b.Span
	var report *model.Report
	var known []string
	for _, r := range t.program.Reports {
		known = append(known, r.Name)
		if r.Name == name {
			report = r
		}
	}
	if report == nil {
		t.unknown(b.LabelSpan(0), "report", name, known, "")
		return
	}
	if b.Rows == nil {
		return
	}
	e := &model.ExpectRows{Report: report, Span: b.Span}
	for _, item := range t.elements(b.Rows, t.eval) {
		f := t.fixture(item)
		if f == nil || f.Table == nil {
			continue
		}
		if f.Table != report.From {
			t.diags.Fail(CodeTest, syntaxSpan(item), fmt.Sprintf("%q is no record of %s, from which the report %q is", f.Name, report.From.Address(), name),
				"Remove it.")
			continue
		}
		e.Fixtures = append(e.Fixtures, f)
	}
	t.test.Reports = append(t.test.Reports, e)
}

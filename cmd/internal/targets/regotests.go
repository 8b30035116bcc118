package targets

import (
	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
)

// EmitRegoTests writes a project's tests as tests that `opa test` runs.
func EmitRegoTests(p *model.Program, tests []*model.Test) []backend.Artifact {
	var cases []rego.TestCase
	for _, t := range tests {
		docs := testrun.NewDocuments(p, t)
		for _, c := range testrun.Cases(t) {
			q := backend.Question{Request: docs.Request(c.Ask.Table().Datasource), Table: c.Ask.Table(), Action: c.Ask.Action}
			q.Old, q.New, q.Set = docs.Ask(c.Ask)
			cases = append(cases, rego.TestCase{Name: t.Name + ": " + c.Name, Span: c.Span, Question: q, Allowed: c.Allowed})
		}
		for _, s := range t.Sights {
			q := backend.Question{Request: docs.Request(s.Fixture.Table.Datasource), Table: s.Fixture.Table, Action: model.View}
			q.Old = docs.Of(s.Fixture.Table, s.Fixture.Values)
			cases = append(cases, rego.TestCase{Name: t.Name + ": " + s.Fixture.Name, Span: s.Span, Question: q, Sight: &s.Sight})
		}
	}
	return rego.EmitTests(p, cases)
}

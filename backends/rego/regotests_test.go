package rego

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/tester"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/source"
)

func testCases(p *model.Program, tests []*model.Test) []TestCase {
	var out []TestCase
	for _, t := range tests {
		docs := testrun.NewDocuments(p, t)
		for _, c := range testrun.Cases(t) {
			q := backend.Question{Request: docs.Request(c.Ask.Table().Datasource), Table: c.Ask.Table(), Action: c.Ask.Action}
			q.Old, q.New, q.Set = docs.Ask(c.Ask)
			out = append(out, TestCase{Name: t.Name + ": " + c.Name, Span: c.Span, Question: q, Allowed: c.Allowed})
		}
		for _, s := range t.Sights {
			q := backend.Question{Request: docs.Request(s.Fixture.Table.Datasource), Table: s.Fixture.Table, Action: model.View}
			q.Old = docs.Of(s.Fixture.Table, s.Fixture.Values)
			out = append(out, TestCase{Name: t.Name + ": " + s.Fixture.Name, Span: s.Span, Question: q, Sight: &s.Sight})
		}
	}
	return out
}

// runEmitted is `opa test` on a project's Rego and these tests.
func runEmitted(t *testing.T, p *model.Program, artifacts []backend.Artifact) (passed, failed int) {
	t.Helper()
	c, err := newContent(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	_, store, err := c.load()
	if err != nil {
		t.Fatal(err)
	}
	modules := map[string]*ast.Module{}
	for _, f := range c.files {
		if modules[f.path], err = ast.ParseModuleWithOpts(f.path, string(f.text), ast.ParserOptions{RegoVersion: ast.RegoV1}); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range artifacts {
		if want, err := format.Source(a.Path, a.Data); err != nil || !bytes.Equal(want, a.Data) {
			t.Errorf("%s is not as opa fmt writes it: %v\n%s", a.Path, err, a.Data)
		}
		m, err := ast.ParseModuleWithOpts(a.Path, string(a.Data), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
		if err != nil {
			t.Fatal(err)
		}
		modules[a.Path] = m
	}
	txn := storage.NewTransactionOrDie(context.Background(), store)
	defer store.Abort(context.Background(), txn)
	runner := tester.NewRunner().SetCompiler(ast.NewCompiler().WithStrict(true).WithDefaultRegoVersion(ast.RegoV1)).
		SetStore(store).SetModules(modules).SetDefaultRegoVersion(ast.RegoV1)
	results, err := runner.RunTests(context.Background(), txn)
	if err != nil {
		t.Fatal(err)
	}
	for r := range results {
		if r.Pass() {
			passed++
			continue
		}
		failed++
	}
	return passed, failed
}

func TestEmitTests(t *testing.T) {
	t.Parallel()
	projects := map[string][]source.File{}
	for _, e := range []string{"game-backend", "llm-apps", "low-code"} {
		projects[e] = folder(t, filepath.Join("../../examples", e))
	}
	for _, c := range []string{"decision", "masks"} {
		projects[c] = archive(t, filepath.Join("../../testdata/equivalence", c+".txtar"))
	}
	for name, files := range projects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, tests := compileFiles(t, files...)
			cases := testCases(p, tests)
			passed, failed := runEmitted(t, p, EmitTests(p, cases))
			if passed == 0 || failed > 0 {
				t.Errorf("%d passed, %d failed", passed, failed)
			}
			for i := range cases {
				cases[i].Allowed = !cases[i].Allowed
			}
			asked := 0
			for _, c := range cases {
				if c.Sight == nil {
					asked++
				}
			}
			if _, failed := runEmitted(t, p, EmitTests(p, cases)); failed != asked {
				t.Errorf("%d of %d tests with the wrong answer failed", failed, asked)
			}
		})
	}
}

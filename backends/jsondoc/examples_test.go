package jsondoc_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/source"
)

// target answers tests' questions by the engine.
type target struct {
	program *model.Program
	decider *jsondoc.Decider
}

func (target) Covers(*model.Table) bool { return true }

func (target) Name() string { return "json" }

func (e target) Answer(ctx context.Context, t *model.Test, asks []model.Ask) ([]bool, error) {
	docs := testrun.NewDocuments(e.program, t)
	out := make([]bool, len(asks))
	for i, a := range asks {
		q := backend.Question{Request: t.Request, Table: a.Table(), Action: a.Action}
		q.Old, q.New, q.Set = docs.Ask(a)
		var err error
		if out[i], err = e.decider.Decide(ctx, q); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// TestExamples runs the examples' tests on the engine, and holds their
// documents against the schema.
func TestExamples(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob("../../examples/*/postern.hcl")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	schema := compiledSchema(t)
	for _, file := range folders {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			t.Parallel()
			set, err := source.FromDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			program, tests, diags := compiler.CompileTests(context.Background(), set, compiler.Inputs{})
			if diags.HasErrors() {
				t.Fatal(diags.Err())
			}
			if list := (jsondoc.Emitter{}).Audit(program); len(list) > 0 {
				t.Error(list)
			}
			if err := checkSchema(schema, emit(t, program)); err != nil {
				t.Error(err)
			}
			d, err := jsondoc.NewDecider(context.Background(), program)
			if err != nil {
				t.Fatal(err)
			}
			results, err := testrun.Run(context.Background(), program, tests, []testrun.Engine{target{program, d}})
			if err != nil || len(results) == 0 {
				t.Fatalf("%d results: %v", len(results), err)
			}
			for _, r := range results {
				for _, f := range r.Failures {
					t.Errorf("%s (%s): %s: %s", r.Name, f.Span, f.Target, f.Message)
				}
			}
		})
	}
}

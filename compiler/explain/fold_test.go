package explain

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
)

// halves answers by what is left of a condition when one half of what it asks
// was known, evaluated on the other half.
type halves struct {
	program *model.Program
	known   func(env *eval.Env, doc model.Document) folder
}

func (halves) Name() string             { return "fold" }
func (halves) Covers(*model.Table) bool { return true }

func (h halves) Ask(_ context.Context, q *verify.Query) (*verify.Answer, error) {
	out := &verify.Answer{Allowed: map[model.Action][]bool{}}
	env, entry, ok := eval.Enter(h.program, q.Request, q.Table.Datasource)
	holds := func(c model.Cond, doc model.Document) bool {
		f := h.known(env, doc)
		return env.On(doc).Holds(f.fold(c))
	}
	for _, a := range q.Table.Actions {
		for _, doc := range q.Records {
			query := eval.Query{Action: a, Table: q.Table}
			out.Allowed[a] = append(out.Allowed[a], ok && holds(oldOf(h.program, entry, query), doc) && holds(newOf(h.program, entry, query), doc))
		}
	}
	for _, pair := range q.Edits {
		query := eval.Query{Action: model.Edit, Table: q.Table}
		out.Edits = append(out.Edits, ok && holds(oldOf(h.program, entry, query), q.Records[pair[0]]) &&
			holds(newOf(h.program, entry, query), q.Records[pair[1]]))
	}
	for _, i := range q.Columns {
		names := []string{}
		for _, c := range q.Table.Columns {
			if ok && h.shows(entry, q, c, holds, q.Records[i]) {
				names = append(names, c.Name)
			}
		}
		out.Columns = append(out.Columns, names)
	}
	return out, nil
}

// shows asks for a column as What puts its condition together.
func (h halves) shows(entry model.Entry, q *verify.Query, c *model.Column, holds func(model.Cond, model.Document) bool, doc model.Document) bool {
	var arms []model.Cond
	for _, arm := range h.program.VisibleColumns(entry, q.Table) {
		for _, x := range arm.Target.Columns {
			if x == c {
				arms = append(arms, arm.Cond)
			}
		}
	}
	return holds(model.AllOf(h.program.Old(entry, q.Table, model.View), model.AnyOf(arms...)), doc)
}

// TestWhatIsLeftHoldsWhereTheConditionDoes: whatever half is known, the rest
// says the same as the evaluator.
func TestWhatIsLeftHoldsWhereTheConditionDoes(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("../../testdata/equivalence/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]func(*eval.Env, model.Document) folder{
		"user": func(env *eval.Env, _ model.Document) folder { return folder{env: env, user: true, groups: true} },
		"request": func(env *eval.Env, _ model.Document) folder {
			return folder{env: env, user: true, groups: true, request: true, now: true}
		},
		"record": func(env *eval.Env, doc model.Document) folder {
			return folder{env: env.On(doc), record: true, now: true}
		},
		"groups and record": func(env *eval.Env, doc model.Document) folder {
			return folder{env: env.On(doc), record: true, groups: true, now: true}
		},
		"all": func(env *eval.Env, doc model.Document) folder {
			return folder{env: env.On(doc), record: true, user: true, groups: true, request: true, now: true}
		},
	}
	for _, path := range paths {
		name := filepath.Base(path)
		if name == "modules.txtar" {
			continue // its modules stand in folders
		}
		p, diags := compiler.Compile(t.Context(), Archive(t, path), compiler.Inputs{})
		if p == nil {
			t.Fatal(diags)
		}
		for half, of := range known {
			t.Run(name+"/"+half, func(t *testing.T) {
				t.Parallel()
				r, err := verify.Run(t.Context(), p, []verify.Engine{halves{p, of}}, verify.Options{Seed: 7, Budget: 1000})
				if err != nil {
					t.Fatal(err)
				}
				if r.Found != nil {
					t.Errorf("%s", r.Found)
				}
			})
		}
	}
}

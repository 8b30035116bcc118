package explain_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/source"
)

// explainer answers with nothing but what an explanation shows: all of its
// checks hold, and its columns. The evaluator must say the same.
type explainer struct {
	program *model.Program
	sources *source.Set
	t       *testing.T
}

func (explainer) Name() string             { return "explain" }
func (explainer) Covers(*model.Table) bool { return true }

func (e explainer) Ask(_ context.Context, q *verify.Query) (*verify.Answer, error) {
	out := &verify.Answer{Allowed: map[model.Action][]bool{}}
	for _, a := range q.Table.Actions {
		for _, doc := range q.Records {
			query := eval.Query{Request: q.Request, Table: q.Table, Action: a, Old: doc}
			if a == model.Create {
				query.Old, query.New = nil, doc
			}
			out.Allowed[a] = append(out.Allowed[a], e.holds(query))
		}
	}
	for _, pair := range q.Edits {
		out.Edits = append(out.Edits, e.holds(eval.Query{
			Request: q.Request, Table: q.Table, Action: model.Edit, Old: q.Records[pair[0]], New: q.Records[pair[1]],
		}))
	}
	for _, i := range q.Columns {
		x := explain.Explain(e.program, eval.Query{Request: q.Request, Table: q.Table, Action: model.View, Old: q.Records[i]}, e.sources)
		names := []string{}
		for _, c := range x.Columns {
			if c.Access == "hidden" {
				continue
			}
			names = append(names, c.Name)
			if len(c.Policies) == 0 {
				e.t.Errorf("no policy shows the column %s, which is %s", c.Name, c.Access)
			}
		}
		out.Columns = append(out.Columns, names)
	}
	return out, nil
}

func (e explainer) holds(q eval.Query) bool {
	x := explain.Explain(e.program, q, e.sources)
	if x.Reason == "" {
		e.t.Errorf("%s of %s: no reason", x.Action, x.Table)
	}
	for _, c := range x.Checks {
		for _, r := range c.Rules {
			if (r.Condition == nil) != (r.Outcome == explain.DoesNotApply) {
				e.t.Errorf("%s %s %s, with condition %v", r.Kind, r.Name, r.Outcome, r.Condition)
			}
			if r.Condition != nil {
				e.kleene(r.Condition)
			}
		}
	}
	return x.Entry.Holds && !slices.ContainsFunc(x.Checks, func(c explain.Check) bool { return !c.Holds })
}

// kleene checks that each part's value follows from those of its parts.
func (e explainer) kleene(n *explain.Node) {
	count := map[explain.Truth]int{}
	for _, p := range n.Parts {
		e.kleene(p)
		count[p.Value]++
	}
	want := n.Value
	switch n.Joins {
	case "and":
		want = decided(explain.False, explain.True, count)
	case "or":
		want = decided(explain.True, explain.False, count)
	case "any", "all":
		if len(n.Parts) > 0 && n.More == 0 && n.Joins == "any" {
			want = decided(explain.True, explain.False, count)
		} else if len(n.Parts) > 0 && n.More == 0 {
			want = decided(explain.False, explain.True, count)
		}
	case "not":
		want = map[explain.Truth]explain.Truth{explain.True: explain.False, explain.False: explain.True, explain.Unknown: explain.Unknown}[n.Parts[0].Value]
	}
	if n.Value != want {
		e.t.Errorf("%s is %s, its parts make it %s", n.Text, n.Value, want)
	}
	if n.Joins == "" && n.Value == explain.Unknown && len(n.Facts) == 0 && len(n.Parts) == 0 {
		e.t.Errorf("%s is unknown, and nothing shows why", n.Text)
	}
}

func decided(decides, otherwise explain.Truth, count map[explain.Truth]int) explain.Truth {
	switch {
	case count[decides] > 0:
		return decides
	case count[explain.Unknown] > 0:
		return explain.Unknown
	}
	return otherwise
}

func TestExplanationsAgreeWithTheEvaluator(t *testing.T) {
	t.Parallel()
	sets := map[string]*source.Set{}
	for _, name := range []string{"llm-apps", "game-backend", "low-code"} {
		set, err := source.FromDir(filepath.Join("..", "..", "examples", name))
		if err != nil {
			t.Fatal(err)
		}
		sets[name] = set
	}
	cases, err := filepath.Glob("../../testdata/equivalence/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range cases {
		if filepath.Base(path) == "modules.txtar" {
			continue // its modules stand in folders
		}
		sets[filepath.Base(path)] = explain.Archive(t, path)
	}
	if len(sets) < 10 {
		t.Fatalf("found only %d projects", len(sets))
	}
	for name, set := range sets {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
			if p == nil {
				t.Fatal(diags)
			}
			r, err := verify.Run(t.Context(), p, []verify.Engine{explainer{p, set, t}}, verify.Options{Seed: 1, Budget: 1500})
			if err != nil {
				t.Fatal(err)
			}
			if r.Found != nil {
				t.Errorf("%s", r.Found)
			}
			if r.Allowed == 0 {
				t.Error("nothing was ever allowed")
			}
		})
	}
}

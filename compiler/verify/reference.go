package verify

import (
	"context"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// reference is the reference evaluator as an Engine. It counts what each policy
// and guard did.
type reference struct {
	program  *model.Program
	policies map[*model.Policy]*Count
	guards   map[*model.Guard]*Count
}

func newReference(p *model.Program) *reference {
	r := &reference{program: p, policies: map[*model.Policy]*Count{}, guards: map[*model.Guard]*Count{}}
	for _, pol := range p.Policies {
		r.policies[pol] = &Count{Name: pol.Name}
	}
	for _, g := range p.Guards {
		r.guards[g] = &Count{Name: g.Name}
	}
	return r
}

// Name is "evaluator".
func (*reference) Name() string { return "evaluator" }

// Covers is always true.
func (*reference) Covers(*model.Table) bool { return true }

// Ask decides each question with compiler/eval.
func (r *reference) Ask(_ context.Context, q *Query) (*Answer, error) {
	out := &Answer{Allowed: map[model.Action][]bool{}}
	for _, action := range q.Table.Actions {
		allowed := make([]bool, len(q.Records))
		for i, doc := range q.Records {
			query := eval.Query{Request: q.Request, Table: q.Table, Action: action, Old: doc}
			if action == model.Create {
				query.Old, query.New = nil, doc
			}
			d := eval.Decide(r.program, query)
			allowed[i] = d.Allowed
			r.count(q.Table, action, d)
		}
		out.Allowed[action] = allowed
	}
	for _, e := range q.Edits {
		d := eval.Decide(r.program, eval.Query{Request: q.Request, Table: q.Table, Action: model.Edit, Old: q.Records[e[0]], New: q.Records[e[1]]})
		out.Edits = append(out.Edits, d.Allowed)
	}
	for _, i := range q.Columns {
		d := eval.Decide(r.program, eval.Query{Request: q.Request, Table: q.Table, Action: model.View, Old: q.Records[i], HashKey: model.TestHashKey})
		out.Sights = append(out.Sights, eval.SightOf(d))
	}
	return out, nil
}

// count notes which policies granted, and which guards did not let pass.
func (r *reference) count(t *model.Table, action model.Action, d eval.Decision) {
	granted := map[*model.Policy]bool{}
	for _, p := range d.Policies {
		granted[p] = true
	}
	for _, target := range t.Policies {
		if target.Allows(action) {
			r.policies[target.Policy].add(granted[target.Policy])
		}
	}
	failed := map[*model.Guard]bool{}
	for _, g := range d.Guards {
		failed[g] = true
	}
	for _, target := range t.Guards {
		r.guards[target.Guard].add(!failed[target.Guard])
	}
}

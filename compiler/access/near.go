package access

import (
	"context"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// Obstacle is what keeps somebody out whom policies let in.
type Obstacle string

// The obstacles.
const (
	NotAmongUsers Obstacle = "users"  // the user is none of the app's
	Refused       Obstacle = "guards" // a guard refuses the record
)

// Near is somebody to whom a policy grants an action through an entry, and who
// may not do it all the same.
type Near struct {
	Action   model.Action
	Witness  *Witness
	Obstacle Obstacle
	Guards   []*model.GuardTarget // those that refuse it
}

// Nearest looks for somebody who could do something to a record of a table
// through the entry, if one thing were not in the way; false when there is
// nobody, or none is found.
func (a *Asker) Nearest(ctx context.Context, e model.Entry, t *model.Table) (Near, bool) {
	p := a.comparer.new
	for _, o := range []Obstacle{NotAmongUsers, Refused} {
		for _, action := range t.Actions {
			if action == model.Edit || action == model.Delete {
				continue // who may not view may not do these
			}
			granted := p.Granted(e, t, action, action == model.Create, "")
			if o == NotAmongUsers {
				granted = model.AllOf(p.Through(e, p.Guarded(t)), granted)
			}
			if w := a.example(ctx, e, t, action, granted); w != nil {
				return Near{Action: action, Witness: w, Obstacle: o, Guards: a.refusing(e, t, w)}, true
			}
		}
	}
	return Near{}, false
}

// example is a user and a record for which a condition holds, confirmed by the
// evaluator; nil where none is found.
func (a *Asker) example(ctx context.Context, e model.Entry, t *model.Table, action model.Action, c model.Cond) *Witness {
	p := a.comparer.new
	s := &side{program: p, table: t, entry: e, ok: true}
	app, at := "", oldRecord
	if e.Connect != nil {
		app = e.App().Name
	}
	if action == model.Create {
		at = newRecord
	}
	part := s.holds(c, at)
	if impossible(part) {
		return nil
	}
	q := &question{
		cell: &cell{comparer: a.comparer, action: action, app: app, address: tableAddress(t), old: s, new: &side{program: p}},
		part: part, whole: never,
		check: func(w *Witness) bool { return on(p, e, w).Holds(c) },
	}
	return a.comparer.decide(ctx, q).witness
}

// refusing lists the guards on a table that refuse a witness.
func (a *Asker) refusing(e model.Entry, t *model.Table, w *Witness) []*model.GuardTarget {
	p := a.comparer.new
	var out []*model.GuardTarget
	for _, g := range t.Guards {
		if !on(p, e, w).Holds(p.Through(e, model.AnyOf(p.Outside(g.Guard.To), g.Require.Holds))) {
			out = append(out, g)
		}
	}
	return out
}

// on is the environment of a witness, on its record or, for a create, on the new
// one.
func on(p *model.Program, e model.Entry, w *Witness) *eval.Env {
	record := w.Record
	if record == nil {
		record = w.NewRecord
	}
	return eval.NewEnv(p, model.Request{User: w.User, App: w.App, Context: w.Request, Now: w.now}, e).On(record)
}

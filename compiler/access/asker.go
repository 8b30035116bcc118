package access

import (
	"context"
	"sync"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// Asker answers questions about the rules of one program: what would be without
// some of them, and whether their conditions can hold and fail. It remembers
// answers, and may be asked from many goroutines.
type Asker struct {
	comparer *comparer
	mu       sync.Mutex
	empty    map[string]bool // proven to be satisfied by nobody, by the form of the formula
	seen     pool
}

// NewAsker is an asker about a program, within bounds for each question.
func NewAsker(p *model.Program, opts Options) *Asker {
	c := &comparer{opts: opts.withDefaults(), old: p, new: p, sameContext: true}
	c.memo.answers = map[[32]byte]remembered{}
	return &Asker{comparer: c, empty: map[string]bool{}}
}

// GivesNothing reports whether it is proven that nobody may do anything to any
// record of a table through the entry.
func (a *Asker) GivesNothing(ctx context.Context, e model.Entry, t *model.Table) bool {
	s := &side{program: a.comparer.new, table: t, entry: e, ok: true}
	for _, action := range t.Actions {
		if !a.nobody(ctx, s.records(action, ""), s) {
			return false
		}
	}
	return ctx.Err() == nil
}

// Constancy says whether a condition depends on anything.
type Constancy int

// What can be known of a condition, for all to whom its rule applies.
const (
	Varies      Constancy = iota // it may hold and it may not, or that is not known
	NeverHolds                   // proven: it holds for nobody and no record
	AlwaysHolds                  // proven: it holds for everybody and every record
)

// OfPolicy says whether a condition of a policy on its table depends on
// anything, for users whom the policy is for, and in how many ways in such users
// may come.
func (a *Asker) OfPolicy(ctx context.Context, t *model.PolicyTarget, c model.Cond) (is Constancy, ways int) {
	return a.constancy(ctx, t.Table, c, func(s *side) formula {
		return a.through(s, a.comparer.new.Gate(t.Policy, s.entry.AsApp()))
	})
}

// OfGuard says the same of a condition on a guard's table, for users who are not
// surely outside the guard.
func (a *Asker) OfGuard(ctx context.Context, t *model.GuardTarget, c model.Cond) (is Constancy, ways int) {
	return a.constancy(ctx, t.Table, c, func(s *side) formula {
		return not{a.through(s, a.comparer.new.Outside(t.Guard.To))}
	})
}

// Contradiction is some terms of a conjunction that never holds which never hold
// together, and none of which may be left out; of says what is known of a
// condition.
func Contradiction(c model.Cond, of func(model.Cond) Constancy) []model.Cond {
	and, is := c.(*model.And)
	if !is {
		return []model.Cond{c}
	}
	return fewest(and.Terms, func(some []model.Cond) bool {
		return len(some) > 0 && of(model.AllOf(some...)) == NeverHolds
	})
}

func (a *Asker) through(s *side, c model.Cond) formula {
	return s.holds(s.program.Through(s.entry, c), oldRecord)
}

func (a *Asker) constancy(ctx context.Context, t *model.Table, c model.Cond, whom func(*side) formula) (is Constancy, ways int) {
	never, always := true, true
	for _, e := range t.Datasource.Entries() {
		s := &side{program: a.comparer.new, table: t, entry: e, ok: true}
		within, holds := whom(s), a.through(s, c)
		if a.nobody(ctx, within, s) {
			continue
		}
		ways++
		never = never && a.nobody(ctx, allOf{within, holds}, s)
		always = always && a.nobody(ctx, allOf{within, not{holds}}, s)
		if !never && !always {
			return Varies, ways
		}
	}
	switch {
	case ways == 0 || never == always:
		return Varies, ways
	case never:
		return NeverHolds, ways
	}
	return AlwaysHolds, ways
}

// nobody reports whether it is proven that no user and record satisfy a
// formula about the sides, which are of one program.
func (a *Asker) nobody(ctx context.Context, f formula, sides ...*side) bool {
	if impossible(f) {
		return true
	}
	key := formulaKey(f)
	if sides[0].table.Resource() {
		key += "\x00resource" // whose attributes may hold anything
	}
	a.mu.Lock()
	is, known := a.empty[key]
	a.mu.Unlock()
	if known {
		return is
	}
	is = !a.seen.satisfy(f, sides[0].table.Resource()) && a.refuted(ctx, f, sides)
	if ctx.Err() != nil {
		return false
	}
	a.mu.Lock()
	a.empty[key] = is
	a.mu.Unlock()
	return is
}

func (a *Asker) refuted(ctx context.Context, f formula, sides []*side) bool {
	c := a.comparer
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	named := c.named(mentioned(f))
	if !a.refutedFor(ctx, f, sides, nil, named) {
		return false
	}
	for i := range named {
		if !a.refutedFor(ctx, f, sides, &named[i], nil) {
			return false
		}
	}
	return true
}

// refutedFor reports whether a formula is proven to be satisfied by no record
// and one user of the directory, or all users but some. What the solver finds is
// not checked by the evaluator: it is enough to make nothing proven.
func (a *Asker) refutedFor(ctx context.Context, f formula, sides []*side, user *namedUser, others []namedUser) bool {
	c := a.comparer
	e := newEncoder(c)
	entries := map[*side]*model.User{}
	if user != nil {
		for _, s := range sides {
			entries[s] = user.new
		}
		e.pinned = user.new != nil && user.new.Level != nil
	}
	e.levels(c.old, c.new)
	e.need(f, true, true, map[string]bool{})
	e.s.Goal(e.formula(f, entries))
	e.stated(c.new.Identity.Key)
	if user != nil {
		e.s.Assert(e.isUser(user))
	}
	for i := range others {
		e.s.Assert(smt.Not(e.isUser(&others[i])))
	}
	e.finish()
	if e.s.Size() > mostAtoms {
		return false
	}
	q := &question{cell: &cell{comparer: c, action: model.Edit}} // whose witness has both records
	r := e.s.Solve(ctx, smt.Limits{Steps: c.opts.Steps}, func(m *smt.Model) smt.Reply {
		if e.refine(m) {
			return smt.Refine
		}
		a.seen.keep(e, e.witness(q, m, user != nil, false))
		return smt.Accept
	})
	return r.Status == smt.Unsat && e.partial == ""
}

package access

import (
	"context"
	"slices"
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
}

// NewAsker is an asker about a program, within bounds for each question.
func NewAsker(p *model.Program, opts Options) *Asker {
	c := &comparer{opts: opts.withDefaults(), old: p, new: p, sameContext: true}
	c.memo.answers = map[[32]byte]remembered{}
	return &Asker{comparer: c, empty: map[string]bool{}}
}

// SameWithout reports whether it is proven that nobody gains or loses anything
// on a table when the policies and guards are removed from it.
func (a *Asker) SameWithout(ctx context.Context, t *model.Table, policies []*model.PolicyTarget, guards []*model.GuardTarget) bool {
	without := *t
	without.Policies = slices.DeleteFunc(slices.Clone(t.Policies), func(x *model.PolicyTarget) bool { return slices.Contains(policies, x) })
	without.Guards = slices.DeleteFunc(slices.Clone(t.Guards), func(x *model.GuardTarget) bool { return slices.Contains(guards, x) })
	p := pair{t, &without}
	c := a.comparer
	known := forms{}
	for _, action := range p.actions() {
		for _, app := range p.apps() {
			cell := &cell{
				comparer: c, action: action, app: app, address: tableAddress(t),
				old: newSide(c.old, t, app), new: newSide(c.new, &without, app), forms: known,
			}
			subjects := slices.Compact(slices.Sorted(slices.Values(append(cell.old.subjects(action), cell.new.subjects(action)...))))
			for _, s := range subjects {
				if len(cell.subject(ctx, s)) > 0 {
					return false
				}
			}
			if len(cell.together(ctx, subjects)) > 0 {
				return false
			}
		}
	}
	return ctx.Err() == nil
}

// GivesNothing reports whether it is proven that nobody may do anything to any
// record of a table through the entry.
func (a *Asker) GivesNothing(ctx context.Context, e model.Entry, t *model.Table) bool {
	s := &side{program: a.comparer.new, table: t, entry: e, ok: true}
	for _, action := range t.Actions {
		if !a.nobody(ctx, s, s.records(action, "")) {
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
// anything, for users whom the policy is for.
func (a *Asker) OfPolicy(ctx context.Context, t *model.PolicyTarget, c model.Cond) Constancy {
	return a.constancy(ctx, t.Table, c, func(s *side) formula {
		return a.through(s, a.comparer.new.Gate(t.Policy, s.entry.AsApp()))
	})
}

// OfGuard says whether what a guard requires on its table depends on anything,
// for users who are not surely outside the guard.
func (a *Asker) OfGuard(ctx context.Context, t *model.GuardTarget) Constancy {
	return a.constancy(ctx, t.Table, t.Require.Holds, func(s *side) formula {
		return not{a.through(s, a.comparer.new.Outside(t.Guard.To))}
	})
}

func (a *Asker) through(s *side, c model.Cond) formula {
	return s.holds(s.program.Through(s.entry, c), oldRecord)
}

func (a *Asker) constancy(ctx context.Context, t *model.Table, c model.Cond, whom func(*side) formula) Constancy {
	never, always, reached := true, true, false
	for _, e := range t.Datasource.Entries() {
		s := &side{program: a.comparer.new, table: t, entry: e, ok: true}
		within, holds := whom(s), a.through(s, c)
		if a.nobody(ctx, s, within) {
			continue
		}
		reached = true
		never = never && a.nobody(ctx, s, allOf{within, holds})
		always = always && a.nobody(ctx, s, allOf{within, not{holds}})
		if !never && !always {
			return Varies
		}
	}
	switch {
	case !reached || never == always:
		return Varies
	case never:
		return NeverHolds
	}
	return AlwaysHolds
}

// nobody reports whether it is proven that no user and record satisfy a
// formula about one side.
func (a *Asker) nobody(ctx context.Context, s *side, f formula) bool {
	if impossible(f) {
		return true
	}
	key := formulaKey(f)
	if s.table.Resource() {
		key += "\x00resource" // whose attributes may hold anything
	}
	a.mu.Lock()
	is, known := a.empty[key]
	a.mu.Unlock()
	if known {
		return is
	}
	is = a.comparer.nobody(ctx, s, f)
	if ctx.Err() != nil {
		return false
	}
	a.mu.Lock()
	a.empty[key] = is
	a.mu.Unlock()
	return is
}

func (c *comparer) nobody(ctx context.Context, s *side, f formula) bool {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	named := c.named(mentioned(f))
	if !c.refuted(ctx, s, f, nil, named) {
		return false
	}
	for i := range named {
		if !c.refuted(ctx, s, f, &named[i], nil) {
			return false
		}
	}
	return true
}

// refuted reports whether a formula is proven to be satisfied by no record and
// one user of the directory, or all users but some. What the solver finds is
// not checked by the evaluator: it is enough to make nothing proven.
func (c *comparer) refuted(ctx context.Context, s *side, f formula, user *namedUser, others []namedUser) bool {
	e := newEncoder()
	entries := map[*side]*model.User{}
	if user != nil {
		entries[s] = user.new
		e.pinned = user.new != nil && user.new.Level != nil
	}
	e.levels(c.old, c.new)
	e.need(f, true, map[string]bool{})
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
	r := e.s.Solve(ctx, smt.Limits{Steps: c.opts.Steps}, func(m *smt.Model) smt.Reply {
		if e.refine(m) {
			return smt.Refine
		}
		return smt.Accept
	})
	return r.Status == smt.Unsat && e.partial == ""
}

package lint

import (
	"context"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// conditions finds those that decide nothing, for all tables of their block. A
// constant is left alone: true may be what a variable says, and the compiler
// warns of false.
func (l *linter) conditions(ctx context.Context) {
	each(ctx, blocks(l.program.Policies, policyBlock), func(b block[*model.Policy]) {
		var targets []*model.PolicyTarget
		for _, p := range b.of {
			targets = append(targets, p.On...)
		}
		l.decidesNothing("when", b.span, b.label, judged(targets, func(t *model.PolicyTarget) question {
			if constant(t.When) {
				return question{}
			}
			return l.ofPolicy(ctx, t, t.When)
		}))
		l.decidesNothing("check", b.span, b.label, judged(targets, func(t *model.PolicyTarget) question {
			if constant(t.Check) || t.Check.Source == t.When.Source || !t.Allows(model.Create) && !t.Allows(model.Edit) {
				return question{}
			}
			return l.ofPolicy(ctx, t, t.Check)
		}))
	})
	each(ctx, blocks(l.program.Guards, guardBlock), func(b block[*model.Guard]) {
		var targets []*model.GuardTarget
		for _, g := range b.of {
			targets = append(targets, g.On...)
		}
		l.decidesNothing("require", b.span, b.label, judged(targets, func(t *model.GuardTarget) question {
			if constant(t.Require) {
				return question{}
			}
			return question{t.Require.Holds, func(c model.Cond) (access.Constancy, int) { return l.asker.OfGuard(ctx, t, c) }}
		}))
	})
}

// question is a condition on a table, and how to ask what is known of it or of
// a part of it; without a condition nothing is known.
type question struct {
	cond model.Cond
	ask  func(model.Cond) (is access.Constancy, ways int)
}

func (l *linter) ofPolicy(ctx context.Context, t *model.PolicyTarget, c model.Condition) question {
	return question{c.Holds, func(c model.Cond) (access.Constancy, int) { return l.asker.OfPolicy(ctx, t, c) }}
}

// constant reports whether a condition is a constant in the program.
func constant(c model.Condition) bool {
	_, is := c.Source.(*model.Literal)
	return is
}

// judgement is what is known of a condition on all tables of its block alike.
type judgement struct {
	is    access.Constancy
	cells int
	first question // on the first table
}

func judged[T any](targets []T, of func(T) question) judgement {
	out := judgement{}
	for i, t := range targets {
		q := of(t)
		if q.cond == nil {
			return judgement{}
		}
		is, ways := q.ask(q.cond)
		if is == access.Varies || i > 0 && is != out.is {
			return judgement{}
		}
		if i == 0 {
			out.is, out.first = is, q
		}
		out.cells += ways
	}
	return out
}

func (l *linter) decidesNothing(argument string, at source.Span, object string, j judgement) {
	f := Finding{Object: object, Span: at, Proof: &Proof{j.cells, eachCondition}}
	switch j.is {
	case access.Varies:
		return
	case access.NeverHolds:
		f.Rule, f.Message = ConditionNever, "Its "+argument+" can never hold for anybody whom it is for."
		f.Related = contradiction(j.first)
	case access.AlwaysHolds:
		f.Rule, f.Message = ConditionAlways, "Its "+argument+" always holds for everybody whom it is for."
	}
	l.add(f)
}

// contradiction lists the parts of a condition that never hold together.
func contradiction(q question) []Related {
	var out []Related
	terms := access.Contradiction(q.cond, func(c model.Cond) access.Constancy {
		is, _ := q.ask(c)
		return is
	})
	for _, t := range terms {
		message := "never holds"
		if len(terms) > 1 {
			message = "never holds beside the others"
		}
		out = append(out, Related{print.Cond(t), placeOf(t), message})
	}
	return out
}

// placeOf is where the operands of an atom stand; for other conditions it is
// where the first of their atoms does.
func placeOf(c model.Cond) source.Span {
	var out source.Span
	model.Walk(c, func(atom model.Cond) {
		if !out.IsZero() {
			return
		}
		for _, x := range model.Operands(atom) {
			switch at := x.Place(); {
			case at.IsZero():
			case out.IsZero():
				out = at
			case at.File == out.File && at.End.Byte > out.End.Byte:
				out.End = at.End
			}
		}
	})
	return out
}

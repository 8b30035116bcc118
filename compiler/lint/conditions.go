package lint

import (
	"context"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
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
		when := func(t *model.PolicyTarget) access.Constancy {
			if constant(t.When) {
				return access.Varies
			}
			return l.asker.OfPolicy(ctx, t, t.When.Holds)
		}
		check := func(t *model.PolicyTarget) access.Constancy {
			if constant(t.Check) || t.Check.Source == t.When.Source || !t.Allows(model.Create) && !t.Allows(model.Edit) {
				return access.Varies
			}
			return l.asker.OfPolicy(ctx, t, t.Check.Holds)
		}
		l.decidesNothing("when", b.span, b.label, agreed(targets, when))
		l.decidesNothing("check", b.span, b.label, agreed(targets, check))
	})
	each(ctx, blocks(l.program.Guards, guardBlock), func(b block[*model.Guard]) {
		var targets []*model.GuardTarget
		for _, g := range b.of {
			targets = append(targets, g.On...)
		}
		l.decidesNothing("require", b.span, b.label, agreed(targets, func(t *model.GuardTarget) access.Constancy {
			if constant(t.Require) {
				return access.Varies
			}
			return l.asker.OfGuard(ctx, t)
		}))
	})
}

// constant reports whether a condition is a constant in the program.
func constant(c model.Condition) bool {
	_, is := c.Source.(*model.Literal)
	return is
}

// agreed is what is known of a condition on all tables alike.
func agreed[T any](targets []T, of func(T) access.Constancy) access.Constancy {
	out := access.Varies
	for i, t := range targets {
		c := of(t)
		if c == access.Varies || i > 0 && c != out {
			return access.Varies
		}
		out = c
	}
	return out
}

func (l *linter) decidesNothing(argument string, at source.Span, object string, c access.Constancy) {
	switch c {
	case access.Varies:
	case access.NeverHolds:
		l.add(Finding{Rule: ConditionNever, Object: object, Span: at, Message: "Its " + argument + " can never hold for anybody whom it is for."})
	case access.AlwaysHolds:
		l.add(Finding{Rule: ConditionAlways, Object: object, Span: at, Message: "Its " + argument + " always holds for everybody whom it is for."})
	}
}

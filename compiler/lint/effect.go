package lint

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// guards finds those without which nobody would gain anything. The last go
// first, and stay away: what is found may go together. What a constant condition
// explains is not said twice.
func (l *linter) guards(ctx context.Context) {
	gone := map[*model.Table][]*model.GuardTarget{}
	for _, b := range slices.Backward(blocks(l.program.Guards, guardBlock)) {
		if l.told(ConditionAlways, b.span) {
			continue
		}
		without := map[*model.Table][]*model.GuardTarget{}
		for _, g := range b.of {
			for _, t := range g.On {
				if without[t.Table] == nil {
					without[t.Table] = slices.Clone(gone[t.Table])
				}
				without[t.Table] = append(without[t.Table], t)
			}
		}
		if !l.sameWithout(ctx, without) {
			continue
		}
		maps.Copy(gone, without)
		l.add(Finding{Rule: GuardNeverNarrows, Object: b.label, Span: b.span, Message: "Without the guard nobody would gain anything on any of its tables."})
	}
}

// sameWithout reports whether it is proven that the guards on their tables may
// go.
func (l *linter) sameWithout(ctx context.Context, without map[*model.Table][]*model.GuardTarget) bool {
	for table, targets := range without {
		if !l.asker.SameWithout(ctx, table, nil, targets) {
			return false
		}
	}
	return true
}

// policies finds those without which nobody would lose anything on a table. The
// last of a table go first, and stay away: what is found may go together.
func (l *linter) policies(ctx context.Context) {
	each(ctx, l.program.Tables, func(t *model.Table) {
		var gone []*model.PolicyTarget
		of := blocks(t.Policies, func(x *model.PolicyTarget) (source.Span, string) { return policyBlock(x.Policy) })
		for _, b := range slices.Backward(of) {
			without := slices.Concat(gone, b.of)
			if l.told(ConditionNever, b.span) || !allowedWithout(t, without, b.of) || !l.asker.SameWithout(ctx, t, without, nil) {
				continue
			}
			gone = without
			l.add(Finding{
				Rule: PolicyCovered, Object: b.label, Table: tableName(t), Span: b.span,
				Message: fmt.Sprintf("Without the policy on %s nobody would lose anything: other policies grant the same there, or guards refuse it.", tableName(t)),
			})
		}
	})
}

// allowedWithout reports whether other policies on the table allow each action
// of some. It is quick, and spares most policies the proof.
func allowedWithout(t *model.Table, without, some []*model.PolicyTarget) bool {
	for _, x := range some {
		for _, a := range x.Allow {
			other := func(y *model.PolicyTarget) bool { return y.Allows(a) && !slices.Contains(without, y) }
			if !slices.ContainsFunc(t.Policies, other) {
				return false
			}
		}
	}
	return true
}

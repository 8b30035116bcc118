package lint

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/access"
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
		cells, same := l.sameWithout(ctx, without)
		if !same {
			continue
		}
		maps.Copy(gone, without)
		l.add(Finding{
			Rule: GuardNeverNarrows, Object: b.label, Span: b.span,
			Message: "Without the guard nobody would gain anything on any of its tables.",
			Proof:   &Proof{cells, eachAccess}, Related: l.narrower(ctx, without),
		})
	}
}

// sameWithout reports whether it is proven that the guards on their tables may
// go.
func (l *linter) sameWithout(ctx context.Context, without map[*model.Table][]*model.GuardTarget) (cells int, same bool) {
	for table, targets := range without {
		n, same := l.asker.SameWithout(ctx, table, nil, targets)
		if !same {
			return 0, false
		}
		cells += n
	}
	return cells, true
}

// mostRelated bounds how many places a finding lists.
const mostRelated = 10

// narrower lists the policies on tables, which allow no more than the guards
// that are not needed there, and the guards that this takes.
func (l *linter) narrower(ctx context.Context, without map[*model.Table][]*model.GuardTarget) []Related {
	var out []Related
	for t, gone := range without {
		for _, x := range t.Policies {
			out = append(out, Related{"policy." + x.Policy.Label, x.Policy.Span, "allows no more"})
		}
		for _, x := range l.asker.Narrowing(ctx, t, gone) {
			out = append(out, Related{"guard." + x.Guard.Label, x.Guard.Span, "lets no more through"})
		}
	}
	return inOrder(out)
}

// inOrder sorts places, names each once, and drops those beyond the first ten.
func inOrder(list []Related) []Related {
	slices.SortFunc(list, func(a, b Related) int { return a.Span.Compare(b.Span) })
	list = slices.CompactFunc(list, func(a, b Related) bool { return a.Span == b.Span })
	return list[:min(len(list), mostRelated)]
}

// policies finds those without which nobody would lose anything on a table. The
// last of a table go first, and stay away: what is found may go together.
func (l *linter) policies(ctx context.Context) {
	each(ctx, l.program.Tables, func(t *model.Table) {
		var gone []*model.PolicyTarget
		of := blocks(t.Policies, func(x *model.PolicyTarget) (source.Span, string) { return policyBlock(x.Policy) })
		for _, b := range slices.Backward(of) {
			without := slices.Concat(gone, b.of)
			if l.told(ConditionNever, b.span) || !allowedWithout(t, without, b.of) {
				continue
			}
			cells, same := l.asker.SameWithout(ctx, t, without, nil)
			if !same {
				continue
			}
			why, related := covering(l.asker.Covering(ctx, t, b.of, gone))
			gone = without
			l.add(Finding{
				Rule: PolicyCovered, Object: b.label, Table: tableName(t), Span: b.span,
				Message: fmt.Sprintf("Without the policy on %s nobody would lose anything: %s.", tableName(t), why),
				Proof:   &Proof{cells, eachAccess}, Related: related,
			})
		}
	})
}

// covering says what makes a policy needless, and where that is.
func covering(b access.Behind) (why string, at []Related) {
	var policies, guards []string
	for _, x := range b.Policies {
		policies = append(policies, "policy."+x.Policy.Label)
		at = append(at, Related{"policy." + x.Policy.Label, x.Policy.Span, "grants the same"})
	}
	for _, x := range b.Guards {
		guards = append(guards, "guard."+x.Guard.Label)
		at = append(at, Related{"guard." + x.Guard.Label, x.Guard.Span, "refuses it"})
	}
	switch p, g := listed(policies), listed(guards); {
	case p != "" && g != "":
		why = p + does(policies, " grants", " grant") + " the same there, or " + g + does(guards, " refuses", " refuse") + " it"
	case p != "":
		why = p + does(policies, " grants", " grant") + " the same there"
	case g != "":
		why = g + does(guards, " refuses", " refuse") + " all that it grants"
	default:
		why = "none of those whom it is for comes that far"
	}
	return why, inOrder(at)
}

// listed is names as a sentence has them: each once, the first few.
func listed(names []string) string {
	const most = 3
	names = slices.Compact(slices.Clone(names))
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}

func does(names []string, one, several string) string {
	if len(slices.Compact(slices.Clone(names))) > 1 {
		return several
	}
	return one
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

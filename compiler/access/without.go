package access

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// SameWithout reports whether it is proven that nobody gains or loses anything
// on a table when the policies and guards are removed from it, and for how many
// cells that was asked.
func (a *Asker) SameWithout(ctx context.Context, t *model.Table, policies []*model.PolicyTarget, guards []*model.GuardTarget) (cells int, proven bool) {
	less := *t
	less.Policies = slices.DeleteFunc(slices.Clone(t.Policies), func(x *model.PolicyTarget) bool { return slices.Contains(policies, x) })
	less.Guards = slices.DeleteFunc(slices.Clone(t.Guards), func(x *model.GuardTarget) bool { return slices.Contains(guards, x) })
	for _, action := range t.Actions {
		if len(guards) == 0 && !slices.ContainsFunc(policies, func(x *model.PolicyTarget) bool { return bearsOn(x, action) }) {
			continue
		}
		n, same := a.sameAction(ctx, t, &less, action, len(policies) > 0, len(guards) > 0)
		if !same {
			return 0, false
		}
		cells += n
	}
	return cells, ctx.Err() == nil
}

// bearsOn reports whether a policy may be what grants an action: edits and
// deletes ask for view as well.
func bearsOn(x *model.PolicyTarget, a model.Action) bool {
	return x.Allows(a) || (a == model.Edit || a == model.Delete) && x.Allows(model.View)
}

// sameAction compares an action under a table's rules and under fewer of them,
// through every way in. Without a policy nobody gains, without a guard nobody
// loses: mayLose and mayGain say what is left to ask. All subjects are asked
// about at once, since it matters to nobody through which of them access comes.
func (a *Asker) sameAction(ctx context.Context, with, less *model.Table, action model.Action, mayLose, mayGain bool) (cells int, same bool) {
	p := a.comparer.new
	for _, e := range with.Datasource.Entries() {
		more, fewer := &side{program: p, table: with, entry: e, ok: true}, &side{program: p, table: less, entry: e, ok: true}
		if mayLose && !a.nobodyMore(ctx, action, more, fewer) || mayGain && !a.nobodyMore(ctx, action, fewer, more) {
			return 0, false
		}
		cells += len(more.subjects(action))
	}
	return cells, true
}

// nobodyMore reports whether it is proven that one side allows nobody more than
// the other: neither records, nor columns of records that both allow.
func (a *Asker) nobodyMore(ctx context.Context, action model.Action, has, lacks *side) bool {
	more := func(part, whole, within formula) bool {
		return formulaKey(part) != formulaKey(whole) && !a.nobody(ctx, allOf{part, not{whole}, within}, has, lacks)
	}
	if more(has.records(action, ""), lacks.records(action, ""), always) {
		return false
	}
	if action != model.View && action != model.Edit && action != model.Create {
		return true
	}
	for _, col := range has.table.Columns {
		if has.full(action, col.Name) && lacks.full(action, col.Name) {
			continue // what differs in it differs in the records
		}
		kinds := []sight{{""}}
		if action == model.View {
			kinds = sights(col.Name, has, lacks)
		}
		for _, seen := range kinds {
			if more(has.column(action, col.Name, seen, ""), lacks.column(action, col.Name, seen, ""), lacks.records(action, "")) {
				return false
			}
		}
	}
	return true
}

// Behind is why some rules are not needed.
type Behind struct {
	// Policies are some that grant, together, whatever the policies grant that
	// are not needed; Guards, where none grant it, some that refuse all of it.
	// No smaller part of them does.
	Policies []*model.PolicyTarget
	Guards   []*model.GuardTarget
}

// Covering tells why policies on a table are not needed beside the others but
// those that are gone, which SameWithout has proven.
func (a *Asker) Covering(ctx context.Context, t *model.Table, policies, gone []*model.PolicyTarget) Behind {
	var out Behind
	for _, action := range t.Actions {
		if !slices.ContainsFunc(policies, func(x *model.PolicyTarget) bool { return x.Allows(action) }) {
			continue
		}
		others := slices.DeleteFunc(slices.Clone(t.Policies), func(x *model.PolicyTarget) bool {
			return !x.Allows(action) || slices.Contains(policies, x) || slices.Contains(gone, x)
		})
		slices.SortStableFunc(others, func(x, y *model.PolicyTarget) int { return x.Span.Compare(y.Span) })
		enough := func(some []*model.PolicyTarget) bool {
			return a.enough(ctx, t, t.Guards, action, policies, some)
		}
		found := fewest(others, enough)
		out.Policies = append(out.Policies, found...)
		if len(found) == 0 {
			out.Guards = append(out.Guards, fewest(t.Guards, func(some []*model.GuardTarget) bool {
				return a.enough(ctx, t, some, action, policies, nil)
			})...)
		}
	}
	return Behind{Policies: once(out.Policies), Guards: once(out.Guards)}
}

// Narrowing is the fewest of the other guards on a table beside which some are
// not needed, which SameWithout has proven.
func (a *Asker) Narrowing(ctx context.Context, t *model.Table, guards []*model.GuardTarget) []*model.GuardTarget {
	others := slices.DeleteFunc(slices.Clone(t.Guards), func(x *model.GuardTarget) bool { return slices.Contains(guards, x) })
	return fewest(others, func(some []*model.GuardTarget) bool {
		with, less := *t, *t
		with.Guards, less.Guards = slices.Concat(some, guards), some
		return !slices.ContainsFunc(t.Actions, func(action model.Action) bool {
			_, same := a.sameAction(ctx, &with, &less, action, false, true)
			return !same
		}) && ctx.Err() == nil
	})
}

// enough reports whether it is proven that what the policies grant of an action
// some others grant as well. What the action asks of view stays as it is.
func (a *Asker) enough(
	ctx context.Context, t *model.Table, guards []*model.GuardTarget, action model.Action, policies, some []*model.PolicyTarget,
) bool {
	with, less := *t, *t
	with.Guards, less.Guards = guards, guards
	with.Policies, less.Policies = nil, nil
	for _, x := range t.Policies {
		counts := slices.Contains(some, x)
		less.Policies = append(less.Policies, barring(x, action, counts))
		with.Policies = append(with.Policies, barring(x, action, counts || slices.Contains(policies, x)))
	}
	_, same := a.sameAction(ctx, &with, &less, action, true, false)
	return same && ctx.Err() == nil
}

// barring is a policy without one of its actions, unless it may keep it.
func barring(x *model.PolicyTarget, action model.Action, keeps bool) *model.PolicyTarget {
	if keeps || !x.Allows(action) {
		return x
	}
	y := *x
	y.Allow = slices.DeleteFunc(slices.Clone(x.Allow), func(a model.Action) bool { return a == action })
	return &y
}

// fewest drops, from the last, what is not needed for something to hold that
// holds for the whole list; the first ones stay.
func fewest[T comparable](list []T, holds func([]T) bool) []T {
	out := slices.Clone(list)
	for _, x := range slices.Backward(list) {
		rest := slices.DeleteFunc(slices.Clone(out), func(y T) bool { return y == x })
		if holds(rest) {
			out = rest
		}
	}
	return out
}

// once drops what stands in a list before.
func once[T comparable](list []T) []T {
	var out []T
	for _, x := range list {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

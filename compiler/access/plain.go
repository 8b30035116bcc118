package access

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// plainer leaves out of a confirmed witness what its user states for nothing,
// and names groups that are asked for in place of groups below them. The
// evaluator confirms each step.
func (q *question) plainer(w *Witness) *Witness {
	if w.User == nil {
		return w
	}
	try := func(change func(user map[string]any)) {
		next := *w
		next.User = maps.Clone(w.User)
		change(next.User)
		if q.confirms(&next) && q.through(&next) {
			w = &next
		}
	}
	for _, g := range stated(w) {
		try(func(user map[string]any) { user["groups"] = without(user["groups"], g) })
		for _, above := range q.above(g) {
			if slices.Contains(stated(w), g) {
				try(func(user map[string]any) { user["groups"] = append(without(user["groups"], g), above) })
			}
		}
	}
	if len(stated(w)) == 0 {
		try(func(user map[string]any) { delete(user, "groups") })
	}
	if w.User["access_level"] == model.LevelUser {
		try(func(user map[string]any) { delete(user, "access_level") })
	}
	return w
}

func stated(w *Witness) []any {
	list, _ := w.User["groups"].([]any)
	return list
}

func without(groups any, g any) []any {
	list, _ := groups.([]any)
	return slices.DeleteFunc(slices.Clone(list), func(x any) bool { return x == g })
}

// above lists the groups above one, in the programs of the question.
func (q *question) above(name any) []any {
	var out []any
	for _, p := range []*model.Program{q.cell.comparer.new, q.cell.comparer.old} {
		for _, g := range p.Groups {
			if g.Name != name {
				continue
			}
			for _, a := range g.Closure {
				if a != g.Name && !slices.Contains(out, any(a)) {
					out = append(out, a)
				}
			}
		}
	}
	return out
}

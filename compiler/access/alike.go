package access

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// SameGroups reports whether it is proven that being in one group, in the other
// or in both gives the same access, through every app, to every table; and for
// how many cells that was asked. Who is in them does not matter.
func (a *Asker) SameGroups(ctx context.Context, x, y *model.Group) (cells int, proven bool) {
	above := append(slices.Clone(x.Closure), y.Closure...)
	either := func(not bool) []model.Cond {
		return []model.Cond{inGroup(x.Name, not), inGroup(y.Name, not)}
	}
	// Whoever is in one of them is in the other too, and in all above it.
	merge := func(atom model.Cond) (model.Cond, bool) {
		in, is := atom.(*model.In)
		if name, literal := groupNamed(in); is && literal {
			switch {
			case !slices.Contains(above, name):
				return atom, true
			case in.Not:
				return model.AllOf(append(either(true), atom)...), true
			}
			return model.AnyOf(append(either(false), atom)...), true
		}
		return atom, !asksMore[*model.GroupsRef](atom)
	}
	covers := func(g *model.Group, list []model.Subject) bool {
		return slices.ContainsFunc(list, func(s model.Subject) bool {
			of, is := s.(model.GroupSubject)
			return is && slices.Contains(g.Closure, of.Group.Name)
		})
	}
	return a.sameMerged(ctx, merge, func(list []model.Subject) bool { return covers(x, list) == covers(y, list) })
}

// SameLevels reports the same of two access levels, neither of them anonymous.
func (a *Asker) SameLevels(ctx context.Context, x, y *model.Level) (cells int, proven bool) {
	isOne := func(name string) bool { return name == x.Name || name == y.Name }
	merge := func(atom model.Cond) (model.Cond, bool) {
		names, not, plain := levelsNamed(atom)
		if !plain {
			return atom, !asksMore[*model.LevelRef](atom)
		}
		if !slices.ContainsFunc(names, isOne) {
			return atom, true
		}
		return inLevels(append(names, x.Name, y.Name), not), true
	}
	covers := func(l *model.Level, list []model.Subject) bool {
		return slices.ContainsFunc(list, func(s model.Subject) bool {
			of, is := s.(model.LevelSubject)
			return is && slices.Contains(of.Level.AtLeast, l)
		})
	}
	return a.sameMerged(ctx, merge, func(list []model.Subject) bool { return covers(x, list) == covers(y, list) })
}

// sameMerged reports whether it is proven that access stays the same when atoms
// about the user are replaced; merge returns false for one of which that cannot
// be told. alike says that a list of subjects means the same either way: rules
// with nothing but such lists need no question.
func (a *Asker) sameMerged(ctx context.Context, merge func(model.Cond) (model.Cond, bool), alike func([]model.Subject) bool) (cells int, proven bool) {
	// Who may use an app that connects as = "app" is for its caller to ask: there is
	// no condition, and what it gives is not the same.
	for _, app := range a.comparer.new.Apps {
		if !alike(app.Users) && slices.ContainsFunc(app.Connects, func(c *model.Connect) bool { return !c.AsUser }) {
			return 0, false
		}
	}
	for _, t := range a.comparer.new.Tables {
		same := sameRules(t, merge, alike)
		for _, e := range t.Datasource.Entries() {
			s := &side{program: a.comparer.new, table: t, entry: e, ok: true}
			for _, action := range t.Actions {
				subjects := len(s.subjects(action))
				if subjects == 0 {
					continue
				}
				plain := same && (e.Connect == nil || e.AsApp() || alike(e.App().Users))
				if !plain && !a.sameCell(ctx, s, action, merge) {
					return 0, false
				}
				cells += subjects
			}
		}
	}
	return cells, ctx.Err() == nil
}

// sameRules reports whether the rules on a table plainly mean the same.
func sameRules(t *model.Table, merge func(model.Cond) (model.Cond, bool), alike func([]model.Subject) bool) bool {
	plain := func(c model.Cond) bool { return unchanged(c, merge) }
	for _, x := range t.Policies {
		if !alike(x.Policy.To) || !plain(x.When.Holds) || !plain(x.Check.Holds) {
			return false
		}
	}
	for _, x := range t.Guards {
		if !alike(x.Guard.To) || !plain(x.Require.Holds) {
			return false
		}
	}
	for _, x := range t.Masks {
		if !alike(x.Mask.Unless) {
			return false
		}
	}
	return true
}

// unchanged reports whether a condition has no atom that is replaced.
func unchanged(c model.Cond, merge func(model.Cond) (model.Cond, bool)) bool {
	same := true
	model.Walk(c, func(atom model.Cond) {
		switch atom.(type) {
		case *model.And, *model.Or, *model.Some, *model.Every:
			// their parts are looked at
		case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
			*model.InNetwork, *model.ViaApp, *model.Count:
			next, ok := merge(atom)
			same = same && ok && next == atom
		}
	})
	return same
}

// sameCell asks about an action on one table through one way in.
func (a *Asker) sameCell(ctx context.Context, s *side, action model.Action, merge func(model.Cond) (model.Cond, bool)) bool {
	same := func(f formula) bool {
		g, ok := merged(f, merge)
		if !ok {
			return false
		}
		return formulaKey(f) == formulaKey(g) || a.nobody(ctx, anyOf{allOf{f, not{g}}, allOf{g, not{f}}}, s)
	}
	if !same(s.records(action, "")) {
		return false
	}
	if action != model.View && action != model.Edit && action != model.Create {
		return true
	}
	for _, c := range s.table.Columns {
		if s.full(action, c.Name) {
			continue
		}
		kinds := []sight{{""}}
		if action == model.View {
			kinds = sights(c.Name, s)
		}
		for _, seen := range kinds {
			if !same(s.column(action, c.Name, seen, "")) {
				return false
			}
		}
	}
	return true
}

// merged is a formula with its atoms replaced.
func merged(f formula, merge func(model.Cond) (model.Cond, bool)) (formula, bool) {
	switch x := f.(type) {
	case *holds:
		all := true
		c := model.Rewrite(x.cond, func(atom model.Cond) model.Cond {
			next, ok := merge(atom)
			all = all && ok
			return next
		})
		return x.side.holds(c, x.at), all
	case allOf:
		list, ok := mergedAll(x, merge)
		return allOf(list), ok
	case anyOf:
		list, ok := mergedAll(x, merge)
		return anyOf(list), ok
	case not:
		g, ok := merged(x.of, merge)
		return not{g}, ok
	}
	return f, false
}

func mergedAll(list []formula, merge func(model.Cond) (model.Cond, bool)) ([]formula, bool) {
	out := make([]formula, len(list))
	for i, f := range list {
		g, ok := merged(f, merge)
		if !ok {
			return nil, false
		}
		out[i] = g
	}
	return out, true
}

func inGroup(name string, not bool) model.Cond {
	return &model.In{Elem: literal(name), Set: &model.GroupsRef{Node: model.Node{Type: model.StringSet}}, Not: not}
}

func inLevels(names []string, not bool) model.Cond {
	values := make([]model.Value, len(names))
	for i, n := range names {
		values[i] = n
	}
	return &model.In{
		Elem: &model.LevelRef{Node: model.Node{Type: model.String}},
		Set:  &model.Literal{Node: model.Node{Type: model.StringSet}, Value: model.NewSet(values)}, Not: not,
	}
}

func literal(s string) *model.Literal {
	return &model.Literal{Node: model.Node{Type: model.String}, Value: s}
}

// groupNamed is the group that an atom asks for by a constant name.
func groupNamed(in *model.In) (string, bool) {
	if in == nil {
		return "", false
	}
	elem, constant := in.Elem.(*model.Literal)
	if _, groups := in.Set.(*model.GroupsRef); !constant || !groups {
		return "", false
	}
	name, ok := elem.Value.(string)
	return name, ok
}

// levelsNamed is the levels that an atom asks for, or asks not to be, by
// constant names.
func levelsNamed(atom model.Cond) (names []string, not, ok bool) {
	if x, is := atom.(*model.In); is {
		set, constant := x.Set.(*model.Literal)
		if _, level := x.Elem.(*model.LevelRef); !level || !constant {
			return nil, false, false
		}
		values, isSet := set.Value.(model.Set)
		for _, v := range values {
			if name, text := v.(string); text {
				names = append(names, name)
			}
		}
		return names, x.Not, isSet
	}
	x, is := atom.(*model.Compare)
	if !is || x.Op != model.Equal && x.Op != model.NotEqual {
		return nil, false, false
	}
	level, name := x.X, x.Y
	if _, swapped := name.(*model.LevelRef); swapped {
		level, name = name, level
	}
	lit, constant := name.(*model.Literal)
	if _, of := level.(*model.LevelRef); !of || !constant {
		return nil, false, false
	}
	text, isText := lit.Value.(string)
	return []string{text}, x.Op == model.NotEqual, isText
}

// asksMore reports whether an atom has an operand of a kind, but for asking
// whether it is known.
func asksMore[T model.Expr](atom model.Cond) bool {
	if _, known := atom.(*model.Known); known {
		return false
	}
	found := false
	for _, x := range model.Operands(atom) {
		model.WalkExpr(x, func(e model.Expr) {
			_, is := e.(T)
			found = found || is
		})
	}
	return found
}

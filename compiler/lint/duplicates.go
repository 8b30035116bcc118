package lint

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// mostCompared bounds how many others one group is compared with, so that a
// project of many groups is looked at in linear time.
const mostCompared = 20

// groups finds groups that give the same access as one before. One that no rule
// names is left alone: it gives what those above it do, as it is meant to.
func (l *linter) groups(ctx context.Context) {
	m := l.named()
	kept := map[string][]*model.Group{} // by what policies are for them, the first first
	all := slices.SortedStableFunc(slices.Values(l.program.Groups), func(a, b *model.Group) int { return a.Span.Compare(b.Span) })
	for _, g := range all {
		reach := m.reach[g.Name]
		if !m.groups[g.Name] || ctx.Err() != nil {
			continue
		}
		other, cells := l.sameGroup(ctx, g, kept[reach])
		if other == nil {
			kept[reach] = append(kept[reach], g)
			continue
		}
		l.add(Finding{
			Rule: GroupDuplicate, Object: "group." + g.Name, Span: g.Span, Proof: &Proof{cells, eachAccess},
			Related: []Related{{"group." + other.Name, other.Span, "gives the same"}},
			Message: fmt.Sprintf("Being in the group gives the same access as being in group.%s: one of them is enough.", other.Name),
		})
	}
}

func (l *linter) sameGroup(ctx context.Context, g *model.Group, others []*model.Group) (same *model.Group, cells int) {
	for _, other := range others[:min(len(others), mostCompared)] {
		if n, ok := l.asker.SameGroups(ctx, other, g); ok {
			return other, n
		}
	}
	return nil, 0
}

// levels finds access levels that give the same access as one before, or as the
// built-in level user.
func (l *linter) levels(ctx context.Context) {
	m := l.named()
	var kept []*model.Level
	own := slices.Clone(l.program.Levels)
	slices.SortStableFunc(own, func(a, b *model.Level) int { return cmp.Compare(len(b.AtLeast), len(a.AtLeast)) }) // the lowest first
	for _, level := range own {
		switch {
		case level.Name == model.LevelUser:
			kept = append(kept, level)
			continue
		case level.Span.IsZero() || !m.levels[level.Name]:
			continue
		}
		i := -1
		cells := 0
		for j, other := range kept {
			if n, ok := l.asker.SameLevels(ctx, other, level); ok {
				i, cells = j, n
				break
			}
		}
		if i < 0 {
			kept = append(kept, level)
			continue
		}
		f := Finding{
			Rule: LevelDuplicate, Object: "access_level." + level.Name, Span: level.Span, Proof: &Proof{cells, eachAccess},
			Message: fmt.Sprintf("The access level gives the same access as access_level.%s: one of them is enough.", kept[i].Name),
		}
		if !kept[i].Span.IsZero() {
			f.Related = []Related{{"access_level." + kept[i].Name, kept[i].Span, "gives the same"}}
		}
		l.add(f)
	}
}

// names are the groups and levels that rules name, but for rules that are not
// needed; and for each group what policies are for whoever is in it.
type names struct {
	groups map[string]bool
	levels map[string]bool
	reach  map[string]string
}

func (l *linter) named() names {
	m := names{groups: map[string]bool{}, levels: map[string]bool{}, reach: map[string]string{}}
	for _, a := range l.program.Apps {
		m.subjects(a.Users)
	}
	reach := map[string][]string{}
	for _, t := range l.program.Tables {
		for _, x := range t.Policies {
			if l.told(PolicyCovered, x.Policy.Span) || l.told(ConditionNever, x.Policy.Span) {
				continue
			}
			m.subjects(x.Policy.To)
			m.condition(x.When.Holds)
			m.condition(x.Check.Holds)
			what := tableName(t) + viaKey(x.Policy) + allowKey(x)
			for _, s := range x.Policy.To {
				if g, ok := s.(model.GroupSubject); ok {
					reach[g.Group.Name] = append(reach[g.Group.Name], what)
				}
			}
		}
		for _, x := range t.Guards {
			if !l.told(GuardNeverNarrows, x.Guard.Span) {
				m.subjects(x.Guard.To)
				m.condition(x.Require.Holds)
			}
		}
		for _, x := range t.Masks {
			m.subjects(x.Mask.Unless)
		}
	}
	for _, g := range l.program.Groups {
		var all []string
		for _, above := range g.Closure {
			all = append(all, reach[above]...)
		}
		slices.Sort(all)
		m.reach[g.Name] = strings.Join(slices.Compact(all), "\n")
	}
	return m
}

func viaKey(p *model.Policy) string {
	if p.Via == nil {
		return ""
	}
	var out []string
	for _, a := range p.Via {
		out = append(out, a.Name)
	}
	slices.Sort(out)
	return fmt.Sprintf(" via %q", out)
}

func allowKey(x *model.PolicyTarget) string {
	out := make([]string, len(x.Allow))
	for i, a := range x.Allow {
		out[i] = string(a)
	}
	slices.Sort(out)
	return fmt.Sprintf(" %q", out)
}

func (m names) subjects(list []model.Subject) {
	for _, s := range list {
		switch x := s.(type) {
		case model.GroupSubject:
			m.groups[x.Group.Name] = true
		case model.LevelSubject:
			m.levels[x.Level.Name] = true
		case model.Everyone, model.UserSubject, model.AppSubject:
		}
	}
}

// condition takes every text in an atom about groups or the level for a name.
func (m names) condition(c model.Cond) {
	model.Walk(c, func(atom model.Cond) {
		var texts []string
		var groups, level bool
		for _, x := range model.Operands(atom) {
			model.WalkExpr(x, func(e model.Expr) {
				switch v := e.(type) {
				case *model.GroupsRef:
					groups = true
				case *model.LevelRef:
					level = true
				case *model.Literal:
					texts = append(texts, textsOf(v.Value)...)
				case *model.NullLiteral, *model.ColumnRef, *model.AttrRef, *model.AppRef, *model.NowRef, *model.Call, *model.Network,
					*model.MemberOf, *model.Related:
				}
			})
		}
		for _, t := range texts {
			m.groups[t] = m.groups[t] || groups
			m.levels[t] = m.levels[t] || level
		}
	})
}

func textsOf(v model.Value) []string {
	switch x := v.(type) {
	case string:
		return []string{x}
	case model.Set:
		var out []string
		for _, e := range x {
			out = append(out, textsOf(e)...)
		}
		return out
	default:
		return nil
	}
}

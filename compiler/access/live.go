package access

import (
	"context"
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// What a database was found to let be done stands, for some cells, in the place
// of what a program says. Its conditions are known lowered alone, and not always
// whole: each is two, one that is surely satisfied and one that possibly is. A
// write asks there for nothing but what its own policies ask.

// liveTables are cells by the address of their table.
type liveTables map[string][]*model.LiveCell

func liveCells(list []*model.LiveCell) liveTables {
	out := liveTables{}
	for _, c := range list {
		address := tableAddress(c.Table)
		out[address] = append(out[address], c)
	}
	return out
}

// liveSide is one cell that was found, read strictly or loosely.
type liveSide struct {
	cell  *model.LiveCell
	loose bool // as far as it may go; else as far as is sure
	// program is the one whose groups, levels and users the conditions speak of.
	program *model.Program
}

// lay puts what was found in the place of what a side's program says.
func (s *side) lay(found liveTables, app string) {
	if s.table == nil {
		return
	}
	for _, l := range found[tableAddress(s.table)] {
		alone := l.App == "" && s.ok && s.entry.Connect == nil // whatever app a request names
		if l.Role != "" || l.App != app && !alone {
			continue
		}
		if s.live == nil {
			s.live = map[model.Action]*liveSide{}
		}
		s.live[l.Action] = newLiveSide(l, s.program, false)
	}
}

// outsiders are the roles outside of the project that were found to reach a
// table, sorted.
func (c *comparer) outsiders(p pair) []string {
	var out []string
	for _, t := range []*model.Table{p.old, p.new} {
		if t == nil {
			continue
		}
		for _, found := range c.found {
			for _, l := range found[tableAddress(t)] {
				if l.Role != "" {
					out = append(out, l.Role)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// outsider compares what a role outside of the project may do: no program lets
// it do anything.
func (c *comparer) outsider(ctx context.Context, p pair, role string) []Change {
	var out []Change
	for _, a := range p.actions() {
		cell := &cell{comparer: c, action: a, old: &side{program: c.old}, new: &side{program: c.new}, forms: newForms(c.other)}
		cell.address = cell.tableName(p)
		for i, s := range []*side{cell.old, cell.new} {
			t := []*model.Table{p.old, p.new}[i]
			for _, l := range c.found[i][cell.address] {
				if t != nil && l.Role == role && l.Action == a {
					s.table, s.entry, s.origins, s.live = t, model.Entry{Datasource: t.Datasource}, origins(t.Datasource), map[model.Action]*liveSide{a: newLiveSide(l, s.program, false)}
				}
			}
		}
		if cell.old.live == nil && cell.new.live == nil {
			continue
		}
		changes, _ := cell.compare(ctx, []string{roleSubject(role)})
		out = append(out, changes...)
	}
	return out
}

// roleSubject names whom a cell is for that no program knows of.
func roleSubject(role string) string {
	if role == model.AnyRole {
		return "every role"
	}
	return "role " + role
}

func newLiveSide(c *model.LiveCell, p *model.Program, loose bool) *liveSide {
	return &liveSide{cell: c, loose: loose, program: p}
}

// exact reports whether both readings are the same.
func (l *liveSide) exact() bool {
	return !slices.ContainsFunc(l.cell.Ways, func(w model.LiveWay) bool { return len(w.Old.Reasons)+len(w.New.Reasons) > 0 })
}

// reason is why they are not.
func (l *liveSide) reason() string {
	for _, w := range l.cell.Ways {
		for _, list := range [][]string{w.Old.Reasons, w.New.Reasons} {
			if len(list) > 0 {
				return list[0]
			}
		}
	}
	return ""
}

// read is the side with what was found read strictly or loosely.
func (s *side) read(loose bool) *side {
	if s.live == nil {
		return s
	}
	as := *s
	as.made, as.conds, as.live = nil, nil, map[model.Action]*liveSide{}
	for a, l := range s.live {
		as.live[a] = newLiveSide(l.cell, s.program, loose)
	}
	return &as
}

// between asks who gains, or who loses. Where what was found is not known whole,
// nobody is proven to gain when nobody does who may have it now and did not
// surely have it before; and somebody does who surely has it now and cannot have
// had it before.
func (c *cell) between(gain bool, ask func(*cell) answer) answer {
	reason := ""
	for _, s := range []*side{c.old, c.new} {
		if l := s.live[c.action]; l != nil && !l.exact() {
			reason = l.reason()
		}
	}
	if reason == "" {
		return ask(c)
	}
	read := func(has, lacks bool) *cell {
		as := *c
		as.settled = nil
		as.new, as.old = c.new.read(has), c.old.read(lacks)
		if !gain {
			as.new, as.old = c.new.read(lacks), c.old.read(has)
		}
		return &as
	}
	if a := ask(read(true, false)); a.outcome == none {
		return a
	}
	if a := ask(read(false, true)); a.outcome == found {
		return a
	}
	return answer{outcome: unknown, reason: reason}
}

func (l *liveSide) of(b model.Bounds) model.Cond {
	if l.loose {
		return b.Possible
	}
	return b.Sure
}

// writes reports whether it is the new record that tells for whom the action is.
func (l *liveSide) writes() bool { return l.cell.Action == model.Create || l.cell.Action == model.Edit }

// records is the formula that one of the ways is open, as far as it is for a
// subject.
func (l *liveSide) records(s *side, subject string) formula {
	var out anyOf
	for _, w := range l.cell.Ways {
		out = append(out, l.way(s, w, subject))
	}
	return out
}

func (l *liveSide) way(s *side, w model.LiveWay, subject string) formula {
	before, after := l.of(w.Old), l.of(w.New)
	if l.writes() {
		after = l.part(after, subject)
	} else {
		before = l.part(before, subject)
	}
	return allOf{s.holds(before, oldRecord), s.holds(after, newRecord)}
}

// column is the formula that a column is seen, or may be set, by one of the ways.
func (l *liveSide) column(s *side, name string, seen sight, subject string) formula {
	var out anyOf
	for _, w := range l.cell.Ways {
		if !slices.ContainsFunc(w.Columns, func(c *model.Column) bool { return c.Name == name }) {
			continue
		}
		f := allOf{l.way(s, w, subject)}
		if w.Masked && s.ok && l.cell.Action == model.View {
			c := s.table.Column(name)
			f = append(f, s.holds(s.program.Shown(s.entry, s.table, c, ""), oldRecord), s.unmasked(c, seen))
		}
		out = append(out, f)
	}
	return out
}

// full reports whether a column comes with every record.
func (l *liveSide) full(name string) bool {
	return !slices.ContainsFunc(l.cell.Ways, func(w model.LiveWay) bool {
		return w.Masked || !slices.ContainsFunc(w.Columns, func(c *model.Column) bool { return c.Name == name })
	})
}

// allows asks the evaluator about a witness.
func (l *liveSide) allows(s *side, w *Witness, column string, seen sight) bool {
	req := model.Request{User: w.User, App: w.App, Context: w.Request, Now: w.now}
	env := eval.NewEnv(s.program, req, s.entry)
	for _, way := range l.cell.Ways {
		if w.Record != nil && !env.On(w.Record).Holds(l.of(way.Old)) || w.NewRecord != nil && !env.On(w.NewRecord).Holds(l.of(way.New)) {
			continue
		}
		if column == "" {
			return true
		}
		if !slices.ContainsFunc(way.Columns, func(c *model.Column) bool { return c.Name == column }) {
			continue
		}
		if !way.Masked || l.cell.Action != model.View || !s.ok {
			return true
		}
		c := s.table.Column(column)
		shown := env.On(w.Record).Holds(s.program.Shown(s.entry, s.table, c, ""))
		if shown && (seen.mask == "" || s.shownThrough(req, c) == rawSight || s.shownThrough(req, c) == seen.mask) {
			return true
		}
	}
	return false
}

// subjects are those that the conditions ask of the user, as in HCL: what asks
// for none is for everyone.
func (l *liveSide) subjects() []string {
	if l.cell.Role != "" {
		return []string{roleSubject(l.cell.Role)}
	}
	found := map[string]bool{}
	for _, w := range l.cell.Ways {
		b := w.Old
		if l.writes() {
			b = w.New
		}
		for _, c := range []model.Cond{b.Sure, b.Possible} {
			for s := range l.bySubject(c) {
				found[s] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// part is a condition as far as it is for a subject; "" is for anybody.
func (l *liveSide) part(c model.Cond, subject string) model.Cond {
	if subject == "" || subject == roleSubject(l.cell.Role) {
		return c
	}
	if arm, ok := l.bySubject(c)[subject]; ok {
		return arm
	}
	return model.False{}
}

const everyone = "everyone"

// mostArms bounds the arms of a condition; one with more is for everyone.
const mostArms = 64

// bySubject takes a condition apart by the subject that each of its arms asks
// for. All parts together are the condition.
func (l *liveSide) bySubject(c model.Cond) map[string]model.Cond {
	arms, ok := armsOf(c)
	if !ok {
		return map[string]model.Cond{everyone: c}
	}
	out := map[string]model.Cond{}
	for _, arm := range arms {
		s := subjectOf(l.program, arm)
		if before, ok := out[s]; ok {
			out[s] = model.AnyOf(before, model.AllOf(arm...))
		} else {
			out[s] = model.AllOf(arm...)
		}
	}
	return out
}

// armsOf is a condition as a disjunction of conjunctions; false where there
// would be too many.
func armsOf(c model.Cond) (arms [][]model.Cond, ok bool) {
	switch x := c.(type) {
	case model.True:
		return [][]model.Cond{nil}, true
	case model.False:
		return nil, true
	case *model.Or:
		for _, t := range x.Terms {
			more, ok := armsOf(t)
			if !ok || len(arms)+len(more) > mostArms {
				return nil, false
			}
			arms = append(arms, more...)
		}
		return arms, true
	case *model.And:
		arms = [][]model.Cond{nil}
		for _, t := range x.Terms {
			more, ok := armsOf(t)
			if !ok || len(arms)*len(more) > mostArms {
				return nil, false
			}
			var next [][]model.Cond
			for _, a := range arms {
				for _, m := range more {
					next = append(next, slices.Concat(a, m))
				}
			}
			arms = next
		}
		return arms, true
	case *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In, *model.InNetwork,
		*model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	return [][]model.Cond{{c}}, true
}

// subjectOf is whom an arm asks the user to be, in the words of HCL: the last
// of them, for those who may use the app at all stand first.
func subjectOf(p *model.Program, arm []model.Cond) string {
	for _, c := range slices.Backward(arm) {
		for _, s := range namable(p, c) {
			if condKey(p.Within([]model.Subject{s})) == condKey(c) {
				return model.SubjectString(s)
			}
		}
	}
	return everyone
}

// namable lists the subjects of a program that a condition may ask for.
func namable(p *model.Program, c model.Cond) []model.Subject {
	var out []model.Subject
	switch x := c.(type) {
	case *model.In:
		if _, ok := x.Set.(*model.GroupsRef); ok {
			for _, g := range p.Groups {
				out = append(out, model.GroupSubject{Group: g})
			}
		} else if _, ok := x.Elem.(*model.LevelRef); ok {
			for _, l := range p.Levels {
				out = append(out, model.LevelSubject{Level: l})
			}
		}
	case *model.Compare:
		for _, u := range p.Users {
			out = append(out, model.UserSubject{User: u})
		}
	case model.True, model.False, *model.And, *model.Or, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	return out
}

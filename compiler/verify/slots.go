package verify

import (
	"cmp"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// slot is a place whose value the generator chooses: a *model.Column, a
// *model.Attribute, or one of the two below.
type slot any

type special string

const (
	slotGroups special = "groups"
	slotLevel  special = "level"
)

// slots puts places together that conditions compare with each other, and
// knows the values that conditions compare them with.
type slots struct {
	parent map[slot]slot
	pool   map[slot][]model.Value
	now    model.Timestamp
}

func newSlots(p *model.Program, now model.Timestamp) *slots {
	s := &slots{parent: map[slot]slot{}, pool: map[slot][]model.Value{}, now: now}
	for _, g := range p.Groups {
		s.add(slotGroups, g.Name)
	}
	for _, l := range p.Levels {
		s.add(slotLevel, l.Name)
	}
	for _, u := range p.Users {
		s.add(p.Identity.Key, u.Key)
		for _, v := range u.Attributes {
			if v.Value != nil {
				s.add(v.Attribute, v.Value)
			}
		}
	}
	for _, d := range p.Datasources {
		for _, l := range d.Lookups {
			s.join(l.Match, p.Identity.Key)
			s.join(l.Column, l.Attribute)
		}
	}
	for _, t := range p.Tables {
		for _, r := range t.Relations {
			for _, pair := range r.On {
				s.join(pair.From, pair.To)
			}
		}
		for _, c := range conditions(t) {
			s.look(c)
		}
	}
	for root, values := range s.pool {
		s.pool[root] = distinct(values)
	}
	return s
}

// conditions are the sources of all conditions on a table.
func conditions(t *model.Table) []model.Expr {
	var out []model.Expr
	add := func(c model.Condition) {
		if c.Source != nil {
			out = append(out, c.Source)
		}
	}
	for _, target := range t.Policies {
		add(target.When)
		if target.Check.Source != target.When.Source {
			add(target.Check)
		}
	}
	for _, g := range t.Guards {
		add(g.Require)
	}
	return out
}

func (s *slots) root(x slot) slot {
	for {
		up, ok := s.parent[x]
		if !ok {
			return x
		}
		x = up
	}
}

func (s *slots) join(x, y slot) {
	a, b := s.root(x), s.root(y)
	if a == b {
		return
	}
	s.parent[a] = b
	s.pool[b] = append(s.pool[b], s.pool[a]...)
	delete(s.pool, a)
}

func (s *slots) add(x slot, values ...model.Value) {
	r := s.root(x)
	s.pool[r] = append(s.pool[r], values...)
}

// values are what conditions compare the slot with, as values of the type.
func (s *slots) values(x slot, t model.Type) []model.Value {
	var out []model.Value
	for _, v := range s.pool[s.root(x)] {
		if f, ok := fit(v, t); ok {
			out = append(out, f)
		}
	}
	if t.Kind == model.KindSet {
		var elems []model.Value
		for _, v := range s.pool[s.root(x)] {
			if f, ok := fit(v, *t.Elem); ok {
				elems = append(elems, f)
			}
		}
		for i := range elems {
			out = append(out, model.NewSet(elems[i:i+1]), model.NewSet(elems[:i]), model.NewSet(elems[i:min(i+3, len(elems))]))
		}
	}
	return out
}

// atomsOf calls f for every part of a condition that is no and, or, not.
func atomsOf(x model.Expr, f func(model.Expr)) {
	call, ok := x.(*model.Call)
	if !ok || !connective(call.Fn) {
		f(x)
		return
	}
	for _, a := range call.Args {
		atomsOf(a, f)
	}
}

func connective(fn model.Fn) bool { return fn == model.FnAnd || fn == model.FnOr || fn == model.FnNot }

// look collects what the atoms of a condition compare.
func (s *slots) look(x model.Expr) {
	atomsOf(x, func(atom model.Expr) {
		if r, ok := atom.(*model.Related); ok {
			s.look(r.Body)
			return
		}
		s.atom(atom)
	})
}

func (s *slots) atom(atom model.Expr) {
	var found []slot
	var literals []model.Value
	model.WalkExpr(atom, func(e model.Expr) {
		switch x := e.(type) {
		case *model.ColumnRef:
			found = append(found, x.Column)
		case *model.AttrRef:
			found = append(found, x.Attribute)
		case *model.GroupsRef:
			found = append(found, slotGroups)
		case *model.LevelRef:
			found = append(found, slotLevel)
		case *model.Literal:
			literals = append(literals, s.around(x.Value)...)
		case *model.NowRef:
			literals = append(literals, s.around(s.now)...)
		case *model.Network:
			first := x.Net.Masked().Addr()
			literals = append(literals, neighbours(first)...)
			literals = append(literals, neighbours(lastOf(x.Net))...)
		case *model.Call:
			literals = append(literals, s.special(x)...)
		case *model.NullLiteral, *model.AppRef, *model.MemberOf, *model.Related:
		}
	})
	for i, x := range found {
		if i > 0 {
			s.join(x, found[0])
		}
	}
	if len(found) > 0 {
		s.add(found[0], literals...)
	}
}

// around is a constant with its neighbours; of a set, those of its elements.
func (s *slots) around(v model.Value) []model.Value {
	switch x := v.(type) {
	case model.Duration:
		var out []model.Value
		for _, at := range []model.Timestamp{s.now - model.Timestamp(x), s.now, s.now + model.Timestamp(x)} {
			out = append(out, neighbours(at)...)
		}
		return out
	case model.Set:
		out := []model.Value{x}
		for _, e := range x {
			out = append(out, neighbours(e)...)
		}
		return out
	}
	return neighbours(v)
}

// special are values that a function makes of interest.
func (s *slots) special(x *model.Call) []model.Value {
	var out []model.Value
	switch x.Fn {
	case model.FnLength:
		for n := range 4 {
			out = append(out, repeat(n, "a"), repeat(n, "\U0001f600"), repeat(n, "e\u0301"))
		}
	case model.FnIsUnder:
		for _, a := range x.Args[:2] {
			if l, ok := a.(*model.Literal); ok {
				base, _ := l.Value.(string)
				out = append(out, base+".", base+".x", base+"/x", base+"x", base+".x.y")
			}
		}
	case model.FnTemplate:
		head := ""
		for _, a := range x.Args {
			if l, ok := a.(*model.Literal); ok {
				piece, _ := l.Value.(string)
				head += piece
			}
		}
		out = append(out, head, head+"a", head+"1", head+"0", "a"+head, head+"00000000-0000-0000-0000-000000000001")
	case model.FnMultiply, model.FnAdd, model.FnSubtract:
		var numbers []model.Value
		for _, a := range x.Args {
			if l, ok := a.(*model.Literal); ok {
				numbers = append(numbers, neighbours(l.Value)...)
			}
		}
		out = append(out, numbers...)
	default:
	}
	return out
}

func repeat(n int, s string) string {
	out := ""
	for range n {
		out += s
	}
	return out
}

// distinct sorts values by how they print and drops repeated ones, so that a
// seed always gives the same world.
func distinct(values []model.Value) []model.Value {
	key := func(v model.Value) string { return kindOf(v) + shown(v) }
	slices.SortStableFunc(values, func(a, b model.Value) int { return cmp.Compare(key(a), key(b)) })
	return slices.CompactFunc(values, func(a, b model.Value) bool { return key(a) == key(b) })
}

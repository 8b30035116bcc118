package access

import (
	"fmt"
	"math/big"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// setUnknown is an unknown set: which of the values that are asked about it
// holds, and how many there are in all.
type setUnknown struct {
	e       *encoder
	elem    model.Type
	members []member
	size    *smt.Linear
}

type member struct {
	operand
	in *smt.F
}

func (e *encoder) newSet(elem model.Type) *setUnknown {
	s := &setUnknown{e: e, elem: elem}
	e.sets = append(e.sets, s)
	return s
}

// contains is that a value is in the set, whether or not it is known.
func (s *setUnknown) contains(x operand) *smt.F {
	for _, m := range s.members {
		if m.key != "" && m.key == x.key {
			return m.in
		}
	}
	n := member{x, s.e.s.Truth(false)}
	for _, m := range s.members {
		s.e.s.Assert(smt.Implies(s.e.equal(m.operand, x), smt.Iff(m.in, n.in)))
	}
	s.members = append(s.members, n)
	if values, finite := domain(s.elem); finite {
		// No other values than these are in it.
		one := make([]*smt.F, len(values))
		for i, v := range values {
			one[i] = s.e.equal(x, s.e.literal(v, s.elem))
		}
		s.e.s.Assert(smt.Implies(n.in, smt.Or(one...)))
	}
	return n.in
}

// domain lists the values of a type that has few.
func domain(t model.Type) ([]model.Value, bool) {
	switch t.Kind {
	case model.KindBool:
		return []model.Value{false, true}, true
	case model.KindEnum:
		out := make([]model.Value, len(t.Enum))
		for i, v := range t.Enum {
			out[i] = v
		}
		return out, true
	default:
		return nil, false
	}
}

// count is the number of elements.
func (s *setUnknown) count() smt.Linear {
	if s.size == nil {
		l := smt.Unknown(s.e.s.Int(new(big.Int), nil, nil))
		s.size = &l
		values, _ := domain(s.elem)
		for _, v := range values {
			s.contains(s.e.literal(v, s.elem))
		}
	}
	return *s.size
}

// finish ties the number of elements to those that are asked about: there are
// at least as many as differ, and of a type with few values no others.
func (s *setUnknown) finish() {
	if s.size == nil {
		return
	}
	sum := smt.Whole(0)
	for i, m := range s.members {
		distinct := []*smt.F{m.in}
		for _, before := range s.members[:i] {
			distinct = append(distinct, smt.Not(s.e.equal(before.operand, m.operand)))
		}
		sum = sum.Plus(one, s.e.indicator(smt.And(distinct...)))
	}
	s.e.s.Assert(s.e.s.LessEqual(sum, *s.size))
	if _, finite := domain(s.elem); finite {
		s.e.s.Assert(s.e.s.LessEqual(*s.size, sum))
	}
}

// indicator is 1 where a formula holds, and 0 elsewhere.
func (e *encoder) indicator(f *smt.F) smt.Linear {
	l := smt.Unknown(e.s.Int(new(big.Int), big.NewInt(1), nil))
	e.s.Assert(smt.Iff(f, e.s.LessEqual(smt.Whole(1), l)))
	return l
}

// mostElements bounds the sets of witnesses.
const mostElements = 100

// value is the set in a model, filled up to its size with values that nothing
// asks about.
func (s *setUnknown) value(m *smt.Model) (model.Value, bool) {
	var in, all []model.Value
	for _, x := range s.members {
		v, ok := x.value(m)
		if !ok {
			return nil, false
		}
		all = append(all, v)
		if m.Holds(x.in) {
			in = append(in, v)
		}
	}
	set := model.NewSet(in)
	if s.size == nil {
		return set, true
	}
	want := m.At(*s.size)
	if want.Cmp(big.NewRat(mostElements, 1)) > 0 {
		return nil, false
	}
	taken := model.NewSet(all)
	for i := int64(0); big.NewRat(int64(len(set)), 1).Cmp(want) < 0; i++ {
		v, ok := spare(s.elem, i)
		if !ok {
			return nil, false
		}
		if more := model.NewSet(append(append([]model.Value{}, taken...), v)); len(more) > len(taken) {
			taken = more
			set = model.NewSet(append(append([]model.Value{}, set...), v))
		}
	}
	return set, true
}

// spare is the i-th of many values of a type.
func spare(t model.Type, i int64) (model.Value, bool) {
	switch t.Kind {
	case model.KindString:
		return fmt.Sprintf("x%d", i+1), true
	case model.KindInt, model.KindNumber:
		return big.NewRat(i+1, 1), true
	case model.KindUUID:
		var u model.UUID
		big.NewInt(i + 1).FillBytes(u[:])
		return u, true
	case model.KindDate:
		return niceDay + model.Date(i), true // #nosec G115 -- small
	case model.KindTimestamp:
		return niceDay.Instant() + model.Timestamp(i), true
	case model.KindIP:
		return numberAddress(big.NewInt(0x0a000001 + i)), true
	default:
		return nil, false
	}
}

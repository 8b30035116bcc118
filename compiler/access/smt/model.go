package smt

import "math/big"

// Model is values of all unknowns.
type Model struct {
	s        *Solver
	ints     []*big.Int
	words    map[Text]string
	atoms    map[int]bool // that the goal rests on
	relInts  map[Int]bool
	relTexts map[Text]bool
}

// relate finds what the goal rests on.
func (m *Model) relate(chosen []lit) {
	m.atoms, m.relInts, m.relTexts = map[int]bool{}, map[Int]bool{}, map[Text]bool{}
	if m.s.goal != nil {
		p := &picker{s: m.s, cost: map[*F]int{}, taken: map[lit]bool{}}
		p.take(m.s.goal)
		chosen = p.out
	}
	for _, l := range chosen {
		m.atoms[l.index()] = true
		switch a := m.s.atoms[l.index()]; a.kind {
		case atomBound:
			for _, t := range a.bound.terms {
				m.relInts[t.x] = true
			}
		case atomText:
			m.relateText(a.a)
			m.relateText(a.b)
		case atomBool:
		}
	}
	for t, n := range m.s.lengths {
		if m.relInts[n] {
			m.relateText(t)
		}
	}
}

func (m *Model) relateText(t Text) {
	m.relTexts[t] = true
	switch x := m.s.texts[t]; x.kind {
	case textLower:
		m.relateText(x.of)
	case textJoined:
		for _, p := range x.parts {
			if p.Number == nil {
				m.relateText(p.Text)
				continue
			}
			for _, n := range p.Number.terms {
				m.relInts[n.x] = true
			}
		}
	case textUnknown, textConstant:
	}
}

// Relevant reports whether the goal rests on a formula that is one literal.
func (m *Model) Relevant(f *F) bool { return f.op == opLit && m.atoms[f.lit.index()] }

// RelevantText reports whether the goal rests on a text.
func (m *Model) RelevantText(t Text) bool { return m.relTexts[t] }

// RelevantSum reports whether the goal rests on one of a sum's unknowns.
func (m *Model) RelevantSum(l Linear) bool {
	for _, t := range l.terms {
		if m.relInts[t.x] {
			return true
		}
	}
	return false
}

// Int is a whole number's value.
func (m *Model) Int(x Int) *big.Int { return m.ints[x] }

// Text is a text's value.
func (m *Model) Text(t Text) string { return m.s.evaluate(t, m.words, m.ints) }

// Holds is a formula's value: true only where the search has made it so.
func (m *Model) Holds(f *F) bool {
	switch f.op {
	case opTrue:
		return true
	case opFalse:
		return false
	case opLit:
		return m.literal(f.lit)
	default:
	}
	for _, a := range f.args {
		if m.Holds(a) != (f.op == opAnd) {
			return f.op == opOr
		}
	}
	return f.op == opAnd
}

func (m *Model) literal(l lit) bool {
	a := m.s.atoms[l.index()]
	switch a.kind {
	case atomBound:
		return (a.bound.value(m.Int).Cmp(a.bound.most) <= 0) == l.positive()
	case atomText:
		return a.rel.holds(m.Text(a.a), m.Text(a.b)) == l.positive()
	case atomBool:
	}
	if v := m.s.vars[l.index()]; v >= 0 {
		return (m.s.sat.value[v] == 1) == l.positive()
	}
	return m.s.phases[l.index()] == l.positive()
}

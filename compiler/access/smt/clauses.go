package smt

// prepare turns assertions and lemmas into clauses.
func (s *Solver) prepare() {
	s.boundLemmas()
	s.textLemmas()
	s.sat = newSAT()
	for _, c := range s.lemmas {
		s.add(c)
	}
	for _, f := range s.asserts {
		s.state(f)
	}
}

// state makes clauses of an assertion.
func (s *Solver) state(f *F) {
	if f.op == opOr {
		s.sat.add(s.definitions(f.args))
		return
	}
	s.sat.add([]lit{s.define(f)})
}

// add adds a clause of atoms.
func (s *Solver) add(c []lit) {
	out := make([]lit, len(c))
	for i, l := range c {
		out[i] = litOf(s.variable(l.index()), l.positive())
	}
	s.sat.add(out)
}

// variable is the variable of an atom.
func (s *Solver) variable(n int) int {
	if s.vars[n] < 0 {
		s.vars[n] = s.sat.variable(s.phases[n])
	}
	return s.vars[n]
}

// define is a literal that makes a formula hold (Plaisted and Greenbaum: one
// direction is enough, as formulas have no negation).
func (s *Solver) define(f *F) lit {
	switch f.op {
	case opLit:
		return litOf(s.variable(f.lit.index()), f.lit.positive())
	case opTrue, opFalse:
		v := s.sat.variable(true)
		s.sat.add([]lit{litOf(v, f.op == opTrue)})
		return litOf(v, true)
	default:
	}
	if l, ok := s.defined[f]; ok {
		return l
	}
	d := litOf(s.sat.variable(false), true)
	s.defined[f] = d
	args := s.definitions(f.args)
	if f.op == opOr {
		s.sat.add(append(args, d.negated()))
		return d
	}
	for _, a := range args {
		s.sat.add([]lit{a, d.negated()})
	}
	return d
}

func (s *Solver) definitions(fs []*F) []lit {
	out := make([]lit, len(fs))
	for i, f := range fs {
		out[i] = s.define(f)
	}
	return out
}

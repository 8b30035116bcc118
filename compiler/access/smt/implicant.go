package smt

// holds reports whether the assignment makes an atom's literal true.
func (s *Solver) holds(l lit) bool {
	v := s.vars[l.index()]
	return v >= 0 && (s.sat.value[v] == 1) == l.positive()
}

// implicant chooses, of the literals that the assignment makes true, few that
// are enough for all assertions.
func (s *Solver) implicant() []lit {
	p := &picker{s: s, cost: map[*F]int{}, taken: map[lit]bool{}}
	for _, f := range s.asserts {
		p.take(f)
	}
	return p.out
}

type picker struct {
	s     *Solver
	cost  map[*F]int
	taken map[lit]bool
	out   []lit
}

const notSatisfied = 1 << 30

// price is how much a formula's satisfaction costs: a literal of a theory more
// than a plain one, and nothing what is taken already.
func (p *picker) price(f *F) int {
	switch f.op {
	case opTrue:
		return 0
	case opFalse:
		return notSatisfied
	case opLit:
		switch {
		case !p.s.holds(f.lit):
			return notSatisfied
		case p.taken[f.lit]:
			return 0
		case p.s.atoms[f.lit.index()].kind == atomBool:
			return 1
		}
		return 8
	default:
	}
	if c, ok := p.cost[f]; ok {
		return c
	}
	c := 0
	if f.op == opOr {
		c = notSatisfied
	}
	for _, a := range f.args {
		if f.op == opOr {
			c = min(c, p.price(a))
		} else {
			c = min(notSatisfied, c+p.price(a))
		}
	}
	p.cost[f] = c
	return c
}

func (p *picker) take(f *F) {
	switch f.op {
	case opTrue, opFalse:
	case opLit:
		if !p.taken[f.lit] {
			p.taken[f.lit] = true
			p.out = append(p.out, f.lit)
		}
	case opAnd:
		for _, a := range f.args {
			p.take(a)
		}
	case opOr:
		best := f.args[0]
		for _, a := range f.args[1:] {
			if p.price(a) < p.price(best) {
				best = a
			}
		}
		p.take(best)
	}
}

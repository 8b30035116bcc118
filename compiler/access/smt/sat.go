package smt

import "slices"

// sat is a clause learner: two watched literals, first unique implication
// point, activities, and the last value of a variable as its next.
type sat struct {
	clauses [][]lit
	watches [][]int // by literal: the clauses that watch it
	value   []int8  // by variable: 0 open, 1 true, -1 false
	phase   []bool
	level   []int
	reason  []int // the clause that implied it, -1 for decisions
	open    queue // all that have no value, and some that have
	inc     float64
	trail   []lit
	marks   []int // the trail's length at each decision
	head    int
	broken  bool // without a decision, the clauses contradict each other
	seen    []bool
}

func newSAT() *sat { return &sat{inc: 1} }

// variable makes a new one, which is first tried with the phase.
func (s *sat) variable(phase bool) int {
	n := len(s.value)
	s.value = append(s.value, 0)
	s.phase = append(s.phase, phase)
	s.level = append(s.level, 0)
	s.reason = append(s.reason, -1)
	s.open.variable()
	s.seen = append(s.seen, false)
	s.watches = append(s.watches, nil, nil)
	return n
}

func (s *sat) of(l lit) int8 {
	v := s.value[l.index()]
	if l.positive() {
		return v
	}
	return -v
}

// add takes a clause into account; all decisions are undone before.
func (s *sat) add(c []lit) {
	s.undo(0)
	c = slices.Clone(c)
	slices.Sort(c)
	c = slices.Compact(c)
	kept := c[:0]
	for i, l := range c {
		if i > 0 && c[i-1] == l.negated() && l&1 == 1 {
			return
		}
		switch s.of(l) {
		case 1:
			return
		case 0:
			kept = append(kept, l)
		}
	}
	switch len(kept) {
	case 0:
		s.broken = true
	case 1:
		s.assign(kept[0], -1)
		s.broken = s.broken || s.propagate() >= 0
	default:
		s.attach(kept)
	}
}

func (s *sat) attach(c []lit) int {
	n := len(s.clauses)
	s.clauses = append(s.clauses, c)
	s.watches[c[0]] = append(s.watches[c[0]], n)
	s.watches[c[1]] = append(s.watches[c[1]], n)
	return n
}

func (s *sat) assign(l lit, reason int) {
	v := l.index()
	s.value[v] = -1
	if l.positive() {
		s.value[v] = 1
	}
	s.phase[v] = l.positive()
	s.level[v] = len(s.marks)
	s.reason[v] = reason
	s.trail = append(s.trail, l)
}

// propagate draws conclusions; it returns a clause that fails, or -1.
func (s *sat) propagate() int {
	for s.head < len(s.trail) {
		failed := s.trail[s.head].negated()
		s.head++
		list := s.watches[failed]
		kept := list[:0]
		for i, n := range list {
			c := s.clauses[n]
			if c[0] == failed {
				c[0], c[1] = c[1], c[0]
			}
			if s.of(c[0]) == 1 || !s.moveWatch(n, c) {
				kept = append(kept, n)
			}
			if s.of(c[0]) == 1 || c[1] != failed {
				continue
			}
			if s.of(c[0]) == -1 {
				kept = append(kept, list[i+1:]...)
				s.watches[failed] = kept
				return n
			}
			s.assign(c[0], n)
		}
		s.watches[failed] = kept
	}
	return -1
}

// moveWatch finds another literal to watch in place of the second one.
func (s *sat) moveWatch(n int, c []lit) bool {
	for k := 2; k < len(c); k++ {
		if s.of(c[k]) != -1 {
			c[1], c[k] = c[k], c[1]
			s.watches[c[1]] = append(s.watches[c[1]], n)
			return true
		}
	}
	return false
}

func (s *sat) undo(level int) {
	if len(s.marks) <= level {
		return
	}
	mark := s.marks[level]
	for _, l := range s.trail[mark:] {
		s.value[l.index()] = 0
		s.open.push(l.index())
	}
	s.trail = s.trail[:mark]
	s.marks = s.marks[:level]
	s.head = mark
}

// solve assigns all variables such that no clause fails; false when that is
// impossible, or when steps, which counts conflicts down, comes to an end.
func (s *sat) solve(steps *int) bool {
	if s.broken {
		return false
	}
	for {
		if failed := s.propagate(); failed >= 0 {
			if len(s.marks) == 0 {
				s.broken = true
				return false
			}
			if *steps--; *steps < 0 {
				return false
			}
			s.learn(failed)
			continue
		}
		v := s.pick()
		if v < 0 {
			return true
		}
		s.marks = append(s.marks, len(s.trail))
		s.assign(litOf(v, s.phase[v]), -1)
	}
}

func (s *sat) pick() int {
	for {
		if v := s.open.pop(); v < 0 || s.value[v] == 0 {
			return v
		}
	}
}

func (s *sat) bump(v int) {
	if s.open.activity[v] += s.inc; s.open.activity[v] > 1e100 {
		for i := range s.open.activity {
			s.open.activity[i] *= 1e-100
		}
		s.inc *= 1e-100
	}
	s.open.raised(v)
}

// learn adds the clause that the conflict teaches, and goes back to where it
// first says something.
func (s *sat) learn(failed int) {
	learnt := []lit{0}
	open, at := 0, len(s.trail)-1
	var p lit
	clause := s.clauses[failed]
	for first := true; first || open > 0; first = false {
		for _, q := range clause {
			v := q.index()
			if !first && q == p || s.seen[v] || s.level[v] == 0 {
				continue
			}
			s.seen[v] = true
			s.bump(v)
			if s.level[v] == len(s.marks) {
				open++
			} else {
				learnt = append(learnt, q)
			}
		}
		for !s.seen[s.trail[at].index()] {
			at--
		}
		p = s.trail[at]
		at--
		s.seen[p.index()] = false
		if open--; open > 0 {
			clause = s.clauses[s.reason[p.index()]]
		}
	}
	learnt[0] = p.negated()
	back, where := 0, 1
	for i, q := range learnt[1:] {
		s.seen[q.index()] = false
		if l := s.level[q.index()]; l > back {
			back, where = l, i+1
		}
	}
	s.inc *= 1.05
	s.undo(back)
	if len(learnt) == 1 {
		s.assign(learnt[0], -1)
		return
	}
	learnt[1], learnt[where] = learnt[where], learnt[1]
	s.assign(learnt[0], s.attach(learnt))
}

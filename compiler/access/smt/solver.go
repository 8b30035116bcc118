package smt

import (
	"context"
	"math/big"
)

// Solver holds unknowns, assertions and what is known of them.
type Solver struct {
	atoms   []atom
	byKey   map[string]int
	ints    []intUnknown
	texts   []textTerm
	textKey map[string]Text
	asserts []*F
	goal    *F      // the assertion that a model's relevance is about
	lemmas  [][]lit // of atoms: what holds by the theories alone
	phases  map[int]bool
	lengths map[Text]Int

	automata map[string]*automaton // by their rules

	sat     *sat
	vars    []int // by atom: its variable in sat, or -1
	defined map[*F]lit
}

type intUnknown struct {
	least, most *big.Int // nil: none
	prefer      *big.Int
}

type atomKind int

const (
	atomBool  atomKind = iota
	atomBound          // bound
	atomText           // a relation of two texts
)

// atom is one thing that holds or does not.
type atom struct {
	kind  atomKind
	bound *bound
	rel   relation
	a, b  Text
}

// New is a solver without assertions.
func New() *Solver {
	return &Solver{
		byKey: map[string]int{}, textKey: map[string]Text{}, phases: map[int]bool{}, lengths: map[Text]Int{},
		defined: map[*F]lit{}, automata: map[string]*automaton{},
	}
}

// Int makes a whole number between two bounds (nil: none), which is the
// preferred one unless something speaks against it.
func (s *Solver) Int(least, most, prefer *big.Int) Int {
	if prefer == nil {
		prefer = new(big.Int)
	}
	s.ints = append(s.ints, intUnknown{least, most, prefer})
	return Int(len(s.ints) - 1)
}

// Truth makes a truth value, which is the preferred one unless something speaks
// against it.
func (s *Solver) Truth(prefer bool) *F {
	n := s.newAtom(atom{kind: atomBool})
	s.phases[n] = prefer
	return &F{op: opLit, lit: litOf(n, true)}
}

func (s *Solver) newAtom(a atom) int {
	s.atoms = append(s.atoms, a)
	s.vars = append(s.vars, -1)
	return len(s.atoms) - 1
}

// atom is the formula of an atom, made once for each key.
func (s *Solver) atom(key string, a atom) *F {
	n, ok := s.byKey[key]
	if !ok {
		n = s.newAtom(a)
		s.byKey[key] = n
	}
	return &F{op: opLit, lit: litOf(n, true)}
}

// Assert demands a formula.
func (s *Solver) Assert(f *F) {
	if f.op == opAnd {
		for _, a := range f.args {
			s.Assert(a)
		}
		return
	}
	if f.op == opTrue {
		return
	}
	s.asserts = append(s.asserts, f)
	if s.sat != nil {
		s.state(f)
	}
}

// Goal demands a formula as well. What a model's Relevant tells is about it.
func (s *Solver) Goal(f *F) {
	s.goal = f
	s.Assert(f)
}

// Prefer makes a literal formula hold unless something speaks against it.
func (s *Solver) Prefer(f *F) {
	if f.op == opLit {
		s.phases[f.lit.index()] = f.lit.positive()
	}
}

// Size is the number of atoms so far.
func (s *Solver) Size() int { return len(s.atoms) }

func (s *Solver) lemma(c ...lit) { s.lemmas = append(s.lemmas, c) }

// Status is the end of a search.
type Status int

// The ends of a search.
const (
	Undecided Status = iota
	Unsat
	Sat
)

// Limits bound a search.
type Limits struct {
	Steps int // conflicts and candidates together
}

// Result is what a search found.
type Result struct {
	Status Status
	Reason string // of Undecided
	Steps  int    // that were taken
	// Refused says of Undecided that candidates were turned down.
	Refused bool
}

// Reply is what the caller says to a candidate.
type Reply int

// The replies.
const (
	Refuse Reply = iota // it is none; the search can no longer prove anything
	Accept
	Refine // it is none, and further assertions have been made that say why
)

// mostRefused bounds the candidates that are turned down.
const mostRefused = 12

// Solve looks for values that satisfy all assertions, and shows each candidate
// to accept.
func (s *Solver) Solve(ctx context.Context, limits Limits, accept func(*Model) Reply) Result {
	s.prepare()
	refused := 0
	steps := limits.Steps
	doubt := ""
	for {
		if ctx.Err() != nil {
			return Result{Status: Undecided, Reason: "it took too long", Steps: limits.Steps - steps}
		}
		if !s.sat.solve(&steps) {
			switch {
			case steps < 0:
				return Result{Status: Undecided, Reason: "it has too many cases", Steps: limits.Steps}
			case doubt != "":
				return Result{Undecided, doubt, limits.Steps - steps, refused > 0}
			}
			return Result{Status: Unsat, Steps: limits.Steps - steps}
		}
		steps--
		chosen := s.implicant()
		m, clause, why := s.check(chosen)
		if m != nil {
			m.relate(chosen)
			switch accept(m) {
			case Accept:
				return Result{Status: Sat, Steps: limits.Steps - steps}
			case Refine:
				continue
			case Refuse:
			}
			why = "no example of it could be confirmed"
			if refused++; refused > mostRefused {
				return Result{Undecided, why, limits.Steps - steps, true}
			}
		}
		if clause == nil {
			doubt = why
			for _, l := range chosen {
				clause = append(clause, l.negated())
			}
		}
		s.add(clause)
	}
}

// check puts the chosen literals to the theories: a model, or a clause that
// excludes them, or neither and why.
func (s *Solver) check(chosen []lit) (m *Model, clause []lit, why string) {
	var bounds, texts []lit
	for _, l := range chosen {
		switch s.atoms[l.index()].kind {
		case atomBound:
			bounds = append(bounds, l)
		case atomText:
			texts = append(texts, l)
		case atomBool:
		}
	}
	values, conflict, ok := s.lia(bounds)
	switch {
	case conflict != nil:
		return nil, negated(conflict), ""
	case !ok:
		return nil, nil, "its arithmetic has too many cases"
	}
	used := map[Int]bool{}
	for _, l := range bounds {
		for _, t := range s.atoms[l.index()].bound.terms {
			used[t.x] = true
		}
	}
	c := newTextCheck(s, texts, values, used)
	if words, ok := c.run(); ok {
		return &Model{s: s, ints: values, words: words}, nil, ""
	}
	return nil, c.clause, c.why
}

// negated is the clause that excludes literals; never nil.
func negated(lits []lit) []lit {
	out := make([]lit, 0, len(lits))
	for _, l := range lits {
		out = append(out, l.negated())
	}
	return out
}

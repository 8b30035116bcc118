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
		defined: map[*F]lit{},
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
			return Result{Undecided, "it took too long", limits.Steps - steps}
		}
		if !s.sat.solve(&steps) {
			switch {
			case steps < 0:
				return Result{Undecided, "it has too many cases", limits.Steps}
			case doubt != "":
				return Result{Undecided, doubt, limits.Steps - steps}
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
				return Result{Undecided, why, limits.Steps - steps}
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

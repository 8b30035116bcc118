package smt

import (
	"math/big"
	"slices"
)

// simplex decides a conjunction of bounds over the rationals, and by branching
// over the whole numbers (Dutertre and de Moura, "A Fast Linear-Arithmetic
// Solver for DPLL(T)", 2006). Unknowns come first; each longer sum is one more
// variable, which a row of the tableau defines.
type simplex struct {
	wholes int
	rows   map[int]map[int]*big.Rat // by basic variable: its sum of the others
	value  []*big.Rat
	low    []limit
	high   []limit
	nodes  int // how many branches may still be tried
	pivots int
}

// limit is one bound of a variable and the literals that it follows from.
type limit struct {
	at  *big.Rat // nil: none
	why []lit
}

// branchMark stands among reasons for a bound that branching has set.
const branchMark lit = -1

// The bounds on the work for one conjunction.
const (
	maxBranches = 400
	maxPivots   = 20_000
)

// lia checks literals on bounds; on success it gives the unknowns' values, else
// literals that contradict each other, or false when it gave up.
func (s *Solver) lia(lits []lit) (values []*big.Int, conflict []lit, ok bool) {
	x := &simplex{wholes: len(s.ints), rows: map[int]map[int]*big.Rat{}, nodes: maxBranches, pivots: maxPivots}
	for _, v := range s.ints {
		x.value = append(x.value, new(big.Rat).SetInt(v.prefer))
		x.low = append(x.low, limit{at: rational(v.least)})
		x.high = append(x.high, limit{at: rational(v.most)})
	}
	sums := map[string]int{}
	for _, l := range lits {
		b := s.atoms[l.index()].bound
		v := x.variable(b, sums)
		at := new(big.Rat).SetInt(b.most)
		var clash []lit
		if l.positive() {
			clash = x.setHigh(v, limit{at, []lit{l}})
		} else {
			clash = x.setLow(v, limit{at.Add(at, big.NewRat(1, 1)), []lit{l}})
		}
		if clash != nil {
			return nil, clash, true
		}
	}
	x.start()
	conflict, ok = x.whole()
	if conflict != nil || !ok {
		return nil, conflict, ok
	}
	for i := range s.ints {
		values = append(values, new(big.Int).Set(x.value[i].Num()))
	}
	return values, nil, true
}

func rational(n *big.Int) *big.Rat {
	if n == nil {
		return nil
	}
	return new(big.Rat).SetInt(n)
}

// variable is the one that stands for a bound's sum.
func (x *simplex) variable(b *bound, sums map[string]int) int {
	if len(b.terms) == 1 { // its factor is 1
		return int(b.terms[0].x)
	}
	if v, ok := sums[b.key]; ok {
		return v
	}
	v := len(x.value)
	sums[b.key] = v
	row := map[int]*big.Rat{}
	for _, t := range b.terms {
		row[int(t.x)] = new(big.Rat).SetInt(t.a)
	}
	x.rows[v] = row
	x.value = append(x.value, new(big.Rat))
	x.low = append(x.low, limit{})
	x.high = append(x.high, limit{})
	return v
}

func (x *simplex) setHigh(v int, l limit) (clash []lit) {
	if h := x.high[v].at; h == nil || l.at.Cmp(h) < 0 {
		x.high[v] = l
	}
	return x.clash(v)
}

func (x *simplex) setLow(v int, l limit) (clash []lit) {
	if h := x.low[v].at; h == nil || l.at.Cmp(h) > 0 {
		x.low[v] = l
	}
	return x.clash(v)
}

// clash is why a variable's bounds exclude each other, or nil.
func (x *simplex) clash(v int) []lit {
	if lo, hi := x.low[v], x.high[v]; lo.at != nil && hi.at != nil && lo.at.Cmp(hi.at) > 0 {
		return reasons(lo, hi)
	}
	return nil
}

// reasons joins what bounds follow from; never nil.
func reasons(list ...limit) []lit {
	out := []lit{}
	for _, l := range list {
		out = append(out, l.why...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// start moves the variables outside of the basis into their bounds, and
// computes the others.
func (x *simplex) start() {
	for v := range x.value {
		if _, basic := x.rows[v]; !basic {
			x.value[v] = x.clamped(v)
		}
	}
	for v, row := range x.rows {
		sum := new(big.Rat)
		for u, a := range row {
			sum.Add(sum, new(big.Rat).Mul(a, x.value[u]))
		}
		x.value[v] = sum
	}
}

func (x *simplex) clamped(v int) *big.Rat {
	val := x.value[v]
	if lo := x.low[v].at; lo != nil && val.Cmp(lo) < 0 {
		val = lo
	}
	if hi := x.high[v].at; hi != nil && val.Cmp(hi) > 0 {
		val = hi
	}
	return val
}

// settle moves a variable outside of the basis into its bounds.
func (x *simplex) settle(v int) {
	if _, basic := x.rows[v]; basic {
		return
	}
	if to := x.clamped(v); to.Cmp(x.value[v]) != 0 {
		x.move(v, new(big.Rat).Sub(to, x.value[v]))
	}
}

func (x *simplex) move(v int, by *big.Rat) {
	x.value[v] = new(big.Rat).Add(x.value[v], by)
	for b, row := range x.rows {
		if a := row[v]; a != nil {
			x.value[b] = new(big.Rat).Add(x.value[b], new(big.Rat).Mul(a, by))
		}
	}
}

// feasible moves values until all bounds hold, or gives the reasons why they
// can't; false when it gave up.
func (x *simplex) feasible() (conflict []lit, ok bool) {
	for {
		if x.pivots--; x.pivots < 0 {
			return nil, false
		}
		b, up := x.violated()
		if b < 0 {
			return nil, true
		}
		v := x.entering(b, up)
		if v < 0 {
			return x.explain(b, up), true
		}
		to := x.high[b].at
		if up {
			to = x.low[b].at
		}
		by := new(big.Rat).Sub(to, x.value[b])
		x.move(v, by.Quo(by, x.rows[b][v]))
		x.pivot(b, v)
	}
}

// violated is the first basic variable beyond a bound (Bland's rule, so that it
// ends); up says that it has to grow.
func (x *simplex) violated() (b int, up bool) {
	b = -1
	for v := range x.rows {
		if b >= 0 && v > b {
			continue
		}
		if lo := x.low[v].at; lo != nil && x.value[v].Cmp(lo) < 0 {
			b, up = v, true
		} else if hi := x.high[v].at; hi != nil && x.value[v].Cmp(hi) > 0 {
			b, up = v, false
		}
	}
	return b, up
}

// entering is the first variable that can move b, or -1.
func (x *simplex) entering(b int, up bool) int {
	best := -1
	for v, a := range x.rows[b] {
		if best >= 0 && v > best {
			continue
		}
		grows := (a.Sign() > 0) == up
		if grows && (x.high[v].at == nil || x.value[v].Cmp(x.high[v].at) < 0) ||
			!grows && (x.low[v].at == nil || x.value[v].Cmp(x.low[v].at) > 0) {
			best = v
		}
	}
	return best
}

// explain is why b's row keeps it beyond its bound.
func (x *simplex) explain(b int, up bool) []lit {
	own := x.high[b]
	if up {
		own = x.low[b]
	}
	list := []limit{own}
	for v, a := range x.rows[b] {
		if (a.Sign() > 0) == up {
			list = append(list, x.high[v])
		} else {
			list = append(list, x.low[v])
		}
	}
	return reasons(list...)
}

// pivot swaps the basic variable b with v.
func (x *simplex) pivot(b, v int) {
	row := x.rows[b]
	delete(x.rows, b)
	a := row[v]
	solved := map[int]*big.Rat{b: new(big.Rat).Inv(a)}
	for u, c := range row {
		if u != v {
			q := new(big.Rat).Quo(c, a)
			solved[u] = q.Neg(q)
		}
	}
	for _, other := range x.rows {
		c := other[v]
		if c == nil {
			continue
		}
		delete(other, v)
		for u, d := range solved {
			sum := new(big.Rat).Mul(c, d)
			if old := other[u]; old != nil {
				sum.Add(sum, old)
			}
			if sum.Sign() == 0 {
				delete(other, u)
			} else {
				other[u] = sum
			}
		}
	}
	x.rows[v] = solved
}

// whole looks for values that are whole: it branches on one that is not.
func (x *simplex) whole() (conflict []lit, ok bool) {
	conflict, ok = x.feasible()
	if conflict != nil || !ok {
		return conflict, ok
	}
	v := x.fractional()
	if v < 0 {
		return nil, true
	}
	if x.nodes--; x.nodes < 0 {
		return nil, false
	}
	down := new(big.Rat).SetInt(floor(x.value[v]))
	below, ok := x.branch(v, func() []lit { return x.setHigh(v, limit{down, []lit{branchMark}}) })
	if below == nil || !ok || !slices.Contains(below, branchMark) {
		return below, ok
	}
	up := new(big.Rat).Add(down, big.NewRat(1, 1))
	above, ok := x.branch(v, func() []lit { return x.setLow(v, limit{up, []lit{branchMark}}) })
	if above == nil || !ok || !slices.Contains(above, branchMark) {
		return above, ok
	}
	both := slices.DeleteFunc(append(below, above...), func(l lit) bool { return l == branchMark })
	return append(reasons(limit{why: both}), x.outer()...), true
}

// outer tells that a conflict may rest on the branches around this one as well.
func (x *simplex) outer() []lit {
	for v := range x.wholes {
		if slices.Contains(x.low[v].why, branchMark) || slices.Contains(x.high[v].why, branchMark) {
			return []lit{branchMark}
		}
	}
	return nil
}

// branch tries one more bound; on success the values stay.
func (x *simplex) branch(v int, set func() []lit) (conflict []lit, ok bool) {
	low, high := slices.Clone(x.low), slices.Clone(x.high)
	if clash := set(); clash != nil {
		x.low, x.high = low, high
		return clash, true
	}
	x.settle(v)
	conflict, ok = x.whole()
	if conflict == nil && ok {
		return nil, true
	}
	x.low, x.high = low, high
	for u := range x.value {
		x.settle(u)
	}
	return conflict, ok
}

func (x *simplex) fractional() int {
	for v := range x.wholes {
		if !x.value[v].IsInt() {
			return v
		}
	}
	return -1
}

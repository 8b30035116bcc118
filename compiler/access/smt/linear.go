package smt

import (
	"maps"
	"math/big"
	"slices"
	"strings"
)

// Int is a whole-number unknown of a Solver.
type Int int

// Linear is a sum of unknowns with rational factors, and a constant.
type Linear struct {
	terms []term // by unknown, factors not zero
	plus  *big.Rat
}

type term struct {
	x Int
	a *big.Rat
}

// Constant is the sum without unknowns.
func Constant(k *big.Rat) Linear { return Linear{plus: k} }

// Whole is a small whole constant.
func Whole(k int64) Linear { return Constant(big.NewRat(k, 1)) }

// Unknown is the sum of one unknown alone.
func Unknown(x Int) Linear {
	return Linear{terms: []term{{x, big.NewRat(1, 1)}}, plus: new(big.Rat)}
}

// Plus is l + k*o.
func (l Linear) Plus(k *big.Rat, o Linear) Linear {
	out := Linear{plus: new(big.Rat).Add(l.plus, new(big.Rat).Mul(k, o.plus))}
	i, j := 0, 0
	for i < len(l.terms) || j < len(o.terms) {
		switch {
		case j == len(o.terms) || i < len(l.terms) && l.terms[i].x < o.terms[j].x:
			out.terms = append(out.terms, l.terms[i])
			i++
		case i == len(l.terms) || o.terms[j].x < l.terms[i].x:
			out = out.with(o.terms[j].x, new(big.Rat).Mul(k, o.terms[j].a))
			j++
		default:
			out = out.with(l.terms[i].x, new(big.Rat).Add(l.terms[i].a, new(big.Rat).Mul(k, o.terms[j].a)))
			i++
			j++
		}
	}
	return out
}

func (l Linear) with(x Int, a *big.Rat) Linear {
	if a.Sign() != 0 {
		l.terms = append(l.terms, term{x, a})
	}
	return l
}

// Minus is l - o.
func (l Linear) Minus(o Linear) Linear { return l.Plus(big.NewRat(-1, 1), o) }

// Times is k*l.
func (l Linear) Times(k *big.Rat) Linear { return Whole(0).Plus(k, l) }

// Value is the constant when there is no unknown.
func (l Linear) Value() (*big.Rat, bool) { return l.plus, len(l.terms) == 0 }

// bound is "sum <= most" over whole unknowns with whole factors that have no
// common divisor, the first of them positive.
type bound struct {
	terms []intTerm
	most  *big.Int
	key   string // of the sum alone
}

type intTerm struct {
	x Int
	a *big.Int
}

// AtMostZero is l <= 0.
func (s *Solver) AtMostZero(l Linear) *F {
	if k, ok := l.Value(); ok {
		return Bool(k.Sign() <= 0)
	}
	// Multiply by the denominators, divide by the common divisor: the factors are
	// then whole and prime to each other, and the limit is rounded down.
	scale := big.NewInt(1)
	for _, t := range l.terms {
		scale = lcm(scale, t.a.Denom())
	}
	factors := make([]*big.Int, len(l.terms))
	divisor := new(big.Int)
	for i, t := range l.terms {
		factors[i] = new(big.Int).Div(new(big.Int).Mul(t.a.Num(), scale), t.a.Denom())
		divisor.GCD(nil, nil, divisor, new(big.Int).Abs(factors[i]))
	}
	limit := new(big.Rat).Neg(l.plus)
	limit.Mul(limit, new(big.Rat).SetFrac(scale, divisor))
	b := bound{most: floor(limit)}
	flip := factors[0].Sign() < 0
	for i, t := range l.terms {
		a := factors[i].Div(factors[i], divisor)
		if flip {
			a.Neg(a)
		}
		b.terms = append(b.terms, intTerm{t.x, a})
	}
	if flip { // -sum <= most is not (sum <= -most-1)
		b.most = new(big.Int).Sub(new(big.Int).Neg(b.most), big.NewInt(1))
	}
	f := s.boundAtom(b)
	if flip {
		return Not(f)
	}
	return f
}

// LessEqual is a <= b.
func (s *Solver) LessEqual(a, b Linear) *F { return s.AtMostZero(a.Minus(b)) }

// Less is a < b.
func (s *Solver) Less(a, b Linear) *F { return Not(s.LessEqual(b, a)) }

// EqualTo is a == b.
func (s *Solver) EqualTo(a, b Linear) *F {
	return And(s.LessEqual(a, b), s.LessEqual(b, a))
}

func (s *Solver) boundAtom(b bound) *F {
	var k strings.Builder
	for _, t := range b.terms {
		k.WriteString(t.a.String())
		k.WriteByte('*')
		k.WriteString(big.NewInt(int64(t.x)).String())
		k.WriteByte(' ')
	}
	b.key = k.String()
	return s.atom("<= "+b.key+b.most.String(), atom{kind: atomBound, bound: &b})
}

func lcm(a, b *big.Int) *big.Int {
	g := new(big.Int).GCD(nil, nil, a, b)
	return new(big.Int).Mul(a, new(big.Int).Div(b, g))
}

func floor(r *big.Rat) *big.Int {
	return new(big.Int).Div(r.Num(), r.Denom()) // Euclidean: rounds down for a positive divisor
}

// value is a sum's value under an assignment.
func (b *bound) value(of func(Int) *big.Int) *big.Int {
	sum := new(big.Int)
	for _, t := range b.terms {
		sum.Add(sum, new(big.Int).Mul(t.a, of(t.x)))
	}
	return sum
}

// boundLemmas relates the bounds on one sum: sum <= 3 makes sum <= 5 hold.
func (s *Solver) boundLemmas() {
	bySum := map[string][]int{}
	for n, a := range s.atoms {
		if a.kind == atomBound {
			bySum[a.bound.key] = append(bySum[a.bound.key], n)
		}
	}
	for _, sum := range slices.Sorted(maps.Keys(bySum)) {
		list := bySum[sum]
		slices.SortFunc(list, func(a, b int) int { return s.atoms[a].bound.most.Cmp(s.atoms[b].bound.most) })
		for i := 1; i < len(list); i++ {
			s.lemma(litOf(list[i-1], false), litOf(list[i], true))
		}
	}
}

// Key is the same for two sums only if they are the same.
func (l Linear) Key() string {
	var b strings.Builder
	for _, t := range l.terms {
		b.WriteString(t.a.RatString() + "*" + big.NewInt(int64(t.x)).String() + " ")
	}
	b.WriteString(l.plus.RatString())
	return b.String()
}

package smt

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// world draws formulas over a few unknowns and evaluates them by themselves.
type world struct {
	t     *rapid.T
	s     *Solver
	ints  []Int
	texts []Text
	bools []*F
}

// env is one assignment.
type env struct {
	ints  []int64
	texts []string
	bools []bool
}

type drawn struct {
	f    *F
	eval func(env) bool
}

func (w *world) n(limit int) int { return rapid.IntRange(0, limit-1).Draw(w.t, "n") }

type sum struct {
	l    Linear
	eval func(env) int64
}

func (w *world) sum() sum {
	switch w.n(6) {
	case 0:
		k := int64(w.n(7)) - 3
		return sum{Whole(k), func(env) int64 { return k }}
	case 1:
		i := w.n(len(w.texts))
		return sum{w.s.Length(w.texts[i]), func(e env) int64 { return int64(utf8.RuneCountInString(e.texts[i])) }}
	case 2:
		i, j, k := w.n(len(w.ints)), w.n(len(w.ints)), int64(w.n(5))-2
		return sum{
			Unknown(w.ints[i]).Plus(big.NewRat(k, 1), Unknown(w.ints[j])),
			func(e env) int64 { return e.ints[i] + k*e.ints[j] },
		}
	}
	i := w.n(len(w.ints))
	return sum{Unknown(w.ints[i]), func(e env) int64 { return e.ints[i] }}
}

type text struct {
	t    Text
	eval func(env) string
}

func (w *world) text() text {
	switch w.n(6) {
	case 0, 1, 2:
		v := []string{"", "a", "b", "A", "ab", "aa", "ba", "bA"}[w.n(8)]
		return text{w.s.Fixed(v), func(env) string { return v }}
	case 3:
		i := w.n(len(w.texts))
		return text{w.s.Lower(w.texts[i]), func(e env) string { return strings.ToLower(e.texts[i]) }}
	}
	i := w.n(len(w.texts))
	return text{w.texts[i], func(e env) string { return e.texts[i] }}
}

func (w *world) atom() drawn {
	switch w.n(8) {
	case 0:
		i := w.n(len(w.bools))
		return drawn{w.bools[i], func(e env) bool { return e.bools[i] }}
	case 1:
		a, b := w.sum(), w.sum()
		return drawn{w.s.LessEqual(a.l, b.l), func(e env) bool { return a.eval(e) <= b.eval(e) }}
	case 2:
		a, b := w.sum(), w.sum()
		return drawn{w.s.EqualTo(a.l, b.l), func(e env) bool { return a.eval(e) == b.eval(e) }}
	case 3:
		a, b := w.text(), w.text()
		return drawn{w.s.Before(a.t, b.t), func(e env) bool { return a.eval(e) < b.eval(e) }}
	case 4:
		a, b := w.text(), w.text()
		return drawn{w.s.Starts(a.t, b.t), func(e env) bool { return strings.HasPrefix(a.eval(e), b.eval(e)) }}
	case 5:
		a, b := w.text(), w.text()
		return drawn{w.s.Ends(a.t, b.t), func(e env) bool { return strings.HasSuffix(a.eval(e), b.eval(e)) }}
	case 6:
		a, b := w.text(), w.text()
		return drawn{w.s.Contains(a.t, b.t), func(e env) bool { return strings.Contains(a.eval(e), b.eval(e)) }}
	}
	a, b := w.text(), w.text()
	return drawn{w.s.Same(a.t, b.t), func(e env) bool { return a.eval(e) == b.eval(e) }}
}

func (w *world) formula(depth int) drawn {
	if depth == 0 || w.n(4) == 0 {
		return w.atom()
	}
	a, b := w.formula(depth-1), w.formula(depth-1)
	switch w.n(5) {
	case 0, 1:
		return drawn{And(a.f, b.f), func(e env) bool { return a.eval(e) && b.eval(e) }}
	case 2, 3:
		return drawn{Or(a.f, b.f), func(e env) bool { return a.eval(e) || b.eval(e) }}
	}
	return drawn{Not(a.f), func(e env) bool { return !a.eval(e) }}
}

// small lists the assignments that are tried.
func small(visit func(env) bool) {
	texts := []string{""}
	for _, a := range []string{"a", "b", "A"} {
		texts = append(texts, a)
		for _, b := range []string{"a", "b", "A"} {
			texts = append(texts, a+b)
		}
	}
	for i := int64(-2); i <= 2; i++ {
		for j := int64(-2); j <= 2; j++ {
			for _, x := range texts {
				for _, y := range texts {
					for b := range 4 {
						if visit(env{[]int64{i, j}, []string{x, y}, []bool{b&1 == 1, b&2 == 2}}) {
							return
						}
					}
				}
			}
		}
	}
}

// TestSolverAgreesWithEnumeration solves random formulas: values that it gives
// must satisfy them, and where it finds none there must be none among small
// ones.
func TestSolverAgreesWithEnumeration(t *testing.T) {
	t.Parallel()
	ends := map[Status]int{}
	rapid.Check(t, func(rt *rapid.T) {
		w := &world{t: rt, s: New()}
		for range 2 {
			w.ints = append(w.ints, w.s.Int(big.NewInt(-1000), big.NewInt(1000), nil))
			w.texts = append(w.texts, w.s.Text(TextFacts{}))
			w.bools = append(w.bools, w.s.Truth(false))
		}
		f := w.formula(4)
		w.s.Assert(f.f)
		var e env
		r := w.s.Solve(t.Context(), Limits{Steps: 3000}, func(m *Model) Reply {
			for i := range 2 {
				e.ints = append(e.ints, m.Int(w.ints[i]).Int64())
				e.texts = append(e.texts, m.Text(w.texts[i]))
				e.bools = append(e.bools, m.Holds(w.bools[i]))
			}
			return Accept
		})
		ends[r.Status]++
		switch r.Status {
		case Sat:
			if !f.eval(e) {
				rt.Fatalf("%+v does not satisfy", e)
			}
		case Unsat:
			small(func(e env) bool {
				if f.eval(e) {
					rt.Fatalf("%+v satisfies", e)
				}
				return false
			})
		case Undecided:
		}
	})
	t.Log("sat, unsat, undecided:", ends[Sat], ends[Unsat], ends[Undecided])
	if total := ends[Sat] + ends[Unsat] + ends[Undecided]; ends[Undecided]*10 > total {
		t.Errorf("%d of %d undecided", ends[Undecided], total)
	}
}

// TestRulesAgreeWithStrings follows automata of random rules.
func TestRulesAgreeWithStrings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringOfN(rapid.SampledFrom([]rune("abB")), 0, 4, -1)
		var rules []*rule
		var evals []func(string) bool
		for range rapid.IntRange(1, 4).Draw(rt, "rules") {
			rel := rapid.SampledFrom([]relation{relEqual, relBefore, relStarts, relEnds, relContains}).Draw(rt, "rel")
			k, positive, left := word.Draw(rt, "k"), rapid.Bool().Draw(rt, "positive"), rapid.Bool().Draw(rt, "left")
			low := rapid.Bool().Draw(rt, "low")
			r := ruleFor(rel, k, positive, nil)
			if !left {
				r = reversed(rel, k, positive, nil)
			}
			if low {
				r = lowRule(r)
			}
			rules = append(rules, r)
			evals = append(evals, func(v string) bool {
				if low {
					v = strings.ToLower(v)
				}
				if left {
					return rel.holds(v, k) == positive
				}
				return rel.holds(k, v) == positive
			})
		}
		good := func(v string) bool {
			return !slices.ContainsFunc(evals, func(f func(string) bool) bool { return !f(v) })
		}
		a := newAutomaton(rules)
		words, _ := a.words(20)
		for _, v := range words {
			if !good(v) {
				rt.Fatalf("%q does not follow the rules", v)
			}
		}
		for range 20 {
			v := word.Draw(rt, "v")
			if good(v) && a.empty() {
				rt.Fatalf("%q follows the rules", v)
			}
			if w, ok := a.word(utf8.RuneCountInString(v)); good(v) && !ok || ok && !good(w) {
				rt.Fatalf("%q follows the rules, but of its length there is %q, %v", v, w, ok)
			}
		}
	})
}

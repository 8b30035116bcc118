package smt

import (
	"testing"

	"pgregory.net/rapid"
)

// TestSATAgreesWithEnumeration solves random clauses, added bit by bit, and
// tries all assignments.
func TestSATAgreesWithEnumeration(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		const vars = 7
		s := newSAT()
		for range vars {
			s.variable(rapid.Bool().Draw(rt, "phase"))
		}
		var all [][]lit
		for range rapid.IntRange(1, 45).Draw(rt, "clauses") {
			c := make([]lit, rapid.IntRange(1, 4).Draw(rt, "size"))
			for i := range c {
				c[i] = lit(rapid.IntRange(0, 2*vars-1).Draw(rt, "lit"))
			}
			all = append(all, c)
			s.add(c)
			steps := 100000
			got := s.solve(&steps)
			possible := false
			for m := range 1 << vars {
				possible = possible || satisfied(all, func(v int) bool { return m>>v&1 == 1 })
			}
			if got != possible {
				rt.Fatalf("solved %v, enumerated %v: %v", got, possible, all)
			}
			if got && !satisfied(all, func(v int) bool { return s.value[v] == 1 }) {
				rt.Fatalf("the assignment fails: %v", all)
			}
		}
	})
}

func satisfied(clauses [][]lit, value func(int) bool) bool {
	for _, c := range clauses {
		ok := false
		for _, l := range c {
			ok = ok || value(l.index()) == l.positive()
		}
		if !ok {
			return false
		}
	}
	return true
}

package smt

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// automaton follows several rules at once.
type automaton struct {
	letters []rune
	named   int     // how many of them the rules name; each other one stands for many
	next    [][]int // by state and letter; -1 where a rule is dead
	accepts []bool
	useful  []bool // some text that is accepted leads through it
}

// The bounds on automata.
const (
	maxStates = 6_000
	maxLength = 5_000
)

// mostAutomata bounds the automata that are kept.
const mostAutomata = 1000

// automaton follows the rules; nil when there are too many states. Searches ask
// for the same rules again and again.
func (s *Solver) automaton(rules []*rule) *automaton {
	var b strings.Builder
	for _, r := range rules {
		r.write(&b)
	}
	a, known := s.automata[b.String()]
	if !known {
		if a = newAutomaton(rules); len(s.automata) == mostAutomata {
			clear(s.automata)
		}
		s.automata[b.String()] = a
	}
	return a
}

// write names the rule, whatever it follows from.
func (r *rule) write(b *strings.Builder) {
	for _, n := range []int{int(r.op), flag(r.not), flag(r.low), r.max, len(r.set), len(r.to)} {
		b.WriteString(strconv.Itoa(n))
		b.WriteByte(' ')
	}
	b.WriteString(r.to)
	for _, v := range r.set {
		b.WriteString(strconv.Itoa(len(v)))
		b.WriteByte(' ')
		b.WriteString(v)
	}
}

func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}

// newAutomaton follows the rules; nil when there are too many states.
func newAutomaton(rules []*rule) *automaton {
	a := &automaton{}
	a.letters, a.named = alphabet(rules)
	index := map[string]int{}
	var states [][]int
	var key []byte
	intern := func(st []int) int {
		key = key[:0]
		for _, x := range st {
			key = binary.AppendVarint(key, int64(x))
		}
		n, ok := index[string(key)]
		if !ok {
			n = len(states)
			index[string(key)] = n
			states = append(states, slices.Clone(st))
		}
		return n
	}
	st := make([]int, len(rules))
	for i, r := range rules {
		if st[i] = r.start(); st[i] == stateDead {
			return a
		}
	}
	intern(st)
	for n := 0; n < len(states); n++ {
		if n > maxStates {
			return nil
		}
		ok := true
		for i, r := range rules {
			ok = ok && r.accepts(states[n][i])
		}
		a.accepts = append(a.accepts, ok)
		row := make([]int, len(a.letters))
		for l, c := range a.letters {
			row[l] = -1
			dead := false
			for i, r := range rules {
				if st[i] = r.step(states[n][i], c); st[i] == stateDead {
					dead = true
					break
				}
			}
			if !dead {
				row[l] = intern(st)
			}
		}
		a.next = append(a.next, row)
	}
	a.mark()
	return a
}

// mark finds the states that lead to an accepting one.
func (a *automaton) mark() {
	a.useful = slices.Clone(a.accepts)
	for changed := true; changed; {
		changed = false
		for n := len(a.next) - 1; n >= 0; n-- {
			if a.useful[n] {
				continue
			}
			for _, m := range a.next[n] {
				if m >= 0 && a.useful[m] {
					a.useful[n] = true
					changed = true
					break
				}
			}
		}
	}
}

// empty reports whether no text follows all rules.
func (a *automaton) empty() bool { return len(a.next) == 0 || !a.useful[0] }

// words lists up to n texts, shorter ones first; all says that there are no
// others.
func (a *automaton) words(n int) (out []string, all bool) {
	if a.empty() {
		return nil, true
	}
	all = true
	left := [][]bool{a.accepts}
	// The texts of a finite language are shorter than there are states.
	for size := 0; size <= len(a.next); size++ {
		if size > 0 {
			left = append(left, a.before(left[size-1]))
		}
		var walk func(state, rest int, text string) bool
		walk = func(state, rest int, text string) bool {
			if rest == 0 {
				if len(out) == n {
					return false
				}
				out = append(out, text)
				return true
			}
			for l, m := range a.next[state] {
				if m < 0 || !left[rest-1][m] {
					continue
				}
				all = all && l < a.named
				if !walk(m, rest-1, text+string(a.letters[l])) {
					return false
				}
			}
			return true
		}
		if left[size][0] && !walk(0, size, "") {
			return out, false
		}
	}
	return out, all && !a.infinite(left[len(left)-1])
}

// before are the states from which one character leads to one of the given.
func (a *automaton) before(good []bool) []bool {
	out := make([]bool, len(a.next))
	for s, row := range a.next {
		for _, m := range row {
			if m >= 0 && good[m] {
				out[s] = true
				break
			}
		}
	}
	return out
}

// infinite reports whether there are texts at least as long as there are
// states, given the states from which that many characters end well.
func (a *automaton) infinite(left []bool) bool {
	for range len(a.next) + 1 {
		if left[0] {
			return true
		}
		left = a.before(left)
	}
	return false
}

// word is a text of exactly n characters.
func (a *automaton) word(n int) (string, bool) {
	if a.empty() || n < 0 || n > maxLength {
		return "", false
	}
	// left[i] are the states from which i more characters can end well.
	left := make([][]bool, n+1)
	left[0] = a.accepts
	for i := 1; i <= n; i++ {
		left[i] = a.before(left[i-1])
	}
	if !left[n][0] {
		return "", false
	}
	var b strings.Builder
	for at, i := 0, n; i > 0; i-- {
		for l, m := range a.next[at] {
			if m >= 0 && left[i-1][m] {
				b.WriteRune(a.letters[l])
				at = m
				break
			}
		}
	}
	return b.String(), true
}

// lengths is the largest length below n and the smallest above n that texts
// have; -1 where there is none. False when n is too large to look at.
func (a *automaton) lengths(n int) (below, above int, ok bool) {
	below, above = -1, -1
	if a.empty() {
		return below, above, true
	}
	if n > maxLength {
		return 0, 0, false
	}
	level := map[int]bool{0: true}
	for i := 0; i <= n+len(a.next)+1; i++ {
		for s := range level {
			if !a.accepts[s] {
				continue
			}
			if i < n {
				below = i
			} else if i > n {
				return below, i, true
			}
		}
		next := map[int]bool{}
		for s := range level {
			for _, m := range a.next[s] {
				if m >= 0 && a.useful[m] {
					next[m] = true
				}
			}
		}
		if level = next; len(level) == 0 {
			break
		}
	}
	return below, above, true
}

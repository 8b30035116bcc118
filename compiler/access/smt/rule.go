package smt

import (
	"slices"
	"strings"
)

// rule is a condition on one text that an automaton can follow: a relation with
// a constant.
type rule struct {
	op  ruleOp
	to  string
	set []string // for ruleOneOf
	not bool
	low bool // asks lower(text)
	max int  // for ruleShort
	why []lit
	// made of the above
	want  []rune
	back  []int // the failure function of Knuth, Morris and Pratt
	nodes []map[rune]int
	ends  []bool
}

type ruleOp int

const (
	ruleEqual   ruleOp = iota // text == to
	ruleStarts                // text starts with to
	ruleEnds                  // text ends with to
	ruleHolds                 // text contains to
	ruleLess                  // text < to
	ruleGreater               // to < text
	ruleOneOf                 // text is one of set
	ruleLower                 // text has no ASCII capital
	ruleShort                 // text has at most max characters
	ruleLong                  // text has exactly max characters
)

// States that all rules share.
const (
	stateFree = -1 // accepts whatever follows
	stateDead = -2 // accepts nothing
)

// prepare makes what steps need.
func (r *rule) prepare() *rule {
	r.want = []rune(r.to)
	switch r.op {
	case ruleEnds, ruleHolds:
		r.back = failures(r.want)
	case ruleOneOf:
		r.nodes, r.ends = trie(r.set)
	default:
	}
	return r
}

func failures(w []rune) []int {
	back := make([]int, len(w)+1)
	for i, k := 1, 0; i < len(w); i++ {
		for k > 0 && w[i] != w[k] {
			k = back[k]
		}
		if w[i] == w[k] {
			k++
		}
		back[i+1] = k
	}
	return back
}

func trie(set []string) (nodes []map[rune]int, ends []bool) {
	nodes, ends = []map[rune]int{{}}, []bool{false}
	for _, s := range set {
		at := 0
		for _, c := range s {
			next, ok := nodes[at][c]
			if !ok {
				next = len(nodes)
				nodes[at][c] = next
				nodes, ends = append(nodes, map[rune]int{}), append(ends, false)
			}
			at = next
		}
		ends[at] = true
	}
	return nodes, ends
}

// start is the state before any character.
func (r *rule) start() int {
	if len(r.want) == 0 && (r.op == ruleStarts || r.op == ruleHolds) {
		return r.settled(true)
	}
	return 0
}

// settled is the state in which the relation is known to hold, or not to.
func (r *rule) settled(holds bool) int {
	if holds != r.not {
		return stateFree
	}
	return stateDead
}

func (r *rule) step(state int, c rune) int {
	if state < 0 {
		return state
	}
	if r.low {
		c = lowered(c)
	}
	switch r.op {
	case ruleEqual:
		if state < len(r.want) && r.want[state] == c {
			return state + 1
		}
		return r.settled(false)
	case ruleStarts:
		if r.want[state] != c {
			return r.settled(false)
		}
		if state+1 == len(r.want) {
			return r.settled(true)
		}
		return state + 1
	case ruleEnds, ruleHolds:
		return r.search(state, c)
	case ruleLess, ruleGreater:
		return r.order(state, c)
	case ruleOneOf:
		if next, ok := r.nodes[state][c]; ok {
			return next
		}
		return r.settled(false)
	case ruleLower:
		if 'A' <= c && c <= 'Z' {
			return r.settled(false)
		}
	case ruleShort, ruleLong:
		if state == r.max {
			return r.settled(false)
		}
		return state + 1
	}
	return state
}

func (r *rule) search(state int, c rune) int {
	for state > 0 && (state == len(r.want) || r.want[state] != c) {
		state = r.back[state]
	}
	if len(r.want) > 0 && r.want[state] == c {
		state++
	}
	if r.op == ruleHolds && state == len(r.want) {
		return r.settled(true)
	}
	return state
}

func (r *rule) order(state int, c rune) int {
	less := r.op == ruleLess
	switch {
	case state == len(r.want): // to and then more: greater
		return r.settled(!less)
	case c < r.want[state]:
		return r.settled(less)
	case c > r.want[state]:
		return r.settled(!less)
	}
	return state + 1
}

// accepts reports whether a text may end in the state.
func (r *rule) accepts(state int) bool {
	switch state {
	case stateFree:
		return true
	case stateDead:
		return false
	}
	holds := true
	switch r.op {
	case ruleEqual, ruleEnds:
		holds = state == len(r.want)
	case ruleStarts, ruleHolds, ruleGreater:
		holds = false
	case ruleLess:
		holds = state < len(r.want)
	case ruleOneOf:
		holds = r.ends[state]
	case ruleLong:
		holds = state == r.max
	case ruleLower, ruleShort:
	}
	return holds != r.not
}

// lowered maps the ASCII capitals to small letters.
func lowered(c rune) rune {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func lowerText(s string) string { return strings.Map(lowered, s) }

// alphabet lists characters that stand for all: first those that the rules
// name, in both cases where a rule asks lower(), then some for each range
// between them.
func alphabet(rules []*rule) (letters []rune, named int) {
	seen := map[rune]bool{}
	low, order := false, false
	for _, r := range rules {
		for _, c := range r.want {
			seen[c] = true
		}
		for _, s := range r.set {
			for _, c := range s {
				seen[c] = true
			}
		}
		low = low || r.low || r.op == ruleLower
		order = order || r.op == ruleLess || r.op == ruleGreater
	}
	if low {
		for c := range seen {
			seen[lowered(c)] = true
			if 'a' <= c && c <= 'z' {
				seen[c-'a'+'A'] = true
			}
		}
		if order {
			for c := 'a'; c <= 'z'; c++ {
				seen[c], seen[c-'a'+'A'] = true, true
			}
		}
	}
	letters = make([]rune, 0, 2*len(seen)+8)
	for c := range seen {
		letters = append(letters, c)
	}
	slices.SortFunc(letters, nicer)
	named = len(letters)
	borders := append(slices.Sorted(slices.Values(letters)), 0x110000)
	below := rune(0)
	for _, c := range borders {
		for n, last := 0, below; n < representatives; n++ {
			r, ok := between(last, c)
			if !ok {
				break
			}
			letters = append(letters, r)
			last = r
		}
		below = c
	}
	slices.SortFunc(letters[named:], nicer)
	return letters, named
}

// representatives is how many characters stand for a range of those that no
// rule names: more than one, so that texts can be made to differ.
const representatives = 3

func nicer(a, b rune) int { return niceness(a)*0x200000 + int(a) - niceness(b)*0x200000 - int(b) }

// between is a character strictly between two, a pleasant one if there is one;
// none of them is NUL or a surrogate, which no text has.
func between(a, b rune) (rune, bool) {
	for _, r := range []struct{ from, to rune }{{'a', 'z'}, {'0', '9'}, {'A', 'Z'}, {'!', '~'}, {1, 0xd7ff}, {0xe000, 0x10ffff}} {
		if c := max(r.from, a+1); c <= r.to && c < b {
			return c, true
		}
	}
	return 0, false
}

// niceness orders characters for texts that are shown to people.
func niceness(c rune) int {
	switch {
	case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z':
		return 0
	case '0' <= c && c <= '9':
		return 1
	case c > ' ' && c < 0x7f:
		return 2
	}
	return 3
}

package smt

import (
	"math/big"
	"slices"
	"unicode/utf8"
)

const (
	candidates  = 10 // texts that are tried for one class
	exactLength = 64 // up to which an automaton counts characters
)

// Why a conjunction of relations between texts was not decided.
const (
	whyTexts   = "its texts depend on each other in too many ways"
	whyPattern = "its texts have too many patterns at once"
	whyLength  = "it needs a text that is too long"
)

// solve decides each class by itself, then looks for texts that go together.
func (c *textCheck) solve() (map[Text]string, bool) {
	for _, at := range c.terms {
		if c.find(at) == at && !c.alone(at) {
			return nil, false
		}
	}
	q := &textSearch{c: c, value: map[Text]string{}, exhaustive: true}
	for _, at := range c.terms {
		if _, fixed := c.s.fixed(at); !fixed && c.find(at) == at && !c.made(at) {
			q.free = append(q.free, at)
		}
	}
	slices.SortStableFunc(q.free, func(a, b Text) int { return c.needle(b) - c.needle(a) })
	if q.assign(0) {
		return q.found, true
	}
	if q.exhaustive && len(c.open) > 0 {
		c.exclude(slices.Clone(c.lits))
		return nil, false
	}
	c.why = whyTexts
	return nil, false
}

// needle counts how often a class stands right of an open relation, less how
// often left: what is sought in others is chosen first.
func (c *textCheck) needle(at Text) int {
	n := 0
	for _, l := range c.open {
		if a := c.s.atoms[l.index()]; a.rel != relEqual {
			if c.find(a.b) == at {
				n++
			}
			if c.find(a.a) == at {
				n--
			}
		}
	}
	return n
}

// alone checks the rules of one class, and the length that its texts must have.
func (c *textCheck) alone(at Text) bool {
	rules := c.rules[at]
	if v, fixed := c.s.fixed(at); fixed {
		for _, r := range rules {
			if !follows(r.rule, v) {
				return c.exclude(append(slices.Clone(r.why), c.equal(r.of, at)...))
			}
		}
		return c.length(at, rules, nil)
	}
	a := c.s.automaton(plain(rules))
	if a == nil {
		c.why = whyPattern
		return false
	}
	if a.empty() {
		return c.exclude(c.reasons(c.fewest(rules)))
	}
	return c.length(at, rules, a)
}

func plain(rules []placed) []*rule {
	out := make([]*rule, len(rules))
	for i, r := range rules {
		out[i] = r.rule
	}
	return out
}

func follows(r *rule, v string) bool {
	at := r.start()
	for _, x := range v {
		at = r.step(at, x)
	}
	return r.accepts(at)
}

// reasons is what rules follow from, and why they are of one text.
func (c *textCheck) reasons(rules []placed) []lit {
	var out []lit
	for _, r := range rules {
		out = append(out, r.why...)
		out = append(out, c.equal(r.of, rules[0].of)...)
	}
	return out
}

// fewest drops rules without which the others still exclude each other.
func (c *textCheck) fewest(rules []placed) []placed {
	if len(rules) > 16 {
		return rules
	}
	for i := len(rules) - 1; i >= 0 && len(rules) > 1; i-- {
		without := slices.Delete(slices.Clone(rules), i, i+1)
		if a := c.s.automaton(plain(without)); a != nil && a.empty() {
			rules = without
		}
	}
	return rules
}

// length checks that a class has texts of the lengths that the numbers give to
// its members; else it learns which lengths there are.
func (c *textCheck) length(at Text, rules []placed, a *automaton) bool {
	for _, t := range c.terms {
		n, measured := c.s.lengths[t]
		if c.find(t) != at || !measured || !c.used[n] || c.s.texts[t].kind == textJoined && a != nil {
			continue
		}
		if !c.ints[n].IsInt64() || c.ints[n].Int64() > maxLength {
			c.why = whyLength
			return false
		}
		want := int(c.ints[n].Int64())
		var below, above int
		why := c.equal(t, at)
		if a == nil {
			v, _ := c.s.fixed(at)
			size := utf8.RuneCountInString(v)
			if size == want {
				continue
			}
			below, above = size, size
			if want < size {
				below = -1
			} else {
				above = -1
			}
		} else {
			if _, ok := a.word(want); ok {
				continue
			}
			below, above, _ = a.lengths(want)
			why = append(c.reasons(rules), why...)
			for _, r := range rules {
				why = append(why, c.equal(r.of, at)...)
			}
		}
		return c.excludeLength(why, n, below, above)
	}
	return true
}

// excludeLength learns that the reasons leave no length between two.
func (c *textCheck) excludeLength(why []lit, n Int, below, above int) bool {
	c.exclude(why)
	if below >= 0 {
		f := c.s.LessEqual(Unknown(n), Whole(int64(below)))
		c.clause = append(c.clause, f.lit)
	}
	if above >= 0 {
		f := c.s.LessEqual(Whole(int64(above)), Unknown(n))
		c.clause = append(c.clause, f.lit)
	}
	// The numbers have to hear of it: only what is asserted reaches them.
	c.s.Assert(clauseOf(c.clause))
	return false
}

func clauseOf(lits []lit) *F {
	fs := make([]*F, len(lits))
	for i, l := range lits {
		fs[i] = &F{op: opLit, lit: l}
	}
	return Or(fs...)
}

// made reports whether a class has a text that is made of others.
func (c *textCheck) made(at Text) bool {
	return slices.ContainsFunc(c.terms, func(t Text) bool { return c.find(t) == at && c.makes(t, at) })
}

func (c *textCheck) makes(t, at Text) bool {
	x := c.s.texts[t]
	switch x.kind {
	case textLower:
		return c.find(x.of) != at
	case textJoined:
		return !slices.ContainsFunc(x.parts, func(p Part) bool { return p.Number == nil && c.find(p.Text) == at })
	case textUnknown, textConstant:
	}
	return false
}

// textSearch gives texts to classes, one after the other.
type textSearch struct {
	c          *textCheck
	free       []Text
	value      map[Text]string
	found      map[Text]string
	exhaustive bool // all texts that there are have been tried
}

// assign gives a text to the class number n and those after it.
func (q *textSearch) assign(n int) bool {
	if n == len(q.free) {
		return q.complete()
	}
	at := q.free[n]
	if q.c.budget--; q.c.budget < 0 {
		q.exhaustive = false
		return false
	}
	rules := append(plain(q.c.rules[at]), q.given(at)...)
	words, all := q.words(at, rules)
	q.exhaustive = q.exhaustive && all
	slices.SortStableFunc(words, func(a, b string) int { return min(len(b), 1) - min(len(a), 1) })
	for _, w := range words {
		q.value[at] = w
		if q.assign(n + 1) {
			return true
		}
		delete(q.value, at)
	}
	return false
}

func (q *textSearch) words(at Text, rules []*rule) ([]string, bool) {
	for _, t := range q.c.terms {
		n, measured := q.c.s.lengths[t]
		if q.c.find(t) != at || !measured || !q.c.used[n] || !q.c.ints[n].IsInt64() {
			continue
		}
		if want := q.c.ints[n].Int64(); want <= exactLength {
			rules = append(rules, (&rule{op: ruleLong, max: int(want)}).prepare())
		} else if a := q.c.s.automaton(rules); a != nil {
			w, ok := a.word(int(want))
			if ok {
				return []string{w}, false
			}
			return nil, false
		}
		a := q.c.s.automaton(rules)
		if a == nil {
			return nil, false
		}
		words, _ := a.words(candidates)
		return words, false
	}
	a := q.c.s.automaton(rules)
	if a == nil {
		return nil, false
	}
	return a.words(candidates)
}

// known is a class's text, if it has one by now.
func (q *textSearch) known(at Text) (string, bool) {
	if v, fixed := q.c.s.fixed(at); fixed {
		return v, true
	}
	if v, ok := q.value[at]; ok {
		return v, true
	}
	for _, t := range q.c.terms {
		x := q.c.s.texts[t]
		if q.c.find(t) != at || x.kind != textLower || !q.c.makes(t, at) {
			continue
		}
		if v, ok := q.value[q.c.find(x.of)]; ok {
			return lowerText(v), true
		}
	}
	return "", false
}

// given are the rules that a class has from texts chosen before.
func (q *textSearch) given(at Text) []*rule {
	c := q.c
	var out []*rule
	add := func(class Text, low bool) {
		for _, l := range c.open {
			a := c.s.atoms[l.index()]
			var r *rule
			if v, ok := q.known(c.find(a.b)); ok && c.find(a.a) == class {
				r = ruleFor(a.rel, v, l.positive(), nil)
			} else if v, ok := q.known(c.find(a.a)); ok && c.find(a.b) == class {
				r = reversed(a.rel, v, l.positive(), nil)
			}
			if r != nil && low {
				r = lowRule(r)
			}
			if r != nil {
				out = append(out, r)
			}
		}
	}
	add(at, false)
	for _, t := range c.terms {
		if x := c.s.texts[t]; x.kind == textLower && c.find(x.of) == at && c.find(t) != at {
			if v, ok := q.known(c.find(t)); ok {
				out = append(out, lowRule(ruleFor(relEqual, v, true, nil)))
			}
			add(c.find(t), true)
		}
	}
	return out
}

// complete checks that the texts make every literal true.
func (q *textSearch) complete() bool {
	c := q.c
	words := map[Text]string{}
	for _, t := range c.terms {
		if c.s.texts[t].kind == textUnknown {
			if v, ok := q.known(c.find(t)); ok {
				words[t] = v
			}
		}
	}
	// A text that equals a joined one is what the parts make.
	for _, t := range c.terms {
		if c.s.texts[t].kind != textJoined {
			continue
		}
		v := c.s.evaluate(t, words, c.ints)
		for _, u := range c.terms {
			if _, has := words[u]; c.find(u) == c.find(t) && c.s.texts[u].kind == textUnknown && !has {
				words[u] = v
			}
		}
	}
	for _, l := range c.lits {
		a := c.s.atoms[l.index()]
		if a.rel.holds(c.s.evaluate(a.a, words, c.ints), c.s.evaluate(a.b, words, c.ints)) != l.positive() {
			return q.rejected()
		}
	}
	for _, t := range c.terms {
		v := c.s.evaluate(t, words, c.ints)
		for _, f := range c.s.texts[t].facts {
			if !follows(f, v) {
				return q.rejected()
			}
		}
		if n, ok := c.s.lengths[t]; ok && c.used[n] && big.NewInt(int64(utf8.RuneCountInString(v))).Cmp(c.ints[n]) != 0 {
			return q.rejected()
		}
	}
	q.found = words
	return true
}

// rejected turns texts down. Where numbers are part of a text, others might
// have done.
func (q *textSearch) rejected() bool {
	for _, t := range q.c.terms {
		if q.c.s.texts[t].kind == textJoined {
			q.exhaustive = false
		}
	}
	for t, n := range q.c.s.lengths {
		if _, in := q.c.class[t]; in && q.c.used[n] {
			q.exhaustive = false
		}
	}
	return false
}

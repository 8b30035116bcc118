package smt

import (
	"math/big"
	"slices"
	"strings"
)

// textCheck decides a conjunction of relations between texts, given the values
// of the numbers: equal texts are put into classes, relations with constants
// become rules that automata follow, and what is left between unknown texts is
// searched for.
type textCheck struct {
	s    *Solver
	lits []lit
	ints []*big.Int
	used map[Int]bool // whose values matter

	terms  []Text
	class  map[Text]Text // representatives
	edges  map[Text][]edge
	rules  map[Text][]placed // by representative
	open   []lit             // relations between classes without a constant
	budget int

	clause []lit  // that excludes the literals
	why    string // nothing was decided
}

type edge struct {
	to  Text
	why []lit
}

// placed is a rule, stated of one text of a class.
type placed struct {
	*rule
	of Text
}

func newTextCheck(s *Solver, lits []lit, ints []*big.Int, used map[Int]bool) *textCheck {
	return &textCheck{
		s: s, lits: lits, ints: ints, used: used, class: map[Text]Text{}, edges: map[Text][]edge{},
		rules: map[Text][]placed{}, budget: 400,
	}
}

// run gives values to the unknown texts; else clause or why is set.
func (c *textCheck) run() (map[Text]string, bool) {
	for _, l := range c.lits {
		c.include(c.s.atoms[l.index()].a)
		c.include(c.s.atoms[l.index()].b)
	}
	for t, n := range c.s.lengths {
		if c.used[n] {
			c.include(t)
		}
	}
	slices.Sort(c.terms)
	if !c.merge() || !c.place() || !c.derive() || !c.cycles() {
		return nil, false
	}
	return c.solve()
}

func (c *textCheck) include(t Text) {
	if _, seen := c.class[t]; seen {
		return
	}
	c.class[t] = t
	c.terms = append(c.terms, t)
	switch x := c.s.texts[t]; x.kind {
	case textLower:
		c.include(x.of)
	case textJoined:
		for _, p := range x.parts {
			if p.Number == nil {
				c.include(p.Text)
			}
		}
	case textUnknown, textConstant:
	}
}

func (c *textCheck) find(t Text) Text { return c.class[t] }

// join makes two texts equal.
func (c *textCheck) join(a, b Text, why []lit) bool {
	x, y := c.find(a), c.find(b)
	if x == y {
		return false
	}
	c.edges[a] = append(c.edges[a], edge{b, why})
	c.edges[b] = append(c.edges[b], edge{a, why})
	if _, fixed := c.s.fixed(y); fixed {
		x, y = y, x // constants represent their class
	}
	for _, t := range c.terms {
		if c.class[t] == y {
			c.class[t] = x
		}
	}
	return true
}

// equal is why two texts of a class are equal.
func (c *textCheck) equal(a, b Text) []lit {
	if a == b {
		return nil
	}
	from := map[Text]edge{a: {}}
	for queue := []Text{a}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		if at == b {
			break
		}
		for _, e := range c.edges[at] {
			if _, seen := from[e.to]; !seen {
				from[e.to] = edge{at, e.why}
				queue = append(queue, e.to)
			}
		}
	}
	var out []lit
	for at := b; at != a; at = from[at].to {
		out = append(out, from[at].why...)
	}
	return out
}

func (c *textCheck) exclude(lits []lit) bool {
	slices.Sort(lits)
	c.clause = negated(slices.Compact(lits))
	return false
}

// merge builds the classes: what is said to be equal, and what is made of
// equal parts.
func (c *textCheck) merge() bool {
	for _, l := range c.lits {
		if a := c.s.atoms[l.index()]; a.rel == relEqual && l.positive() {
			c.join(a.a, a.b, []lit{l})
		}
	}
	for changed := true; changed; {
		changed = false
		for _, t := range slices.Clone(c.terms) {
			changed = c.congruent(t) || changed
		}
	}
	constant := map[Text]Text{}
	for _, t := range c.terms {
		if _, fixed := c.s.fixed(t); !fixed {
			continue
		}
		if other, seen := constant[c.find(t)]; seen {
			return c.exclude(c.equal(t, other))
		}
		constant[c.find(t)] = t
	}
	return true
}

// congruent joins a lower() or a joined text with what equal parts make.
func (c *textCheck) congruent(t Text) bool {
	x := c.s.texts[t]
	switch x.kind {
	case textLower:
		if v, fixed := c.s.fixed(c.find(x.of)); fixed {
			return c.joinFixed(t, lowerText(v), c.equal(x.of, c.find(x.of)))
		}
		for _, o := range c.terms {
			if y := c.s.texts[o]; y.kind == textLower && o != t && c.find(y.of) == c.find(x.of) {
				if c.join(t, o, c.equal(x.of, y.of)) {
					return true
				}
			}
		}
	case textJoined:
		var b strings.Builder
		var why []lit
		for _, p := range x.parts {
			if p.Number != nil {
				return false
			}
			v, fixed := c.s.fixed(c.find(p.Text))
			if !fixed {
				return false
			}
			b.WriteString(v)
			why = append(why, c.equal(p.Text, c.find(p.Text))...)
		}
		return c.joinFixed(t, b.String(), why)
	case textUnknown, textConstant:
	}
	return false
}

func (c *textCheck) joinFixed(t Text, v string, why []lit) bool {
	k := c.s.Fixed(v)
	c.include(k)
	return c.join(t, k, why)
}

// place turns each relation with a constant into a rule of the other text's
// class, and keeps those between unknown texts.
func (c *textCheck) place() bool {
	for _, t := range c.terms {
		for _, f := range c.s.texts[t].facts {
			c.rule(f, t)
		}
		if c.s.texts[t].kind == textLower {
			c.rule((&rule{op: ruleLower}).prepare(), t)
		}
	}
	for _, l := range c.lits {
		a := c.s.atoms[l.index()]
		x, fixedX := c.s.fixed(c.find(a.a))
		y, fixedY := c.s.fixed(c.find(a.b))
		switch {
		case fixedX && fixedY:
			if a.rel.holds(x, y) != l.positive() {
				why := append(c.equal(a.a, c.find(a.a)), c.equal(a.b, c.find(a.b))...)
				return c.exclude(append(why, l))
			}
		case c.find(a.a) == c.find(a.b):
			if (a.rel != relBefore) != l.positive() {
				return c.exclude(append(c.equal(a.a, a.b), l))
			}
		case fixedY:
			c.rule(ruleFor(a.rel, y, l.positive(), append(c.equal(a.b, c.find(a.b)), l)), a.a)
		case fixedX:
			if r := reversed(a.rel, x, l.positive(), append(c.equal(a.a, c.find(a.a)), l)); r != nil {
				c.rule(r, a.b)
			} else {
				c.open = append(c.open, l)
			}
		default:
			if a.rel != relEqual || !l.positive() {
				c.open = append(c.open, l)
			}
		}
	}
	return true
}

func (c *textCheck) rule(r *rule, of Text) {
	at := c.find(of)
	c.rules[at] = append(c.rules[at], placed{r, of})
}

var ruleOps = map[relation]ruleOp{
	relEqual: ruleEqual, relStarts: ruleStarts, relEnds: ruleEnds, relContains: ruleHolds, relBefore: ruleLess,
}

// ruleFor is the rule of a text that stands left of a constant.
func ruleFor(rel relation, to string, positive bool, why []lit) *rule {
	return (&rule{op: ruleOps[rel], to: to, not: !positive, why: why}).prepare()
}

// longestListed bounds the constants whose parts are listed.
const longestListed = 48

// reversed is the rule of a text that stands right of a constant; nil when it
// is too long a list.
func reversed(rel relation, of string, positive bool, why []lit) *rule {
	r := &rule{op: ruleOneOf, not: !positive, why: why}
	letters := []rune(of)
	switch rel {
	case relEqual:
		return ruleFor(rel, of, positive, why)
	case relBefore:
		r.op, r.to = ruleGreater, of
		return r.prepare()
	case relStarts, relEnds, relContains:
		if len(letters) > longestListed {
			return nil
		}
	}
	for i := 0; i <= len(letters); i++ {
		switch rel {
		case relStarts:
			r.set = append(r.set, string(letters[:i]))
		case relEnds:
			r.set = append(r.set, string(letters[i:]))
		default:
			for j := i; j <= len(letters); j++ {
				r.set = append(r.set, string(letters[i:j]))
			}
		}
	}
	return r.prepare()
}

// derive adds what rules imply: of lower(x) for x, and along chains of
// relations between unknown texts.
func (c *textCheck) derive() bool {
	c.chains()
	for _, t := range c.terms {
		x := c.s.texts[t]
		if x.kind != textLower {
			continue
		}
		at := c.find(t)
		if v, fixed := c.s.fixed(at); fixed {
			if _, also := c.s.fixed(c.find(x.of)); !also {
				c.rule(lowRule(ruleFor(relEqual, v, true, c.equal(t, at))), x.of)
			}
			continue
		}
		if at == c.find(x.of) {
			continue // lower(x) == x: the rule against capitals says it
		}
		for _, r := range slices.Clone(c.rules[at]) {
			if r.op == ruleLower {
				continue
			}
			low := lowRule(r.rule)
			low.why = append(slices.Clone(r.why), c.equal(r.of, t)...)
			c.rule(low, x.of)
		}
	}
	return true
}

// lowRule asks the same of lower(text).
func lowRule(r *rule) *rule {
	out := *r
	out.low = true
	return &out
}

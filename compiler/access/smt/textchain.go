package smt

import (
	"maps"
	"slices"
)

// hop is one step of a chain: from a class to another that its texts start
// with, end with, contain, or come before.
type hop struct {
	to   Text // a class
	rel  relation
	from Text // the texts that the relation is stated of
	into Text
	lit  lit
}

func (c *textCheck) hops() map[Text][]hop {
	out := map[Text][]hop{}
	for _, l := range c.lits {
		a := c.s.atoms[l.index()]
		if l.positive() && a.rel != relEqual {
			x := c.find(a.a)
			out[x] = append(out[x], hop{c.find(a.b), a.rel, a.a, a.b, l})
		}
	}
	return out
}

// then is the relation of two steps together; "" for none.
func then(a, b relation) relation {
	switch {
	case a == b:
		return a
	case a == relBefore || b == relBefore:
		return ""
	}
	return relContains
}

// reached is a class at the end of a chain and why it is related.
type reached struct {
	rel relation
	why []lit
	at  Text // the text at the end
}

// chain lists what a class is related to over several steps.
func (c *textCheck) chain(from Text, hops map[Text][]hop) map[Text][]reached {
	out := map[Text][]reached{}
	type state struct {
		class Text
		reached
		start Text
	}
	seen := map[Text]map[relation]bool{}
	var queue []state
	visit := func(s state) {
		if seen[s.class] == nil {
			seen[s.class] = map[relation]bool{}
		}
		if s.rel == "" || seen[s.class][s.rel] {
			return
		}
		seen[s.class][s.rel] = true
		out[s.class] = append(out[s.class], s.reached)
		queue = append(queue, s)
	}
	for _, h := range hops[from] {
		why := append(c.equal(from, h.from), h.lit)
		visit(state{h.to, reached{h.rel, why, h.into}, h.from})
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for _, h := range hops[s.class] {
			why := append(append(append([]lit{}, s.why...), c.equal(s.at, h.from)...), h.lit)
			visit(state{h.to, reached{then(s.rel, h.rel), why, h.into}, s.start})
		}
	}
	return out
}

// chains adds rules for constants that are related over several steps: what
// starts with a text that starts with "a" starts with "a".
func (c *textCheck) chains() {
	hops := c.hops()
	if len(c.open) == 0 {
		return
	}
	for _, from := range slices.Sorted(maps.Keys(hops)) {
		if _, fixed := c.s.fixed(from); fixed {
			c.before(from, hops)
			continue
		}
		related := c.chain(from, hops)
		for _, to := range slices.Sorted(maps.Keys(related)) {
			list := related[to]
			v, fixed := c.s.fixed(to)
			if !fixed {
				continue
			}
			for _, r := range list {
				why := append(append([]lit{}, r.why...), c.equal(r.at, to)...)
				c.rule(ruleFor(r.rel, v, true, why), from)
			}
		}
	}
	c.refused(hops)
}

// before adds rules for what comes after a constant over several steps.
func (c *textCheck) before(from Text, hops map[Text][]hop) {
	v, _ := c.s.fixed(from)
	related := c.chain(from, hops)
	for _, to := range slices.Sorted(maps.Keys(related)) {
		list := related[to]
		if _, fixed := c.s.fixed(to); fixed {
			continue
		}
		for _, r := range list {
			if r.rel == relBefore {
				c.rule(reversed(relBefore, v, true, append([]lit{}, r.why...)), r.at)
			}
		}
	}
}

// refused: what is no part of a text is no part of what that text contains.
func (c *textCheck) refused(hops map[Text][]hop) {
	for _, from := range slices.Sorted(maps.Keys(hops)) {
		rules := c.rules[from]
		related := c.chain(from, hops)
		for _, to := range slices.Sorted(maps.Keys(related)) {
			list := related[to]
			if _, fixed := c.s.fixed(to); fixed {
				continue
			}
			for _, r := range list {
				if r.rel == relBefore {
					continue
				}
				for _, p := range rules {
					if p.op == ruleHolds && p.not && !p.low {
						why := append(append(append([]lit{}, p.why...), c.equal(p.of, from)...), r.why...)
						c.rule(ruleFor(relContains, p.to, false, why), r.at)
					}
				}
			}
		}
	}
}

// cycles finds contradictions along chains: an order that returns to its start,
// and relations that chains imply and a literal denies.
func (c *textCheck) cycles() bool {
	if len(c.open) == 0 {
		return true
	}
	hops := c.hops()
	for _, from := range slices.Sorted(maps.Keys(hops)) {
		related := c.chain(from, hops)
		for _, to := range slices.Sorted(maps.Keys(related)) {
			list := related[to]
			for _, r := range list {
				if to == from && r.rel == relBefore {
					return c.exclude(append(append([]lit{}, r.why...), c.equal(r.at, from)...))
				}
				if !c.denied(from, to, r) {
					return false
				}
			}
		}
	}
	return true
}

// denied looks for a literal against what a chain implies.
func (c *textCheck) denied(from, to Text, r reached) bool {
	for _, l := range c.open {
		a := c.s.atoms[l.index()]
		if l.positive() || c.find(a.a) != from || c.find(a.b) != to {
			continue
		}
		if a.rel == r.rel || a.rel == relContains && r.rel != relBefore {
			why := append(append([]lit{l}, r.why...), c.equal(a.a, from)...)
			return c.exclude(append(append(why, c.equal(r.at, to)...), c.equal(a.b, to)...))
		}
	}
	return true
}

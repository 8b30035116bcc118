package smt

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"unicode/utf8"
)

// Text is a text of a Solver: an unknown, a constant, or one made of others.
type Text int

type textKind int

const (
	textUnknown textKind = iota
	textConstant
	textLower  // lower(of)
	textJoined // parts put together
)

type textTerm struct {
	kind  textKind
	value string
	facts []*rule // of an unknown
	of    Text
	parts []Part
}

// Part is a piece of a joined text: a text, or what a number is written as.
type Part struct {
	Text   Text
	Number *Linear
	Write  func(*big.Rat) string
}

// TextFacts is what is known of an unknown text beforehand.
type TextFacts struct {
	OneOf    []string // nil: any
	Longest  int      // 0: any length
	Unpadded bool     // it does not end in a space
}

// Text makes an unknown text.
func (s *Solver) Text(f TextFacts) Text {
	t := textTerm{kind: textUnknown}
	if f.OneOf != nil {
		t.facts = append(t.facts, (&rule{op: ruleOneOf, set: f.OneOf}).prepare())
	}
	if f.Longest > 0 {
		t.facts = append(t.facts, (&rule{op: ruleShort, max: f.Longest}).prepare())
	}
	if f.Unpadded {
		t.facts = append(t.facts, (&rule{op: ruleEnds, to: " ", not: true}).prepare())
	}
	s.texts = append(s.texts, t)
	return Text(len(s.texts) - 1)
}

// Fixed is a constant text.
func (s *Solver) Fixed(v string) Text {
	return s.keyed("c"+v, textTerm{kind: textConstant, value: v})
}

// Lower is a text with its ASCII capitals made small.
func (s *Solver) Lower(t Text) Text {
	switch x := s.texts[t]; x.kind {
	case textConstant:
		return s.Fixed(lowerText(x.value))
	case textLower:
		return t
	case textUnknown, textJoined:
	}
	return s.keyed("l"+big.NewInt(int64(t)).String(), textTerm{kind: textLower, of: t})
}

// Joined is the parts put together.
func (s *Solver) Joined(parts []Part) Text {
	s.texts = append(s.texts, textTerm{kind: textJoined, parts: parts})
	return Text(len(s.texts) - 1)
}

func (s *Solver) keyed(key string, t textTerm) Text {
	if n, ok := s.textKey[key]; ok {
		return n
	}
	s.texts = append(s.texts, t)
	s.textKey[key] = Text(len(s.texts) - 1)
	return Text(len(s.texts) - 1)
}

func (s *Solver) fixed(t Text) (string, bool) {
	return s.texts[t].value, s.texts[t].kind == textConstant
}

// relation is one of two texts.
type relation string

const (
	relEqual    relation = "=="
	relBefore   relation = "<"
	relStarts   relation = "starts"
	relEnds     relation = "ends"
	relContains relation = "contains"
)

func (r relation) holds(a, b string) bool {
	switch r {
	case relEqual:
		return a == b
	case relBefore:
		return a < b
	case relStarts:
		return strings.HasPrefix(a, b)
	case relEnds:
		return strings.HasSuffix(a, b)
	case relContains:
		return strings.Contains(a, b)
	}
	return false
}

// Same is a == b.
func (s *Solver) Same(a, b Text) *F {
	if _, ok := s.fixed(a); ok || b < a && s.texts[b].kind != textConstant {
		a, b = b, a
	}
	return s.related(relEqual, a, b)
}

// Before is a < b by code points.
func (s *Solver) Before(a, b Text) *F { return s.related(relBefore, a, b) }

// Starts is "a starts with b".
func (s *Solver) Starts(a, b Text) *F { return s.related(relStarts, a, b) }

// Ends is "a ends with b".
func (s *Solver) Ends(a, b Text) *F { return s.related(relEnds, a, b) }

// Contains is "a contains b".
func (s *Solver) Contains(a, b Text) *F { return s.related(relContains, a, b) }

func (s *Solver) related(r relation, a, b Text) *F {
	x, okA := s.fixed(a)
	y, okB := s.fixed(b)
	switch {
	case okA && okB:
		return Bool(r.holds(x, y))
	case a == b:
		return Bool(r != relBefore)
	case okB && y == "" && r != relEqual && r != relBefore:
		return True
	}
	key := string(r) + " " + big.NewInt(int64(a)).String() + " " + big.NewInt(int64(b)).String()
	return s.atom(key, atom{kind: atomText, rel: r, a: a, b: b})
}

// Length is a text's number of characters.
func (s *Solver) Length(t Text) Linear {
	x := s.texts[t]
	switch x.kind {
	case textConstant:
		return Whole(int64(utf8.RuneCountInString(x.value)))
	case textLower:
		return s.Length(x.of)
	case textUnknown, textJoined:
	}
	n, ok := s.lengths[t]
	if !ok {
		n = s.Int(new(big.Int), nil, big.NewInt(1))
		s.lengths[t] = n
		if x.kind == textJoined {
			s.sumLength(n, x.parts)
		}
	}
	return Unknown(n)
}

// sumLength makes a joined text's length that of its parts, where numbers have
// at least one character.
func (s *Solver) sumLength(n Int, parts []Part) {
	sum, exact := Whole(0), true
	for _, p := range parts {
		if p.Number != nil {
			sum, exact = sum.Plus(big.NewRat(1, 1), Whole(1)), false
			continue
		}
		sum = sum.Plus(big.NewRat(1, 1), s.Length(p.Text))
	}
	s.Assert(s.LessEqual(sum, Unknown(n)))
	if exact {
		s.Assert(s.LessEqual(Unknown(n), sum))
	}
}

// textLemmas states what relations on the same texts have to do with each
// other, so that most contradictions never reach the automata.
func (s *Solver) textLemmas() {
	for n := 0; n < len(s.atoms); n++ { // lemmas make atoms
		if a := s.atoms[n]; a.kind == atomText && a.rel == relBefore {
			s.trichotomy(a.a, a.b)
		}
	}
	fixed := map[Text][]int{} // by text: the atoms with a constant
	for n, a := range s.atoms {
		if a.kind != atomText {
			continue
		}
		if s.texts[a.b].kind == textConstant {
			fixed[a.a] = append(fixed[a.a], n)
		} else if s.texts[a.a].kind == textConstant {
			fixed[a.b] = append(fixed[a.b], n)
		}
		s.lengthFacts(a)
	}
	for _, t := range slices.Sorted(maps.Keys(fixed)) {
		s.constantLemmas(t, fixed[t])
	}
}

func (s *Solver) trichotomy(a, b Text) {
	less, more, same := s.Before(a, b), s.Before(b, a), s.Same(a, b)
	s.lemma(less.lit, more.lit, same.lit)
	s.lemma(less.lit.negated(), more.lit.negated())
	s.lemma(less.lit.negated(), same.lit.negated())
	s.lemma(more.lit.negated(), same.lit.negated())
}

// mostPairs bounds how many relations of one text are related in pairs.
const mostPairs = 80

// constantLemmas: a text that equals one constant has all its other relations
// with constants settled.
func (s *Solver) constantLemmas(t Text, list []int) {
	if facts := s.texts[t].facts; len(facts) > 0 && facts[0].op == ruleOneOf && len(facts[0].set) <= mostPairs {
		var some []lit
		for _, v := range facts[0].set {
			f := s.Same(t, s.Fixed(v))
			some = append(some, f.lit)
			if !slices.Contains(list, f.lit.index()) {
				list = append(list, f.lit.index())
			}
		}
		s.lemma(some...)
	}
	if len(list) > mostPairs {
		return
	}
	for _, n := range list {
		e := s.atoms[n]
		if e.rel != relEqual {
			continue
		}
		value := s.texts[e.b].value
		for _, m := range list {
			o := s.atoms[m]
			if m == n {
				continue
			}
			left, right := value, value
			if o.a == t {
				right = s.texts[o.b].value
			} else {
				left = s.texts[o.a].value
			}
			s.lemma(litOf(n, false), litOf(m, o.rel.holds(left, right)))
		}
	}
}

// lengthFacts ties the lengths of two related texts, where both are asked for.
func (s *Solver) lengthFacts(a atom) {
	if a.rel == relBefore || !s.measured(a.a) || !s.measured(a.b) {
		return
	}
	f := s.related(a.rel, a.a, a.b)
	x, y := s.Length(a.a), s.Length(a.b)
	s.Assert(Implies(f, s.LessEqual(y, x)))
	if a.rel == relEqual {
		s.Assert(Implies(f, s.LessEqual(x, y)))
	}
}

func (s *Solver) measured(t Text) bool {
	switch x := s.texts[t]; x.kind {
	case textConstant:
		return true
	case textLower:
		return s.measured(x.of)
	case textUnknown, textJoined:
	}
	_, ok := s.lengths[t]
	return ok
}

// evaluate is a text's value; an unknown that nothing was decided of is "".
func (s *Solver) evaluate(t Text, words map[Text]string, ints []*big.Int) string {
	x := s.texts[t]
	switch x.kind {
	case textConstant:
		return x.value
	case textLower:
		return lowerText(s.evaluate(x.of, words, ints))
	case textJoined:
		var b strings.Builder
		for _, p := range x.parts {
			if p.Number != nil {
				b.WriteString(p.Write(p.Number.at(ints)))
				continue
			}
			b.WriteString(s.evaluate(p.Text, words, ints))
		}
		return b.String()
	case textUnknown:
	}
	if w, ok := words[t]; ok {
		return w
	}
	return s.usual(t)
}

// usual is a value of a text that nothing is asked of.
func (s *Solver) usual(t Text) string {
	if facts := s.texts[t].facts; len(facts) > 0 {
		if a := s.automaton(facts); a != nil {
			if words, _ := a.words(2); len(words) > 0 {
				return words[len(words)-1]
			}
		}
	}
	return "a"
}

// at is a sum's value.
func (l *Linear) at(ints []*big.Int) *big.Rat {
	sum := new(big.Rat).Set(l.plus)
	for _, t := range l.terms {
		sum.Add(sum, new(big.Rat).Mul(t.a, new(big.Rat).SetInt(ints[t.x])))
	}
	return sum
}

// At is a sum's value in a model.
func (m *Model) At(l Linear) *big.Rat { return l.at(m.ints) }

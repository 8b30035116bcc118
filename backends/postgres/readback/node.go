package readback

import (
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// node is what is known of when an expression is true, or false: a positive
// combination of conditions, of what a column holds that is no value of its
// type, and of what could not be read.
//
//sumtype:decl
type node interface{ node() }

type (
	allOf []node
	anyOf []node
	// atom is a condition. It is not satisfied where one of the subjects is odd.
	atom struct {
		cond model.Cond
		of   []*subject
	}
	// odd holds where the subject is of one of the kinds.
	odd struct {
		of    *subject
		kinds kinds
	}
	// unread may hold or not.
	unread struct{ reason string }
)

// subject is something that may be odd, which is to hold something that is none
// of its type: a column, or a computed time.
type subject struct {
	kinds kinds      // that it has room for
	isOdd model.Cond // satisfied where it is odd
}

func (allOf) node()  {}
func (anyOf) node()  {}
func (atom) node()   {}
func (odd) node()    {}
func (unread) node() {}

var (
	always = allOf{}
	never  = anyOf{}
)

func constant(b bool) node {
	if b {
		return always
	}
	return never
}

// all is the conjunction of nodes, folded.
func all(nodes ...node) node {
	var out allOf
	for _, n := range nodes {
		switch x := n.(type) {
		case allOf:
			out = append(out, x...)
		case anyOf:
			if len(x) == 0 {
				return never
			}
			out = append(out, n)
		case atom, odd, unread:
			out = append(out, n)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

// some is the disjunction of nodes, folded.
func some(nodes ...node) node {
	var out anyOf
	for _, n := range nodes {
		switch x := n.(type) {
		case anyOf:
			out = append(out, x...)
		case allOf:
			if len(x) == 0 {
				return always
			}
			out = append(out, n)
		case atom, odd, unread:
			out = append(out, n)
		}
	}
	if len(out) == 1 {
		return out[0]
	}
	return out
}

// Condition is when an expression is true, as far as it could be read.
type Condition struct {
	// Sure is satisfied only when the expression is true, Possible whenever it
	// is. They are the same where it could be read whole.
	Sure, Possible model.Cond
	// Reasons say what could not be read, in the order of the text, each once.
	Reasons []string
}

// Exact reports whether the expression is known whole.
func (c Condition) Exact() bool { return len(c.Reasons) == 0 }

// mostOdd bounds for how many columns it is told apart what they hold.
const mostOdd = 6

// settle turns a node into conditions. A condition cannot tell the kinds of odd
// values apart: it is surely satisfied where it is for each kind.
func settle(n node) Condition {
	s := &settler{}
	subjects := oddSubjects(n)
	if len(subjects) > mostOdd {
		s.reason("too many columns may hold what is no value of their type")
		return Condition{Sure: model.False{}, Possible: model.True{}, Reasons: s.reasons}
	}
	out := Condition{Sure: s.cond(n, subjects, true), Possible: s.cond(n, subjects, false)}
	if s.split {
		s.reason("it depends on what a column holds that is no value of its type")
	}
	out.Reasons = s.reasons
	return out
}

type settler struct {
	reasons []string
	split   bool // the two conditions differ by odd values
}

func (s *settler) reason(text string) {
	if !slices.Contains(s.reasons, text) {
		s.reasons = append(s.reasons, text)
	}
}

func (s *settler) walk(n node) {
	switch x := n.(type) {
	case allOf:
		for _, t := range x {
			s.walk(t)
		}
	case anyOf:
		for _, t := range x {
			s.walk(t)
		}
	case unread:
		s.reason(x.reason)
	case atom, odd:
	}
}

// cond takes one subject after the other: it is a value of its type, or null,
// or something of one of the kinds.
func (s *settler) cond(n node, subjects []*subject, sure bool) model.Cond {
	if len(subjects) == 0 {
		s.walk(n)
		return plain(n, sure)
	}
	of, rest := subjects[0], subjects[1:]
	known := s.cond(with(n, of, 0), rest, sure)
	var kindly []model.Cond
	for k := kinds(1); k <= lastKind; k <<= 1 {
		if of.kinds&k != 0 {
			kindly = append(kindly, s.cond(with(n, of, k), rest, sure))
		}
	}
	join := model.AnyOf
	if sure {
		join = model.AllOf
	}
	for _, k := range kindly {
		_, yes := k.(model.True)
		_, no := k.(model.False)
		_, firstYes := kindly[0].(model.True)
		_, firstNo := kindly[0].(model.False)
		s.split = s.split || yes != firstYes || no != firstNo || len(kindly) > 1 && !yes && !no
	}
	return model.AnyOf(known, model.AllOf(of.isOdd, join(kindly...)))
}

// with is a node where a subject is of the kind; 0 is a value of its type, or
// null.
func with(n node, c *subject, k kinds) node {
	switch x := n.(type) {
	case allOf:
		return all(each(x, c, k)...)
	case anyOf:
		return some(each(x, c, k)...)
	case atom:
		if k != 0 && slices.Contains(x.of, c) {
			return never
		}
	case odd:
		if x.of == c {
			return constant(x.kinds&k != 0)
		}
	case unread:
	}
	return n
}

func each(list []node, c *subject, k kinds) []node {
	out := make([]node, len(list))
	for i, n := range list {
		out[i] = with(n, c, k)
	}
	return out
}

// plain is a node without odd values as a condition.
func plain(n node, sure bool) model.Cond {
	switch x := n.(type) {
	case allOf:
		return model.AllOf(plains(x, sure)...)
	case anyOf:
		return model.AnyOf(plains(x, sure)...)
	case atom:
		return x.cond
	case odd:
		return model.False{}
	case unread:
		if sure {
			return model.False{}
		}
		return model.True{}
	}
	return model.False{}
}

func plains(list []node, sure bool) []model.Cond {
	out := make([]model.Cond, len(list))
	for i, n := range list {
		out[i] = plain(n, sure)
	}
	return out
}

func oddSubjects(n node) []*subject {
	var out []*subject
	add := func(c *subject) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	var walk func(n node)
	walk = func(n node) {
		switch x := n.(type) {
		case allOf:
			for _, t := range x {
				walk(t)
			}
		case anyOf:
			for _, t := range x {
				walk(t)
			}
		case odd:
			add(x.of)
		case atom, unread:
		}
	}
	walk(n)
	return out
}

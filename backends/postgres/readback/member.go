package readback

import (
	"strings"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/compiler/model"
)

// quantified reads x = ANY (array) and x <> ALL (array).
func (r *reader) quantified(q deparsed.Quantified, want bool) node {
	member := q.Op == "=" && !q.All
	if !member && (q.Op != "<>" || !q.All) {
		return unread{"the operator " + q.Op + " ANY or ALL"}
	}
	if n, ok := r.keys(q.L, q.R, want == member); ok {
		return n
	}
	elem, set := r.value(q.L), r.value(q.R)
	switch {
	case elem.bad != "":
		return unread{elem.bad}
	case set.bad != "":
		return unread{set.bad}
	case set.null:
		return never
	}
	return among(elem, set, want == member)
}

// among is that an element is one of an array, or, unless in, that it is none:
// with a NULL among those that it is not, that is unknown.
func among(elem, set value, in bool) node {
	switch {
	case set.family != famArray:
		return unread{"membership of what is no array"}
	case len(set.either) > 0:
		var arms []node
		for _, c := range set.either {
			arms = append(arms, all(c.when, among(elem, c.value, in)))
		}
		return some(arms...)
	case set.isList:
		return amongList(elem, set.list, in)
	}
	return amongSet(elem, set, in)
}

func amongList(elem value, list []value, in bool) node {
	var out []node
	for _, part := range list {
		// Another array that may be NULL adds nothing where it is.
		if part.family == famArray {
			if !in {
				return unread{"no member of arrays put together"}
			}
			out = append(out, among(elem, part, true))
			continue
		}
		op := model.Equal
		if !in {
			op = model.NotEqual
		}
		out = append(out, compare(op, elem, part, true))
	}
	if in {
		return some(out...)
	}
	return all(out...)
}

// amongSet is membership of a column's array, or of a set that the request
// states: that has no NULL, and a column's may have.
func amongSet(elem, set value, in bool) node {
	switch {
	case set.column != nil || len(set.mentions) > 0:
		return unread{"membership of a column's array by = ANY"}
	case elem.null:
		return unread{"NULL as a member"} // an empty array has none
	case len(elem.either) > 0:
		if !in {
			return unread{"no member, of a computed value"}
		}
		var arms []node
		for _, c := range elem.either {
			arms = append(arms, all(c.when, amongSet(c.value, set, in)))
		}
		return some(arms...)
	case elem.isList || elem.beyond != within || elem.day != noDay || !alike(model.Equal, elem, value{family: set.elem}):
		return unread{"membership of an array"}
	}
	yes := atom{&model.In{Elem: elem.x, Set: set.x, Not: !in}, elem.odds()}
	if in {
		// A value that is none of its type is none that the request can state.
		if foreignTo(elem, set) {
			return some(yes, all(anyOdd(elem.odds()), unread{"a label that the type does not list"}))
		}
		return yes
	}
	odds := never
	if list := elem.odds(); len(list) > 0 {
		odds = anyOf{all(anyOdd(list), set.isNull(true), unread{"what a column holds that is no value of its type"})}
	}
	// NULL <> ALL of an empty array is true.
	return some(yes, odds, all(elem.isNull(false), set.isNull(true), unread{"NULL against an array that may be empty"}))
}

// foreignTo reports whether the request may state what an odd value is: texts
// may be any label.
func foreignTo(elem, set value) bool {
	return len(elem.odds()) > 0 && set.elem == famText
}

// holds reads array @> ARRAY[x], which does not mind a NULL in the array.
func holds(array, elem value, want bool) node {
	switch {
	case array.column == nil || array.family != famArray || !elem.isList || len(elem.list) != 1 || len(array.either) > 0:
		return unread{"the operator @>"}
	case !alike(model.Equal, value{family: array.elem}, elem.list[0]):
		return unread{"the operator @>"}
	}
	x := elem.list[0]
	if x.null || len(x.either) > 0 || x.beyond != within || x.day != noDay || x.isList {
		return unread{"the operator @>"}
	}
	reason := unread{"what a set holds that is none of its values"}
	out := []node{
		atom{&model.In{Elem: x.x, Set: array.x, Not: !want}, append(array.odds(), x.odds()...)},
		all(anyOdd(array.odds()), reason),
	}
	if list := x.odds(); len(list) > 0 {
		out = append(out, all(anyOdd(list), reason))
	}
	if !want {
		// An array never contains one with a NULL in it.
		out = append(out, all(x.isNull(false), array.isNull(true)))
	}
	return some(out...)
}

// match reads the tests of a text against another.
func match(op model.MatchOp, x, y value, want bool) node {
	for _, v := range []value{x, y} {
		if v.family != famText || v.isList || len(v.either) > 0 {
			return unread{"a test of texts"}
		}
	}
	if x.null || y.null {
		return never
	}
	odds := append(x.odds(), y.odds()...)
	n := node(atom{&model.Match{Op: op, X: x.x, Y: y.x, Not: !want}, odds})
	if len(odds) > 0 {
		return some(n, all(anyOdd(odds), unread{"a label that the type does not list"}))
	}
	return n
}

// like reads LIKE with a constant pattern whose only wildcards are % at its
// ends.
func like(x, pattern value, want bool) node {
	lit, ok := pattern.x.(*model.Literal)
	if !ok || pattern.isList || len(pattern.either) > 0 || x.family != famText || len(x.either) > 0 {
		return unread{"LIKE with a pattern that is not constant"}
	}
	text, _ := lit.Value.(string)
	inner, first := strings.CutPrefix(text, "%")
	inner, last := strings.CutSuffix(inner, "%")
	if text == "%" || strings.ContainsAny(inner, `%_\`) {
		return unread{"the pattern of a LIKE"}
	}
	y := pattern
	y.x = &model.Literal{Node: lit.Node, Value: inner}
	switch {
	case first && last:
		return match(model.MatchContains, x, y, want)
	case first:
		return match(model.MatchEnds, x, y, want)
	case last:
		return match(model.MatchStarts, x, y, want)
	}
	op := model.Equal
	if !want {
		op = model.NotEqual
	}
	return compare(op, x, y, true)
}

// amongKeys reads x IN (the elements of an array).
func (r *reader) amongKeys(l, array deparsed.Expr, want bool) node {
	if n, ok := r.keys(l, array, want); ok {
		return n
	}
	elem, set := r.value(l), r.value(array)
	switch {
	case elem.bad != "":
		return unread{elem.bad}
	case set.bad != "":
		return unread{set.bad}
	case !want || set.null:
		return unread{"NOT IN a subquery"}
	}
	return among(elem, set, true)
}

package readback

import (
	"slices"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/compiler/model"
)

var comparisons = map[string]model.CompareOp{
	"=": model.Equal, "<>": model.NotEqual, "<": model.Less, "<=": model.LessEqual, ">": model.Greater, ">=": model.GreaterEqual,
}

// comparison reads operators that give a truth value.
func (r *reader) comparison(o deparsed.Op, want bool) node {
	if o.L == nil {
		return unread{"the operator " + o.Op}
	}
	if n, ok := r.special(o, want); ok {
		return n
	}
	l, rr := r.value(o.L), r.value(o.R)
	if l.bad != "" {
		return unread{l.bad}
	}
	if rr.bad != "" {
		return unread{rr.bad}
	}
	if op, ok := comparisons[o.Op]; ok {
		return compare(op, l, rr, want)
	}
	switch o.Op {
	case "^@":
		return match(model.MatchStarts, l, rr, want)
	case "~~":
		return like(l, rr, want)
	case "!~~":
		return like(l, rr, !want)
	case "@>":
		return holds(l, rr, want)
	}
	return unread{"the operator " + o.Op}
}

// compare is that l op r is true, or, unless want, false.
func compare(op model.CompareOp, l, r value, want bool) node {
	if !want {
		op = op.Opposite()
	}
	if len(l.either) > 0 {
		var arms []node
		for _, c := range l.either {
			arms = append(arms, all(c.when, compare(op, c.value, r, true)))
		}
		return some(arms...)
	}
	if len(r.either) > 0 {
		return compare(mirrored(op), r, l, true)
	}
	switch {
	case l.bad != "" || r.bad != "":
		return unread{l.bad + r.bad}
	case l.null || r.null:
		return never
	case r.day != noDay && l.day == noDay:
		return compareDay(op, l, r)
	case l.day != noDay || r.day != noDay || l.isList || r.isList:
		return unread{"a comparison"}
	case !alike(op, l, r):
		return unread{"a comparison of " + string(l.typ.SQL()) + " with " + string(r.typ.SQL())}
	}
	switch {
	case l.beyond != within && r.beyond != within:
		return unread{"a comparison of two infinities"}
	case l.beyond != within:
		return compareBeyond(mirrored(op), r, l.beyond)
	case r.beyond != within:
		return compareBeyond(op, l, r.beyond)
	}
	return compareKnown(op, l, r)
}

// compareKnown compares two values, and says what comes of those that are odd.
func compareKnown(op model.CompareOp, l, r value) node {
	yes := satisfies(op)
	arms := []node{atom{&model.Compare{Op: op, X: l.x, Y: r.x}, slices.Concat(l.odds(), r.odds())}}
	if b, ok := boolean(op, l, r); ok {
		arms[0] = b
	}
	foreign := foreignLabel(l, r) || foreignLabel(r, l)
	arms = append(arms, oddly(l, r, yes, foreign), oddly(r, l, flip(yes), foreign))
	if lo, ro := l.odds(), r.odds(); len(lo) > 0 && len(ro) > 0 {
		arms = append(arms, all(anyOdd(lo), anyOdd(ro), unread{"two values that are none of their type"}))
	}
	return some(arms...)
}

func flip(o order) order { return o.mirrored() }

// foreignLabel reports whether a constant is none of an enum column's values:
// another label of the column may be it.
func foreignLabel(v, c value) bool {
	lit, ok := c.x.(*model.Literal)
	if !ok || v.column == nil || v.column.Type.Kind != model.KindEnum {
		return false
	}
	text, ok := lit.Value.(string)
	return ok && !slices.Contains(v.column.Type.Enum, text)
}

// oddly is what comes of odd values of l against a value r of its type.
func oddly(l, r value, yes order, foreign bool) node {
	arms := []node{all(anyOdd(l.mentions), unread{"what is computed of a value that is none of its type"})}
	if l.subject == nil {
		return some(arms...)
	}
	var sure, maybe kinds
	for k := kinds(1); k <= lastKind; k <<= 1 {
		if l.subject.kinds&k == 0 {
			continue
		}
		may := k.against(r)
		if foreign {
			may = anyOrder
		}
		switch {
		case may&^yes == 0:
			sure |= k
		case may&yes != 0:
			maybe |= k
		}
	}
	return some(append(arms,
		all(odd{l.subject, sure}, r.known()),
		all(odd{l.subject, maybe}, r.known(), unread{"what a column holds that is no value of its type"}),
	)...)
}

func anyOdd(list []*subject) node {
	var arms []node
	for _, s := range list {
		arms = append(arms, odd{s, s.kinds})
	}
	return some(arms...)
}

// compareBeyond compares a value with a constant that is none of the language.
func compareBeyond(op model.CompareOp, v value, b beyond) node {
	yes := satisfies(op)
	may := b.knownAgainst()
	var arms []node
	switch {
	case b == nowhereElse:
		return unread{"a constant that is no value of its type"}
	case may&^yes == 0:
		arms = append(arms, v.known())
	case may&yes != 0:
		arms = append(arms, unread{"a constant that is no value of its type"})
	}
	arms = append(arms, all(anyOdd(v.mentions), unread{"what is computed of a value that is none of its type"}))
	if v.subject == nil {
		return some(arms...)
	}
	for k := kinds(1); k <= lastKind; k <<= 1 {
		if v.subject.kinds&k == 0 {
			continue
		}
		may := b.oddAgainst(k, v.family != famNumeric)
		switch {
		case may&^yes == 0:
			arms = append(arms, odd{v.subject, k})
		case may&yes != 0:
			arms = append(arms, all(odd{v.subject, k}, unread{"what a column holds that is no value of its type"}))
		}
	}
	return some(arms...)
}

// compareDay compares a date column with the day of an instant.
func compareDay(op model.CompareOp, l, r value) node {
	up := op == model.Less || op == model.GreaterEqual
	ordered := up || op == model.LessEqual || op == model.Greater
	if l.family != famDate || l.beyond != within || !ordered || up != (r.day == dayUp) || r.day == raised {
		return unread{"a comparison with the day of a time"}
	}
	r.day, r.family, r.typ = noDay, famInstant, usualInstant
	l.family = famInstant
	return compare(op, l, r, true)
}

// boolean is a comparison of truth values with a constant.
func boolean(op model.CompareOp, l, r value) (node, bool) {
	if _, ok := l.x.(*model.Literal); ok {
		l, r = r, l
	}
	lit, ok := r.x.(*model.Literal)
	if !ok || l.family != famBool {
		return nil, false
	}
	b, _ := lit.Value.(bool)
	switch op {
	case model.Equal:
		return truthOf(l, b), true
	case model.NotEqual:
		return truthOf(l, !b), true
	default:
		return nil, false
	}
}

// alike reports whether Postgres compares the two as the language does.
func alike(op model.CompareOp, l, r value) bool {
	ordered := op != model.Equal && op != model.NotEqual
	number := func(f family) bool { return f == famInt || f == famNumeric }
	switch {
	case number(l.family) && number(r.family):
		return true
	case l.family != r.family:
		return false
	}
	switch l.family {
	case famText:
		return !ordered || l.bytewise || r.bytewise
	case famPadded, famEnum, famBool:
		return !ordered
	case famUUID, famDate, famInstant, famLocal, famInet:
		return true
	case famNone, famInt, famNumeric, famInterval, famArray:
	}
	return false
}

func mirrored(op model.CompareOp) model.CompareOp {
	switch op {
	case model.Less:
		return model.Greater
	case model.LessEqual:
		return model.GreaterEqual
	case model.Greater:
		return model.Less
	case model.GreaterEqual:
		return model.LessEqual
	case model.Equal, model.NotEqual:
	}
	return op
}

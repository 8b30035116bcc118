package condition

import (
	"fmt"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// compare types a comparison. A constant takes the type of the other side.
func (c *compiler) compare(fn model.Fn, l, r operand, span source.Span) operand {
	if l.isNull() || r.isNull() {
		return c.compareNull(fn, l, r, span)
	}
	if !c.comparableKinds(fn, l, r, span) {
		return operand{span: span}
	}
	var x, y model.Expr
	var okX, okY bool
	switch {
	case l.x != nil && r.x != nil:
		x, y, okX, okY = l.x, r.x, true, c.samekind(fn, l, r, span)
	case l.x != nil:
		x, okX = l.x, true
		y, okY = c.beside(fn, l, r)
	case r.x != nil:
		y, okY = r.x, true
		x, okX = c.beside(mirror[fn], r, l)
	default:
		x, y, okX = c.constants(fn, l, r, span)
		okY = okX
	}
	if !okX || !okY {
		return operand{span: span}
	}
	if fn == model.FnEqual || fn == model.FnNotEqual {
		c.undeclared(x, y)
	}
	return call(fn, model.Bool, span, x, y)
}

var mirror = map[model.Fn]model.Fn{
	model.FnEqual: model.FnEqual, model.FnNotEqual: model.FnNotEqual, model.FnLess: model.FnGreater,
	model.FnLessEqual: model.FnGreaterEqual, model.FnGreater: model.FnLess, model.FnGreaterEqual: model.FnLessEqual,
}

// compareNull types == null and != null.
func (c *compiler) compareNull(fn model.Fn, l, r operand, span source.Span) operand {
	other, null := l, r
	if l.isNull() {
		other, null = r, l
	}
	if fn != model.FnEqual && fn != model.FnNotEqual {
		return c.fail(CodeNull, null.span, "null has no order", "It stands only in == and != beside a column of a record.")
	}
	if other.konst != nil {
		return typed(literal((other.konst.v == nil) == (fn == model.FnEqual), model.Bool, span))
	}
	column, ok := other.x.(*model.ColumnRef)
	if !ok {
		detail := "null stands only beside a column of a record."
		if stated(other.x) {
			test := map[model.Fn]string{model.FnEqual: "!known", model.FnNotEqual: "known"}[fn]
			detail = fmt.Sprintf("Ask whether the request states it: %s(%s).", test, describe(other))
		}
		return c.fail(CodeNull, null.span, fmt.Sprintf("%s cannot be compared with null", describe(other)), detail)
	}
	out := model.Expr(&model.Call{Node: model.Node{Type: model.Bool, Span: span}, Fn: model.FnIsNull, Args: []model.Expr{column}})
	if fn == model.FnNotEqual {
		out = not(out, span)
	}
	return typed(out)
}

// comparableKinds refuses types that have no equality or no order.
func (c *compiler) comparableKinds(fn model.Fn, l, r operand, span source.Span) bool {
	ordering := fn != model.FnEqual && fn != model.FnNotEqual
	for _, o := range []operand{l, r} {
		if o.konst != nil {
			if _, ok := o.natural(); !ok {
				c.fail(CodeType, o.span, "A list or a map cannot be compared", "For one of several values use contains([…], x).")
				return false
			}
			continue
		}
		if o.x == nil {
			continue
		}
		t := o.x.ResultType()
		switch {
		case t.Kind == model.KindSet:
			c.fail(CodeType, o.span, fmt.Sprintf("%s is a set and cannot be compared", describe(o)), "Use contains(SET, x), length(SET) or is_empty(SET).")
			return false
		case t.Kind == model.KindDuration:
			c.fail(CodeType, o.span, "A duration cannot be compared", "Add it to a timestamp, or use in_last and in_next.")
			return false
		case ordering && !ordered(t):
			c.fail(CodeType, span, fmt.Sprintf("%s has no order: %s is %s", fn, describe(o), article(t)), "Use ==, != or contains([…], x).")
			return false
		}
		if _, ok := o.x.(*model.LevelRef); ok && ordering {
			c.fail(CodeType, span, "Access levels are not ordered as strings",
				`List the levels by name: contains(["user", "superuser"], user.access_level).`)
			return false
		}
	}
	return true
}

func ordered(t model.Type) bool {
	switch t.Kind {
	case model.KindInt, model.KindNumber, model.KindString, model.KindDate, model.KindTimestamp:
		return true
	default:
		return false
	}
}

// samekind checks two typed sides against each other.
func (c *compiler) samekind(fn model.Fn, l, r operand, span source.Span) bool {
	a, b := l.x.ResultType(), r.x.ResultType()
	for _, pair := range [][2]operand{{l, r}, {r, l}} {
		if countOf(pair[0]) && (countOf(pair[1]) || pair[1].x.ResultType().Kind != model.KindInt) {
			c.fail(CodeRelation, span, "The number of related records is compared with an int alone", "Compare it with a whole number or an int column.")
			return false
		}
	}
	if matching(a, b, fn == model.FnEqual || fn == model.FnNotEqual) {
		return true
	}
	c.fail(CodeType, span, fmt.Sprintf("%s compares one type with itself: %s is %s, and %s is %s", fn, describe(l), article(a), describe(r), article(b)),
		"Compare two values of one type.")
	return false
}

func countOf(o operand) bool {
	r, ok := o.x.(*model.Related)
	return ok && r.Quantifier == model.CountTrue
}

// matching reports whether values of both types can be compared.
func matching(a, b model.Type, equality bool) bool {
	switch {
	case a.Equal(b), numeric(a) && numeric(b), instant(a) && instant(b):
		return true
	case equality && a.Kind == model.KindEnum:
		return b.Kind == model.KindString
	case equality && b.Kind == model.KindEnum:
		return a.Kind == model.KindString
	}
	return false
}

// beside gives a constant the type of the expression that it is compared with.
func (c *compiler) beside(fn model.Fn, x, k operand) (model.Expr, bool) {
	t := x.x.ResultType()
	if n := k.number(); n != nil && t.Kind == model.KindInt && !n.IsInt() {
		if fn == model.FnEqual || fn == model.FnNotEqual {
			c.fail(CodeNever, k.span, fmt.Sprintf("%s is an int and never equals %s", describe(x), describe(k)), "Compare with < or >, or with a whole number.")
			return nil, false
		}
		if countOf(x) {
			c.fail(CodeNever, k.span, "A number of records is whole", "Compare it with a whole number.")
			return nil, false
		}
		t = model.Number
	}
	return c.as(k, t, "A comparison with "+describe(x))
}

// constants compares two constants by the types they have by nature.
func (c *compiler) constants(fn model.Fn, l, r operand, span source.Span) (x, y model.Expr, ok bool) {
	a, _ := l.natural()
	b, _ := r.natural()
	if numeric(a) && numeric(b) && l.konst != nil && r.konst != nil {
		// Folded away at once, so that the ranges of int and number do not count.
		return literal(l.number(), model.Number, l.span), literal(r.number(), model.Number, r.span), true
	}
	x, okX := c.as(l, a, "A comparison")
	y, okY := c.as(r, b, "A comparison")
	if !okX || !okY {
		return nil, nil, false
	}
	if !matching(a, b, true) || (fn != model.FnEqual && fn != model.FnNotEqual && !ordered(a)) {
		c.fail(CodeType, span, fmt.Sprintf("%s compares one type with itself: %s is %s, and %s is %s", fn, describe(l), article(a), describe(r), article(b)),
			"Compare two values of one type.")
		return nil, nil, false
	}
	return x, y, true
}

// undeclared checks constants against the names that the project declares.
func (c *compiler) undeclared(x, y model.Expr) {
	for _, pair := range [][2]model.Expr{{x, y}, {y, x}} {
		if _, ok := pair[0].(*model.LevelRef); ok {
			c.checkLevel(pair[1])
		}
	}
}

// checkLevel reports a level that no user ever has.
func (c *compiler) checkLevel(x model.Expr) {
	lit, ok := x.(*model.Literal)
	if !ok || len(c.sc.Levels) == 0 {
		return
	}
	names := []model.Value{lit.Value}
	if set, ok := lit.Value.(model.Set); ok {
		names = set
	}
	for _, v := range names {
		name, _ := v.(string)
		if c.sc.Levels[name] != nil {
			continue
		}
		levels := sortedKeys(c.sc.Levels)
		detail := "The levels are " + quoteAll(levels) + "."
		if n := nearest(name, levels); n != "" {
			detail = fmt.Sprintf("Did you mean %q? ", n) + detail
		}
		c.fail(CodeNever, lit.Span, fmt.Sprintf("There is no access level %q", name), detail)
	}
}

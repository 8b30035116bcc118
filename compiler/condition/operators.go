package condition

import (
	"fmt"
	"math/big"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

var comparisons = map[*hclsyntax.Operation]model.Fn{
	hclsyntax.OpEqual: model.FnEqual, hclsyntax.OpNotEqual: model.FnNotEqual,
	hclsyntax.OpLessThan: model.FnLess, hclsyntax.OpLessThanOrEqual: model.FnLessEqual,
	hclsyntax.OpGreaterThan: model.FnGreater, hclsyntax.OpGreaterThanOrEqual: model.FnGreaterEqual,
}

var arithmetic = map[*hclsyntax.Operation]model.Fn{
	hclsyntax.OpAdd: model.FnAdd, hclsyntax.OpSubtract: model.FnSubtract, hclsyntax.OpMultiply: model.FnMultiply,
}

func (c *compiler) binary(e *hclsyntax.BinaryOpExpr) operand {
	span := syntax.Span(e.SrcRange)
	if e.Op == hclsyntax.OpLogicalAnd || e.Op == hclsyntax.OpLogicalOr {
		return c.junction(e)
	}
	l, r := c.expr(e.LHS), c.expr(e.RHS)
	if !l.ok() || !r.ok() {
		return operand{span: span}
	}
	if fn, ok := comparisons[e.Op]; ok {
		return c.compare(fn, l, r, span)
	}
	return c.arithmetic(e.Op, l, r, span)
}

// junction flattens a chain of && or ||, which HCL parses as a tree as deep as
// the chain is long.
func (c *compiler) junction(e *hclsyntax.BinaryOpExpr) operand {
	fn := model.FnAnd
	if e.Op == hclsyntax.OpLogicalOr {
		fn = model.FnOr
	}
	var args []model.Expr
	good := true
	for _, term := range c.chain(e) {
		x, ok := c.boolean(c.expr(term), "An operand of "+fn.String())
		args, good = append(args, x), good && ok
		if c.stopped {
			break
		}
	}
	if !good || c.stopped {
		return operand{span: syntax.Span(e.SrcRange)}
	}
	return typed(junction(fn, args, syntax.Span(e.SrcRange)))
}

// chain lists the operands of nested uses of one operator, from left to right.
func (c *compiler) chain(e *hclsyntax.BinaryOpExpr) []hclsyntax.Expression {
	var out []hclsyntax.Expression
	stack := []hclsyntax.Expression{e}
	for len(stack) > 0 && c.nodes+len(out) <= MaxNodes+1 {
		top := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch x := top.(type) {
		case *hclsyntax.ParenthesesExpr:
			stack = append(stack, x.Expression)
			continue
		case *hclsyntax.BinaryOpExpr:
			if x.Op == e.Op {
				stack = append(stack, x.RHS, x.LHS)
				continue
			}
		}
		out = append(out, top)
	}
	return out
}

// junction is the and or or of bools without its constant terms.
func junction(fn model.Fn, args []model.Expr, span source.Span) model.Expr {
	unit := fn == model.FnAnd
	kept := make([]model.Expr, 0, len(args))
	for _, a := range args {
		if lit, ok := a.(*model.Literal); ok {
			if lit.Value != unit {
				return literal(!unit, model.Bool, span)
			}
			continue
		}
		kept = append(kept, a)
	}
	switch len(kept) {
	case 0:
		return literal(unit, model.Bool, span)
	case 1:
		return kept[0]
	}
	return &model.Call{Node: model.Node{Type: model.Bool, Span: span}, Fn: fn, Args: kept}
}

func not(x model.Expr, span source.Span) model.Expr {
	if lit, ok := x.(*model.Literal); ok {
		return literal(lit.Value == false, model.Bool, span)
	}
	return &model.Call{Node: model.Node{Type: model.Bool, Span: span}, Fn: model.FnNot, Args: []model.Expr{x}}
}

func (c *compiler) unary(e *hclsyntax.UnaryOpExpr) operand {
	span := syntax.Span(e.SrcRange)
	o := c.expr(e.Val)
	if !o.ok() {
		return operand{span: span}
	}
	if e.Op == hclsyntax.OpLogicalNot {
		if x, ok := c.boolean(o, "An operand of !"); ok {
			return typed(not(x, span))
		}
		return operand{span: span}
	}
	if n := o.number(); n != nil {
		return known(new(big.Rat).Neg(n), span)
	}
	if x, ok := c.whole(o, "-"); ok {
		return call(model.FnNegate, model.Int, span, x)
	}
	return operand{span: span}
}

func (c *compiler) conditional(e *hclsyntax.ConditionalExpr) operand {
	span := syntax.Span(e.SrcRange)
	cond, okC := c.boolean(c.expr(e.Condition), "The test of ?:")
	a, b := c.expr(e.TrueResult), c.expr(e.FalseResult)
	if !okC || !a.ok() || !b.ok() {
		return operand{span: span}
	}
	if lit, ok := cond.(*model.Literal); ok {
		if lit.Value == true {
			return a
		}
		return b
	}
	if a.isNull() || b.isNull() {
		return c.fail(CodeNull, span, "A result of ?: cannot be null", "Use a value, or write the cases out with && and ||.")
	}
	if a.x == nil && b.x == nil {
		if !c.alike(a, b, span) {
			return operand{span: span}
		}
		return operand{pick: &pick{cond, a, b}, span: span}
	}
	t, ok := c.unify(a, b, span)
	if !ok {
		return operand{span: span}
	}
	x, okA := c.widen(a, t)
	y, okB := c.widen(b, t)
	if !okA || !okB {
		return operand{span: span}
	}
	return typed(&model.Call{Node: model.Node{Type: t, Span: span}, Fn: model.FnIf, Args: []model.Expr{cond, x, y}})
}

// alike checks that two constants could stand in one place.
func (c *compiler) alike(a, b operand, span source.Span) bool {
	ta, okA := a.natural()
	tb, okB := b.natural()
	if okA && okB && (ta.Kind == tb.Kind || numeric(ta) && numeric(tb)) {
		return true
	}
	c.fail(CodeType, span, "Both results of ?: must have one type", fmt.Sprintf("One is %s, the other %s.", nameOf(a), nameOf(b)))
	return false
}

func nameOf(o operand) string {
	if t, ok := o.natural(); ok {
		return article(t)
	}
	return describe(o)
}

// unify is the one type of two alternatives, of which at least one has a type.
func (c *compiler) unify(a, b operand, span source.Span) (model.Type, bool) {
	switch {
	case a.x == nil:
		return b.x.ResultType(), true
	case b.x == nil:
		return a.x.ResultType(), true
	}
	ta, tb := a.x.ResultType(), b.x.ResultType()
	switch {
	case ta.Equal(tb):
		return ta, true
	case numeric(ta) && numeric(tb):
		return model.Number, true
	}
	c.fail(CodeType, span, "Both alternatives must have one type",
		fmt.Sprintf("%s is %s, and %s is %s.", describe(a), article(ta), describe(b), article(tb)))
	return model.Type{}, false
}

// widen gives an alternative the common type; an int stands for a number as it
// is.
func (c *compiler) widen(o operand, t model.Type) (model.Expr, bool) {
	if t.Kind == model.KindSet || t.Kind == model.KindDuration {
		c.fail(CodeType, o.span, fmt.Sprintf("An alternative cannot be %s", article(t)), "Write the cases out with && and ||.")
		return nil, false
	}
	if o.x != nil && t.Kind == model.KindNumber && numeric(o.x.ResultType()) {
		return o.x, c.scalarUse(o)
	}
	return c.as(o, t, "The other alternative")
}

func numeric(t model.Type) bool { return t.Kind == model.KindInt || t.Kind == model.KindNumber }

func instant(t model.Type) bool { return t.Kind == model.KindDate || t.Kind == model.KindTimestamp }

func (c *compiler) arithmetic(op *hclsyntax.Operation, l, r operand, span source.Span) operand {
	if a, b := l.number(), r.number(); a != nil && b != nil {
		return c.compute(op, a, b, span)
	}
	fn, ok := arithmetic[op]
	if !ok {
		return c.fail(CodeUnsupported, span, "Conditions do not divide", "Use +, - and * on ints; / and % work on constants alone.")
	}
	if d, ok := duration(r); ok && fn != model.FnMultiply {
		return c.shift(fn, l, d, r.span, span)
	}
	if _, ok := duration(l); ok && fn == model.FnAdd {
		return c.arithmetic(op, r, l, span)
	}
	x, okX := c.whole(l, fn.String())
	y, okY := c.whole(r, fn.String())
	if !okX || !okY {
		return operand{span: span}
	}
	return call(fn, model.Int, span, x, y)
}

// whole gives an operand of arithmetic the type int.
func (c *compiler) whole(o operand, op string) (model.Expr, bool) {
	if o.x != nil {
		switch o.x.ResultType().Kind {
		case model.KindNumber:
			c.fail(CodeType, o.span, fmt.Sprintf("%s is a number, and %s works on ints alone", describe(o), op),
				"Engines add decimals differently; compare the number as it is.")
			return nil, false
		case model.KindDate:
			c.fail(CodeType, o.span, fmt.Sprintf("%s is a date, and %s works on timestamps", describe(o), op),
				"Compare the date with now() plus or minus a duration, or use in_last and in_next.")
			return nil, false
		default:
		}
	}
	return c.as(o, model.Int, "An operand of "+op)
}

// compute is exact arithmetic on constants.
func (c *compiler) compute(op *hclsyntax.Operation, a, b *big.Rat, span source.Span) operand {
	out := new(big.Rat)
	switch op {
	case hclsyntax.OpAdd:
		out.Add(a, b)
	case hclsyntax.OpSubtract:
		out.Sub(a, b)
	case hclsyntax.OpMultiply:
		out.Mul(a, b)
	case hclsyntax.OpDivide, hclsyntax.OpModulo:
		if b.Sign() == 0 {
			return c.fail(CodeRange, span, "Division by zero", "")
		}
		out.Quo(a, b)
		if op == hclsyntax.OpModulo {
			whole := new(big.Rat).SetInt(new(big.Int).Quo(out.Num(), out.Denom()))
			out.Sub(a, whole.Mul(whole, b))
		}
	}
	if out.Num().BitLen() > maxBits || out.Denom().BitLen() > maxBits {
		return c.fail(CodeRange, span, "This number is too large", "A number is below 10^38 and has at most 18 decimals.")
	}
	return known(out, span)
}

func duration(o operand) (model.Duration, bool) {
	if lit, ok := o.x.(*model.Literal); ok {
		d, ok := lit.Value.(model.Duration)
		return d, ok
	}
	return 0, false
}

// maxDuration keeps times that conditions compute inside what every engine's
// timestamps can hold.
const maxDuration = 365_250 * model.Day // 1000 years

// shift moves a time or another duration by a duration. Repeated shifts are
// one, so that a time never leaves its range on the way.
func (c *compiler) shift(fn model.Fn, l operand, d model.Duration, at, span source.Span) operand {
	if fn == model.FnSubtract {
		d = -d
	}
	if have, ok := duration(l); ok {
		return c.duration(have+d, span)
	}
	x := l.x
	if x == nil || x.ResultType().Kind != model.KindTimestamp {
		if l.x != nil && l.x.ResultType().Kind != model.KindTimestamp {
			return c.fail(CodeType, l.span, fmt.Sprintf("A duration is added to timestamps, and %s is %s", describe(l), article(l.x.ResultType())),
				"For a date, compare it with now() plus or minus the duration, or use in_last and in_next.")
		}
		var ok bool
		if x, ok = c.as(l, model.TimeType, "What a duration is added to"); !ok {
			return operand{span: span}
		}
	}
	if inner, ok := x.(*model.Call); ok && (inner.Fn == model.FnAdd || inner.Fn == model.FnSubtract) {
		have, _ := duration(operand{x: inner.Args[1]})
		if inner.Fn == model.FnSubtract {
			have = -have
		}
		x, d = inner.Args[0], d+have
	}
	fn = model.FnAdd
	if d < 0 {
		fn, d = model.FnSubtract, -d
	}
	if d > maxDuration {
		return c.fail(CodeRange, at, "This duration is too long", "Durations are at most 1000 years of 365.25 days.")
	}
	out := call(fn, model.TimeType, span, x, literal(d, model.Interval, at))
	if _, isLiteral := x.(*model.Literal); isLiteral {
		if _, folded := out.x.(*model.Literal); !folded {
			return c.fail(CodeRange, span, "This time is outside year 1 to 9999", "")
		}
	}
	return out
}

func (c *compiler) duration(d model.Duration, span source.Span) operand {
	switch {
	case d < 0:
		return c.fail(CodeRange, span, "A duration cannot be negative", "Subtract it from the time, or use in_last instead of in_next.")
	case d > maxDuration:
		return c.fail(CodeRange, span, "This duration is too long", "Durations are at most 1000 years of 365.25 days.")
	}
	return typed(literal(d, model.Interval, span))
}

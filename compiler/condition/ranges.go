package condition

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

func (c *compiler) between(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	// Both halves are typed as comparisons, whose rules they share.
	low := c.compare(model.FnGreaterEqual, args[0], args[1], span)
	high := c.compare(model.FnLessEqual, args[0], args[2], span)
	if !low.ok() || !high.ok() {
		return operand{span: span}
	}
	a, okA := low.x.(*model.Call)
	b, okB := high.x.(*model.Call)
	if okA && okB && a.Fn == model.FnGreaterEqual && b.Fn == model.FnLessEqual {
		if lo, hi, ok := bounds(a.Args[1], b.Args[1]); ok && !model.LessEqual.Holds(lo) {
			return c.fail(CodeNever, hi, "No value lies between these bounds", "The lower bound comes first.")
		}
		return call(model.FnBetween, model.Bool, span, a.Args[0], a.Args[1], b.Args[1])
	}
	return typed(junction(model.FnAnd, []model.Expr{low.x, high.x}, span))
}

// bounds compares two constant bounds, and gives the place of the second.
func bounds(lo, hi model.Expr) (order int, at source.Span, ok bool) {
	a, okA := lo.(*model.Literal)
	b, okB := hi.(*model.Literal)
	if !okA || !okB {
		return 0, at, false
	}
	order, ok = model.CompareValues(a.Value, b.Value)
	return order, b.Span, ok
}

func (c *compiler) aroundNow(fn model.Fn, e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	d, isDuration := duration(args[1])
	if !isDuration {
		return c.fail(CodeArguments, args[1].span, fmt.Sprintf("The second argument of %s must be a length of time", e.Name), "Write "+signatures[e.Name].form+".")
	}
	x := args[0].x
	if x == nil {
		x, ok = c.as(args[0], model.TimeType, "The first argument of "+e.Name)
	} else if ok = instant(x.ResultType()); !ok {
		c.fail(CodeType, args[0].span, fmt.Sprintf("The first argument of %s wants a date or a timestamp, and %s is %s", e.Name, describe(args[0]), article(x.ResultType())),
			"Write "+signatures[e.Name].form+".")
	}
	if !ok {
		return operand{span: span}
	}
	return typed(&model.Call{Node: model.Node{Type: model.Bool, Span: span}, Fn: fn, Args: []model.Expr{x, literal(d, model.Interval, args[1].span)}})
}

// lengthOfTime is days(30) and the like, with a constant.
func (c *compiler) lengthOfTime(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	n := args[0].number()
	if n == nil || !n.IsInt() || n.Sign() < 0 {
		return c.fail(CodeArguments, args[0].span, fmt.Sprintf("The argument of %s must be a constant whole number, 0 or more", e.Name), "Write "+signatures[e.Name].form+".")
	}
	if !n.Num().IsInt64() || n.Num().Int64() > int64(maxDuration/units[e.Name]) {
		return c.fail(CodeRange, args[0].span, "This duration is too long", "Durations are at most 1000 years of 365.25 days.")
	}
	return c.duration(model.Duration(n.Num().Int64())*units[e.Name], span)
}

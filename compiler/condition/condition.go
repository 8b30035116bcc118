// Package condition compiles HCL expressions to typed conditions: names are
// resolved, types checked, constants folded, and the result is lowered. The
// rules are those of docs/language.md, "Types and conditions" and "Unknown
// never grants".
//
// Constants are folded here and not by HCL, since HCL's numbers are binary
// fractions for which 1.1 + 2.2 is not 3.3; HCL evaluates only what has no
// operator of ours in it (variables, locals and its own functions).
package condition

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler/lower"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// The largest condition: its expressions, and how deep they nest. Chains of
// && or || count as one level.
const (
	MaxNodes = 10_000
	MaxDepth = 200
)

// Scope is what a condition may speak about.
type Scope struct {
	Row      *model.Row // the record: name "record" and its table
	Identity *model.Identity
	Request  []*model.Attribute
	Groups   map[string]*model.Group
	// Group is the group that a variable or a module's output holds; false when
	// the expression is neither. Nil where there are no modules.
	Group func(hcl.Expression) (*model.Group, bool)
	// Declared is all groups of the project, those of modules too; nil means
	// that Groups are all.
	Declared []*model.Group
	Levels   map[string]*model.Level
	// Eval holds the constants: var, local, each, and HCL's functions. The
	// names user, record, request, app, group and now are not in it.
	Eval *hcl.EvalContext
}

// Compile checks, folds and lowers a condition. A nil expression, one that was
// not written, is constantly true. After an error, which is in diags, the
// result is constantly false.
func Compile(expr hcl.Expression, sc *Scope, diags *diag.List) model.Condition {
	if expr == nil {
		return True(source.Span{})
	}
	c := &compiler{sc: sc, diags: diags, ctx: sc.Eval}
	before := len(*diags)
	native, ok := c.native(expr)
	if !ok {
		return never(syntax.Span(expr.Range()))
	}
	x, ok := c.boolean(c.expr(native), "A condition")
	if !ok || (*diags)[before:].HasErrors() {
		return never(syntax.Span(expr.Range()))
	}
	out, err := lower.Condition(x)
	if err != nil {
		c.fail(CodeSize, syntax.Span(expr.Range()), "This condition is too large",
			fmt.Sprintf("Spelt out without ?: and coalesce it has more than %d comparisons; split it into several policies.", lower.MaxAtoms))
		return never(syntax.Span(expr.Range()))
	}
	if _, no := out.Holds.(model.False); no {
		diags.Warn(CodeConstant, syntax.Span(expr.Range()), "This condition can never be true",
			"Its constant parts alone decide it. Remove what it belongs to, or mend the condition.")
	}
	return out
}

// True is the condition that always holds.
func True(span source.Span) model.Condition {
	return model.Condition{Source: literal(true, model.Bool, span), Holds: model.True{}, Fails: model.False{}}
}

func never(span source.Span) model.Condition {
	return model.Condition{Source: literal(false, model.Bool, span), Holds: model.False{}, Fails: model.True{}}
}

func literal(v model.Value, t model.Type, span source.Span) *model.Literal {
	return &model.Literal{Node: model.Node{Type: t, Span: span}, Value: v}
}

// compiler is the state of compiling one condition.
type compiler struct {
	sc    *Scope
	diags *diag.List
	ctx   *hcl.EvalContext // sc.Eval, and the variables of loops over constants
	rows  []*model.Row     // what loops over relations bind, innermost last

	nodes, depth int
	stopped      bool // the condition is too large; nothing more is looked at
}

func (c *compiler) fail(code diag.Code, span source.Span, summary, detail string) operand {
	c.diags.Fail(code, span, summary, detail)
	return operand{span: span}
}

// native is the expression in native syntax; in JSON it stands in a string.
func (c *compiler) native(expr hcl.Expression) (hclsyntax.Expression, bool) {
	expr = hcl.UnwrapExpression(expr)
	if e, ok := syntax.Native(expr).(hclsyntax.Expression); ok {
		return e, true
	}
	span := syntax.Span(expr.Range())
	_, noList := hcl.ExprList(expr)
	_, noMap := hcl.ExprMap(expr)
	if !noList.HasErrors() || !noMap.HasErrors() {
		c.fail(CodeType, span, "A condition is one expression and not a list", `In JSON write it as a string: "${record.x == 1}".`)
		return nil, false
	}
	v, diags := expr.Value(c.ctx)
	if diags.HasErrors() {
		syntax.FromHCL(c.diags, CodeEvaluation, diags)
		return nil, false
	}
	if o := c.constant(v, span); o.konst != nil {
		return &hclsyntax.LiteralValueExpr{Val: v, SrcRange: expr.Range()}, true
	}
	return nil, false
}

// enter counts an expression and a level; it is false once the condition is
// too large.
func (c *compiler) enter(e hclsyntax.Expression) bool {
	c.depth++
	return c.countNode(e) && !c.stopped
}

func (c *compiler) leave() { c.depth-- }

func (c *compiler) countNode(e hclsyntax.Expression) bool {
	c.nodes++
	switch {
	case c.stopped:
		return false
	case c.depth > MaxDepth:
		c.stopped = true
		c.fail(CodeSize, syntax.Span(e.Range()), "This condition nests too deep",
			fmt.Sprintf("Expressions may nest %d levels; split the condition.", MaxDepth))
	case c.nodes > MaxNodes:
		c.stopped = true
		c.fail(CodeSize, syntax.Span(e.Range()), "This condition is too large",
			fmt.Sprintf("A condition may have %d expressions; compare with a list, or split it into several policies.", MaxNodes))
	}
	return !c.stopped
}

// expr compiles one expression; an operand without a value says that it has
// reported an error.
func (c *compiler) expr(e hclsyntax.Expression) operand {
	defer c.leave()
	if !c.enter(e) {
		return operand{span: syntax.Span(e.Range())}
	}
	switch x := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return c.expr(x.Expression)
	case *hclsyntax.TemplateWrapExpr:
		return c.expr(x.Wrapped)
	case *hclsyntax.LiteralValueExpr:
		return c.constant(x.Val, syntax.Span(x.SrcRange))
	case *hclsyntax.TemplateExpr:
		return c.template(x)
	case *hclsyntax.BinaryOpExpr:
		return c.binary(x)
	case *hclsyntax.UnaryOpExpr:
		return c.unary(x)
	case *hclsyntax.ConditionalExpr:
		return c.conditional(x)
	case *hclsyntax.FunctionCallExpr:
		return c.call(x)
	case *hclsyntax.TupleConsExpr:
		return c.tuple(x)
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.RelativeTraversalExpr, *hclsyntax.IndexExpr:
		return c.reference(e)
	case *hclsyntax.ExprSyntaxError:
		return operand{span: syntax.Span(x.SrcRange)} // the parser has reported it
	default:
		return c.evaluate(e)
	}
}

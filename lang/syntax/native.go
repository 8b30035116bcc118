package syntax

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Native is an expression in the native syntax: in JSON, where an expression
// stands in a string ("group.x" or "${group.x}"), what the string says; else
// the expression itself. It is for what is a name or a condition and not a
// text.
func Native(expr hcl.Expression) hcl.Expression {
	if expr == nil {
		return nil
	}
	rng := expr.Range()
	if !strings.HasSuffix(rng.Filename, ".json") {
		return expr
	}
	if _, diags := hcl.ExprList(expr); !diags.HasErrors() {
		return expr
	}
	v, diags := expr.Value(nil)
	if diags.HasErrors() || v.IsNull() || v.Type() != cty.String {
		return expr
	}
	start := rng.Start
	start.Byte++
	start.Column++
	text := v.AsString()
	if strings.HasPrefix(text, "${") {
		t, diags := hclsyntax.ParseTemplate([]byte(text), rng.Filename, start)
		if wrap, ok := t.(*hclsyntax.TemplateWrapExpr); ok && !diags.HasErrors() {
			return wrap.Wrapped
		}
		return expr
	}
	e, diags := hclsyntax.ParseExpression([]byte(text), rng.Filename, start)
	if diags.HasErrors() {
		return expr
	}
	return e
}

package condition

import (
	"math/big"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// maxBits bounds constants: beyond it they are far outside the language, and
// an exact fraction of a number such as 1e999999999 would fill the memory.
const maxBits = 2048

const numberRange = "A number is below 10^38 and has at most 18 decimals; round it."

// Constant converts a value that HCL evaluated to one of the type; ok is false
// after an error, which is in diags. A null value gives a nil Value, and null
// elements of a set are left out. Sensitive and unknown values are errors.
func Constant(v cty.Value, t model.Type, span source.Span, diags *diag.List) (model.Value, bool) {
	c := &compiler{sc: &Scope{}, diags: diags}
	o := c.constant(v, span)
	switch {
	case o.konst == nil:
		return nil, false
	case o.konst.v == nil:
		return nil, true
	}
	u := *o.konst
	if elems, ok := u.v.(list); ok {
		u.v = withoutNull(elems)
	}
	return c.value(u, t, span, "This argument")
}

func withoutNull(elems list) list {
	out := make(list, 0, len(elems))
	for _, e := range elems {
		if e.v != nil {
			out = append(out, e)
		}
	}
	return out
}

// constant takes over a value from HCL.
func (c *compiler) constant(v cty.Value, span source.Span) operand {
	if v.ContainsMarked() {
		return c.fail(CodeSensitive, span, "A sensitive value cannot stand here",
			"What is written here becomes part of artifacts and plans that others read. Use a value that is not sensitive.")
	}
	if !v.IsWhollyKnown() {
		return c.fail(CodeUnknownValue, span, "This value is not known while compiling", "Give it a value that does not depend on a later step.")
	}
	u, ok := c.convert(v, span)
	if !ok {
		return operand{span: span}
	}
	return operand{konst: &u, span: span}
}

func (c *compiler) convert(v cty.Value, span source.Span) (untyped, bool) {
	if v.IsNull() {
		return untyped{v: nil}, true
	}
	switch t := v.Type(); {
	case t == cty.Bool:
		return untyped{v: v.True()}, true
	case t == cty.String:
		return untyped{v: v.AsString()}, true
	case t == cty.Number:
		n, ok := exact(v.AsBigFloat())
		if !ok {
			c.fail(CodeRange, span, "This number is not one that Postern can hold exactly", numberRange)
		}
		return untyped{v: n}, ok
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		out := make(list, 0, v.LengthInt())
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			u, ok := c.convert(e, span)
			if !ok {
				return untyped{}, false
			}
			out = append(out, u)
		}
		return untyped{v: out}, true
	case t.IsMapType() || t.IsObjectType():
		return untyped{v: mapping{v.LengthInt()}}, true
	}
	c.fail(CodeType, span, "A value of this kind cannot stand in a condition", "Conditions know bool, number, string and lists of these.")
	return untyped{}, false
}

// exact is the decimal with at most 18 places that f stands for. HCL holds
// numbers as binary fractions of 512 bits, so that 1.1 is not exactly 1.1; the
// nearest such decimal is what was meant when it is nearer than any rounding
// of HCL's arithmetic could be wrong.
func exact(f *big.Float) (*big.Rat, bool) {
	if !moderate(f) {
		return nil, false
	}
	if f.IsInt() {
		r, _ := f.Rat(nil)
		return r, true
	}
	r, _ := f.Rat(nil)
	scaled := new(big.Rat).Mul(r, numberScale)
	whole := roundHalfUp(scaled)
	off := new(big.Rat).Sub(scaled, new(big.Rat).SetInt(whole))
	off.Abs(off)
	tolerance := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256))
	if off.Cmp(tolerance) > 0 {
		return nil, false
	}
	return new(big.Rat).Quo(new(big.Rat).SetInt(whole), numberScale), true
}

// moderate reports whether f has few enough digits to be written out.
func moderate(f *big.Float) bool {
	exponent := f.MantExp(nil)
	return !f.IsInf() && exponent <= maxBits && exponent >= -maxBits
}

func roundHalfUp(r *big.Rat) *big.Int {
	twice := new(big.Int).Lsh(r.Num(), 1)
	twice.Add(twice, r.Denom())
	return twice.Div(twice, new(big.Int).Lsh(r.Denom(), 1))
}

// evaluate lets HCL evaluate an expression that has nothing of ours in it.
func (c *compiler) evaluate(e hclsyntax.Expression) operand {
	span := syntax.Span(e.Range())
	v, ok := c.hclValue(e)
	if !ok {
		return operand{span: span}
	}
	return c.constant(v, span)
}

func (c *compiler) hclValue(e hclsyntax.Expression) (cty.Value, bool) {
	if place, what := c.runtimePart(e); what != "" {
		c.fail(CodeUnsupported, place, "Conditions cannot use "+what+" inside this expression",
			"Here only constants may stand: variables, locals and HCL's functions. Use comparisons, the functions of conditions, "+
				"or anytrue([for m in record.members : …]).")
		return cty.NilVal, false
	}
	if !c.bounded(e) {
		return cty.NilVal, false
	}
	v, diags := e.Value(c.ctx)
	if diags.HasErrors() {
		syntax.FromHCL(c.diags, CodeEvaluation, diags)
		return cty.NilVal, false
	}
	return v, true
}

// bounded refuses numbers whose text HCL would spell out digit by digit.
func (c *compiler) bounded(e hclsyntax.Expression) bool {
	good := true
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if lit, ok := n.(*hclsyntax.LiteralValueExpr); ok && lit.Val.Type() == cty.Number && lit.Val.IsKnown() && !lit.Val.IsNull() {
			if f := lit.Val.AsBigFloat(); !moderate(f) {
				c.fail(CodeRange, syntax.Span(lit.SrcRange), "This number is not one that Postern can hold exactly", numberRange)
				good = false
			}
		}
		return nil
	})
	return good
}

// runtimePart finds a part that is no constant: a name or a function that has
// a value only when a condition is evaluated.
func (c *compiler) runtimePart(e hclsyntax.Expression) (place source.Span, what string) {
	_ = hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		if what != "" {
			return nil
		}
		switch x := n.(type) {
		case *hclsyntax.ScopeTraversalExpr:
			if root := x.Traversal.RootName(); c.runtimeRoot(root) {
				place, what = syntax.Span(x.SrcRange), root
			}
		case *hclsyntax.FunctionCallExpr:
			if _, ours := signatures[x.Name]; ours && !c.hasFunction(x.Name) {
				place, what = syntax.Span(x.Range()), x.Name+"()"
			}
		}
		return nil
	})
	return place, what
}

// hasFunction reports whether HCL knows the function.
func (c *compiler) hasFunction(name string) bool {
	for ctx := c.ctx; ctx != nil; ctx = ctx.Parent() {
		if _, ok := ctx.Functions[name]; ok {
			return true
		}
	}
	return false
}

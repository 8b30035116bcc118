package condition

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

var scalars = map[string]model.Type{
	"bool": model.Bool, "int": model.Int, "number": model.Number, "string": model.String,
	"uuid": model.UUIDType, "date": model.DateType, "timestamp": model.TimeType, "ip": model.IP,
}

const typeForms = `Types are bool, int, number, string, uuid, date, timestamp, ip, enum("a", "b") and set(T).`

// ParseType reads a type as it is written in HCL, such as enum("a", "b") or
// set(uuid); ok is false after an error, which is in diags.
func ParseType(expr hcl.Expression, diags *diag.List) (model.Type, bool) {
	expr = syntax.Native(hcl.UnwrapExpression(expr))
	if p, ok := expr.(*hclsyntax.ParenthesesExpr); ok {
		expr = p.Expression
	}
	span := syntax.Span(expr.Range())
	switch x := expr.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		name := x.Traversal.RootName()
		if t, ok := scalars[name]; ok && len(x.Traversal) == 1 {
			return t, true
		}
		unknownType(name, span, diags)
		return model.Type{}, false
	case *hclsyntax.FunctionCallExpr:
		switch x.Name {
		case "enum":
			return enumType(x, diags)
		case "set":
			return setType(x, diags)
		}
		unknownType(x.Name, syntax.Span(x.NameRange), diags)
		return model.Type{}, false
	}
	diags.Fail(CodeTypeInvalid, span, "This is not a type", typeForms)
	return model.Type{}, false
}

func unknownType(name string, span source.Span, diags *diag.List) {
	d := diag.Diagnostic{Code: CodeTypeInvalid, Span: span, Summary: fmt.Sprintf("There is no type %q", name), Detail: typeForms}
	switch n := nearest(name, append(sortedKeys(scalars), "enum", "set")); {
	case name == "duration":
		d.Summary, d.Detail = "A duration is not a type of columns or attributes", "Durations stand only in conditions, such as days(30)."
	case name == "enum" || name == "set":
		d.Summary = fmt.Sprintf("The type %q wants arguments", name)
	case n != "":
		d.Detail = fmt.Sprintf("Did you mean %q? ", n) + typeForms
		d.Fix = &diag.Fix{Span: span, Text: n}
	}
	diags.Add(d)
}

func enumType(x *hclsyntax.FunctionCallExpr, diags *diag.List) (model.Type, bool) {
	c := &compiler{sc: &Scope{}, diags: diags}
	var values []string
	for _, a := range x.Args {
		span := syntax.Span(a.Range())
		v, d := a.Value(nil)
		if d.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String {
			diags.Fail(CodeTypeInvalid, span, "A value of an enum must be a plain string", `Write enum("a", "b").`)
			return model.Type{}, false
		}
		s := v.AsString()
		if _, ok := c.text(s, model.String, span, "A value of an enum"); !ok {
			return model.Type{}, false
		}
		if slices.Contains(values, s) {
			diags.Fail(CodeTypeInvalid, span, fmt.Sprintf("The enum has the value %q twice", s), "Remove one of them.")
			return model.Type{}, false
		}
		values = append(values, s)
	}
	if len(values) == 0 {
		diags.Fail(CodeTypeInvalid, syntax.Span(x.Range()), "An enum has at least one value", `Write enum("a", "b").`)
		return model.Type{}, false
	}
	return model.EnumOf(values...), true
}

func setType(x *hclsyntax.FunctionCallExpr, diags *diag.List) (model.Type, bool) {
	if len(x.Args) != 1 {
		diags.Fail(CodeTypeInvalid, syntax.Span(x.Range()), "A set has one element type", "Write set(string).")
		return model.Type{}, false
	}
	elem, ok := ParseType(x.Args[0], diags)
	if ok && elem.Kind == model.KindSet {
		diags.Fail(CodeTypeInvalid, syntax.Span(x.Args[0].Range()), "A set cannot hold sets", "Elements are of a scalar type, such as set(string).")
		return model.Type{}, false
	}
	return model.SetOf(elem), ok
}

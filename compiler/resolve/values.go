package resolve

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// variable is a declared variable on its way to its value.
type variable struct {
	block     *syntax.Variable
	typ       cty.Type
	defaults  *typeexpr.Defaults
	sensitive bool
	nullable  bool
	value     cty.Value
	span      source.Span // where the value comes from
	set       bool
	failed    bool
	kinds     []string // what references it takes; nil for one that takes a value
}

// variables gives every variable its value. Later sources win, as in
// Terraform: the environment, *.auto.pvars.hcl in order of their names, then
// -var and -var-file in the order they stand.
func (r *resolver) variables(set *source.Set) {
	vars := r.declared()
	for _, name := range sortedKeys(vars) {
		if raw, ok := r.in.Env["POSTERN_VAR_"+name]; ok {
			r.assignText(vars[name], raw, "the environment variable POSTERN_VAR_"+name)
		}
	}
	for _, f := range set.Own() {
		if syntax.IsValues(f.Name) && strings.Contains(f.Name, ".auto.pvars.") {
			r.assignFile(vars, f)
		}
	}
	for _, a := range r.in.Assignments {
		if a.File != nil {
			r.assignFile(vars, *a.File)
			continue
		}
		v, ok := vars[a.Name]
		if !ok {
			r.unknown(source.Span{}, "variable", a.Name, sortedKeys(vars), "")
			continue
		}
		r.assignText(v, a.Value, "-var "+a.Name)
	}
	r.settleAll(vars, func(v *variable) {
		name := v.block.Label(0)
		r.diags.Fail(CodeVariable, v.block.Span, fmt.Sprintf("The variable %q has no value", name),
			fmt.Sprintf("Give it a default, or set it by -var %s=…, a *.auto.pvars.hcl file or POSTERN_VAR_%s.", name, name))
	})
}

// declared is the variables of a folder, with their defaults.
func (r *resolver) declared() map[string]*variable {
	vars := map[string]*variable{}
	for _, b := range r.syntax.Variables {
		name := b.Label(0)
		if first, ok := vars[name]; ok {
			r.duplicate(b.Span, first.block.Span, fmt.Sprintf("A second variable %q", name))
			continue
		}
		vars[name] = r.declare(b)
	}
	return vars
}

// settleAll makes var.* and asks the validations.
func (r *resolver) settleAll(vars map[string]*variable, missing func(*variable)) {
	values := map[string]cty.Value{}
	r.refs = map[string]*variable{}
	for _, name := range sortedKeys(vars) {
		v := vars[name]
		if !v.failed && !v.set {
			v.failed = true
			missing(v)
		}
		values[name] = r.settle(v)
		if v.kinds != nil {
			r.refs[name] = v
		}
	}
	r.eval.Variables["var"] = cty.ObjectVal(values)
	for _, name := range sortedKeys(vars) {
		r.validate(vars[name])
	}
}

func (r *resolver) declare(b *syntax.Variable) *variable {
	v := &variable{block: b, typ: cty.DynamicPseudoType}
	if !hclsyntax.ValidIdentifier(b.Label(0)) {
		r.diags.Fail(CodeInvalidName, b.LabelSpan(0), fmt.Sprintf("%q is not a name for a variable", b.Label(0)),
			"A name begins with a letter and has letters, digits, `_` and `-`.")
	}
	if b.TypeExpr != nil {
		v.kinds = r.refKinds(b.TypeExpr)
	}
	if v.kinds != nil {
		v.typ = passedType
	} else if b.TypeExpr != nil {
		t, defaults, diags := typeexpr.TypeConstraintWithDefaults(b.TypeExpr)
		syntax.FromHCL(&r.diags, CodeVariable, diags)
		if diags.HasErrors() {
			v.failed = true
		} else {
			v.typ, v.defaults = t, defaults
		}
	}
	constants := &hcl.EvalContext{Functions: r.eval.Functions}
	r.description(b.Description, constants)
	v.sensitive = r.flag(b.Sensitive, constants, false)
	v.nullable = r.flag(b.Nullable, constants, true)
	if b.Default != nil && v.kinds != nil {
		v.value, v.span, v.set = newPassed(b.Default, r, constants), syntaxSpan(b.Default), true
	} else if b.Default != nil {
		if val, ok := r.value(b.Default, constants); ok {
			v.value, v.span, v.set = val, syntaxSpan(b.Default), true
		} else {
			v.failed = true
		}
	}
	return v
}

// assignText sets a value from the command line or the environment: as it
// stands when the variable is a string, else as an expression.
func (r *resolver) assignText(v *variable, raw, from string) {
	v.set, v.span = true, source.Span{}
	if v.typ == cty.String || v.typ == cty.DynamicPseudoType {
		v.value = cty.StringVal(raw)
		return
	}
	v.value = cty.DynamicVal
	expr, diags := hclsyntax.ParseExpression([]byte(raw), from, hcl.InitialPos)
	if !diags.HasErrors() {
		var val cty.Value
		if val, diags = expr.Value(nil); !diags.HasErrors() {
			v.value = val
			return
		}
	}
	v.failed = true
	r.diags.Fail(CodeVariable, v.block.Span, fmt.Sprintf("The value of %s is not a %s", from, v.typ.FriendlyName()),
		"Lists and maps are written as in HCL, for example `[\"a\", \"b\"]`.")
}

func (r *resolver) assignFile(vars map[string]*variable, f source.File) {
	attrs, diags := syntax.ParseValues(f)
	r.diags = append(r.diags, diags...)
	for _, name := range sortedKeys(attrs) {
		a := attrs[name]
		v, ok := vars[name]
		if !ok {
			r.diags.Warn(CodeVariableUndeclared, syntax.Span(a.NameRange), fmt.Sprintf("There is no variable %q", name),
				"Declare it, or remove the value.")
			continue
		}
		v.set, v.span, v.value = true, syntaxSpan(a.Expr), cty.DynamicVal
		if val, ok := r.value(a.Expr, &hcl.EvalContext{}); ok {
			v.value = val
		} else {
			v.failed = true
		}
	}
}

// settle converts a variable's value to its type; an unknown value stands for
// one with an error, so that nothing else is reported for it.
func (r *resolver) settle(v *variable) cty.Value {
	name := v.block.Label(0)
	if v.failed {
		return cty.DynamicVal
	}
	secret := v.sensitive || v.value.ContainsMarked()
	span := v.span
	if span.IsZero() {
		span = v.block.Span
	}
	val := v.value
	if v.defaults != nil && !val.IsNull() {
		val = v.defaults.Apply(val)
	}
	out, err := convert.Convert(val, v.typ)
	if err != nil {
		v.failed = true
		detail := err.Error() + "."
		if secret {
			detail = "The reason is not shown, for the variable is sensitive."
		}
		r.diags.Add(diag.Diagnostic{
			Code: CodeVariable, Span: span, Detail: detail, Secret: secret,
			Summary: fmt.Sprintf("The value of the variable %q is not of its type", name),
		})
		return cty.DynamicVal
	}
	if out.IsNull() && !v.nullable {
		v.failed = true
		r.diags.Fail(CodeVariable, span, fmt.Sprintf("The variable %q is null", name), "It is declared with nullable = false.")
		return cty.DynamicVal
	}
	if v.sensitive && v.kinds == nil {
		out = out.Mark(sensitiveMark{})
	}
	return out
}

func (r *resolver) validate(v *variable) {
	if v.failed {
		return
	}
	for _, rule := range v.block.Validations {
		if rule.Condition == nil || rule.ErrorMessage == nil {
			continue
		}
		holds, ok := r.value(rule.Condition, r.eval)
		if !ok {
			continue
		}
		holds, _ = holds.Unmark()
		if holds.IsNull() || !holds.IsKnown() || holds.Type() != cty.Bool {
			r.diags.Fail(CodeVariable, syntaxSpan(rule.Condition), "The condition of a validation is true or false", "Write a comparison, such as `var.x > 0`.")
			continue
		}
		if holds.True() {
			continue
		}
		message, ok := r.text(rule.ErrorMessage, r.eval)
		if !ok {
			continue
		}
		span := v.span
		if span.IsZero() {
			span = rule.Span
		}
		r.diags.Add(diag.Diagnostic{
			Code: CodeVariable, Span: span, Detail: message, Secret: v.sensitive && span != rule.Span,
			Summary: fmt.Sprintf("The value of the variable %q is refused", v.block.Label(0)),
		})
	}
}

// memberName is the name in `.name` or `["name"]`, "" for other steps.
func memberName(t hcl.Traverser) string {
	switch x := t.(type) {
	case hcl.TraverseAttr:
		return x.Name
	case hcl.TraverseIndex:
		if x.Key.Type() == cty.String && x.Key.IsKnown() && !x.Key.IsNull() {
			return x.Key.AsString()
		}
	}
	return ""
}

// cycle reports a path that comes back to where it began.
func (r *resolver) cycle(span source.Span, what string, path []string) {
	start := 0
	for i, p := range path[:len(path)-1] {
		if p == path[len(path)-1] {
			start = i
		}
	}
	r.diags.Fail(CodeCycle, span, what+" is defined by itself",
		"The path is "+strings.Join(path[start:], " → ")+". Remove one of its steps.")
}

// outputValues computes the values that the project or the module offers; one
// with an error stays unknown.
func (r *resolver) outputValues() map[string]cty.Value {
	out, first := map[string]cty.Value{}, map[string]source.Span{}
	for _, o := range r.syntax.Outputs {
		name := o.Label(0)
		if at, ok := first[name]; ok {
			r.duplicate(o.Span, at, fmt.Sprintf("A second output %q", name))
			continue
		}
		first[name] = o.Span
		r.description(o.Description, r.eval)
		out[name] = cty.DynamicVal
		if o.Value == nil {
			continue
		}
		if offers(o.Value) {
			out[name] = newPassed(o.Value, r, r.eval)
			continue
		}
		v, ok := r.value(o.Value, r.eval)
		if !ok {
			continue
		}
		if v.ContainsMarked() && !r.flag(o.Sensitive, r.eval, false) {
			r.sensitive(syntaxSpan(o.Value), "Add `sensitive = true` to the output, or use another value.")
			continue
		}
		out[name] = v
	}
	return out
}

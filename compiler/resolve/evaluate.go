package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

func syntaxSpan(e hcl.Expression) source.Span {
	if e == nil {
		return source.Span{}
	}
	return syntax.Span(e.Range())
}

// sensitiveMark is on every value that comes from a sensitive variable.
type sensitiveMark struct{}

// value evaluates a constant expression. Names that do not exist are reported
// with the nearest right one; the reason of an error is kept to itself when a
// sensitive value takes part in it.
func (r *resolver) value(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if !r.knownNames(expr, ctx) {
		return cty.DynamicVal, false
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		secret := r.mentionsSensitive(expr, ctx)
		for _, d := range diags {
			if secret {
				d.Detail = "The reason is not shown, for the expression uses a sensitive value."
			}
		}
		syntax.FromHCL(&r.diags, CodeValue, diags)
		return cty.DynamicVal, false
	}
	return v, true
}

// knownNames checks the names of variables, locals and the like before HCL
// does, for a better message.
func (r *resolver) knownNames(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	ok := true
	// In a `dynamic` block, an expression carries the block's own iterator.
	inDynamic := iterates(expr)
	for _, t := range expr.Variables() {
		root := t.RootName()
		scope := lookupRoot(ctx, root)
		if scope == cty.NilVal {
			if inDynamic {
				continue
			}
			ok = false
			r.unknownRoot(t, ctx)
			continue
		}
		if len(t) < 2 || root != "var" && root != "local" && root != "module" {
			continue
		}
		attr, isAttr := t[1].(hcl.TraverseAttr)
		if !isAttr || !scope.Type().IsObjectType() || scope.Type().HasAttribute(attr.Name) {
			continue
		}
		ok = false
		kind := map[string]string{"var": "variable", "local": "local value", "module": "module"}[root]
		r.unknown(attrSpan(attr), kind, attr.Name, sortedKeys(scope.Type().AttributeTypes()), root+".")
	}
	return ok
}

// iterates reports whether an expression comes out of a `dynamic` block; its
// parts do not know the iterator, it does.
func iterates(expr hcl.Expression) bool {
	_, wrapped := expr.(interface{ UnwrapExpression() hcl.Expression })
	return wrapped
}

func (r *resolver) unknownRoot(t hcl.Traversal, ctx *hcl.EvalContext) {
	root := t.RootName()
	span := syntax.Span(t[0].SourceRange())
	if root == "each" {
		r.diags.Fail(CodeUnknown, span, "`each` is known only in a block with for_each",
			"Add for_each to the block, or write the value itself.")
		return
	}
	if referenceRoots[root] {
		r.diags.Fail(CodeReference, span, fmt.Sprintf("%q is a reference, and here stands a value", root),
			"References stand in arguments that take them, not in values that are computed. A variable of a module takes them when its type is `ref("+root+")`.")
		return
	}
	var roots []string
	for c := ctx; c != nil; c = c.Parent() {
		roots = append(roots, sortedKeys(c.Variables)...)
	}
	r.unknown(span, "value", root, roots, "")
}

func lookupRoot(ctx *hcl.EvalContext, root string) cty.Value {
	for c := ctx; c != nil; c = c.Parent() {
		if v, ok := c.Variables[root]; ok {
			return v
		}
	}
	return cty.NilVal
}

// mentionsSensitive reports whether a variable, local or each.* that the
// expression names holds a sensitive value.
func (r *resolver) mentionsSensitive(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	return r.mentions(expr, ctx, cty.Value.ContainsMarked)
}

// mentions reports whether one of the values that an expression names is as
// asked.
func (r *resolver) mentions(expr hcl.Expression, ctx *hcl.EvalContext, is func(cty.Value) bool) bool {
	for _, t := range expr.Variables() {
		if lookupRoot(ctx, t.RootName()) == cty.NilVal {
			continue
		}
		v, diags := t.TraverseAbs(ctx)
		if diags.HasErrors() {
			v = lookupRoot(ctx, t.RootName())
		}
		if is(v) {
			return true
		}
	}
	return false
}

// public evaluates an expression whose value may be shown.
func (r *resolver) public(expr hcl.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	v, ok := r.value(expr, ctx)
	if !ok {
		return v, false
	}
	if v.ContainsMarked() {
		r.sensitive(syntaxSpan(expr), "Sensitive values may stand in `url`, `password` and `hash_key` alone; use another variable here.")
		return v, false
	}
	if !v.IsWhollyKnown() {
		// Every input is known, so this follows from an error elsewhere.
		if r.diags.HasErrors() {
			return v, false
		}
		r.diags.Fail(CodeValue, syntaxSpan(expr), "The value is not known", "It must be known when the project is compiled.")
		return v, false
	}
	return v, true
}

func (r *resolver) sensitive(span source.Span, fix string) {
	r.diags.Fail(CodeSensitive, span, "A sensitive value stands where it would become visible", fix)
}

// typed evaluates an expression to a value of a type, not null.
func (r *resolver) typed(expr hcl.Expression, ctx *hcl.EvalContext, t cty.Type) (cty.Value, bool) {
	v, ok := r.public(expr, ctx)
	if !ok {
		return v, false
	}
	if v.IsNull() {
		r.diags.Fail(CodeValue, syntaxSpan(expr), "The value is null", "Leave the argument out, or write a "+t.FriendlyName()+".")
		return v, false
	}
	// Only what reads the same in both types is converted: no "5" for 5.
	if vt := v.Type(); t.IsPrimitiveType() && vt != t {
		r.diags.Fail(CodeValue, syntaxSpan(expr), fmt.Sprintf("The argument takes a %s, not a %s", t.FriendlyName(), vt.FriendlyName()), literalForms[t])
		return v, false
	}
	out, err := convert.Convert(v, t)
	if err != nil {
		r.diags.Fail(CodeValue, syntaxSpan(expr), "The argument takes a "+t.FriendlyName(), err.Error())
		return v, false
	}
	return out, true
}

// literalForms say how values of the primitive types are written.
var literalForms = map[cty.Type]string{
	cty.String: "Write a text in quotes.",
	cty.Bool:   "Write true or false.",
	cty.Number: "Write a number without quotes.",
}

// text evaluates a string.
func (r *resolver) text(expr hcl.Expression, ctx *hcl.EvalContext) (string, bool) {
	v, ok := r.typed(expr, ctx, cty.String)
	if !ok {
		return "", false
	}
	return v.AsString(), true
}

// description evaluates an optional text; "" when it is not written.
func (r *resolver) description(expr hcl.Expression, ctx *hcl.EvalContext) string {
	if expr == nil {
		return ""
	}
	s, _ := r.text(expr, ctx)
	if strings.ContainsRune(s, 0) {
		r.diags.Fail(CodeValue, syntaxSpan(expr), "The text holds a NUL character", "Remove it: Postgres cannot store it.")
	}
	return s
}

// flag evaluates an optional bool.
func (r *resolver) flag(expr hcl.Expression, ctx *hcl.EvalContext, otherwise bool) bool {
	if expr == nil {
		return otherwise
	}
	v, ok := r.typed(expr, ctx, cty.Bool)
	if !ok {
		return otherwise
	}
	return v.True()
}

// choice evaluates an optional string that is one of a few.
func (r *resolver) choice(code diag.Code, expr hcl.Expression, ctx *hcl.EvalContext, otherwise string, of ...string) string {
	if expr == nil {
		return otherwise
	}
	s, ok := r.text(expr, ctx)
	if !ok {
		return ""
	}
	if !slices.Contains(of, s) {
		detail := "It is one of " + quoteList(of) + "."
		if near := nearest(s, of); near != "" {
			detail = fmt.Sprintf("Did you mean %q? ", near) + detail
		}
		r.diags.Fail(code, syntaxSpan(expr), fmt.Sprintf("%q is not a value of this argument", s), detail)
		return ""
	}
	return s
}

func quoteList(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(quoted, ", ")
}

// item is one string of a list, and where it stands.
type item struct {
	text string
	span source.Span
}

// texts evaluates a list of strings, with the place of each where the list is
// written out.
func (r *resolver) texts(expr hcl.Expression, ctx *hcl.EvalContext) ([]item, bool) {
	if elems, diags := hcl.ExprList(expr); !diags.HasErrors() && !iterates(expr) {
		out, ok := make([]item, 0, len(elems)), true
		for _, e := range elems {
			s, fine := r.text(e, ctx)
			ok = ok && fine
			if fine {
				out = append(out, item{s, syntaxSpan(e)})
			}
		}
		return out, ok
	}
	v, ok := r.public(expr, ctx)
	if !ok {
		return nil, false
	}
	if v.IsNull() || !v.CanIterateElements() || v.Type().IsMapType() || v.Type().IsObjectType() {
		r.diags.Fail(CodeValue, syntaxSpan(expr), "The argument takes a list of strings", "Write `[\"a\", \"b\"]`.")
		return nil, false
	}
	var out []item
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		if e.IsNull() || e.Type() != cty.String {
			r.diags.Fail(CodeValue, syntaxSpan(expr), "The argument takes a list of strings", "Write `[\"a\", \"b\"]`.")
			return nil, false
		}
		out = append(out, item{e.AsString(), syntaxSpan(expr)})
	}
	return out, true
}

// field is one member of an object, and where its name and value stand.
type field struct {
	item
	value     cty.Value
	valueSpan source.Span
}

// fields evaluates an object.
func (r *resolver) fields(expr hcl.Expression, ctx *hcl.EvalContext) ([]field, bool) {
	if pairs, diags := hcl.ExprMap(expr); !diags.HasErrors() && !iterates(expr) {
		out, ok := make([]field, 0, len(pairs)), true
		for _, p := range pairs {
			name, fine := r.text(p.Key, ctx)
			v, fine2 := r.public(p.Value, ctx)
			ok = ok && fine && fine2
			if fine && fine2 {
				out = append(out, field{item{name, syntaxSpan(p.Key)}, v, syntaxSpan(p.Value)})
			}
		}
		return out, r.distinctFields(out) && ok
	}
	v, ok := r.public(expr, ctx)
	if !ok {
		return nil, false
	}
	if v.IsNull() || !v.Type().IsObjectType() && !v.Type().IsMapType() {
		r.diags.Fail(CodeValue, syntaxSpan(expr), "The argument takes an object", "Write `{ name = value, … }`.")
		return nil, false
	}
	var out []field
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		out = append(out, field{item{k.AsString(), syntaxSpan(expr)}, e, syntaxSpan(expr)})
	}
	return out, true
}

func (r *resolver) distinctFields(fields []field) bool {
	seen, ok := map[string]source.Span{}, true
	for _, f := range fields {
		if first, again := seen[f.text]; again {
			ok = false
			r.duplicate(f.span, first, fmt.Sprintf("A second value for %q", f.text))
		}
		seen[f.text] = f.span
	}
	return ok
}

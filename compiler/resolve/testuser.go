package resolve

import (
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// claims is the document of the test's user: an object, a user of the
// directory, or nil for an anonymous one.
func (t *testBuilder) claims(expr hcl.Expression) map[string]any {
	native := syntax.Native(expr)
	if t.isReference(native, t.eval) {
		ref, ok := t.reference(native, t.eval)
		if !ok || !t.expect(ref, "user") {
			return nil
		}
		return t.directoryClaims(ref.user)
	}
	doc := map[string]any{"access_level": model.LevelUser}
	var rest []field
	if pairs, diags := hcl.ExprMap(native); !diags.HasErrors() {
		var plain []hcl.KeyValuePair
		for _, p := range pairs {
			name, _ := t.text(p.Key, t.eval)
			t.states(name, syntaxSpan(p.Key))
			switch name {
			case "groups":
				doc["groups"] = t.groupNames(p.Value)
			case "access_level":
				doc["access_level"] = t.levelName(p.Value)
			default:
				plain = append(plain, p)
			}
		}
		rest = t.pairs(plain)
	} else {
		v, ok := t.public(native, t.eval)
		if !ok || v.IsNull() {
			return nil
		}
		all, _ := t.fields(native, t.eval)
		for _, f := range all {
			t.states(f.text, f.span)
			switch f.text {
			case "groups":
				doc["groups"] = t.groupValues(f)
			case "access_level":
				doc["access_level"] = t.levelValue(f.value, f.valueSpan)
			default:
				rest = append(rest, f)
			}
		}
	}
	for name, v := range t.document(rest, t.program.Identity.Attributes, "attribute of the identity") {
		doc[name] = v
	}
	return doc
}

func (t *testBuilder) pairs(pairs []hcl.KeyValuePair) []field {
	var out []field
	for _, p := range pairs {
		name, ok := t.text(p.Key, t.eval)
		v, fine := t.public(p.Value, t.eval)
		if ok && fine {
			out = append(out, field{item{name, syntaxSpan(p.Key)}, v, syntaxSpan(p.Value)})
		}
	}
	t.distinctFields(out)
	return out
}

func (t *testBuilder) directoryClaims(u *model.User) map[string]any {
	doc := map[string]any{"access_level": model.LevelUser}
	if u.Level != nil {
		doc["access_level"] = u.Level.Name
	}
	if u.Groups != nil {
		names := []any{}
		for _, g := range u.Groups {
			names = append(names, g.Name)
		}
		doc["groups"] = names
	}
	for _, a := range u.Attributes {
		put(doc, a.Attribute.Claim, model.JSON(a.Value, a.Attribute.Type, ""))
	}
	return doc
}

// groupNames reads a list of group references or of their names.
func (t *testBuilder) groupNames(expr hcl.Expression) []any {
	out := []any{}
	for _, e := range t.elements(expr, t.eval) {
		_, held := e.(foreign)
		native := syntax.Native(e)
		if held {
			native = e
		}
		if held || t.isReference(native, t.eval) {
			if ref, ok := t.reference(native, t.eval); ok && t.expect(ref, "group") {
				out = append(out, ref.group.Name)
			}
			continue
		}
		v, ok := t.public(e, t.eval)
		if !ok {
			continue
		}
		if !v.IsNull() && v.CanIterateElements() {
			out = append(out, t.groupValues(field{value: v, valueSpan: syntaxSpan(e)})...)
			continue
		}
		out = append(out, t.groupName(v, syntaxSpan(e))...)
	}
	return out
}

func (t *testBuilder) groupValues(f field) []any {
	out := []any{}
	if f.value.IsNull() || !f.value.CanIterateElements() {
		t.diags.Fail(CodeTest, f.valueSpan, "The groups of a user are a list", "Write `groups = [group.NAME]`.")
		return out
	}
	for it := f.value.ElementIterator(); it.Next(); {
		_, e := it.Element()
		out = append(out, t.groupName(e, f.valueSpan)...)
	}
	return out
}

// groupName takes a name as a credential may state it; one that the project
// does not declare is most likely misspelt.
func (t *testBuilder) groupName(v cty.Value, span source.Span) []any {
	if v.IsNull() || v.Type() != cty.String {
		t.diags.Fail(CodeTest, span, "A group is a reference or a name", "Write `group.NAME` or \"NAME\".")
		return nil
	}
	names := make([]string, len(t.program.Groups))
	for i, g := range t.program.Groups {
		names[i] = g.Name
	}
	if !slices.Contains(names, v.AsString()) {
		t.unknown(span, "group", v.AsString(), names, "")
	}
	return []any{v.AsString()}
}

func (t *testBuilder) levelName(expr hcl.Expression) any {
	// In JSON a text may be a reference; "user" alone names the level.
	if v, diags := expr.Value(nil); !diags.HasErrors() && !v.IsNull() && v.Type() == cty.String &&
		slices.ContainsFunc(t.program.Levels, func(l *model.Level) bool { return l.Name == v.AsString() }) {
		return v.AsString()
	}
	native := syntax.Native(expr)
	if t.isReference(native, t.eval) {
		if ref, ok := t.reference(native, t.eval); ok && t.expect(ref, "access_level") {
			return ref.level.Name
		}
		return nil
	}
	v, ok := t.public(expr, t.eval)
	if !ok {
		return nil
	}
	return t.levelValue(v, syntaxSpan(expr))
}

func (t *testBuilder) levelValue(v cty.Value, span source.Span) any {
	if v.IsNull() || v.Type() != cty.String {
		t.diags.Fail(CodeTest, span, "An access level is a reference or a name", "Write `access_level.NAME`.")
		return nil
	}
	names := make([]string, len(t.program.Levels))
	for i, l := range t.program.Levels {
		names[i] = l.Name
	}
	if !slices.Contains(names, v.AsString()) {
		t.unknown(span, "access level", v.AsString(), names, "")
	}
	return v.AsString()
}

// document puts typed values at the claim paths of their attributes.
func (t *testBuilder) document(fields []field, attributes []*model.Attribute, what string) map[string]any {
	doc := map[string]any{}
	for _, f := range fields {
		a := t.attributeOf(attributes, what, f.item)
		if a == nil {
			continue
		}
		if v, ok := t.constant(f.value, a.Type, f.valueSpan); ok {
			put(doc, a.Claim, model.JSON(v, a.Type, ""))
		}
	}
	return doc
}

// put sets a value at a path; the identity's paths never run through values.
func put(doc map[string]any, path []string, v any) {
	for _, p := range path[:len(path)-1] {
		next, ok := doc[p].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[p] = next
		}
		doc = next
	}
	doc[path[len(path)-1]] = v
}

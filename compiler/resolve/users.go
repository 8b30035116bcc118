package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// constant converts a value to one of the language; null is nil.
func (r *resolver) constant(v cty.Value, t model.Type, span source.Span) (model.Value, bool) {
	if v.IsNull() {
		return nil, true
	}
	return condition.Constant(v, t, span, &r.diags)
}

// users makes the directory.
func (r *resolver) users() {
	byName := map[string]*syntax.User{}
	for _, b := range r.syntax.Users {
		name := b.Label(0)
		if first, ok := byName[name]; ok {
			r.duplicate(b.Span, first.Span, fmt.Sprintf("A second user %q", name))
			continue
		}
		r.claimName("user", &b.Header)
		byName[name] = b
	}
	for _, name := range sortedKeys(byName) {
		u := r.user(byName[name])
		r.names.users[name] = u
		r.program.Users = append(r.program.Users, u)
		if u.Key == nil {
			continue
		}
		id := fmt.Sprint(model.JSON(u.Key, r.program.Identity.Key.Type, ""))
		if first, ok := r.keys[id]; ok {
			r.duplicate(u.Span, first.Span, fmt.Sprintf("The users %s and %s have the same %s", first.Name, u.Name, r.program.Identity.Key.Name))
		}
		r.keys[id] = u
	}
	slices.SortFunc(r.program.Users, func(a, b *model.User) int { return strings.Compare(a.Name, b.Name) })
}

func (r *resolver) user(b *syntax.User) *model.User {
	u := &model.User{Name: r.path + b.Label(0), Description: r.description(b.Description, r.eval), Span: b.Span}
	if b.Groups != nil {
		u.Groups = []*model.Group{}
		for _, e := range r.elements(b.Groups, r.eval) {
			ref, ok := r.reference(e, r.eval)
			if !ok || !r.expect(ref, "group") {
				continue
			}
			if slices.Contains(u.Groups, ref.group) {
				r.repeated(ref.span, "group."+ref.group.Name)
				continue
			}
			u.Groups = append(u.Groups, ref.group)
		}
		slices.SortFunc(u.Groups, func(a, b *model.Group) int { return strings.Compare(a.Name, b.Name) })
	}
	if b.AccessLevel != nil {
		if ref, ok := r.reference(b.AccessLevel, r.eval); ok && r.expect(ref, "access_level") {
			u.Level = ref.level
		}
	}
	complete := true
	if b.Attributes != nil {
		u.Attributes, complete = r.userValues(b)
	}
	for _, a := range u.Attributes {
		if a.Attribute == r.program.Identity.Key {
			u.Key = a.Value
		}
	}
	if u.Key == nil && complete && !r.keyless {
		r.diags.Fail(CodeUser, b.Span, fmt.Sprintf("The user %q does not state the attribute %q", u.Name, r.program.Identity.Key.Name),
			fmt.Sprintf("Add `attributes = { %s = … }`: it is what a request is matched by.", r.program.Identity.Key.Name))
	}
	return u
}

func (r *resolver) userValues(b *syntax.User) ([]model.UserValue, bool) {
	fields, ok := r.fields(b.Attributes, r.eval)
	var out []model.UserValue
	for _, f := range fields {
		a := r.attribute(f.item)
		if a == nil {
			ok = false
			continue
		}
		v, fine := r.constant(f.value, a.Type, f.valueSpan)
		ok = ok && fine
		if fine {
			out = append(out, model.UserValue{Attribute: a, Value: v})
		}
	}
	slices.SortFunc(out, func(a, b model.UserValue) int { return strings.Compare(a.Attribute.Name, b.Attribute.Name) })
	return out, ok
}

// attribute finds an attribute of the identity.
func (r *resolver) attribute(name item) *model.Attribute {
	return r.attributeOf(r.program.Identity.Attributes, "attribute of the identity", name)
}

func (r *resolver) attributeOf(list []*model.Attribute, what string, name item) *model.Attribute {
	var candidates []string
	for _, a := range list {
		if a.Name == name.text {
			return a
		}
		candidates = append(candidates, a.Name)
	}
	r.unknown(name.span, what, name.text, candidates, "")
	return nil
}

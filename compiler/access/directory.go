package access

import (
	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// namedUser is a user of the directory of one or both programs, who states more
// than a key: for them the same conditions mean something else.
type namedUser struct {
	key      *model.Attribute
	value    model.Value
	old, new *model.User
}

// mentions is what a formula asks about the user.
type mentions struct {
	attributes map[*model.Attribute]bool
	groups     bool
	level      bool
}

// mentioned lists what a formula asks about the user.
func mentioned(f formula) mentions {
	m := mentions{attributes: map[*model.Attribute]bool{}}
	m.formula(f)
	return m
}

func (m *mentions) formula(f formula) {
	switch x := f.(type) {
	case *holds:
		model.Walk(x.cond, func(c model.Cond) {
			for _, o := range model.Operands(c) {
				model.WalkExpr(o, m.expr)
			}
		})
	case allOf:
		for _, t := range x {
			m.formula(t)
		}
	case anyOf:
		for _, t := range x {
			m.formula(t)
		}
	case not:
		m.formula(x.of)
	}
}

func (m *mentions) expr(x model.Expr) {
	switch e := x.(type) {
	case *model.AttrRef:
		if e.Attribute.Scope == model.ScopeUser {
			m.attributes[e.Attribute] = true
		}
	case *model.GroupsRef, *model.MemberOf:
		m.groups = true
	case *model.LevelRef:
		m.level = true
	case *model.Literal, *model.NullLiteral, *model.ColumnRef, *model.AppRef, *model.NowRef, *model.Call, *model.Network, *model.Related:
	}
}

// named lists the users of the two directories for whom what is mentioned is
// not what they say of themselves.
func (c *comparer) named(m mentions) []namedUser {
	var out []namedUser
	seen := map[string]bool{}
	for _, p := range []*model.Program{c.old, c.new} {
		for _, u := range p.Users {
			if !matters(p, u, m) {
				continue
			}
			key := attributeKey(p.Identity.Key) + valueKey(u.Key, p.Identity.Key.Type)
			if !seen[key] {
				seen[key] = true
				out = append(out, namedUser{
					key: p.Identity.Key, value: u.Key,
					old: entryOf(c.old, p.Identity.Key, u.Key), new: entryOf(c.new, p.Identity.Key, u.Key),
				})
			}
		}
	}
	return out
}

// matters reports whether a directory entry states something that is mentioned.
func matters(p *model.Program, u *model.User, m mentions) bool {
	something := m.groups || m.level || len(m.attributes) > 0
	if u.Groups != nil && m.groups || u.Level != nil && something {
		return true
	}
	for _, pin := range u.Attributes {
		if pin.Attribute != p.Identity.Key && m.attributes[pin.Attribute] {
			return true
		}
	}
	return false
}

// entryOf is a program's entry for a key; nil when it has none.
func entryOf(p *model.Program, key *model.Attribute, v model.Value) *model.User {
	if attributeKey(p.Identity.Key) != attributeKey(key) {
		return nil
	}
	for _, u := range p.Users {
		if c, ok := model.CompareValues(u.Key, v); ok && c == 0 {
			return u
		}
	}
	return nil
}

// isUser is that the request's key is the user's.
func (e *encoder) isUser(u *namedUser) *smt.F {
	o := e.stated(u.key)
	return smt.And(o.known, e.equal(o, e.literal(u.value, u.key.Type)))
}

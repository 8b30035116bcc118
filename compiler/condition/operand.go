package condition

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/postern-dev/postern/compiler/lower"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// operand is a compiled expression. Exactly one of x, konst and pick is set,
// or none after an error. A constant has no type yet: it takes that of what
// stands beside it, so that "2024-01-31" is a date beside a date.
type operand struct {
	x     model.Expr
	konst *untyped
	pick  *pick
	span  source.Span
}

// untyped is a constant: nil (null), bool, *big.Rat, string, list or mapping.
type untyped struct {
	v  any
	at source.Span // where an element of a written list stands; else zero
}

// list is a constant list, tuple or set.
type list []untyped

// mapping is a constant map or object, of which only the size is known.
type mapping struct{ size int }

// pick is COND ? A : B where both are constants without a type.
type pick struct {
	cond model.Expr
	a, b operand
}

func (o operand) ok() bool { return o.x != nil || o.konst != nil || o.pick != nil }

func typed(x model.Expr) operand { return operand{x: x, span: x.Place()} }

func known(v any, span source.Span) operand { return operand{konst: &untyped{v: v}, span: span} }

func (o operand) isNull() bool { return o.konst != nil && o.konst.v == nil }

// number is the constant number that o is, or nil.
func (o operand) number() *big.Rat {
	if o.konst == nil {
		return nil
	}
	n, _ := o.konst.v.(*big.Rat)
	return n
}

// text is the constant string that o is.
func (o operand) text() (string, bool) {
	if o.konst != nil {
		s, ok := o.konst.v.(string)
		return s, ok
	}
	if lit, ok := o.x.(*model.Literal); ok && lit.Type.Kind == model.KindString {
		s, ok := lit.Value.(string)
		return s, ok
	}
	return "", false
}

// natural is the type that a constant has where nothing beside it gives one.
func (o operand) natural() (model.Type, bool) {
	switch {
	case o.x != nil:
		return o.x.ResultType(), true
	case o.pick != nil:
		a, okA := o.pick.a.natural()
		b, okB := o.pick.b.natural()
		if a.Kind == model.KindInt && b.Kind == model.KindNumber {
			a = b
		}
		return a, okA && okB
	case o.konst != nil:
		return o.konst.natural()
	}
	return model.Type{}, false
}

func (u untyped) natural() (model.Type, bool) {
	switch v := u.v.(type) {
	case bool:
		return model.Bool, true
	case string:
		return model.String, true
	case *big.Rat:
		if v.IsInt() {
			return model.Int, true
		}
		return model.Number, true
	}
	return model.Type{}, false
}

// call makes a call, computed when its arguments are constants.
func call(fn model.Fn, t model.Type, span source.Span, args ...model.Expr) operand {
	return typed(lower.Fold(&model.Call{Node: model.Node{Type: t, Span: span}, Fn: fn, Args: args}))
}

// as gives an operand a type: a constant becomes a literal of it, and an
// expression must have it already. what names the place for messages.
func (c *compiler) as(o operand, t model.Type, what string) (model.Expr, bool) {
	switch {
	case o.pick != nil:
		a, okA := c.as(o.pick.a, t, what)
		b, okB := c.as(o.pick.b, t, what)
		if !okA || !okB {
			return nil, false
		}
		return &model.Call{Node: model.Node{Type: t, Span: o.span}, Fn: model.FnIf, Args: []model.Expr{o.pick.cond, a, b}}, true
	case o.konst != nil:
		v, ok := c.value(*o.konst, t, o.span, what)
		if !ok {
			return nil, false
		}
		return literal(v, t, o.span), true
	case o.x != nil:
		if !c.scalarUse(o) {
			return nil, false
		}
		if !o.x.ResultType().Equal(t) {
			c.fail(CodeType, o.span, fmt.Sprintf("%s wants %s, and %s is %s", what, article(t), describe(o), article(o.x.ResultType())),
				"Compare or pass a value of that type.")
			return nil, false
		}
		return o.x, true
	}
	return nil, false
}

// scalarUse refuses the number of related records where it is not compared.
func (c *compiler) scalarUse(o operand) bool {
	if r, ok := o.x.(*model.Related); ok && r.Quantifier == model.CountTrue {
		c.fail(CodeRelation, o.span, "The number of related records can only be compared",
			`Put it alone on one side of a comparison, such as length(record.members) >= 2.`)
		return false
	}
	return true
}

// boolean gives an operand the type bool.
func (c *compiler) boolean(o operand, what string) (model.Expr, bool) {
	return c.as(o, model.Bool, what)
}

// article is a type's name with its article.
func article(t model.Type) string {
	name := t.String()
	if t.Kind == model.KindEnum {
		name = "enum"
	}
	if strings.ContainsRune("aeio", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

// describe names an operand in a message.
func describe(o operand) string {
	switch {
	case o.konst != nil:
		return describeConstant(*o.konst)
	case o.x != nil:
		return describeExpr(o.x)
	}
	return "this expression"
}

func describeConstant(u untyped) string {
	switch v := u.v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case string:
		if len(v) > 60 {
			return "this string"
		}
		return fmt.Sprintf("%q", v)
	case *big.Rat:
		if s := model.DecimalString(v); len(s) < 60 {
			return s
		}
		return "this number"
	case list:
		return "this list"
	}
	return "this map"
}

func describeExpr(x model.Expr) string {
	switch e := x.(type) {
	case *model.ColumnRef:
		return dotted(e.Row, e.Path, e.Column.Name)
	case *model.AttrRef:
		if e.Attribute.Scope == model.ScopeRequest {
			return "request." + e.Attribute.Name
		}
		return "user." + e.Attribute.Name
	case *model.GroupsRef:
		return "user.groups"
	case *model.LevelRef:
		return "user.access_level"
	case *model.AppRef:
		return "app.name"
	case *model.NowRef:
		return "now()"
	case *model.Call:
		if e.Fn.Operand() || e.Fn == model.FnCoalesce {
			return "the result of " + e.Fn.String()
		}
	case *model.Related:
		if e.Quantifier == model.CountTrue {
			return "the number of related records"
		}
	case *model.Literal, *model.NullLiteral, *model.Network, *model.MemberOf:
	}
	return "this expression"
}

func dotted(row *model.Row, path []*model.Relation, last string) string {
	parts := []string{row.Name}
	for _, r := range path {
		parts = append(parts, r.Name)
	}
	return strings.Join(append(parts, last), ".")
}

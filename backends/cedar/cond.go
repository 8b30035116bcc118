package cedar

import (
	"math/big"
	"net/netip"

	"github.com/postern-dev/postern/compiler/model"
)

func value(v any) node { return node{"Value": v} }

func binary(op string, left, right node) node { return node{op: node{"left": left, "right": right}} }

func not(x node) node { return node{"!": node{"arg": x}} }

func fold(op string, list []node) node {
	out := list[0]
	for _, n := range list[1:] {
		out = binary(op, out, n)
	}
	return out
}

// cond is a condition that is true exactly when ours is satisfied, and never an
// error: what it reads is asked for first.
func (x *exporter) cond(c model.Cond) node {
	switch c := c.(type) {
	case model.True:
		return value(true)
	case model.False:
		return value(false)
	case *model.And:
		return x.junction("&&", c.Terms)
	case *model.Or:
		return x.junction("||", c.Terms)
	case *model.Compare:
		return x.compare(c)
	case *model.Truth:
		v, has := x.operand(c.X)
		return guarded(binary("==", v, value(c.Want)), has)
	case *model.Null:
		return x.null(c.X, c.Not)
	case *model.Empty:
		return x.empty(c)
	case *model.Known:
		return x.known(c)
	case *model.Match:
		return x.match(c)
	case *model.In:
		return x.in(c)
	case *model.InNetwork:
		return x.inNetwork(c)
	case *model.ViaApp:
		return value(c.Not) // no datasource has apps
	case *model.Some, *model.Every, *model.Count:
		return x.fail("related records", "A resource of Cedar does not hold the records that lead to it.")
	}
	return nil
}

func (x *exporter) junction(op string, terms []model.Cond) node {
	list := make([]node, len(terms))
	for i, t := range terms {
		list[i] = x.cond(t)
	}
	return fold(op, list)
}

// guarded is a test behind the questions whether its operands are there.
func guarded(test node, has ...[]node) node {
	var all []node
	for _, h := range has {
		all = append(all, h...)
	}
	return fold("&&", append(all, test))
}

// exact says which types mean the same in Cedar.
func exact(t model.Type) bool {
	switch t.Kind {
	case model.KindBool, model.KindInt, model.KindString, model.KindEnum, model.KindUUID, model.KindIP:
		return true
	case model.KindSet:
		return exact(*t.Elem)
	default:
		return false
	}
}

// operand is an operand's value, and what must be there to read it.
func (x *exporter) operand(e model.Expr) (node, []node) {
	if !exact(e.ResultType()) {
		return x.fail("values of type "+e.ResultType().String(), "Cedar has bool, int, string, enum, uuid and ip, and sets of these."), nil
	}
	switch e := e.(type) {
	case *model.Literal:
		return value(constant(e.Value)), nil
	case *model.ColumnRef:
		if len(e.Path) > 0 || e.Column.Native != "" && e.Column.Type.Kind == model.KindString {
			return x.fail("the column "+e.Column.Name, "Columns of related records and of padded text are not carried."), nil
		}
		return attribute("resource", e.Column.Name)
	case *model.AttrRef:
		if e.Attribute.Scope == model.ScopeRequest {
			return attribute("context", e.Attribute.Name)
		}
		return attribute("principal", e.Attribute.Name)
	case *model.LevelRef:
		return attribute("principal", LevelAttribute)
	case *model.GroupsRef, *model.AppRef, *model.NowRef, *model.Call, *model.MemberOf, *model.Network, *model.NullLiteral, *model.Related:
	}
	return x.fail("this operand", "Cedar has no such function, or another one."), nil
}

func attribute(variable, name string) (read node, has []node) {
	holder := node{"Var": variable}
	return node{".": node{"left": holder, "attr": name}}, []node{{"has": node{"left": holder, "attr": name}}}
}

func constant(v model.Value) any {
	switch v := v.(type) {
	case *big.Rat:
		return v.Num().Int64()
	case model.UUID:
		return v.String()
	case netip.Addr:
		return address(v.String())
	case model.Set:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = constant(e)
		}
		return out
	}
	return v
}

// address is a constant of Cedar's type ipaddr: an address, or a network.
func address(text string) node { return node{"__extn": node{"fn": "ip", "arg": text}} }

func (x *exporter) inNetwork(c *model.InNetwork) node {
	v, has := x.operand(c.X)
	test := node{"isInRange": []any{v, value(address(c.Net.Masked().String()))}}
	if c.Not {
		test = not(test)
	}
	return guarded(test, has)
}

func (x *exporter) compare(c *model.Compare) node {
	a, hasA := x.operand(c.X)
	b, hasB := x.operand(c.Y)
	if a == nil || b == nil {
		return nil
	}
	var test node
	switch c.Op {
	case model.Equal:
		test = binary("==", a, b)
	case model.NotEqual:
		test = binary("!=", a, b)
	case model.Less, model.LessEqual, model.Greater, model.GreaterEqual:
		if c.X.ResultType().Kind != model.KindInt || c.Y.ResultType().Kind != model.KindInt {
			return x.fail("the order of texts", "Cedar orders integers alone.")
		}
		test = binary(string(c.Op), a, b)
	}
	return guarded(test, hasA, hasB)
}

func (x *exporter) null(c *model.ColumnRef, negated bool) node {
	if len(c.Path) > 0 {
		return x.fail("related records", "A resource of Cedar does not hold them.")
	}
	_, has := attribute("resource", c.Column.Name)
	if negated {
		return has[0]
	}
	return not(has[0])
}

func (x *exporter) empty(c *model.Empty) node {
	if c.X.Column.Type.Kind != model.KindString || c.X.Column.Native != "" {
		if c.X.Column.Type.Kind != model.KindSet {
			return x.null(c.X, c.Not)
		}
	}
	v, has := x.operand(c.X)
	if v == nil {
		return nil
	}
	is := binary("==", v, value(""))
	if c.X.Column.Type.Kind == model.KindSet {
		is = node{"isEmpty": node{"arg": v}}
	}
	if c.Not {
		return guarded(not(is), has)
	}
	return binary("||", not(has[0]), is)
}

func (x *exporter) known(c *model.Known) node {
	a, ok := c.X.(*model.AttrRef)
	if !ok {
		return x.fail("known() of this", "Cedar tells what attributes a principal has, and not whether its groups are known.")
	}
	_, has := x.operand(a)
	if has == nil {
		return nil
	}
	if c.Not {
		return not(has[0])
	}
	return has[0]
}

func (x *exporter) match(c *model.Match) node {
	text, isLiteral := c.Y.(*model.Literal)
	if !isLiteral {
		return x.fail("this test of texts", "Cedar's patterns are constants.")
	}
	v, has := x.operand(c.X)
	like := func(pattern ...any) node { return node{"like": node{"left": v, "pattern": pattern}} }
	literal, wildcard := func(s string) node { return node{"Literal": s} }, "Wildcard"
	want, _ := text.Value.(string)
	var test node
	switch c.Op {
	case model.MatchStarts:
		test = like(literal(want), wildcard)
	case model.MatchEnds:
		test = like(wildcard, literal(want))
	case model.MatchContains:
		test = like(wildcard, literal(want), wildcard)
	case model.MatchUnder:
		test = binary("||", binary("==", v, value(want)), like(literal(want+c.Delimiter), wildcard))
	}
	if c.Not {
		test = not(test)
	}
	return guarded(test, has)
}

func (x *exporter) in(c *model.In) node {
	if _, ofUser := c.Set.(*model.GroupsRef); ofUser {
		name, isLiteral := c.Elem.(*model.Literal)
		if c.Not || !isLiteral {
			return x.fail("the absence of a group", "Cedar does not tell users without a group from users whose groups are unknown.")
		}
		return binary("in", node{"Var": "principal"}, value(node{"__entity": node{"type": groupType, "id": name.Value}}))
	}
	set, hasSet := x.operand(c.Set)
	elem, hasElem := x.operand(c.Elem)
	test := binary("contains", set, elem)
	if c.Not {
		test = not(test)
	}
	return guarded(test, hasSet, hasElem)
}

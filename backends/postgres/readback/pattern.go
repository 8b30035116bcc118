package readback

import (
	"net/netip"
	"reflect"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/compiler/model"
)

// Functions over related records, and the tests that a column holds a value of
// its type: forms that are generated, and that say more together than one by
// one.

// generated is the function that an expression calls, through casts and
// subqueries.
func (r *reader) generated(e deparsed.Expr) (Function, deparsed.Call, bool) {
	if cast, ok := e.(deparsed.Cast); ok {
		return r.generated(cast.X)
	}
	if sub, ok := e.(deparsed.Select); ok {
		return r.generated(sub.X)
	}
	c, ok := e.(deparsed.Call)
	if !ok || c.Word != "" {
		return Function{}, deparsed.Call{}, false
	}
	f, ok := r.names.Functions[Name{c.Schema, c.Name}]
	return f, c, ok && f.Value == nil
}

// asked reads a condition over related records, as a function of the record.
func (r *reader) asked(c deparsed.Call, want bool) (node, bool) {
	f, _, ok := r.generated(c)
	if !ok || f.Key != nil {
		return nil, false
	}
	if len(c.Args) != len(f.Args) {
		return unread{"the function " + c.Name + " with other arguments"}, true
	}
	for i, a := range c.Args {
		if v := r.value(a); v.bad != "" || v.column != f.Args[i] {
			return unread{"the function " + c.Name + " with other arguments"}, true
		}
	}
	if !want {
		return unread{"that " + c.Name + " is false"}, true
	}
	return atom{cond: f.Cond}, true
}

// keys reads that a column is one of the keys that a function gives.
func (r *reader) keys(l, array deparsed.Expr, want bool) (node, bool) {
	f, call, ok := r.generated(array)
	if !ok || f.Key == nil {
		return nil, false
	}
	v := r.value(l)
	if v.bad != "" || v.column != f.Key || len(call.Args) > 0 || f.Without || !want {
		return unread{"the keys of " + call.Name}, true
	}
	return atom{cond: f.Cond}, true
}

// orPattern reads disjunctions that are one condition: a record without related
// ones, or one with such as do not fail; an array that is flat.
func (r *reader) orPattern(o deparsed.Or, want bool) (node, bool) {
	if len(o.Terms) != 2 {
		return nil, false
	}
	if n, ok := r.flat(o, want); ok {
		return n, true
	}
	null, isNull := o.Terms[0].(deparsed.Is)
	not, isNot := o.Terms[1].(deparsed.Not)
	if !isNull || !isNot || null.What != deparsed.IsNull || null.Not {
		return nil, false
	}
	var l, array deparsed.Expr
	if x, ok := not.X.(deparsed.InUnnested); ok {
		l, array = x.L, x.Array
	} else if x, ok := not.X.(deparsed.Quantified); ok && x.Op == "=" && !x.All {
		l, array = x.L, x.R
	} else {
		return nil, false
	}
	f, call, ok := r.generated(array)
	if !ok || f.Key == nil || !f.Without {
		return nil, false
	}
	own, other := r.value(null.X), r.value(l)
	if own.column != f.Key || other.column != f.Key || len(call.Args) > 0 || !want {
		return unread{"the keys of " + call.Name}, true
	}
	return atom{cond: f.Cond}, true
}

// flat reads ((array_ndims(x) = 1) OR (cardinality(x) = 0)).
func (r *reader) flat(o deparsed.Or, want bool) (node, bool) {
	measured := func(e deparsed.Expr, name, n string) *model.Column {
		op, ok := e.(deparsed.Op)
		if !ok || op.Op != "=" || op.R != (deparsed.Literal{Kind: deparsed.Number, Text: n}) {
			return nil
		}
		call, ok := op.L.(deparsed.Call)
		if !ok || call.Schema != "" || call.Name != name || len(call.Args) != 1 {
			return nil
		}
		return r.value(call.Args[0]).column
	}
	c := measured(o.Terms[0], "array_ndims", "1")
	if c == nil || c != measured(o.Terms[1], "cardinality", "0") || c.Type.Kind != model.KindSet {
		return nil, false
	}
	s := r.subject(c)
	if want {
		return some(atom{&model.Known{X: column(r.row, c)}, []*subject{s}}, odd{s, kindElement}), true
	}
	return odd{s, kindNested}, true
}

// special reads comparisons whose operands only mean something together.
func (r *reader) special(o deparsed.Op, want bool) (node, bool) {
	if n, ok := r.rounded(o, want); ok && o.Op == "=" {
		return n, true
	}
	if n, ok := r.ends(o, want == (o.Op == "=")); ok && (o.Op == "=" || o.Op == "<>") {
		return n, true
	}
	if n, ok := r.position(o, want); ok {
		return n, true
	}
	return r.network(o, want)
}

// calls reports whether an expression calls a function of pg_catalog.
func calls(e deparsed.Expr, name string, args int) ([]deparsed.Expr, bool) {
	c, ok := e.(deparsed.Call)
	return c.Args, ok && c.Word == "" && c.Schema == "" && c.Name == name && len(c.Args) == args
}

func isInteger(e deparsed.Expr, n string) bool {
	return e == deparsed.Expr(deparsed.Literal{Kind: deparsed.Number, Text: n})
}

// rounded reads x = round(x, 18): x has no more decimals.
func (r *reader) rounded(o deparsed.Op, want bool) (node, bool) {
	args, ok := calls(o.R, "round", 2)
	if !ok || !isInteger(args[1], "18") || !reflect.DeepEqual(o.L, args[0]) {
		return nil, false
	}
	v := r.value(o.L)
	if v.subject == nil || v.column == nil || v.family != famNumeric {
		return nil, false
	}
	many := all(odd{v.subject, kindLow | kindHigh}, unread{"how many decimals a number has"})
	if want {
		return some(v.known(), odd{v.subject, kindNaN}, many), true
	}
	return some(odd{v.subject, kindFine}, many), true
}

// ends reads right(x, length(y)) = y COLLATE "C".
func (r *reader) ends(o deparsed.Op, want bool) (node, bool) {
	args, ok := calls(o.L, "right", 2)
	if !ok {
		return nil, false
	}
	length, ok := calls(args[1], "length", 1)
	y := o.R
	if c, collated := y.(deparsed.Collate); collated {
		y = c.X
	}
	if !ok || !reflect.DeepEqual(length[0], y) {
		return nil, false
	}
	x, suffix := r.value(args[0]), r.value(y)
	if x.bad != "" || suffix.bad != "" {
		return unread{x.bad + suffix.bad}, true
	}
	return match(model.MatchEnds, x, suffix, want), true
}

// position reads strpos(x, y) > 0, and = 0.
func (r *reader) position(o deparsed.Op, want bool) (node, bool) {
	args, ok := calls(o.L, "strpos", 2)
	if !ok || !isInteger(o.R, "0") || o.Op != ">" && o.Op != "=" {
		return nil, false
	}
	x, y := r.value(args[0]), r.value(args[1])
	if x.bad != "" || y.bad != "" {
		return unread{x.bad + y.bad}, true
	}
	return match(model.MatchContains, x, y, want == (o.Op == ">")), true
}

var everyNet4, everyNet6 = netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")

// network reads what tells one address from a network: its family, the length
// of its mask, and whether it is an IPv4 address in IPv6 clothes.
func (r *reader) network(o deparsed.Op, want bool) (node, bool) {
	of := func(e deparsed.Expr) *value {
		if v := r.value(e); v.family == famInet && v.bad == "" && v.x != nil && len(v.either) == 0 {
			return &v
		}
		return nil
	}
	inside := func(v *value, net netip.Prefix) node {
		return atom{&model.InNetwork{X: v.x, Net: net}, v.odds()}
	}
	result := func(v *value, yes, no node, sure, not, maybe kinds) (node, bool) {
		if v == nil {
			return nil, false
		}
		n, k := yes, sure
		if !want {
			n, k = no, not
		}
		if v.subject == nil {
			return n, true
		}
		return some(n, odd{v.subject, k}, all(odd{v.subject, maybe}, unread{"the mask of a network"})), true
	}
	if args, ok := calls(o.L, "family", 1); ok && o.Op == "=" {
		if v := of(args[0]); v != nil && isInteger(o.R, "4") {
			return result(v, inside(v, everyNet4), inside(v, everyNet6), kindNet4, kindNet6|kindMapped, 0)
		} else if v != nil && isInteger(o.R, "6") {
			return result(v, inside(v, everyNet6), inside(v, everyNet4), kindNet6|kindMapped, kindNet4, 0)
		}
	}
	if args, ok := calls(o.L, "masklen", 1); ok && o.Op == "=" {
		if v := of(args[0]); v != nil && isInteger(o.R, "32") {
			return result(v, inside(v, everyNet4), inside(v, everyNet6), 0, kindNet4|kindMapped, kindNet6)
		} else if v != nil && isInteger(o.R, "128") {
			return result(v, inside(v, everyNet6), inside(v, everyNet4), kindMapped, kindNet4|kindNet6, 0)
		}
	}
	if o.Op == "<<=" {
		return r.mapped(o, of, result)
	}
	return nil, false
}

// mapped reads x <<= '::ffff:0.0.0.0/96'.
func (r *reader) mapped(o deparsed.Op, of func(deparsed.Expr) *value, result func(v *value, yes, no node, sure, not, maybe kinds) (node, bool)) (node, bool) {
	cast, _ := o.R.(deparsed.Cast)
	lit, ok := cast.X.(deparsed.Literal)
	if !ok || lit.Kind != deparsed.Text || familyOf(cast.Type) != famInet {
		return nil, false
	}
	net, err := netip.ParsePrefix(lit.Text)
	v := of(o.L)
	switch {
	case v == nil || err != nil:
		return nil, false
	case net.Addr().Is4In6() && net.Bits() == 96 || net == netip.MustParsePrefix("::ffff:0:0/96"):
		return result(v, never, v.known(), kindMapped, kindNet4, kindNet6)
	case net.Addr().Is4In6() || net != net.Masked():
		return nil, false
	}
	no := atom{&model.InNetwork{X: v.x, Net: net, Not: true}, v.odds()}
	return result(v, atom{&model.InNetwork{X: v.x, Net: net}, v.odds()}, no, 0, 0, kindNet4|kindNet6|kindMapped)
}

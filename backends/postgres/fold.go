package postgres

import (
	"reflect"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// A gate, which speaks of no column, beside a condition that has an index
// costs the index: "owner_id = me() OR is_superuser()" reads the whole table
// for everybody. Inside the value that is compared it costs nothing:
// "owner_id = CASE WHEN gate THEN me() END" is null, and so unsatisfied, where
// the gate is not true. An arm that a gate alone decides becomes a range of the
// primary key, which is empty where the gate is closed. That holds because a
// policy asks only whether its condition is true; null and false are alike.

// arm is one term of a disjunction: what speaks of no column, and the rest.
type arm struct{ gates, rest []model.Cond }

// arms takes a disjunction apart; always are the terms that speak of no column.
func arms(terms []model.Cond) (out []arm, always []model.Cond) {
	for _, t := range terms {
		if !columnful(t) {
			always = append(always, t)
			continue
		}
		a := arm{rest: []model.Cond{t}}
		if and, ok := t.(*model.And); ok {
			a.rest = nil
			for _, term := range and.Terms {
				if columnful(term) {
					a.rest = append(a.rest, term)
				} else {
					a.gates = append(a.gates, term)
				}
			}
		}
		or, nested := a.rest[0].(*model.Or)
		if !nested || len(a.rest) > 1 {
			out = append(out, a)
			continue
		}
		inner, open := arms(or.Terms)
		for _, i := range inner {
			i.gates = append(a.gates[:len(a.gates):len(a.gates)], i.gates...)
			out = append(out, i)
		}
		if len(open) > 0 {
			always = append(always, model.AllOf(append(a.gates[:len(a.gates):len(a.gates)], model.AnyOf(open...))...))
		}
	}
	return out, always
}

// anchor is an atom that an index of the table answers: a bare column compared
// with values that are computed once a query. It holds where all comparisons of
// any of its alternatives hold.
type anchor struct {
	column sqltext.Expr
	any    [][]comparison
	guards []sqltext.Expr // what must hold besides
	key    IndexKey       // the index
}

// comparison is a bare column against a value, or the elements of an array.
type comparison struct {
	op    sqltext.SQL
	value sqltext.Expr
	typ   sqltext.TypeName // of the value
	among bool             // the elements of the value
}

// one is an anchor of one comparison.
func one(op sqltext.SQL, value sqltext.Expr, typ sqltext.TypeName, among bool) [][]comparison {
	return [][]comparison{{{op: op, value: value, typ: typ, among: among}}}
}

// single is the comparison of an anchor that has but one.
func (a anchor) single() comparison {
	if len(a.any) == 1 && len(a.any[0]) == 1 {
		return a.any[0][0]
	}
	return comparison{}
}

// atom is the anchor's condition with its values in the form that they are given.
func (a anchor) atom(given func(comparison) sqltext.Expr) sqltext.Expr {
	alternatives := make([]sqltext.Expr, len(a.any))
	for i, all := range a.any {
		terms := make([]sqltext.Expr, len(all))
		for j, c := range all {
			if terms[j] = (sqltext.Op{L: a.column, Op: c.op, R: given(c)}); c.among {
				terms[j] = sqltext.Quantified{L: a.column, Op: c.op, Array: given(c), Type: c.typ}
			}
		}
		alternatives[i] = allOf(terms...)
	}
	return guarded(anyOf(alternatives...), a.guards)
}

// merges reports whether two anchors can be one: equality with any of several
// values of one type.
func (a anchor) merges(b anchor) bool {
	x, y := a.single(), b.single()
	return x.op == "=" && y.op == "=" && len(a.guards)+len(b.guards) == 0 && x.typ.Elem().SQL() == y.typ.Elem().SQL() &&
		reflect.DeepEqual(a.column, b.column)
}

// fold renders a disjunction in which gates stand beside conditions that have an
// index, so that each arm has one; false where some arm has none.
func (r *renderer) fold(terms []model.Cond) (sqltext.Expr, bool) {
	if r.once || r.body != nil || r.plain {
		return nil, false
	}
	list, always := arms(terms)
	gated := len(always) > 0
	anchors, at := make([]anchor, len(list)), make([]int, len(list))
	for i, a := range list {
		gated = gated || len(a.gates) > 0
		found := false
		for n, term := range a.rest {
			if anchors[i], found = r.anchor(term); found {
				at[i] = n
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	if !gated {
		return nil, false
	}
	pieces := pieces(list, anchors)
	host, all := r.whole(pieces, always)
	if all == nil && len(always) > 0 {
		return nil, false
	}
	var out []sqltext.Expr
	for i, group := range pieces {
		switch {
		case i == host:
			out = append(out, all)
		case len(group) > 1:
			out = append(out, r.merged(group))
		default:
			one := group[0]
			atom := one.atom(func(c comparison) sqltext.Expr { return r.gated(c, one.gates) })
			out = append(out, allOf(append([]sqltext.Expr{atom}, r.others(list[one.arm].rest, at[one.arm])...)...))
		}
	}
	if len(always) > 0 && host < 0 {
		out = append(out, all)
	}
	return anyOf(out...), true
}

// piece is an anchor with the gates that it stands behind.
type piece struct {
	anchor
	gates []model.Cond
	arm   int  // that it is of
	alone bool // there is nothing else in it
}

// pieces are the arms, those on one column together that can be one comparison.
func pieces(list []arm, anchors []anchor) (out [][]piece) {
	for i, a := range list {
		p := piece{anchors[i], a.gates, i, len(a.rest) == 1}
		n := slices.IndexFunc(out, func(group []piece) bool {
			return p.alone && group[0].alone && group[0].merges(p.anchor)
		})
		if n < 0 {
			out = append(out, []piece{p})
		} else {
			out[n] = append(out[n], p)
		}
	}
	return out
}

// whole renders the arm that what speaks of no column decides: the whole range
// of an index where it is open. Equality with one value takes it in (host), so
// that one range of that index is the value or all; else it is a range of the
// primary key's index. Nil where there is no such range.
func (r *renderer) whole(pieces [][]piece, always []model.Cond) (host int, x sqltext.Expr) {
	if len(always) == 0 {
		return -1, nil
	}
	open := r.gate([]model.Cond{model.AnyOf(always...)})
	between := func(column sqltext.Expr, low, high comparison, otherwise sqltext.Expr) sqltext.Expr {
		bound := func(op sqltext.SQL, c comparison) sqltext.Expr {
			value := sqltext.When{Cond: open, Then: c.value, Type: c.typ, Else: otherwise}
			return sqltext.Op{L: column, Op: op, R: sqltext.Select{X: value, Alias: "value"}}
		}
		return allOf(bound(">=", low), bound("<=", high))
	}
	for i, group := range pieces {
		p := group[0]
		c := p.single()
		if len(group) > 1 || !p.alone || c.op != "=" || c.among || len(p.guards) > 0 || !r.indexes.Columns[p.key].NotNull {
			continue
		}
		low, high, bounded := rangeOf(c.typ)
		column, isColumn := p.column.(sqltext.Column)
		if t, err := columnType(r.table.Column(p.key.Column)); !bounded || !isColumn || err != nil || t.name.SQL() != c.typ.SQL() {
			continue
		}
		otherwise := c.value
		if gate := r.gate(p.gates); gate != nil {
			otherwise = sqltext.When{Cond: gate, Then: c.value, Type: c.typ}
		}
		return i, between(column, low, high, otherwise)
	}
	low, high, bounded := r.keyRange()
	if !bounded {
		return -1, nil
	}
	return -1, between(sqltext.Column{Name: r.table.PrimaryKey[0].Name}, low, high, nil)
}

// anchored reports whether an index answers a condition: all arms of a
// disjunction, or one term of a conjunction, of which no other needs one then.
func (r *renderer) anchored(c model.Cond) bool {
	switch x := c.(type) {
	case *model.And:
		return slices.ContainsFunc(x.Terms, r.anchored)
	case *model.Or:
		return !slices.ContainsFunc(x.Terms, func(t model.Cond) bool { return !r.anchored(t) })
	case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	_, ok := r.anchor(c)
	return ok
}

// others renders all terms of an arm but one.
func (r *renderer) others(rest []model.Cond, but int) []sqltext.Expr {
	var terms []model.Cond
	for i, t := range rest {
		if i != but {
			terms = append(terms, t)
		}
	}
	return r.terms(terms, func(terms []model.Cond) model.Cond { return model.AllOf(terms...) })
}

// valueOnce renders what is computed once a query, inside its subquery.
func (r *renderer) valueOnce(f func()) {
	r.once = true
	f()
	r.once = false
}

// gate is the condition under which a value counts; nil: always.
func (r *renderer) gate(gates []model.Cond) (x sqltext.Expr) {
	if len(gates) > 0 {
		r.valueOnce(func() { x = r.cond(model.AllOf(gates...)) })
	}
	return x
}

// when is a value that is null unless the gate is open.
func when(gate, value sqltext.Expr, t sqltext.TypeName) sqltext.Expr {
	if gate == nil {
		return value
	}
	return sqltext.When{Cond: gate, Then: value, Type: t}
}

// gated is the value of a comparison as a subquery of its own, null unless the
// gates are open.
func (r *renderer) gated(a comparison, gates []model.Cond) sqltext.Expr {
	if c, ok := a.value.(sqltext.CollateC); ok { // inside of a subquery it would not prevail over the column's own
		a.value = c.X
		return sqltext.CollateC{X: r.gated(a, gates)}
	}
	gate := r.gate(gates)
	if gate == nil && constant(a.value) {
		return a.value
	}
	return sqltext.Select{X: when(gate, a.value, a.typ), Alias: "value"}
}

func constant(x sqltext.Expr) bool {
	switch c := x.(type) {
	case sqltext.Const, sqltext.IntConst, sqltext.BoolConst:
		return true
	case sqltext.Array:
		for _, e := range c.Elems {
			if !constant(e) {
				return false
			}
		}
		return true
	case sqltext.Column, sqltext.NullConst, sqltext.Op, sqltext.Func, sqltext.AllOf, sqltext.AnyOf, sqltext.Not, sqltext.IsNull,
		sqltext.IsNotFalse, sqltext.Quantified, sqltext.Select, sqltext.Unnested, sqltext.Elem, sqltext.CountOf,
		sqltext.Query, sqltext.Exists, sqltext.ArrayFrom, sqltext.Param, sqltext.IsNotTrue, sqltext.CountRows, sqltext.InUnnested, sqltext.Choose, sqltext.InQuery, sqltext.When, sqltext.Cast, sqltext.CollateC, sqltext.AtUTC:
	}
	return false
}

// merged is any of several pieces on one column: equality with any element of
// one array.
func (r *renderer) merged(pieces []piece) sqltext.Expr {
	first := pieces[0].anchor
	var scalars []sqltext.Expr
	var arrays sqltext.Expr
	add := func(x sqltext.Expr) {
		if arrays == nil {
			arrays = x
			return
		}
		arrays = sqltext.Op{L: arrays, Op: "||", R: x}
	}
	for _, p := range pieces {
		c := p.single()
		x := when(r.gate(p.gates), c.value, c.typ)
		if c.among {
			add(x)
		} else {
			scalars = append(scalars, x)
		}
	}
	if len(scalars) > 0 {
		add(sqltext.Array{Elems: scalars})
	}
	first.any = one("=", arrays, sqltext.ArrayOf(first.single().typ.Elem()), true)
	return first.atom(func(c comparison) sqltext.Expr { return sqltext.Select{X: c.value, Alias: "value"} })
}

package postgres

import (
	"math"
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

// anchor is an atom that an index of the table answers: a bare column against a
// value, or the elements of an array, computed once a query.
type anchor struct {
	column sqltext.Expr
	op     sqltext.SQL
	value  sqltext.Expr
	typ    sqltext.TypeName // of the value
	guards []sqltext.Expr   // what must hold besides
}

// atom is the anchor's condition with its value in the form it is given.
func (a anchor) atom(value sqltext.Expr) sqltext.Expr {
	if a.typ.Array {
		return guarded(sqltext.Quantified{L: a.column, Op: a.op, Array: value, Type: a.typ}, a.guards)
	}
	return guarded(sqltext.Op{L: a.column, Op: a.op, R: value}, a.guards)
}

// merges reports whether two anchors can be one: equality with any of several
// values of one type.
func (a anchor) merges(b anchor) bool {
	return a.op == "=" && b.op == "=" && len(a.guards)+len(b.guards) == 0 && a.typ.Elem().SQL() == b.typ.Elem().SQL() &&
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
	low, high, bounded := r.keyRange()
	if !gated || len(always) > 0 && !bounded {
		return nil, false
	}
	var out []sqltext.Expr
	done := make([]bool, len(list))
	for i, a := range list {
		if done[i] {
			continue
		}
		if len(a.rest) > 1 {
			atom := anchors[i].atom(r.gated(anchors[i], a.gates))
			out = append(out, allOf(append([]sqltext.Expr{atom}, r.others(a.rest, at[i])...)...))
			continue
		}
		pieces := []piece{{anchors[i], a.gates}}
		for j := i + 1; j < len(list); j++ {
			if len(list[j].rest) == 1 && !done[j] && anchors[i].merges(anchors[j]) {
				pieces, done[j] = append(pieces, piece{anchors[j], list[j].gates}), true
			}
		}
		out = append(out, r.merged(pieces))
	}
	if len(always) > 0 {
		key := sqltext.Column{Name: r.table.PrimaryKey[0].Name}
		gate := []model.Cond{model.AnyOf(always...)}
		out = append(out, allOf(
			sqltext.Op{L: key, Op: ">=", R: r.gated(low, gate)},
			sqltext.Op{L: key, Op: "<=", R: r.gated(high, gate)},
		))
	}
	return anyOf(out...), true
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

// gated is an anchor's value as a subquery of its own, null unless the gates
// are open.
func (r *renderer) gated(a anchor, gates []model.Cond) sqltext.Expr {
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

// piece is an anchor with the gates that it stands behind.
type piece struct {
	anchor
	gates []model.Cond
}

// merged is any of several pieces on one column: equality with any element of
// one array.
func (r *renderer) merged(pieces []piece) sqltext.Expr {
	first := pieces[0].anchor
	if len(pieces) == 1 {
		return first.atom(r.gated(first, pieces[0].gates))
	}
	var scalars []sqltext.Expr
	var arrays sqltext.Expr
	add := func(x sqltext.Expr) {
		if arrays == nil {
			arrays = x
			return
		}
		arrays = sqltext.Op{L: arrays, Op: "||", R: x}
	}
	array := sqltext.ArrayOf(first.typ.Elem())
	for _, p := range pieces {
		x := when(r.gate(p.gates), p.value, p.typ)
		if p.typ.Array {
			add(x)
		} else {
			scalars = append(scalars, x)
		}
	}
	if len(scalars) > 0 {
		add(sqltext.Array{Elems: scalars})
	}
	first.typ = array
	return first.atom(sqltext.Select{X: arrays, Alias: "value"})
}

// anchor is an atom that an index answers; false for others.
func (r *renderer) anchor(c model.Cond) (anchor, bool) {
	if some, ok := follow(c); ok {
		c = some
	}
	switch x := c.(type) {
	case *model.Compare:
		if col, ok := r.plainColumn(x.X); ok && !mentionsColumn(x.Y) {
			return r.anchorCompare(x.Op, col, x.Y)
		}
		if col, ok := r.plainColumn(x.Y); ok && !mentionsColumn(x.X) {
			return r.anchorCompare(mirrored(x.Op), col, x.X)
		}
	case *model.In:
		if col, ok := r.plainColumn(x.Elem); ok && !x.Not && !mentionsColumn(x.Set) {
			return r.anchorIn(x, col)
		}
	case *model.Some, *model.Every, *model.Count:
		if correlated(c) {
			break
		}
		k := r.keys(c)
		if !k.without && r.hasIndex(k.from, false) {
			return anchor{column: k.own, op: "=", value: k.array, typ: k.typ}, true
		}
	case model.True, model.False, *model.And, *model.Or, *model.Truth, *model.Null, *model.Empty, *model.Known,
		*model.Match, *model.InNetwork, *model.ViaApp: // no index, or no single value
	}
	return anchor{}, false
}

// plainColumn is a column of the record itself.
func (r *renderer) plainColumn(e model.Expr) (*model.ColumnRef, bool) {
	ref, ok := e.(*model.ColumnRef)
	return ref, ok && len(ref.Path) == 0 && ref.Column.Type.Kind != model.KindSet
}

func (r *renderer) anchorCompare(op model.CompareOp, col *model.ColumnRef, other model.Expr) (anchor, bool) {
	if op == model.NotEqual || !r.hasIndex(col.Column, ordered(op) && col.Column.Type.Kind == model.KindString) {
		return anchor{}, false
	}
	x := r.operand(col)
	var y operand
	r.valueOnce(func() { y = r.operand(other) })
	terms := []sqltext.Expr{r.compare(op, x, y)}
	if all, ok := terms[0].(sqltext.AllOf); ok {
		terms = all.Terms
	}
	o, ok := terms[0].(sqltext.Op)
	if !ok || !bare(o.L) {
		return anchor{}, false
	}
	typ, known := typeOf(o.R, y)
	return anchor{column: o.L, op: o.Op, value: o.R, typ: typ, guards: terms[1:]}, known
}

func (r *renderer) anchorIn(c *model.In, col *model.ColumnRef) (anchor, bool) {
	if !r.hasIndex(col.Column, false) {
		return anchor{}, false
	}
	elem := r.operand(col)
	var set operand
	r.valueOnce(func() { set = r.operand(c.Set) })
	var x sqltext.Expr
	if set.literal != nil {
		x = r.inConstants(elem, set.literal, c)
	} else {
		x = r.inRequest(elem, set, false)
	}
	terms := []sqltext.Expr{x}
	if all, ok := x.(sqltext.AllOf); ok {
		terms = all.Terms
	}
	q, ok := terms[0].(sqltext.Quantified)
	if !ok || !bare(q.L) {
		return anchor{}, false
	}
	return anchor{column: q.L, op: q.Op, value: q.Array, typ: q.Type, guards: terms[1:]}, true
}

// bare reports whether an expression is a column as an index holds it; the
// binary-compatible cast of a varchar is.
func bare(x sqltext.Expr) bool {
	if c, ok := x.(sqltext.Cast); ok {
		x = c.X
	}
	_, ok := x.(sqltext.Column)
	return ok
}

// typeOf is the type of a rendered value that was made of an operand.
func typeOf(x sqltext.Expr, of operand) (sqltext.TypeName, bool) {
	switch v := x.(type) {
	case sqltext.Const:
		return v.Type, true
	case sqltext.IntConst:
		return sqltext.Builtin("integer"), true
	case sqltext.BoolConst:
		return tBool, true
	case sqltext.Cast:
		return v.Type, true
	case sqltext.CollateC:
		return typeOf(v.X, of)
	case sqltext.AtUTC:
		switch t, known := typeOf(v.X, of); t.Name {
		case tInstant.Name:
			return tLocal, known
		case tLocal.Name:
			return tInstant, known
		}
	case sqltext.When:
		return v.Type, true
	case sqltext.Column, sqltext.NullConst, sqltext.Op, sqltext.Func, sqltext.AllOf, sqltext.AnyOf, sqltext.Not, sqltext.IsNull,
		sqltext.IsNotFalse, sqltext.Quantified, sqltext.Select, sqltext.Unnested, sqltext.Elem, sqltext.CountOf,
		sqltext.Query, sqltext.Exists, sqltext.ArrayFrom, sqltext.Param, sqltext.IsNotTrue, sqltext.CountRows, sqltext.InUnnested, sqltext.Choose, sqltext.InQuery, sqltext.Array:
	}
	return of.typ.name, reflect.DeepEqual(x, of.x)
}

// keyRange is the least and the greatest value of the first column of the
// table's primary key; false where its type has none, where it has no index, and
// where a record may have none.
func (r *renderer) keyRange() (low, high anchor, bounded bool) {
	if len(r.table.PrimaryKey) == 0 || !r.indexes.Columns[r.indexKey(r.table.PrimaryKey[0], false)].NotNull {
		return low, high, false
	}
	t, err := columnType(r.table.PrimaryKey[0])
	if err != nil || t.name.Schema != "" {
		return low, high, false
	}
	bound := func(low, high sqltext.Expr) (anchor, anchor, bool) {
		return anchor{value: low, typ: t.name}, anchor{value: high, typ: t.name}, true
	}
	text := func(s string) sqltext.Expr { return sqltext.Const{Text: s, Type: t.name} }
	switch t.name.Name {
	case "smallint":
		return bound(text("-32768"), text("32767"))
	case "integer":
		return bound(sqltext.IntConst{Value: math.MinInt32}, sqltext.IntConst{Value: math.MaxInt32})
	case "bigint":
		return bound(text("-9223372036854775808"), text("9223372036854775807"))
	case "uuid":
		return bound(text("00000000-0000-0000-0000-000000000000"), text("ffffffff-ffff-ffff-ffff-ffffffffffff"))
	case tDate.Name, tInstant.Name, tLocal.Name:
		return bound(text("-infinity"), text("infinity"))
	}
	return low, high, false
}

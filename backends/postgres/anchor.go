package postgres

import (
	"math"
	"reflect"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

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
		if col, ok := x.Set.(*model.ColumnRef); ok && len(col.Path) == 0 && !x.Not && !mentionsColumn(x.Elem) {
			return r.anchorContains(x, col)
		}
	case *model.Some, *model.Every, *model.Count:
		if correlated(c) {
			break
		}
		k := r.keys(c)
		if key := r.indexKey(k.from, ""); !k.without && r.hasIndex(key) {
			return anchor{column: k.own, any: one("=", k.array, k.typ, true), key: key}, true
		}
	case *model.Match:
		if col, ok := r.plainColumn(x.X); ok && !x.Not && !mentionsColumn(x.Y) {
			return r.anchorMatch(x, col)
		}
	case *model.InNetwork:
		if col, ok := r.plainColumn(x.X); ok && !x.Not {
			return r.anchorNetwork(x, col)
		}
	case model.True, model.False, *model.And, *model.Or, *model.Truth, *model.Null, *model.Empty, *model.Known,
		*model.ViaApp: // no index, or no single value
	}
	return anchor{}, false
}

// plainColumn is a column of the record itself.
func (r *renderer) plainColumn(e model.Expr) (*model.ColumnRef, bool) {
	ref, ok := e.(*model.ColumnRef)
	return ref, ok && len(ref.Path) == 0 && ref.Column.Type.Kind != model.KindSet
}

func (r *renderer) anchorCompare(op model.CompareOp, col *model.ColumnRef, other model.Expr) (anchor, bool) {
	key := r.indexKey(col.Column, "")
	if key.C = ordered(op) && col.Column.Type.Kind == model.KindString; op == model.NotEqual || !r.hasIndex(key) {
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
	return anchor{column: o.L, any: one(o.Op, o.R, typ, false), guards: terms[1:], key: key}, known
}

func (r *renderer) anchorIn(c *model.In, col *model.ColumnRef) (anchor, bool) {
	key := r.indexKey(col.Column, "")
	if !r.hasIndex(key) {
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
	return anchor{column: q.L, any: one(q.Op, q.Array, q.Type, true), guards: terms[1:], key: key}, true
}

// anchorContains is an array column that has an element.
func (r *renderer) anchorContains(c *model.In, col *model.ColumnRef) (anchor, bool) {
	key := r.indexKey(col.Column, methodElements)
	if !r.hasIndex(key) {
		return anchor{}, false
	}
	set := r.operand(col)
	var elem operand
	r.valueOnce(func() { elem = r.operand(c.Elem) })
	terms := []sqltext.Expr{r.inColumn(elem, set, false)}
	if all, ok := terms[0].(sqltext.AllOf); ok {
		terms = all.Terms
	}
	contains, ok := terms[0].(sqltext.Op)
	if !ok || contains.Op != "@>" || !bare(contains.L) {
		return anchor{}, false
	}
	typ := set.typ.name
	if cast, isCast := contains.L.(sqltext.Cast); isCast {
		typ = cast.Type
	}
	return anchor{column: contains.L, any: one(contains.Op, contains.R, typ, false), guards: terms[1:], key: key}, true
}

// anchorMatch is a prefix, or a path and what is below it. The rows below a path
// are a range of strings, whatever the path is; those with a prefix are one only
// where it is a constant, and else need an index of prefixes.
func (r *renderer) anchorMatch(m *model.Match, col *model.ColumnRef) (anchor, bool) {
	key := r.indexKey(col.Column, "")
	key.C = true
	switch _, constant := m.Y.(*model.Literal); m.Op {
	case model.MatchUnder:
	case model.MatchStarts:
		if !constant || !r.indexes.Columns[key].Prefixes {
			key.Method = methodPrefixes
		}
	case model.MatchEnds, model.MatchContains:
		return anchor{}, false
	}
	if !r.hasIndex(key) {
		return anchor{}, false
	}
	xo := r.operand(col)
	var yo operand
	r.valueOnce(func() { yo = r.operand(m.Y) })
	a := anchor{column: r.text(xo), guards: slices.Concat(xo.guards, yo.guards), key: key}
	if !bare(a.column) {
		return anchor{}, false
	}
	y := r.text(yo)
	if m.Op == model.MatchUnder {
		a.any = r.pathRange(y, m)
	} else {
		a.any = one("^@", sqltext.CollateC{X: y}, tText, false)
	}
	return a, len(a.any) > 0
}

// anchorNetwork is a range of addresses.
func (r *renderer) anchorNetwork(n *model.InNetwork, col *model.ColumnRef) (anchor, bool) {
	key := r.indexKey(col.Column, "")
	if !r.hasIndex(key) {
		return anchor{}, false
	}
	o := r.operand(col)
	low, high := networkRange(n)
	bounds := []comparison{{op: ">=", value: low, typ: tInet}, {op: "<=", value: high, typ: tInet}}
	return anchor{column: o.x, any: [][]comparison{bounds}, guards: r.networkGuards(n, o), key: key}, bare(o.x)
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
func (r *renderer) keyRange() (low, high comparison, bounded bool) {
	if len(r.table.PrimaryKey) == 0 || !r.indexes.Columns[r.indexKey(r.table.PrimaryKey[0], "")].NotNull {
		return low, high, false
	}
	t, err := columnType(r.table.PrimaryKey[0])
	if err != nil {
		return low, high, false
	}
	return rangeOf(t.name)
}

// rangeOf is the least and the greatest value of a type.
func rangeOf(t sqltext.TypeName) (low, high comparison, bounded bool) {
	if t.Schema != "" || t.Array {
		return low, high, false
	}
	bound := func(low, high sqltext.Expr) (comparison, comparison, bool) {
		return comparison{value: low, typ: t}, comparison{value: high, typ: t}, true
	}
	text := func(s string) sqltext.Expr { return sqltext.Const{Text: s, Type: t} }
	switch t.Name {
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

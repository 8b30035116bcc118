package postgres

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// in renders membership of a set: of constants, of a column, of the request.
func (r *renderer) in(c *model.In) sqltext.Expr {
	elem, set := r.operand(c.Elem), r.operand(c.Set)
	switch {
	case set.literal != nil:
		return r.inConstants(elem, set.literal, c)
	case set.column:
		return r.inColumn(elem, set, c.Not)
	default:
		return r.inRequest(elem, set, c.Not)
	}
}

func (r *renderer) inConstants(elem operand, v model.Value, c *model.In) sqltext.Expr {
	set, ok := v.(model.Set)
	if !ok {
		r.fail(fmt.Errorf("%w: a set constant of Go type %T", errUnsupported, v))
	}
	var consts []sqltext.Expr
	typ := elem.typ.name
	for _, v := range set {
		x, possible := r.elementConst(elem, v, *c.Set.ResultType().Elem)
		if possible {
			consts = append(consts, x)
		}
	}
	if elem.typ.family == famInt {
		typ = tBigint
	}
	if len(consts) == 0 {
		if c.Not {
			return guarded(sqltext.IsNull{X: elem.x, Not: true}, elem.known())
		}
		return sqltext.BoolConst{}
	}
	out := sqltext.Quantified{
		L: elem.x, Op: pick(c.Not, "<>", "="), All: c.Not, Array: sqltext.Array{Elems: consts}, Type: sqltext.ArrayOf(typ),
	}
	if c.Not {
		return guarded(out, elem.known())
	}
	return guarded(out, elem.guards)
}

// elementConst is a constant in the element's own SQL type; false when no
// value of that type equals it.
func (r *renderer) elementConst(elem operand, v model.Value, t model.Type) (sqltext.Expr, bool) {
	switch elem.typ.family {
	case famEnum:
		label, _ := v.(string)
		return sqltext.Const{Text: label, Type: elem.typ.name}, slices.Contains(elem.typ.labels, label)
	case famInt:
		n, ok := v.(*big.Rat)
		if !ok || !n.IsInt() || !n.Num().IsInt64() {
			return nil, false
		}
		return bigint(n.Num().Int64()), true
	case famNumeric:
		return numeric(r.literal(v, t)), true
	case famLocal:
		ts, ok := v.(model.Timestamp)
		return localConst(ts), ok
	default:
		return r.literal(v, t).x, true
	}
}

// inColumn is membership of an array column. The containment operator has an
// index; unlike = ANY it is never null on a null element.
func (r *renderer) inColumn(elem, set operand, not bool) sqltext.Expr {
	x, array, ok := r.alike(elem, set)
	if !ok {
		if not {
			return guarded(sqltext.IsNull{X: set.x, Not: true}, set.guards)
		}
		return sqltext.BoolConst{}
	}
	contains := sqltext.Op{L: array, Op: "@>", R: sqltext.Array{Elems: []sqltext.Expr{x}}}
	if not {
		known := sqltext.IsNull{X: x, Not: true}
		return guarded(allOf(known, sqltext.Not{X: contains}), set.guards, elem.known())
	}
	return guarded(contains, set.guards, elem.known())
}

// inRequest is membership of a set that the request states.
func (r *renderer) inRequest(elem, set operand, not bool) sqltext.Expr {
	x, array, ok := r.alike(elem, set)
	if !ok {
		if not {
			return sqltext.IsNull{X: set.x, Not: true}
		}
		return sqltext.BoolConst{}
	}
	typ := set.typ.name
	if c, isCast := array.(sqltext.Cast); isCast {
		typ = c.Type
	}
	out := sqltext.Quantified{L: x, Op: pick(not, "<>", "="), All: not, Array: array, Type: typ}
	if not {
		// NULL <> ALL of an empty array is true.
		return guarded(allOf(sqltext.IsNull{X: x, Not: true}, out), elem.known())
	}
	return guarded(out, elem.guards)
}

// alike brings an element and an array to the same element type; false when no
// element of that array can equal it.
func (r *renderer) alike(elem, set operand) (x, array sqltext.Expr, possible bool) {
	want := *set.typ.elem
	switch want.family {
	case famText, famEnum:
		array = set.x
		if want.name.Name != "text" || want.name.Schema != "" {
			array = sqltext.Cast{X: set.x, Type: sqltext.ArrayOf(tText)}
		}
		return r.text(elem), array, true
	case famInt, famNumeric:
		return r.alikeNumbers(elem, set, want)
	case famLocal:
		return local(instant(elem)), set.x, true
	case famInstant:
		return instant(elem).x, set.x, true
	default:
		return elem.x, set.x, true
	}
}

func (r *renderer) alikeNumbers(elem, set operand, want sqlType) (x, array sqltext.Expr, possible bool) {
	array = set.x
	if n, ok := elem.literal.(*big.Rat); ok && want.family == famInt && (!n.IsInt() || !n.Num().IsInt64()) {
		return nil, nil, false
	}
	common := tBigint
	if want.family == famNumeric || elem.typ.family == famNumeric && elem.literal == nil {
		common = tNumeric
	}
	if want.name.Name != common.Name {
		array = sqltext.Cast{X: set.x, Type: sqltext.ArrayOf(common)}
	}
	text, isConst := elem.x.(sqltext.Const)
	switch {
	case isConst:
		return sqltext.Const{Text: text.Text, Type: common}, array, true
	case elem.typ.family == famInt && elem.typ.name.Name == common.Name, elem.typ.family == famNumeric:
		return elem.x, array, true
	}
	return sqltext.Cast{X: elem.x, Type: common}, array, true
}

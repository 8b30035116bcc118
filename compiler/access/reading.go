package access

import (
	"math/big"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// storedValue is what a record holds in a column that the two programs declare
// differently: null, a value that both can tell from others, or something else.
type storedValue struct {
	operand // of the types' common kind; known: there is such a value
	null    *smt.F
	// Of a number that one program reads as a whole one: the greatest whole number
	// that is no greater, and what is above it, in units of 10^-18.
	whole, rest *smt.Linear
}

// family tells types apart whose values have nothing in common.
func family(t model.Type) string {
	switch t.Kind {
	case model.KindInt, model.KindNumber:
		return "number"
	case model.KindString, model.KindEnum:
		return "text"
	case model.KindSet:
		return "set of " + t.Elem.String()
	case model.KindBool, model.KindUUID, model.KindDate, model.KindTimestamp, model.KindIP, model.KindDuration:
		return t.Kind.String()
	}
	return ""
}

// readings states a column as both programs read it. The record is one that
// could be stored as either of them declares it: what only one of the two
// declarations excludes is still looked at.
func (e *encoder) readings(r *rowUnknown, d declarations) {
	null := e.s.Truth(false)
	e.s.Assert(smt.Implies(null, r.present))
	if e.storedOld == nil {
		e.storedOld = e.s.Truth(false)
	}
	x, y := &columnUnknown{column: d.old, null: null}, &columnUnknown{column: d.new, null: null}
	if family(d.old.Type) == family(d.new.Type) {
		v := e.common(r, d, null)
		x.operand, y.operand = e.reading(v, d.old), e.reading(v, d.new)
		x.stored, y.stored = v, v
	} else {
		for _, u := range []*columnUnknown{x, y} {
			u.operand = e.scalar(u.column.Type, "")
			u.known = e.s.Truth(true)
			u.key = "column" + decimal(len(e.rows)) + " " + decimal(e.count())
			e.s.Assert(smt.Implies(u.known, smt.And(r.present, smt.Not(null))))
		}
		if apart(d.old.Type) && apart(d.new.Type) {
			e.s.Assert(smt.Or(smt.Not(x.known), smt.Not(y.known)))
		}
	}
	e.storable(r, x, e.storedOld)
	e.storable(r, y, smt.Not(e.storedOld))
	r.columns[columnKey(d.old)], r.columns[columnKey(d.new)] = x, y
}

// apart reports whether no value of the type is one of another family as well:
// others are written as texts.
func apart(t model.Type) bool {
	switch t.Kind {
	case model.KindBool, model.KindInt, model.KindNumber, model.KindString, model.KindSet:
		return true
	case model.KindUUID, model.KindDate, model.KindTimestamp, model.KindIP, model.KindEnum, model.KindDuration:
		return false
	}
	return false
}

// common is the value that two declarations of one family read.
func (e *encoder) common(r *rowUnknown, d declarations, null *smt.F) *storedValue {
	v := &storedValue{null: null}
	switch t := d.new.Type; {
	case t.Kind == model.KindEnum:
		v.operand = e.scalar(model.String, "")
	case t.Kind != d.old.Type.Kind && family(t) == "number":
		limit := power(10, 38)
		whole := smt.Unknown(e.s.Int(new(big.Int).Neg(limit), limit, big.NewInt(1)))
		rest := smt.Unknown(e.s.Int(new(big.Int), new(big.Int).Sub(power(10, 18), big.NewInt(1)), nil))
		sum := whole.Plus(numberUnit, rest)
		v.operand, v.whole, v.rest = operand{typ: model.Number, number: &sum}, &whole, &rest
	default:
		v.operand = e.scalar(t, "")
	}
	v.known = e.s.Truth(true)
	v.key = "column" + decimal(len(e.rows)) + " " + decimal(e.count())
	e.s.Assert(smt.Implies(v.known, smt.And(r.present, smt.Not(null))))
	return v
}

// reading is a stored value as a column of a type reads it.
func (e *encoder) reading(v *storedValue, c *model.Column) operand {
	o := v.operand
	o.typ = c.Type
	switch {
	case c.Type.Kind == model.KindEnum:
		labels := make([]*smt.F, len(c.Type.Enum))
		for i, l := range c.Type.Enum {
			labels[i] = e.s.Same(*o.text, e.s.Fixed(l))
		}
		o.known = smt.And(v.known, smt.Or(labels...))
	case c.Type.Kind == model.KindInt && v.whole != nil:
		least, most := intRange("")
		o.known = smt.And(v.known, e.s.LessEqual(*v.rest, smt.Whole(0)), e.s.LessEqual(wholeOf(least), *v.whole), e.s.LessEqual(*v.whole, wholeOf(most)))
		o.number, o.key = v.whole, v.key+" whole"
	}
	return o
}

func wholeOf(n *big.Int) smt.Linear { return smt.Constant(new(big.Rat).SetInt(n)) }

// storable states what is known of values that are stored as a column declares,
// where the record is stored so.
func (e *encoder) storable(r *rowUnknown, u *columnUnknown, is *smt.F) {
	c := u.column
	if r.table.Resource() {
		return
	}
	if !c.Null {
		e.s.Assert(smt.Implies(is, smt.Not(u.null)))
	}
	if neverOdd(c) {
		e.s.Assert(smt.Implies(is, smt.Or(u.known, u.null, smt.Not(r.present))))
	}
	has := smt.And(is, u.known)
	if c.Type.Kind == model.KindInt {
		least, most := intRange(c.Native)
		e.s.Assert(smt.Implies(has, smt.And(e.s.LessEqual(wholeOf(least), *u.number), e.s.LessEqual(*u.number, wholeOf(most)))))
	}
	if u.text == nil {
		return
	}
	if n := longest(c.Native); n > 0 {
		e.s.Assert(smt.Implies(has, e.s.LessEqual(e.s.Length(*u.text), smt.Whole(int64(n)))))
	}
	if padded(c.Native) {
		e.s.Assert(smt.Implies(has, smt.Not(e.s.Ends(*u.text, e.s.Fixed(" ")))))
	}
}

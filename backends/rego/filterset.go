package rego

import (
	"math/big"
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// in writes a column in a set that is known, or not in it.
func (c *carrier) in(x *model.In) []way {
	if readsColumn(x.Set) {
		return c.refuse(x.Set, "the elements of a column's set", notInFilters)
	}
	col, refused := c.column(x.Elem)
	if refused != nil {
		return refused
	}
	column := x.Elem.(*model.ColumnRef).Column
	why, way := c.unfit(column), notInFilters
	if why == "" && x.Not {
		why, way = c.unordered(column, model.NotEqual)
	}
	if why != "" {
		return c.refuse(x.Elem, why, way)
	}
	if elem := x.Set.ResultType().Elem; column.Type.Kind == model.KindInt && elem != nil && elem.Kind == model.KindNumber {
		return c.refuse(x.Elem, "a whole number in a set of numbers with decimals", "Declare the set as a set(int), or remove the action from `filters`.")
	}
	if lit, ok := x.Set.(*model.Literal); ok {
		values, _ := lit.Value.(model.Set)
		return c.inConstant(col, column, values, x.Not)
	}
	values := c.fresh("values")
	known := let{name: values, value: c.elements(column, c.operand(x.Set), x.Not)}
	found := test{term: infix{"in", col, name(values)}}
	if !x.Not || column.Type.Kind == model.KindEnum {
		return one(known, filled(values), found)
	}
	found.not = true
	out := append(body{known, filled(values), present(col)}, c.bounds(model.NotEqual, col, column)...)
	every := append(body{known, blank(values), present(col)}, c.bounds(model.NotEqual, col, column)...)
	return exclusive(append(out, found), every)
}

// elements are those of a known set that the column's database reads, in its
// form; of an enum, for the opposite, the others that it has.
func (*carrier) elements(column *model.Column, values term, not bool) term {
	switch column.Type.Kind {
	case model.KindEnum:
		if not {
			return infix{"-", enumValues(column.Type), values}
		}
		return infix{"&", values, enumValues(column.Type)}
	case model.KindInt:
		lowest, highest := span(column.Native)
		return call{fn: library + "within", args: []term{values, number{lowest}, number{highest}}}
	case model.KindNumber:
		return call{fn: library + "digits_each", args: []term{values}}
	case model.KindDate, model.KindTimestamp:
		return call{fn: library + timeReader(column) + "_texts", args: []term{values}}
	case model.KindBool, model.KindString, model.KindUUID, model.KindIP, model.KindSet, model.KindDuration:
	}
	return values
}

func (c *carrier) inConstant(col term, column *model.Column, values model.Set, not bool) []way {
	if column.Type.Kind == model.KindEnum {
		var labels set
		for _, s := range column.Type.Enum {
			if slices.ContainsFunc(values, func(v model.Value) bool { return v == model.Value(s) }) != not {
				labels = append(labels, text(s))
			}
		}
		return c.among(col, labels)
	}
	var elements set
	for _, v := range values {
		if e, ok := c.element(column, v); ok {
			elements = append(elements, e)
		}
	}
	if !not {
		return c.among(col, elements)
	}
	out := append(body{present(col)}, c.bounds(model.NotEqual, col, column)...)
	if len(elements) > 0 {
		out = append(out, test{term: infix{"in", col, elements}, not: true})
	}
	return one(out...)
}

// element is a constant that the column can be equal to.
func (c *carrier) element(column *model.Column, v model.Value) (term, bool) {
	switch x := v.(type) {
	case *big.Rat:
		if column.Type.Kind == model.KindInt {
			lowest, highest := span(column.Native)
			return shortened(number{x.Num()}), x.IsInt() && x.Num().Cmp(lowest) >= 0 && x.Num().Cmp(highest) <= 0
		}
	case model.Date, model.Timestamp:
		s, ok := instantText(column, v)
		return text(s), ok
	case bool, string, model.UUID, netip.Addr:
	}
	return shortened(c.literal(v)), true
}

package casl

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// The operators of CASL's conditions.
const (
	opEqual    = "$eq"
	opNotEqual = "$ne"
	opIn       = "$in"
	opNotIn    = "$nin"
	opLess     = "$lt"
	opAtMost   = "$lte"
	opGreater  = "$gt"
	opAtLeast  = "$gte"
	opMatches  = "$regex"
	opOptions  = "$options"
	opModulo   = "$mod"
)

// noElement is below a field what neither a scalar nor an array has. CASL tests
// arrays element by element, so that each test of a scalar must keep them out.
const noElement = ".-1"

// safe is the largest whole number that a double tells from its neighbours.
var safe = big.NewInt(1<<53 - 1)

// The bounds of an int: at least minInt, and below pastInt. Doubles hold both.
var (
	minInt  = new(big.Int).Neg(pastInt)
	pastInt = new(big.Int).Lsh(big.NewInt(1), 63)
)

var always = terms{term{}}

// cond is what a condition asks of a record, as the ways to satisfy it.
func (x *exporter) cond(c model.Cond) terms {
	switch c := c.(type) {
	case model.True:
		return always
	case model.False:
		return nil
	case *model.And:
		out := always
		for _, t := range c.Terms {
			out = x.and(out, x.cond(t))
		}
		return out
	case *model.Or:
		var out terms
		for _, t := range c.Terms {
			out = x.or(out, x.cond(t))
		}
		return out
	case *model.Compare:
		return x.compare(c)
	case *model.Truth:
		return x.column(c.X, model.KindBool, func(*model.Column) ops { return ops{opEqual: c.Want} })
	case *model.Null:
		return x.null(c.X, c.Not)
	case *model.Empty:
		return x.empty(c)
	case *model.In:
		return x.in(c)
	case *model.Match:
		return x.match(c)
	case *model.InNetwork:
		return x.fail("networks", "CASL has no addresses.")
	case *model.Some, *model.Every, *model.Count:
		return x.fail("related records", "An ability is asked about one record, which does not hold the records that lead to it.")
	case *model.Known, *model.ViaApp: // worked out with the request
	}
	return x.fail("this condition", "It asks what the request does not tell.")
}

// name is a field that conditions may speak of: none with a meaning of its own
// in JavaScript or CASL.
var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

var inherited = []string{"constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString", "valueOf"}

// readable is the column that an operand reads; nil, with a diagnostic, where
// CASL cannot read it alike.
func (x *exporter) readable(e model.Expr) *model.Column {
	ref, ok := e.(*model.ColumnRef)
	if !ok {
		x.fail("this operand", "CASL compares columns of the record with constants, and has no functions.")
		return nil
	}
	c := ref.Column
	switch {
	case len(ref.Path) > 0:
		x.fail("columns of related records", "An ability is asked about one record.")
	case !name.MatchString(c.Name) || slices.Contains(inherited, c.Name):
		x.fail("the column "+c.Name, "Its name means something of its own in JavaScript, or is not letters, digits and underscores.")
	case c.Type.Kind == model.KindString && (strings.HasPrefix(c.Native, "character(") || c.Native == "character" || c.Native == "bpchar"):
		x.fail("the padded text of "+c.Name, "Use text.")
	default:
		return c
	}
	return nil
}

// column is a test of a scalar of a kind.
func (x *exporter) column(e model.Expr, kind model.Kind, test func(*model.Column) ops) terms {
	c := x.readable(e)
	if c == nil {
		return nil
	}
	if c.Type.Kind != kind {
		return x.fail("values of type "+c.Type.String(), "CASL compares bool, int, string, enum and uuid, and tells whether a number is another.")
	}
	return scalar(c, test(c))
}

// scalar is a test of a field that no array passes.
func scalar(c *model.Column, test ops) terms {
	if test == nil {
		return nil
	}
	return terms{term{c.Name: test, c.Name + noElement: ops{opNotEqual: nil}}}
}

// null: an array is not null, whatever is in it; CASL would look at its
// elements.
func (x *exporter) null(ref *model.ColumnRef, negated bool) terms {
	c := x.readable(ref)
	switch {
	case c == nil:
		return nil
	case negated:
		return terms{term{c.Name: ops{opNotEqual: nil}}, term{c.Name + noElement: ops{opEqual: nil}}}
	}
	return scalar(c, ops{opEqual: nil})
}

func (x *exporter) empty(c *model.Empty) terms {
	switch c.X.Column.Type.Kind {
	case model.KindSet:
		return x.fail("is_empty of a set", "Compare its length in the front end.")
	case model.KindString:
		col := x.readable(c.X)
		if col == nil {
			return nil
		}
		if c.Not {
			return scalar(col, ops{opMatches: `^[^\u0000]+$`})
		}
		return x.or(scalar(col, ops{opEqual: ""}), x.null(c.X, false))
	default:
		return x.null(c.X, c.Not)
	}
}

func (x *exporter) compare(c *model.Compare) terms {
	lit, ok := c.Y.(*model.Literal)
	if !ok {
		return x.fail("a comparison of two columns", "CASL compares columns with constants.")
	}
	switch c.Op {
	case model.Equal:
		return x.among(c.X, []model.Value{lit.Value}, false)
	case model.NotEqual:
		return x.among(c.X, []model.Value{lit.Value}, true)
	case model.Less, model.LessEqual, model.Greater, model.GreaterEqual:
	}
	return x.order(c.Op, c.X, lit)
}

func (x *exporter) order(op model.CompareOp, e model.Expr, lit *model.Literal) terms {
	col := x.readable(e)
	if col == nil {
		return nil
	}
	n, isNumber := lit.Value.(*big.Rat)
	switch {
	case col.Type.Kind == model.KindString:
		return x.fail("the order of texts", "JavaScript orders by UTF-16, and not by code point.")
	case col.Type.Kind != model.KindInt || !isNumber || !n.IsInt():
		return x.fail("the order of values of type "+col.Type.String(), "CASL orders integers alike.")
	case n.Num().CmpAbs(safe) > 0:
		return x.fail("the number "+n.RatString(), "JavaScript's numbers are exact up to 2^53 - 1.")
	}
	test := integer()
	switch op {
	case model.Less:
		test[opLess] = n.Num()
	case model.LessEqual:
		test[opAtMost] = n.Num()
	case model.Greater:
		test[opGreater] = n.Num()
	case model.GreaterEqual:
		test[opAtLeast] = n.Num()
	case model.Equal, model.NotEqual: // are no order
	}
	return scalar(col, test)
}

// integer is a test for an int of the language: CASL's order alone would take
// null, texts and fractions for numbers.
func integer() ops {
	return ops{opModulo: []int{1, 0}, opAtLeast: minInt, opLess: pastInt}
}

func (x *exporter) in(c *model.In) terms {
	set, ok := c.Set.(*model.Literal)
	if !ok {
		return x.fail("the elements of a set", "CASL takes an array with an element of another type for a set.")
	}
	return x.among(c.Elem, set.Value.(model.Set), c.Not)
}

// among is whether a column is one of some values (negated: is surely none).
func (x *exporter) among(e model.Expr, values []model.Value, negated bool) terms {
	c := x.readable(e)
	if c == nil {
		return nil
	}
	switch c.Type.Kind {
	case model.KindBool:
		return scalar(c, ofList([]any{true, false}, list(values), negated))
	case model.KindEnum:
		all := make([]any, len(c.Type.Enum))
		for i, v := range c.Type.Enum {
			all[i] = v
		}
		return scalar(c, ofList(all, list(values), negated))
	case model.KindString:
		if negated {
			return scalar(c, ops{opMatches: text, opNotIn: list(values)})
		}
		return scalar(c, chosen(list(values)))
	case model.KindUUID:
		return scalar(c, uuids(values, negated))
	case model.KindInt, model.KindNumber:
		return x.numbers(c, values, negated)
	default:
		return x.fail("values of type "+c.Type.String(), "CASL compares bool, int, string, enum and uuid, and tells whether a number is another.")
	}
}

func list(values []model.Value) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// ofList chooses, of all the values of a type, those that are listed, or the
// others.
func ofList(all, listed []any, negated bool) ops {
	var out []any
	for _, v := range all {
		if contains(listed, v) != negated {
			out = append(out, v)
		}
	}
	return chosen(out)
}

// chosen is nil for no value.
func chosen(values []any) ops {
	switch len(values) {
	case 0:
		return nil
	case 1:
		return ops{opEqual: values[0]}
	}
	return ops{opIn: values}
}

// numbers compares with numbers that a double holds. Of a column's number that
// is equal to one nothing more is to be known; that another is a number of the
// language at all, a double does not tell.
func (x *exporter) numbers(c *model.Column, values []model.Value, negated bool) terms {
	whole := c.Type.Kind == model.KindInt
	if negated && !whole {
		return x.fail("a number that is not another", "CASL does not tell which numbers have more decimals than 18.")
	}
	var out []any
	for _, v := range values {
		n := v.(*big.Rat)
		if whole && !n.IsInt() {
			continue // no int is
		}
		if !held(n) {
			return x.fail("the number "+n.RatString(), "JavaScript's numbers are doubles; whole ones are exact up to 2^53 - 1.")
		}
		f, _ := n.Float64()
		out = append(out, json.Number(strconv.FormatFloat(f, 'f', -1, 64)))
	}
	if negated {
		test := integer()
		test[opNotIn] = out
		return scalar(c, test)
	}
	return scalar(c, chosen(out))
}

// held reports whether a number is the shortest decimal of its double.
func held(n *big.Rat) bool {
	if n.IsInt() {
		return n.Num().CmpAbs(safe) <= 0
	}
	f, _ := n.Float64()
	back, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && back.Cmp(n) == 0
}

// text is every string of the language: none has a NUL.
const text = `^[^\u0000]*$`

// uuids reads any case, as the language does.
func uuids(values []model.Value, negated bool) ops {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = v.(model.UUID).String()
	}
	pattern := "^(?:" + strings.Join(words, "|") + ")$"
	if len(words) == 0 && !negated {
		return nil
	}
	if negated {
		pattern = "^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
		if len(words) > 0 {
			pattern = "^(?!(?:" + strings.Join(words, "|") + ")$)" + pattern[1:]
		}
	}
	return ops{opMatches: pattern, opOptions: "i"}
}

func (x *exporter) match(c *model.Match) terms {
	lit, ok := c.Y.(*model.Literal)
	if !ok {
		return x.fail("this test of texts", "CASL's patterns are constants.")
	}
	word := escape(lit.Value.(string))
	pattern := map[model.MatchOp]string{
		model.MatchStarts:   word,
		model.MatchEnds:     `[^]*` + word + `$`,
		model.MatchContains: `[^]*` + word,
		model.MatchUnder:    word + `(?:$|` + escape(c.Delimiter) + `)`,
	}[c.Op]
	look := "?="
	if c.Not {
		look = "?!"
	}
	return x.column(c.X, model.KindString, func(*model.Column) ops {
		return ops{opMatches: "^(" + look + pattern + ")" + text[1:]}
	})
}

// escape is a pattern of JavaScript that matches a text alone.
func escape(s string) string {
	return special.ReplaceAllString(s, `\$0`)
}

var special = regexp.MustCompile(`[\\^$.*+?()\[\]{}|/]`)

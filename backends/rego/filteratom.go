package rego

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"time"

	"github.com/postern-dev/postern/compiler/model"
)

// compare writes x op y where one of them is a column. A column stands on the
// left.
func (c *carrier) compare(x *model.Compare) []way {
	a, b, op := x.X, x.Y, x.Op
	if _, ok := b.(*model.ColumnRef); ok {
		if _, both := a.(*model.ColumnRef); both {
			return c.compareColumns(op, a, b)
		}
		a, b, op = b, a, turned[op]
	}
	col, refused := c.column(a)
	if refused != nil {
		return refused
	}
	if readsColumn(b) {
		_, refused := c.column(b)
		return refused
	}
	column := a.(*model.ColumnRef).Column
	if why := c.unfit(column); why != "" {
		return c.refuse(a, why, notInFilters)
	}
	if ordered(op) || op == model.NotEqual {
		if why, way := c.unordered(column, op); why != "" {
			return c.refuse(a, why, way)
		}
	}
	switch column.Type.Kind {
	case model.KindEnum:
		return c.compareEnum(op, col, column, b)
	case model.KindInt:
		return c.compareInt(op, a, col, column, b)
	case model.KindDate:
		return c.compareDay(op, col, column, b)
	case model.KindTimestamp:
		return one(c.compared(op, col, column, c.timeText(column, b))...)
	case model.KindNumber:
		return one(c.compared(op, col, column, c.digits(b))...)
	case model.KindBool, model.KindString, model.KindUUID, model.KindIP, model.KindSet, model.KindDuration:
	}
	return one(c.compared(op, col, column, c.operand(b))...)
}

// maxDigits is the length of a number's text up to which every reader of JSON
// keeps its value: OPA's UCAST holds numbers as doubles. Longer ones are texts, as
// they are in SQL in any case.
const maxDigits = 15

// digits is a known number as a filter states it.
func (c *carrier) digits(x model.Expr) term {
	if lit, ok := x.(*model.Literal); ok {
		return shortened(c.literal(lit.Value))
	}
	return call{fn: library + "digits", args: []term{c.operand(x)}}
}

func shortened(t term) term {
	switch x := t.(type) {
	case number:
		if s := x.String(); len(s) > maxDigits {
			return text(s)
		}
	case decimal:
		if len(x) > maxDigits {
			return text(x)
		}
	case name, ref, call, text, boolean, null, list, set, object, infix, count:
	}
	return t
}

var turned = map[model.CompareOp]model.CompareOp{
	model.Equal: model.Equal, model.NotEqual: model.NotEqual, model.Less: model.Greater, model.LessEqual: model.GreaterEqual,
	model.Greater: model.Less, model.GreaterEqual: model.LessEqual,
}

func ordered(op model.CompareOp) bool { return op != model.Equal && op != model.NotEqual }

// compared is col op value with what must hold besides: the column is there, and
// is a value of its type where a database would compare others as well.
func (c *carrier) compared(op model.CompareOp, col term, column *model.Column, value term) body {
	out := body{test{term: infix{string(op), col, value}}}
	if op == model.Equal {
		return out
	}
	return append(append(out, present(col)), c.bounds(op, col, column)...)
}

// bounds keeps infinite times, times out of year 1 to 9999, NaN and infinite
// numbers out of comparisons that they would satisfy.
func (c *carrier) bounds(op model.CompareOp, col term, column *model.Column) body {
	lowest, highest := limits(column)
	if lowest == nil {
		return nil
	}
	above, below := test{term: infix{">=", col, lowest}}, test{term: infix{"<=", col, highest}}
	if column.Type.Kind == model.KindNumber {
		above, below = test{term: infix{">", col, lowest}}, test{term: infix{"<", col, highest}}
	}
	switch op {
	case model.Less, model.LessEqual:
		return body{above}
	case model.Greater, model.GreaterEqual:
		return body{below}
	case model.Equal, model.NotEqual:
	}
	return body{above, below}
}

// limits are the least and the greatest value of a column's type, where its
// database has others that are none of the language's; of a number, what lies
// just outside.
func limits(column *model.Column) (lowest, highest term) {
	switch column.Type.Kind {
	case model.KindDate:
		return text("0001-01-01"), text("9999-12-31")
	case model.KindTimestamp:
		if model.LocalTime(column.Native) {
			return text("0001-01-01T00:00:00"), text("9999-12-31T23:59:59.999999")
		}
		return text("0001-01-01T00:00:00Z"), text("9999-12-31T23:59:59.999999Z")
	case model.KindNumber:
		largest := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
		return number{new(big.Int).Neg(largest)}, number{largest}
	case model.KindBool, model.KindInt, model.KindString, model.KindUUID, model.KindIP, model.KindEnum, model.KindSet, model.KindDuration:
	}
	return nil, nil
}

// The native types whose comparisons with a literal mean what the language's do.
var (
	fitting = map[model.Kind]*regexp.Regexp{
		model.KindBool:      regexp.MustCompile(`^(boolean)?$`),
		model.KindInt:       regexp.MustCompile(`^(smallint|integer|bigint)?$`),
		model.KindNumber:    regexp.MustCompile(`^(numeric(\([0-9, ]+\))?)?$`),
		model.KindString:    regexp.MustCompile(`^(text|character varying(\([0-9]+\))?)?$`),
		model.KindUUID:      regexp.MustCompile(`^(uuid)?$`),
		model.KindDate:      regexp.MustCompile(`^(date)?$`),
		model.KindTimestamp: regexp.MustCompile(`^(timestamp(\([0-9]\))? with(out)? time zone)?$`),
		model.KindIP:        regexp.MustCompile(`^(inet)?$`),
		model.KindEnum:      regexp.MustCompile(``),
	}
	scaled = regexp.MustCompile(`^numeric\(([0-9]+), ?([0-9]+)\)$`)
)

// unfit says why a column cannot be compared in a filter; "" when it can.
func (*carrier) unfit(column *model.Column) string {
	if column.Type.Kind == model.KindSet {
		return "the elements of a column's set"
	}
	if form := fitting[column.Type.Kind]; form == nil || !form.MatchString(column.Native) {
		return fmt.Sprintf("a column of the database type %q", column.Native)
	}
	return ""
}

// unordered says why a column can be compared for equality only, and what to do;
// "" when it can be compared by order and for what it is not, too.
func (c *carrier) unordered(column *model.Column, op model.CompareOp) (why, way string) {
	switch column.Type.Kind {
	case model.KindString:
		if ordered(op) {
			return "the order of texts, which a database sorts by its collation", notInFilters
		}
	case model.KindIP:
		return "whether an address is not another, which holds for what is no single address as well", notInFilters
	case model.KindNumber:
		if !c.table.Resource() && !fewDecimals(column.Native) {
			return "anything but equality of a column that may hold more than 18 decimals",
				"State its database type with its decimals, such as native = \"numeric(12,2)\", or remove the action from `filters`."
		}
	case model.KindBool, model.KindInt, model.KindUUID, model.KindDate, model.KindTimestamp, model.KindEnum, model.KindSet, model.KindDuration:
	}
	return "", ""
}

// fewDecimals reports whether a numeric type holds only numbers of the language,
// beside NaN.
func fewDecimals(native string) bool {
	m := scaled.FindStringSubmatch(native)
	if m == nil {
		return false
	}
	precision, ok := new(big.Int).SetString(m[1], 10)
	scale, also := new(big.Int).SetString(m[2], 10)
	return ok && also && scale.Cmp(big.NewInt(18)) <= 0 && new(big.Int).Sub(precision, scale).Cmp(big.NewInt(38)) <= 0
}

// compareEnum compares with one of the enum's own strings, since a database
// refuses others: unequal to a string is equal to one of the rest.
func (c *carrier) compareEnum(op model.CompareOp, col term, column *model.Column, y model.Expr) []way {
	if lit, ok := y.(*model.Literal); ok {
		s, _ := lit.Value.(string)
		if op == model.Equal {
			if !slices.Contains(column.Type.Enum, s) {
				return nil
			}
			return one(test{term: infix{"==", col, text(s)}})
		}
		return c.among(col, without(column.Type.Enum, s))
	}
	value, labels := c.fresh("value"), enumValues(column.Type)
	known := let{name: value, value: c.operand(y)}
	if op == model.Equal {
		return one(known, test{term: infix{"in", name(value), labels}}, test{term: infix{"==", col, name(value)}})
	}
	others := c.fresh("others")
	rest := let{name: others, value: infix{"-", labels, set{name(value)}}}
	return one(known, rest, filled(others), test{term: infix{"in", col, name(others)}})
}

func without(list []string, s string) set {
	var out set
	for _, x := range list {
		if x != s {
			out = append(out, text(x))
		}
	}
	return out
}

// among is col in a constant set.
func (c *carrier) among(col term, values set) []way {
	if len(values) == 0 {
		return nil
	}
	return one(test{term: infix{"in", col, values}})
}

// filled says that a set has elements: SQL has no empty list.
func filled(values string) statement { return test{term: infix{"!=", name(values), set{}}} }

func blank(values string) statement { return test{term: infix{"==", name(values), set{}}} }

// span is what an integer column can hold; a database refuses literals outside.
func span(native string) (lowest, highest *big.Int) {
	bits := map[string]uint{"smallint": 15, "integer": 31}[native]
	if bits == 0 {
		bits = 63
	}
	end := new(big.Int).Lsh(big.NewInt(1), bits)
	return new(big.Int).Neg(end), end.Sub(end, big.NewInt(1))
}

// compareInt compares with a value that the column can hold, or tells from the
// value alone.
func (c *carrier) compareInt(op model.CompareOp, at model.Expr, col term, column *model.Column, y model.Expr) []way {
	lowest, highest := span(column.Native)
	if lit, ok := y.(*model.Literal); ok {
		n, ok := lit.Value.(*big.Rat)
		if !ok || !n.IsInt() {
			return c.refuse(at, "a whole number against one with decimals", "Compare it with a whole number, or remove the action from `filters`.")
		}
		switch {
		case n.Num().Cmp(highest) > 0:
			return always(op.Holds(-1), col)
		case n.Num().Cmp(lowest) < 0:
			return always(op.Holds(1), col)
		}
		return one(c.compared(op, col, column, c.digits(y))...)
	}
	if y.ResultType().Kind != model.KindInt {
		return c.refuse(at, "a whole number against a value of type "+y.ResultType().String(), "Declare the attribute as an int, or remove the action from `filters`.")
	}
	value := c.fresh("value")
	known := let{name: value, value: c.operand(y)}
	within := body{known, atMost(number{lowest}, name(value)), test{term: infix{"<=", name(value), number{highest}}}}
	out := []body{append(within, c.compared(op, col, column, call{fn: library + "digits", args: []term{name(value)}})...)}
	if op.Holds(-1) {
		out = append(out, body{known, test{term: infix{">", name(value), number{highest}}}, present(col)})
	}
	if op.Holds(1) {
		out = append(out, body{known, test{term: infix{"<", name(value), number{lowest}}}, present(col)})
	}
	return exclusive(out...)
}

// atMost is x <= y with y first: no line begins with a negative number.
func atMost(x, y term) statement { return test{term: infix{">=", y, x}} }

func always(holds bool, col term) []way {
	if !holds {
		return nil
	}
	return one(present(col))
}

// dayLength is the nanoseconds of a day.
var dayLength = number{big.NewInt(24 * 3600 * 1e9)}

// compareDay compares with a day, or with the day of an instant: a day is its
// midnight, so that it is never equal to an instant that is none.
func (c *carrier) compareDay(op model.CompareOp, col term, column *model.Column, y model.Expr) []way {
	if y.ResultType().Kind == model.KindDate {
		return one(c.compared(op, col, column, c.timeText(column, y))...)
	}
	value := c.fresh("value")
	known := let{name: value, value: c.operand(y)}
	rest := infix{"%", name(value), dayLength}
	day := call{fn: library + "day_text", args: []term{name(value)}}
	midnight := body{known, test{term: infix{"==", rest, number{new(big.Int)}}}}
	out := []body{append(midnight, c.compared(op, col, column, day)...)}
	later := body{known, test{term: infix{"!=", rest, number{new(big.Int)}}}}
	switch op {
	case model.Less, model.LessEqual:
		out = append(out, append(later, c.compared(model.LessEqual, col, column, day)...))
	case model.Greater, model.GreaterEqual:
		out = append(out, append(later, c.compared(model.Greater, col, column, day)...))
	case model.NotEqual:
		out = append(out, append(append(later, present(col)), c.bounds(op, col, column)...))
	case model.Equal:
	}
	return exclusive(out...)
}

// timeText is a known day or instant as the text that the column's database
// reads.
func (c *carrier) timeText(column *model.Column, y model.Expr) term {
	if lit, ok := y.(*model.Literal); ok {
		if s, ok := instantText(column, lit.Value); ok {
			return text(s)
		}
	}
	return call{fn: library + timeReader(column) + "_text", args: []term{c.operand(y)}}
}

func timeReader(column *model.Column) string {
	switch {
	case column.Type.Kind == model.KindDate:
		return "day"
	case model.LocalTime(column.Native):
		return "local"
	}
	return "instant"
}

// instantText is a constant as the functions of the library write known values.
func instantText(column *model.Column, v model.Value) (string, bool) {
	layout := map[string]string{"day": time.DateOnly, "local": "2006-01-02T15:04:05.999999", "instant": "2006-01-02T15:04:05.999999Z"}[timeReader(column)]
	switch x := v.(type) {
	case model.Date:
		return time.UnixMicro(int64(x.Instant())).UTC().Format(layout), true
	case model.Timestamp:
		return time.UnixMicro(int64(x)).UTC().Format(layout), true
	}
	return "", false
}

// compareColumns compares two columns of one type.
func (c *carrier) compareColumns(op model.CompareOp, x, y model.Expr) []way {
	a, refused := c.column(x)
	if refused != nil {
		return refused
	}
	b, refused := c.column(y)
	if refused != nil {
		return refused
	}
	m, n := x.(*model.ColumnRef).Column, y.(*model.ColumnRef).Column
	for _, side := range []struct {
		at     model.Expr
		column *model.Column
	}{{x, m}, {y, n}} {
		if why := c.unfit(side.column); why != "" {
			return c.refuse(side.at, why, notInFilters)
		}
		if why, way := c.unordered(side.column, op); why != "" {
			return c.refuse(side.at, why, way)
		}
	}
	numbers := func(k model.Kind) bool { return k == model.KindInt || k == model.KindNumber }
	alike := m.Type.Kind == n.Type.Kind && model.LocalTime(m.Native) == model.LocalTime(n.Native) || numbers(m.Type.Kind) && numbers(n.Type.Kind)
	if !alike || m.Type.Kind == model.KindEnum {
		return c.refuse(x, fmt.Sprintf("a column of type %s against one of type %s", m.Type, n.Type), notInFilters)
	}
	out := body{test{term: infix{string(op), a, b}}, present(a)}
	if op != model.Equal {
		out = append(out, present(b))
	}
	out = append(out, c.bounds(model.NotEqual, a, m)...)
	if op != model.Equal {
		out = append(out, c.bounds(model.NotEqual, b, n)...)
	}
	return one(out...)
}

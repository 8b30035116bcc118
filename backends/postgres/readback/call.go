package readback

import (
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// call reads functions that give a value.
func (r *reader) call(c deparsed.Call) value {
	if f, ok := r.names.Functions[Name{c.Schema, c.Name}]; ok && f.Value != nil && c.Word == "" {
		if len(c.Args) > 0 {
			return unreadable("the function %s with arguments", c.Name)
		}
		v := typed(f.Value.ResultType(), "")
		v.x = f.Value
		return v
	}
	switch {
	case c.Word == "COALESCE":
		return r.coalesce(c.Args)
	case c.Word == "CURRENT_USER" || c.Word == "CURRENT_ROLE" || c.Word == "USER":
		if r.names.User != "" {
			return value{family: famText, typ: sqltext.Builtin("name"), x: &model.Literal{Node: model.Node{Type: model.String}, Value: r.names.User}}
		}
		return unreadable("%s", c.Word)
	case c.Word != "":
		return unreadable("%s", c.Word)
	case c.Schema != "" && c.Schema != "pg_catalog":
		return unreadable("the function %s.%s, whose meaning is not known", c.Schema, c.Name)
	case c.Name == "statement_timestamp" && len(c.Args) == 0:
		return value{family: famInstant, typ: sqltext.Builtin("timestamp with time zone"), x: &model.NowRef{Node: model.Node{Type: model.TimeType}}}
	case (c.Name == "lower" || c.Name == "length" || c.Name == "char_length" || c.Name == "character_length" || c.Name == "cardinality") && len(c.Args) == 1:
		v := r.value(c.Args[0])
		if v.bad != "" {
			return v
		}
		return v.eachChoice(func(v value) value { return measure(c.Name, v) })
	}
	return unreadable("the function %s", c.Name)
}

// measure is lower(x COLLATE "C"), length(x) of a text and cardinality(x) of a
// set that the request states.
func measure(name string, v value) value {
	call := func(fn model.Fn, t model.Type, family family, typ string) value {
		if v.null {
			return value{null: true, family: family, typ: sqltext.Builtin(typ)}
		}
		return value{
			family: family, typ: sqltext.Builtin(typ), mentions: v.odds(),
			x: &model.Call{Node: model.Node{Type: t}, Fn: fn, Args: []model.Expr{v.x}},
		}
	}
	switch {
	case v.isList || v.beyond != within:
	case name == "lower" && v.family == famText && v.bytewise:
		out := call(model.FnLower, model.String, famText, "text")
		out.bytewise = true
		return out
	case name == "cardinality" && v.family == famArray && v.column == nil && v.mentions == nil:
		return call(model.FnLength, model.Int, famInt, "integer")
	case name != "lower" && name != "cardinality" && v.family == famText:
		return call(model.FnLength, model.Int, famInt, "integer")
	}
	return unreadable("%s of a value of type %s", name, v.typ.SQL())
}

func (r *reader) coalesce(args []deparsed.Expr) value {
	if len(args) != 2 {
		return unreadable("COALESCE of %d values", len(args))
	}
	first, second := r.value(args[0]), r.value(args[1])
	switch {
	case first.bad != "":
		return first
	case second.bad != "":
		return second
	case first.column == nil || first.family != second.family || first.isList || second.isList || len(second.either) > 0:
		return unreadable("COALESCE of what is no column")
	}
	out := value{family: first.family, typ: first.typ, elem: first.elem}
	out.either = []choice{{first.isNull(true), first}, {first.isNull(false), second}}
	return out
}

// operation reads operators that give a value.
func (r *reader) operation(o deparsed.Op) value {
	right := r.value(o.R)
	if right.bad != "" {
		return right
	}
	if o.L == nil {
		if o.Op != "-" || right.family != famNumeric || !wholeNumber(right) {
			return unreadable("the operator %s", o.Op)
		}
		return arithmetic(model.FnNegate, right)
	}
	left := r.value(o.L)
	if left.bad != "" {
		return left
	}
	if left.family == famArray || right.family == famArray {
		return concatenated(o.Op, left, right)
	}
	if len(right.either) > 0 {
		return unreadable("the operator %s", o.Op)
	}
	return left.eachChoice(func(left value) value { return r.binary(o, left, right) })
}

func (r *reader) binary(o deparsed.Op, left, right value) value {
	op := o.Op
	switch {
	case left.null || right.null || left.isList || right.isList || left.beyond != within || right.beyond != within || left.day != noDay || right.day != noDay:
	case op == "||" && left.family == famText && right.family == famText && left.typ.Name == "text" && right.typ.Name == "text":
		return template(value{family: famText, typ: sqltext.Builtin("text"), bytewise: left.bytewise || right.bytewise}, left, right)
	case left.family == famNumeric && right.family == famNumeric && wholeNumber(left) && wholeNumber(right):
		if fn, ok := map[string]model.Fn{"+": model.FnAdd, "-": model.FnSubtract, "*": model.FnMultiply}[op]; ok {
			return arithmetic(fn, left, right)
		}
	case left.family == famInstant && right.family == famInterval && (op == "+" || op == "-"):
		return r.shifted(o, left, right)
	case left.family == famLocal && right.family == famInterval && op == "+":
		if lit, ok := right.x.(*model.Literal); ok && lit.Value == model.Value(model.Day-model.Microsecond) {
			left.day = raised
			return left
		}
	}
	return unreadable("the operator %s", op)
}

// wholeNumber reports whether a numeric is one that stands for an integer: only
// of these the language knows sums.
func wholeNumber(v value) bool {
	if n, ok := v.number(); ok {
		return n.IsInt()
	}
	return v.x != nil && v.x.ResultType().Kind == model.KindInt
}

func arithmetic(fn model.Fn, args ...value) value {
	out := value{family: famNumeric, typ: sqltext.Builtin("numeric")}
	call := &model.Call{Node: model.Node{Type: model.Int}, Fn: fn}
	for _, a := range args {
		x := a.x
		if lit, ok := x.(*model.Literal); ok {
			x = &model.Literal{Node: model.Node{Type: model.Int}, Value: lit.Value}
		}
		call.Args = append(call.Args, x)
		out.mentions = append(out.mentions, a.odds()...)
	}
	out.x = call
	return out
}

// shifted is a time and a length of time.
func (r *reader) shifted(o deparsed.Op, t, by value) value {
	fn := model.FnAdd
	if o.Op == "-" {
		fn = model.FnSubtract
	}
	call := &model.Call{Node: model.Node{Type: model.TimeType}, Fn: fn, Args: []model.Expr{t.x, by.x}}
	t.mentions, t.subject = t.odds(), nil
	if !near(call) {
		key := fmt.Sprintf("%#v", o)
		if r.times[key] == nil {
			r.times[key] = &subject{kinds: kindLow | kindHigh, isOdd: model.AllOf(&model.Known{X: t.x}, &model.Known{X: call, Not: true})}
		}
		t.subject = r.times[key]
	}
	t.x, t.column = call, nil
	return t
}

// near reports whether a computed time is always one of the language: not more
// than a thousand years from the start of the statement, or a constant.
func near(x *model.Call) bool {
	const most = 1000 * 365 * model.Day
	lit, ok := x.Args[1].(*model.Literal)
	if !ok {
		return false
	}
	d, ok := lit.Value.(model.Duration)
	if !ok || d > most || d < -most {
		return false
	}
	if _, now := x.Args[0].(*model.NowRef); now {
		return true
	}
	from, ok := x.Args[0].(*model.Literal)
	if !ok {
		return false
	}
	t, ok := from.Value.(model.Timestamp)
	const margin = model.Timestamp(most)
	return ok && t > model.MinTimestamp+margin && t < model.MaxTimestamp-margin
}

// concatenated is arrays put together, of constants and values.
func concatenated(op string, l, r value) value {
	if op != "||" || l.family != famArray || r.family != famArray || l.elem != r.elem {
		return unreadable("the operator %s on arrays", op)
	}
	return value{family: famArray, typ: l.typ, elem: l.elem, isList: true, list: append(parts(l), parts(r)...)}
}

// parts are the elements of an array; one that is not constant is a part as a
// whole.
func parts(v value) []value {
	if v.isList {
		return v.list
	}
	return []value{v}
}

// unnested reads the number of different elements of a set.
func (r *reader) unnested(u deparsed.Unnested) value {
	count, ok := u.X.(deparsed.Call)
	array := r.value(u.Array)
	switch {
	case array.bad != "":
		return array
	case !ok || count.Name != "count" || array.column == nil:
		return unreadable("a subquery")
	}
	return unreadable("the number of elements of a set")
}

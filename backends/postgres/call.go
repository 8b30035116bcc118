package postgres

import (
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// call is a computed operand. One that speaks of no column is computed once a
// query, in a subquery of its own.
func (r *renderer) call(c *model.Call) operand {
	if !r.once && !mentionsColumn(c) {
		r.once = true
		o := r.apply(c)
		r.once = false
		if _, now := o.x.(sqltext.Op); now && mentionsOnlyNow(c) {
			return o
		}
		o.x = sqltext.Select{X: o.x, Alias: "value"}
		return o
	}
	return r.apply(c)
}

func (r *renderer) apply(c *model.Call) operand {
	args := make([]operand, len(c.Args))
	out := operand{typ: usualType(c.Type)}
	for i, a := range c.Args {
		args[i] = r.operand(a)
		out.column = out.column || args[i].column
		out.guards = append(out.guards, args[i].guards...)
	}
	switch c.Fn {
	case model.FnLower:
		out.x = sqltext.Func{Name: "lower", Args: []sqltext.Expr{sqltext.CollateC{X: r.text(args[0])}}}
	case model.FnLength:
		return r.length(args[0], out)
	case model.FnTemplate:
		out.x = r.template(args)
	case model.FnNegate:
		out.typ = usualType(model.Number)
		out.x = sqltext.Op{Op: "-", R: numeric(args[0])}
	case model.FnAdd, model.FnSubtract, model.FnMultiply:
		op := map[model.Fn]sqltext.SQL{model.FnAdd: "+", model.FnSubtract: "-", model.FnMultiply: "*"}[c.Fn]
		if c.Type.Kind == model.KindTimestamp {
			return r.shift(args[0], op, args[1], out)
		}
		// In numeric nothing overflows; an overflow would abort everyone's query.
		out.typ = usualType(model.Number)
		out.x = sqltext.Op{L: numeric(args[0]), Op: op, R: numeric(args[1])}
	default:
		r.fail(fmt.Errorf("%w: function %s as an operand", errUnsupported, c.Fn))
	}
	return out
}

// shift is a timestamp plus or minus a fixed length of time. A column is only
// added to where it holds a time of the language: elsewhere the sum could
// overflow and abort the query.
func (r *renderer) shift(t operand, op sqltext.SQL, d operand, out operand) operand {
	const longest = 10000 * 366 * model.Day
	length, ok := d.literal.(model.Duration)
	if ok && (length > longest || length < -longest) {
		out.x = sqltext.NullConst{Type: tInstant} // outside years 1 to 9999 whatever it starts from
		return out
	}
	from := instant(t)
	sum := sqltext.Expr(sqltext.Op{L: from.x, Op: op, R: d.x})
	if checks := t.bound(true, true); len(checks) > 0 {
		sum = sqltext.When{Cond: allOf(checks...), Then: sum, Type: tInstant}
	}
	out.x, out.typ = sum, usualType(model.TimeType)
	// A thousand years around the present need no check.
	if near := 1000 * 365 * model.Day; !t.now || length > near || length < -near {
		out.bounds = boundsOf(sum, out.typ)
	}
	return out
}

// length is the number of code points of a string or of distinct elements of
// a set.
func (r *renderer) length(arg operand, out operand) operand {
	if arg.typ.family != famSet {
		out.x = sqltext.Func{Name: "length", Args: []sqltext.Expr{r.text(arg)}}
		return out
	}
	if arg.inner == nil { // accessors give distinct elements without null
		out.x = sqltext.Func{Name: "cardinality", Args: []sqltext.Expr{arg.x}}
		return out
	}
	var elem sqltext.Expr = sqltext.Elem{}
	if arg.typ.elem.family == famText {
		elem = sqltext.CollateC{X: elem}
	}
	out.x = sqltext.Unnested{X: sqltext.CountOf{Distinct: true, X: elem}, Array: arg.inner}
	return out
}

// template puts strings, ints and uuids together.
func (r *renderer) template(args []operand) sqltext.Expr {
	var x sqltext.Expr
	for _, a := range args {
		if x == nil {
			x = r.text(a)
			continue
		}
		x = sqltext.Op{L: x, Op: "||", R: r.text(a)}
	}
	if x == nil {
		return sqltext.Const{Type: tText}
	}
	return x
}

// text is an operand as text.
func (r *renderer) text(o operand) sqltext.Expr {
	if o.typ.family == famText {
		return o.x
	}
	return sqltext.Cast{X: o.x, Type: tText}
}

// numeric is a number operand as numeric.
func numeric(o operand) sqltext.Expr {
	if o.typ.family == famNumeric {
		return o.x
	}
	if c, ok := o.x.(sqltext.Const); ok {
		return sqltext.Const{Text: c.Text, Type: tNumeric}
	}
	return sqltext.Cast{X: o.x, Type: tNumeric}
}

// instant is a date or timestamp operand as timestamp with time zone; what is
// without a zone is UTC.
func instant(o operand) operand {
	switch o.typ.family {
	case famDate:
		if d, ok := o.literal.(model.Date); ok {
			o.literal, o.x = d.Instant(), instantConst(d.Instant())
			break
		}
		// A date may lie beyond the last timestamp, where the cast fails.
		var local sqltext.Expr = sqltext.Cast{X: o.x, Type: tLocal}
		if checks := o.bound(true, true); len(checks) > 0 {
			local = sqltext.When{Cond: allOf(checks...), Then: local, Type: tLocal}
		}
		o.x = sqltext.AtUTC{X: local}
	case famLocal:
		o.x = sqltext.AtUTC{X: o.x}
	default:
		return o
	}
	o.typ = usualType(model.TimeType)
	return o
}

// local is an instant as timestamp without time zone in UTC.
func local(o operand) sqltext.Expr {
	if t, ok := o.literal.(model.Timestamp); ok {
		return localConst(t)
	}
	return sqltext.AtUTC{X: o.x}
}

func mentionsColumn(e model.Expr) bool {
	found := false
	model.WalkExpr(e, func(x model.Expr) {
		if _, ok := x.(*model.ColumnRef); ok {
			found = true
		}
	})
	return found
}

// mentionsOnlyNow reports whether an expression speaks of nothing but the
// start of the statement: then it is stable and cheap as it is.
func mentionsOnlyNow(e model.Expr) bool {
	only := true
	model.WalkExpr(e, func(x model.Expr) {
		_, now := x.(*model.NowRef)
		_, literal := x.(*model.Literal)
		_, call := x.(*model.Call)
		only = only && (now || literal || call)
	})
	return only
}

// allOf joins terms by AND, flattened as Postgres keeps them.
func allOf(terms ...sqltext.Expr) sqltext.Expr {
	var flat []sqltext.Expr
	for _, t := range terms {
		if inner, ok := t.(sqltext.AllOf); ok {
			flat = append(flat, inner.Terms...)
			continue
		}
		flat = append(flat, t)
	}
	switch len(flat) {
	case 0:
		return sqltext.BoolConst{Value: true}
	case 1:
		return flat[0]
	}
	return sqltext.AllOf{Terms: flat}
}

// anyOf joins terms by OR, flattened.
func anyOf(terms ...sqltext.Expr) sqltext.Expr {
	var flat []sqltext.Expr
	for _, t := range terms {
		if inner, ok := t.(sqltext.AnyOf); ok {
			flat = append(flat, inner.Terms...)
			continue
		}
		flat = append(flat, t)
	}
	switch len(flat) {
	case 0:
		return sqltext.BoolConst{Value: false}
	case 1:
		return flat[0]
	}
	return sqltext.AnyOf{Terms: flat}
}

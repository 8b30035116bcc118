package rego

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// carrier writes conditions for data filters. Parts that read no column are
// those of decisions, since all they need is known; OPA evaluates them.
type carrier struct {
	*scope
	table  *model.Table
	misfit func(at source.Span, what, way string)
}

// way is one way to satisfy a condition, and how many parts of a filter it can
// become.
type way struct {
	body  body
	parts int
}

func one(b ...statement) []way { return []way{{b, 1}} }

// exclusive are ways of which what is known leaves at most one.
func exclusive(bodies ...body) []way {
	out := make([]way, len(bodies))
	for i, b := range bodies {
		out[i].body = b
	}
	if len(out) > 0 {
		out[0].parts = 1
	}
	return out
}

func parts(ways []way) int {
	n := 0
	for _, w := range ways {
		n = capped(n + w.parts)
	}
	return n
}

// ways writes a condition as ways of which one must be satisfied.
func (c *carrier) ways(x model.Cond) []way {
	switch x := x.(type) {
	case model.True:
		return one()
	case model.False:
		return nil
	case *model.And:
		out := way{parts: 1}
		for _, t := range x.Terms {
			w, never := c.join(t)
			if never {
				return nil
			}
			out.body = append(out.body, w.body...)
			out.parts = capped(out.parts * w.parts)
		}
		return []way{out}
	case *model.Or:
		return c.or(x)
	case *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In, *model.InNetwork,
		*model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	if readsRecord(x) {
		return c.atom(x)
	}
	return one(c.inline(x)...)
}

// or puts the terms that are known first: where they hold, nothing else is a part
// of the filter. They are a rule that depends on nothing unknown, so that `not`
// tells whether it is satisfied.
func (c *carrier) or(x *model.Or) []way {
	var known []model.Cond
	var out []way
	for _, t := range x.Terms {
		if readsRecord(t) {
			out = append(out, c.ways(t)...)
		} else {
			known = append(known, t)
		}
	}
	if len(known) == 0 {
		return out
	}
	settled := c.inline(model.AnyOf(known...))
	if len(out) == 0 {
		return one(settled...)
	}
	helper := c.helper(settled)
	for i, w := range out {
		out[i].body = append(body{test{term: helper, not: true}}, w.body...)
	}
	return append([]way{{body: body{test{term: helper}}}}, out...)
}

// helper is a rule of these ways to satisfy it.
func (c *carrier) helper(bodies ...body) term {
	helper := c.out.unique(c.base)
	about := note{title: c.about.title, description: "A part of the filter's condition of " + c.about.title + ".", source: c.about.source}
	for _, b := range bodies {
		c.out.add(rule{note: &about, name: helper, body: satisfiable(b)})
	}
	return name(helper)
}

// join writes a condition as one body; several ways become a helper rule.
func (c *carrier) join(x model.Cond) (joined way, never bool) {
	ways := c.ways(x)
	switch len(ways) {
	case 0:
		return way{}, true
	case 1:
		return ways[0], false
	}
	bodies := make([]body, len(ways))
	for i, w := range ways {
		bodies[i] = w.body
	}
	return way{body{test{term: c.helper(bodies...)}}, parts(ways)}, false
}

// readsRecord reports whether a condition reads a record.
func readsRecord(x model.Cond) bool { return len(rowsOf(x)) > 0 }

func readsColumn(x model.Expr) bool {
	found := false
	model.WalkExpr(x, func(e model.Expr) {
		_, ok := e.(*model.ColumnRef)
		found = found || ok
	})
	return found
}

const notInFilters = "Write the condition with columns of the record as they are, or remove the action from `filters`."

// refuse says that something has no form in a filter. What it returns is never
// emitted.
func (c *carrier) refuse(x model.Expr, what, way string) []way {
	span := source.Span{}
	if x != nil {
		span = x.Place()
	}
	c.misfit(span, what, way)
	return one(test{term: boolean(false)})
}

// atom writes an atom that reads the record.
func (c *carrier) atom(x model.Cond) []way {
	switch x := x.(type) {
	case *model.Compare:
		return c.compare(x)
	case *model.Truth:
		col, refused := c.column(x.X)
		if refused != nil {
			return refused
		}
		return one(test{term: infix{"==", col, boolean(x.Want)}})
	case *model.Null:
		return c.null(x.X, x.Not)
	case *model.Empty:
		return c.empty(x)
	case *model.Match:
		return c.match(x)
	case *model.In:
		return c.in(x)
	case *model.InNetwork:
		return c.refuse(x.X, "networks of a column's addresses", notInFilters)
	case *model.Some:
		return c.related(x.From)
	case *model.Every:
		return c.related(x.From)
	case *model.Count:
		return c.related(x.From)
	case model.True, model.False, *model.And, *model.Or, *model.Known, *model.ViaApp: // they read no record
	}
	return c.refuse(nil, fmt.Sprintf("a condition of type %T", x), notInFilters)
}

func (c *carrier) related(from model.RelatedRows) []way {
	return c.refuse(nil, fmt.Sprintf("the related records %q", from.Relation.Name), notInFilters)
}

// column is a column of the record as the filter reads it.
func (c *carrier) column(x model.Expr) (term, []way) {
	ref, ok := x.(*model.ColumnRef)
	if !ok {
		if call, is := x.(*model.Call); is {
			return nil, c.refuse(x, calculated(call.Fn)+" of a column", notInFilters)
		}
		return nil, c.refuse(x, fmt.Sprintf("an expression of type %T", x), notInFilters)
	}
	if len(ref.Path) > 0 {
		return nil, c.refuse(x, fmt.Sprintf("columns of the related record %q", ref.Path[0].Name), notInFilters)
	}
	if why := c.misnamed(ref.Column); why != "" {
		return nil, c.refuse(x, fmt.Sprintf("the column %q, %s", ref.Column.Name, why),
			"Give the column a name of small letters, digits and `_`, or remove the action from `filters`.")
	}
	return raw(ref.Column), nil
}

// calculated says what a function makes of a column.
func calculated(f model.Fn) string {
	switch f {
	case model.FnAdd, model.FnSubtract, model.FnMultiply, model.FnNegate:
		return "arithmetic"
	case model.FnTemplate:
		return "a text made"
	default:
		return f.String()
	}
}

func raw(c *model.Column) term { return ref{filtered.base, []string{record, c.Name}} }

// misnamed says why OPA does not write the name of a column as SQL that means
// it; "" when it does. It puts in quotation marks what is no plain word, but not
// capitals, which Postgres takes for small letters, and reads signs of its own in
// between.
func (c *carrier) misnamed(col *model.Column) string {
	if i := strings.IndexAny(col.Name, ".$\\\"'`?@:\x00"); i >= 0 {
		return fmt.Sprintf("whose name has the sign %q", col.Name[i])
	}
	if !c.table.Resource() {
		if identifier.MatchString(col.Name) && strings.ToLower(col.Name) != col.Name {
			return "whose name has capital letters"
		}
		return ""
	}
	for _, other := range c.table.Columns {
		if other != col && strings.EqualFold(other.Name, col.Name) {
			return fmt.Sprintf("whose name is that of %q but for capitals", other.Name)
		}
	}
	return ""
}

func (c *carrier) null(x *model.ColumnRef, not bool) []way {
	col, refused := c.column(x)
	if refused != nil {
		return refused
	}
	if not {
		return one(present(col))
	}
	return one(test{term: infix{"==", col, null{}}})
}

// present says that a column is not null. SQL needs it beside no comparison, but
// other readers of a filter take null for less than any number.
func present(col term) statement { return test{term: infix{"!=", col, null{}}} }

func (c *carrier) empty(x *model.Empty) []way {
	switch x.X.Column.Type.Kind {
	case model.KindString:
	case model.KindSet:
		return c.refuse(x.X, "whether a set of the record is empty", notInFilters)
	default:
		return c.null(x.X, x.Not)
	}
	col, refused := c.text(x.X)
	if refused != nil {
		return refused
	}
	if x.Not {
		return one(present(col), test{term: infix{"!=", col, text("")}})
	}
	return append(c.null(x.X, false), one(test{term: infix{"==", col, text("")}})...)
}

// text is a column of strings.
func (c *carrier) text(x model.Expr) (term, []way) {
	col, refused := c.column(x)
	if refused != nil {
		return nil, refused
	}
	column := x.(*model.ColumnRef).Column
	if column.Type.Kind != model.KindString {
		return nil, c.refuse(x, fmt.Sprintf("tests of strings on a column of type %s", column.Type), notInFilters)
	}
	if why := c.unfit(column); why != "" {
		return nil, c.refuse(x, why, notInFilters)
	}
	return col, nil
}

func (c *carrier) match(x *model.Match) []way {
	if readsColumn(x.Y) {
		return c.refuse(x.Y, string(x.Op)+" with a column as the second value", notInFilters)
	}
	col, refused := c.text(x.X)
	if refused != nil {
		return refused
	}
	// The value gets a name first: where it is unknown, so is the rest, and `not`
	// comes after it.
	pattern := c.fresh("pattern")
	known := let{name: pattern, value: c.operand(x.Y)}
	fn := map[model.MatchOp]string{
		model.MatchContains: "contains", model.MatchStarts: "startswith", model.MatchEnds: "endswith", model.MatchUnder: "startswith",
	}[x.Op]
	if x.Op != model.MatchUnder {
		found := test{term: call{fn: fn, args: []term{col, name(pattern)}}, not: x.Not}
		if x.Not {
			return one(present(col), known, found)
		}
		return one(known, found)
	}
	prefix := call{fn: "concat", args: []term{text(""), list{name(pattern), text(x.Delimiter)}}}
	if x.Not {
		below := c.fresh("below")
		return one(present(col), known, test{term: infix{"!=", col, name(pattern)}}, let{name: below, value: prefix},
			test{term: call{fn: fn, args: []term{col, name(below)}}, not: true})
	}
	return append(one(test{term: infix{"==", col, c.operand(x.Y)}}), one(test{term: call{fn: fn, args: []term{col, call{fn: "concat", args: []term{text(""), list{c.operand(x.Y), text(x.Delimiter)}}}}}})...)
}

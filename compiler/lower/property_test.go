package lower_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/lower"
	"github.com/postern-dev/postern/compiler/model"
)

// world is the small schema that random conditions speak about.
type world struct {
	program *model.Program
	record  *model.Row
	ints    []string
	strs    []string
	bools   []string
	group   *model.Group
}

func newWorld() *world {
	ds := &model.Datasource{Name: "db", Type: model.Service}
	deal := &model.Table{Datasource: ds, Name: "deals"}
	w := &world{
		record: &model.Row{Name: "record", Table: deal}, ints: []string{"n", "m"}, strs: []string{"s", "t"}, bools: []string{"a", "b"},
		group: &model.Group{Name: "x", Closure: []string{"x"}},
	}
	add := func(t model.Type, names ...string) {
		for _, n := range names {
			deal.Columns = append(deal.Columns, &model.Column{Name: n, Type: t, Null: true})
		}
	}
	add(model.Int, w.ints...)
	add(model.String, w.strs...)
	add(model.Bool, w.bools...)
	add(model.StringSet, "tags")
	add(model.TimeType, "at")
	add(model.DateType, "day")
	add(model.IP, "ip")
	deal.Relations = []*model.Relation{{Name: "one", From: deal, Table: deal}, {Name: "many", From: deal, Table: deal, Many: true}}
	attr := func(n string, t model.Type) *model.Attribute {
		return &model.Attribute{Name: n, Scope: model.ScopeUser, Type: t, Claim: []string{n}}
	}
	attrs := []*model.Attribute{attr("id", model.String), attr("n", model.Int), attr("s", model.String), attr("a", model.Bool), attr("tags", model.StringSet)}
	w.program = &model.Program{
		Identity: model.Identity{Key: attrs[0], Attributes: attrs}, Groups: []*model.Group{w.group},
		Levels: []*model.Level{{Name: model.LevelAnonymous}, {Name: model.LevelUser}}, Tables: []*model.Table{deal},
	}
	return w
}

// gen draws expressions; rows are those in scope.
type gen struct {
	t *rapid.T
	w *world
}

func (g gen) pick(n int) int { return rapid.IntRange(0, n-1).Draw(g.t, "pick") }

func node(t model.Type) model.Node { return model.Node{Type: t} }

func call(fn model.Fn, t model.Type, args ...model.Expr) model.Expr {
	return &model.Call{Node: node(t), Fn: fn, Args: args}
}

func lit(v model.Value, t model.Type) model.Expr { return &model.Literal{Node: node(t), Value: v} }

func (g gen) column(rows []*model.Row, names ...string) *model.ColumnRef {
	row := rows[g.pick(len(rows))]
	col := row.Table.Column(names[g.pick(len(names))])
	ref := &model.ColumnRef{Node: node(col.Type), Row: row, Column: col}
	if g.pick(3) == 0 {
		ref.Path = []*model.Relation{row.Table.Relation("one")}
	}
	return ref
}

func (g gen) attr(name string) model.Expr {
	for _, a := range g.w.program.Identity.Attributes {
		if a.Name == name {
			return &model.AttrRef{Node: node(a.Type), Attribute: a}
		}
	}
	return nil
}

func (g gen) whole(depth int, rows []*model.Row) model.Expr {
	if depth <= 0 {
		switch g.pick(3) {
		case 0:
			return lit(big.NewRat(int64(g.pick(4))-1, 1), model.Int)
		case 1:
			return g.attr("n")
		}
		return g.column(rows, g.w.ints...)
	}
	switch g.pick(9) {
	case 0:
		return call(model.FnAdd, model.Int, g.whole(depth-1, rows), g.whole(depth-1, rows))
	case 1:
		return call(model.FnSubtract, model.Int, g.whole(depth-1, rows), g.whole(depth-1, rows))
	case 2:
		return call(model.FnMultiply, model.Int, g.whole(depth-1, rows), g.whole(depth-1, rows))
	case 3:
		return call(model.FnNegate, model.Int, g.whole(depth-1, rows))
	case 4:
		return call(model.FnLength, model.Int, g.text(depth-1, rows))
	case 5:
		return call(model.FnLength, model.Int, g.set(rows))
	case 6:
		return call(model.FnIf, model.Int, g.cond(depth-1, rows), g.whole(depth-1, rows), g.whole(depth-1, rows))
	case 7:
		return call(model.FnCoalesce, model.Int, g.column(rows, g.w.ints...), g.whole(depth-1, rows))
	}
	return g.whole(0, rows)
}

func (g gen) text(depth int, rows []*model.Row) model.Expr {
	if depth <= 0 {
		switch g.pick(3) {
		case 0:
			return lit([]string{"", "x", "X", "x.y", "0"}[g.pick(5)], model.String)
		case 1:
			return g.attr("s")
		}
		return g.column(rows, g.w.strs...)
	}
	switch g.pick(5) {
	case 0:
		return call(model.FnLower, model.String, g.text(depth-1, rows))
	case 1:
		return call(model.FnTemplate, model.String, g.text(depth-1, rows), g.whole(depth-1, rows))
	case 2:
		return call(model.FnIf, model.String, g.cond(depth-1, rows), g.text(depth-1, rows), g.text(depth-1, rows))
	case 3:
		return call(model.FnCoalesce, model.String, g.column(rows, g.w.strs...), g.text(depth-1, rows))
	}
	return g.text(0, rows)
}

func (g gen) set(rows []*model.Row) model.Expr {
	switch g.pick(4) {
	case 0:
		return g.column(rows, "tags")
	case 1:
		return g.attr("tags")
	case 2:
		return &model.GroupsRef{Node: node(model.StringSet)}
	}
	return lit([]model.Set{{}, {"x"}, {"", "x"}}[g.pick(3)], model.StringSet)
}

func (g gen) time(rows []*model.Row) model.Expr {
	switch g.pick(5) {
	case 0:
		return g.column(rows, "day")
	case 1:
		return &model.NowRef{Node: node(model.TimeType)}
	case 2:
		return call(model.FnAdd, model.TimeType, g.column(rows, "at"), lit(model.Hour, model.Interval))
	case 3:
		return lit(model.Timestamp(0), model.TimeType)
	}
	return g.column(rows, "at")
}

var orders = []model.Fn{model.FnEqual, model.FnNotEqual, model.FnLess, model.FnLessEqual, model.FnGreater, model.FnGreaterEqual}

func (g gen) cond(depth int, rows []*model.Row) model.Expr {
	if depth <= 0 {
		switch g.pick(4) {
		case 0:
			return lit(g.pick(2) == 0, model.Bool)
		case 1:
			return g.attr("a")
		case 2:
			return &model.MemberOf{Node: node(model.Bool), Group: g.w.group}
		}
		return g.column(rows, g.w.bools...)
	}
	if g.pick(2) == 0 {
		return g.logic(depth-1, rows)
	}
	return g.atom(depth-1, rows)
}

func (g gen) logic(depth int, rows []*model.Row) model.Expr {
	switch g.pick(8) {
	case 0:
		return call(model.FnAnd, model.Bool, g.cond(depth, rows), g.cond(depth, rows))
	case 1:
		return call(model.FnOr, model.Bool, g.cond(depth, rows), g.cond(depth, rows), g.cond(depth, rows))
	case 2:
		return call(model.FnNot, model.Bool, g.cond(depth, rows))
	case 3:
		return call(model.FnIf, model.Bool, g.cond(depth, rows), g.cond(depth, rows), g.cond(depth, rows))
	case 4:
		return call(model.FnCoalesce, model.Bool, g.column(rows, g.w.bools...), g.cond(depth, rows))
	case 5:
		return call(orders[g.pick(2)], model.Bool, g.cond(depth, rows), g.cond(depth, rows))
	case 6:
		return call(orders[g.pick(6)], model.Bool, g.related(model.CountTrue, depth, rows), g.whole(depth, rows))
	}
	return g.related([]model.Quantifier{model.AnyTrue, model.AllTrue}[g.pick(2)], depth, rows)
}

func (g gen) related(q model.Quantifier, depth int, rows []*model.Row) model.Expr {
	from := rows[g.pick(len(rows))]
	each := &model.Row{Name: "m", Table: from.Table}
	t := model.Bool
	if q == model.CountTrue {
		t = model.Int
	}
	r := &model.Related{
		Node: node(t), Quantifier: q, Row: from, Relation: from.Table.Relation("many"), Each: each,
		Body: g.cond(depth, append(rows[:len(rows):len(rows)], each)),
	}
	if g.pick(3) == 0 {
		r.Path = []*model.Relation{from.Table.Relation("one")}
	}
	return r
}

func (g gen) atom(depth int, rows []*model.Row) model.Expr {
	columns := []string{"n", "s", "a", "tags", "at", "ip"}
	switch g.pick(12) {
	case 0:
		return call(orders[g.pick(6)], model.Bool, g.whole(depth, rows), g.whole(depth, rows))
	case 1:
		return call(orders[g.pick(6)], model.Bool, g.text(depth, rows), g.text(depth, rows))
	case 2:
		return call(orders[g.pick(6)], model.Bool, g.time(rows), g.time(rows))
	case 3:
		return call(model.FnBetween, model.Bool, g.whole(depth, rows), g.whole(depth, rows), g.whole(depth, rows))
	case 4:
		return call([]model.Fn{model.FnIsNull, model.FnIsEmpty}[g.pick(2)], model.Bool, g.column(rows, columns...))
	case 5:
		return call(model.FnKnown, model.Bool, []model.Expr{
			g.attr("s"), g.attr("tags"), &model.GroupsRef{Node: node(model.StringSet)},
			&model.LevelRef{Node: node(model.String)}, &model.AppRef{Node: node(model.String)},
		}[g.pick(5)])
	case 6:
		return call([]model.Fn{model.FnContains, model.FnStartsWith, model.FnEndsWith}[g.pick(3)], model.Bool, g.text(depth, rows), g.text(depth, rows))
	case 7:
		return call(model.FnIsUnder, model.Bool, g.text(depth, rows), g.text(depth, rows), lit(".", model.String))
	case 8:
		return call(model.FnIn, model.Bool, g.text(depth, rows), g.set(rows))
	case 9:
		return call([]model.Fn{model.FnInLast, model.FnInNext}[g.pick(2)], model.Bool, g.time(rows), lit(model.Hour, model.Interval))
	case 10:
		return &model.Network{Node: node(model.Bool), Net: netip.MustParsePrefix("10.0.0.0/8"), X: g.column(rows, "ip")}
	}
	return call(model.FnBetween, model.Bool, g.related(model.CountTrue, depth, rows), g.whole(0, rows), g.whole(depth, rows))
}

// document draws a record with nulls, values of the wrong type and related
// records that may be absent.
func (g gen) document(depth int) model.Document {
	values := map[string][]any{
		"n": {nil, json.Number("0"), json.Number("1"), json.Number("2"), "1"}, "m": {nil, json.Number("1"), json.Number("1.5")},
		"s": {nil, "", "x", "x.y", true}, "t": {nil, "x", "X"}, "a": {nil, true, false, "true"}, "b": {nil, true, false},
		"tags": {nil, []any{}, []any{"x"}, []any{"x", nil, ""}, []any{[]any{"x"}}},
		"at":   {nil, "1970-01-01T00:00:00+00:00", "1970-01-01T01:00:00+00:00", "infinity"}, "day": {nil, "1970-01-01", "1970-01-02"},
		"ip": {nil, "10.0.0.1", "11.0.0.1", "::ffff:10.0.0.1"},
	}
	doc := model.Document{}
	for _, c := range g.w.record.Table.Columns {
		doc[c.Name] = values[c.Name][g.pick(len(values[c.Name]))]
	}
	if depth > 0 {
		if g.pick(2) == 0 {
			doc["one"] = g.document(depth - 1)
		}
		if g.pick(4) != 0 {
			list := make([]any, g.pick(3))
			for i := range list {
				list[i] = g.document(depth - 1)
			}
			doc["many"] = list
		}
	}
	return doc
}

func (g gen) request() model.Request {
	claims := map[string]any{}
	for name, values := range map[string][]any{
		"id": {"u", "u", nil}, "n": {json.Number("0"), json.Number("1"), nil, "1"}, "s": {"x", "x.y", "", nil}, "a": {true, false, nil},
		"tags": {[]any{"x"}, []any{}, nil}, "groups": {[]any{"x"}, []any{"y"}, nil}, "access_level": {nil, "user", "anonymous", "none"},
	} {
		claims[name] = values[g.pick(len(values))]
	}
	return model.Request{User: claims, Now: model.Timestamp(model.Hour)}
}

// TestFormsAgreeWithKleene draws conditions and records: the lowered forms
// must be satisfied exactly when the three-valued meaning is true or false.
func TestFormsAgreeWithKleene(t *testing.T) {
	t.Parallel()
	w := newWorld()
	seen := map[model.Value]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g := gen{rt, w}
		x := g.cond(rapid.IntRange(0, 4).Draw(rt, "depth"), []*model.Row{w.record})
		c, err := lower.Condition(x)
		if errors.Is(err, lower.ErrTooLarge) {
			return
		}
		for range 10 {
			env := eval.NewEnv(w.program, g.request(), model.Entry{}).On(g.document(2))
			want := env.Value(x)
			seen[want]++
			if holds := env.Holds(c.Holds); holds != (want == true) {
				rt.Fatalf("means %v, but Holds is %v", want, holds)
			}
			if fails := env.Holds(c.Fails); fails != (want == false) {
				rt.Fatalf("means %v, but Fails is %v", want, fails)
			}
		}
	})
	for _, v := range []model.Value{true, false, model.Unknown{}} {
		if seen[v] == 0 {
			t.Errorf("no condition was ever %v", v)
		}
	}
}

// TestFormsAreNormal checks what engines rely on: operands without choices, no
// constant terms, nothing nested that could be flat.
func TestFormsAreNormal(t *testing.T) {
	t.Parallel()
	w := newWorld()
	rapid.Check(t, func(rt *rapid.T) {
		g := gen{rt, w}
		c, err := lower.Condition(g.cond(rapid.IntRange(0, 4).Draw(rt, "depth"), []*model.Row{w.record}))
		if err != nil {
			return
		}
		for _, form := range []model.Cond{c.Holds, c.Fails} {
			model.Walk(form, func(x model.Cond) { normal(rt, x) })
		}
	})
}

func normal(rt *rapid.T, c model.Cond) {
	and, isAnd := c.(*model.And)
	or, isOr := c.(*model.Or)
	if isAnd {
		flat[*model.And](rt, and.Terms)
	}
	if isOr {
		flat[*model.Or](rt, or.Terms)
	}
	constant := true
	for _, o := range model.Operands(c) {
		model.WalkExpr(o, func(e model.Expr) {
			call, isCall := e.(*model.Call)
			if isCall && !call.Fn.Operand() {
				rt.Fatalf("%s is an operand", call.Fn)
			}
			if _, ok := e.(*model.Related); ok || e.ResultType().Kind == model.KindBool && isCall {
				rt.Fatalf("%T is an operand", e)
			}
			_, isLiteral := e.(*model.Literal)
			constant = constant && (isLiteral || isCall)
		})
	}
	if _, count := c.(*model.Count); constant && !count && len(model.Operands(c)) > 0 {
		rt.Fatalf("%T of constants is left", c)
	}
}

// flat checks the terms of a T.
func flat[T model.Cond](rt *rapid.T, terms []model.Cond) {
	for _, t := range terms {
		_, yes := t.(model.True)
		_, no := t.(model.False)
		_, nested := t.(T)
		if yes || no || nested || len(terms) < 2 {
			rt.Fatalf("%T in %d terms of its kind", t, len(terms))
		}
	}
}

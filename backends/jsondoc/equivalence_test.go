package jsondoc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// gen draws conditions over a fixture.
type gen struct {
	*rapid.T
	f    *fixture
	rows []*model.Row
	// complete says that records tell all their related records. The model
	// folds loops whose condition is constant, which presumes that.
	complete bool
}

func pickOne[T any](g *gen, list []T) T {
	return list[rapid.IntRange(0, len(list)-1).Draw(g.T, "pick")]
}

func (g *gen) chance(n int) bool { return rapid.IntRange(0, n-1).Draw(g.T, "chance") == 0 }

func (g *gen) types() model.Type {
	return pickOne(g, allTypes[:13]).typ
}

func node(t model.Type) model.Node { return model.Node{Type: t} }

// column draws a column of the type, with or without a path.
func (g *gen) column(accepts func(model.Type) bool) *model.ColumnRef {
	row := pickOne(g, g.rows)
	table := row.Table
	var path []*model.Relation
	for g.chance(3) && len(path) < 2 {
		for _, r := range table.Relations {
			if !r.Many {
				path, table = append(path, r), r.Table
				break
			}
		}
	}
	var fit []*model.Column
	for _, c := range table.Columns {
		if accepts(c.Type) {
			fit = append(fit, c)
		}
	}
	c := pickOne(g, fit)
	return &model.ColumnRef{Node: node(c.Type), Row: row, Path: path, Column: c}
}

func (g *gen) attribute(accepts func(model.Type) bool) *model.AttrRef {
	var fit []*model.Attribute
	for _, list := range [][]*model.Attribute{g.f.program.Identity.Attributes, g.f.program.Request} {
		for _, a := range list {
			if accepts(a.Type) {
				fit = append(fit, a)
			}
		}
	}
	a := pickOne(g, fit)
	return &model.AttrRef{Node: node(a.Type), Attribute: a}
}

// operand draws an operand of a type that fits together with t.
func (g *gen) operand(t model.Type, depth int) model.Expr {
	accepts := func(o model.Type) bool { return o.Equal(t) || together(o, t) }
	if depth > 0 && g.chance(3) {
		if c := g.call(t, depth-1); c != nil {
			return c
		}
	}
	switch n := rapid.IntRange(0, 9).Draw(g.T, "operand"); {
	case n < 5:
		return g.column(accepts)
	case n < 8:
		return g.attribute(accepts)
	default:
		return &model.Literal{Node: node(t), Value: pickOne(g, constants(t))}
	}
}

// together says which operands of type a stand beside one of type b.
func together(a, b model.Type) bool {
	if b.Kind == model.KindEnum {
		return a.Kind == model.KindEnum || a.Kind == model.KindString
	}
	pair := func(x, y model.Kind) bool { return a.Kind == x && b.Kind == y || a.Kind == y && b.Kind == x }
	return pair(model.KindInt, model.KindNumber) || pair(model.KindDate, model.KindTimestamp)
}

func (g *gen) call(t model.Type, depth int) model.Expr {
	exactly := func(want model.Type) model.Expr {
		switch n := rapid.IntRange(0, 2).Draw(g.T, "argument"); n {
		case 0:
			return g.column(want.Equal)
		case 1:
			return g.attribute(want.Equal)
		}
		if depth > 0 {
			if c := g.call(want, depth-1); c != nil {
				return c
			}
		}
		return &model.Literal{Node: node(want), Value: pickOne(g, constants(want))}
	}
	switch t.Kind {
	case model.KindString:
		switch rapid.IntRange(0, 3).Draw(g.T, "text") {
		case 0:
			return &model.Call{Node: node(t), Fn: model.FnLower, Args: []model.Expr{exactly(model.String)}}
		case 1:
			return &model.LevelRef{Node: node(t)}
		case 2:
			return &model.AppRef{Node: node(t)}
		}
		return &model.Call{Node: node(t), Fn: model.FnTemplate, Args: []model.Expr{exactly(model.String), exactly(model.Int), exactly(model.UUIDType)}}
	case model.KindInt:
		fn := pickOne(g, []model.Fn{model.FnAdd, model.FnSubtract, model.FnMultiply, model.FnNegate, model.FnLength})
		switch fn {
		case model.FnNegate:
			return &model.Call{Node: node(t), Fn: fn, Args: []model.Expr{exactly(t)}}
		case model.FnLength:
			if g.chance(2) {
				return &model.Call{Node: node(t), Fn: fn, Args: []model.Expr{exactly(model.String)}}
			}
			return &model.Call{Node: node(t), Fn: fn, Args: []model.Expr{g.set(pickOne(g, allTypes[13:]).typ)}}
		default:
			return &model.Call{Node: node(t), Fn: fn, Args: []model.Expr{exactly(t), exactly(t)}}
		}
	case model.KindTimestamp:
		if g.chance(3) {
			return &model.NowRef{Node: node(t)}
		}
		fn := pickOne(g, []model.Fn{model.FnAdd, model.FnSubtract})
		d := &model.Literal{Node: node(model.Interval), Value: pickOne(g, constants(model.Interval))}
		return &model.Call{Node: node(t), Fn: fn, Args: []model.Expr{exactly(t), d}}
	default:
		return nil
	}
}

func (g *gen) set(t model.Type) model.Expr {
	switch rapid.IntRange(0, 3).Draw(g.T, "set") {
	case 0:
		return g.column(t.Equal)
	case 1:
		return g.attribute(t.Equal)
	case 2:
		if t.Elem.Kind == model.KindString {
			return &model.GroupsRef{Node: node(t)}
		}
	}
	return &model.Literal{Node: node(t), Value: pickOne(g, constants(t))}
}

func (g *gen) cond(depth int) model.Cond {
	if depth > 0 {
		switch rapid.IntRange(0, 5).Draw(g.T, "node") {
		case 0:
			return model.AllOf(g.cond(depth-1), g.cond(depth-1), g.cond(depth-1))
		case 1, 2:
			return model.AnyOf(g.cond(depth-1), g.cond(depth-1))
		case 3:
			return g.loop(depth - 1)
		}
	}
	return g.atom()
}

func (g *gen) loop(depth int) model.Cond {
	row := pickOne(g, g.rows)
	from := model.RelatedRows{Row: row}
	table := row.Table
	if g.chance(3) {
		for _, r := range table.Relations {
			if !r.Many {
				from.Path, table = append(from.Path, r), r.Table
			}
		}
	}
	for _, r := range table.Relations {
		if r.Many {
			from.Relation = r
		}
	}
	if from.Relation == nil {
		return g.atom()
	}
	from.Each = &model.Row{Name: "m", Table: from.Relation.Table}
	inner := &gen{T: g.T, f: g.f, complete: g.complete, rows: append(append([]*model.Row{}, g.rows...), from.Each, from.Each)}
	switch rapid.IntRange(0, 2).Draw(g.T, "loop") {
	case 0:
		return &model.Some{From: from, Where: inner.cond(depth)}
	case 1:
		return &model.Every{From: from, Where: inner.cond(depth)}
	}
	return &model.Count{
		From: from, Holds: inner.cond(depth), Fails: inner.cond(depth),
		Op: pickOne(g, compareOps), N: g.operand(model.Int, 1),
	}
}

var compareOps = []model.CompareOp{model.Equal, model.NotEqual, model.Less, model.LessEqual, model.Greater, model.GreaterEqual}

func (g *gen) atom() model.Cond {
	not := g.chance(2)
	anyType := func(model.Type) bool { return true }
	switch rapid.IntRange(0, 11).Draw(g.T, "atom") {
	case 0, 1, 2, 3:
		return g.compare()
	case 4:
		return &model.Truth{X: g.operand(model.Bool, 0), Want: not}
	case 5:
		return &model.Null{X: g.column(anyType), Not: not}
	case 6:
		return &model.Empty{X: g.column(anyType), Not: not}
	case 7:
		return g.known(not)
	case 8:
		op := pickOne(g, []model.MatchOp{model.MatchContains, model.MatchStarts, model.MatchEnds, model.MatchUnder})
		return &model.Match{Op: op, X: g.operand(model.String, 1), Y: g.operand(model.String, 1), Delimiter: ".", Not: not}
	case 9, 10:
		set := g.set(pickOne(g, allTypes[13:]).typ)
		return &model.In{Elem: g.operand(*set.ResultType().Elem, 1), Set: set, Not: not}
	}
	if g.chance(3) {
		return &model.ViaApp{App: pickOne(g, g.f.program.Apps), Not: not}
	}
	net := pickOne(g, []string{"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.1.2.3/32"})
	return &model.InNetwork{X: g.operand(model.IP, 0), Net: netip.MustParsePrefix(net), Not: not}
}

func (g *gen) compare() model.Cond {
	t := g.types()
	ops := compareOps
	switch t.Kind {
	case model.KindBool, model.KindUUID, model.KindIP, model.KindEnum:
		ops = ops[:2]
	default:
	}
	y := t
	if t.Kind == model.KindEnum && g.chance(2) {
		y = model.String
	}
	return &model.Compare{Op: pickOne(g, ops), X: g.operand(t, 2), Y: g.operand(y, 2)}
}

func (g *gen) known(not bool) model.Cond {
	switch rapid.IntRange(0, 5).Draw(g.T, "known") {
	case 0:
		return &model.Known{X: &model.GroupsRef{Node: node(model.StringSet)}, Not: not}
	case 1:
		return &model.Known{X: &model.LevelRef{Node: node(model.String)}, Not: not}
	case 2:
		return &model.Known{X: &model.AppRef{Node: node(model.String)}, Not: not}
	}
	return &model.Known{X: g.attribute(func(model.Type) bool { return true }), Not: not}
}

// value draws a JSON value: one of the type as a database writes it, or any.
func (g *gen) value(t model.Type, native string) any {
	if g.chance(3) {
		return pickOne(g, hostile())
	}
	return model.JSON(pickOne(g, constants(t)), t, native)
}

// document draws a record.
func (g *gen) document(t *model.Table, depth int) model.Document {
	doc := model.Document{}
	for _, c := range t.Columns {
		if g.chance(10) {
			continue
		}
		doc[c.Name] = g.value(c.Type, c.Native)
	}
	for _, r := range t.Relations {
		whole := g.complete && r.Many
		if !whole && (g.chance(6) || depth == 0) {
			if g.chance(3) {
				doc[r.Name] = pickOne(g, hostile())
			}
			continue
		}
		if !r.Many {
			doc[r.Name] = g.document(r.Table, depth-1)
			continue
		}
		list := []any{}
		for range rapid.IntRange(0, min(3, 3*depth)).Draw(g.T, "related") {
			list = append(list, g.document(r.Table, depth-1))
		}
		if !whole && g.chance(15) {
			list = append(list, pickOne(g, hostile()))
		}
		doc[r.Name] = list
	}
	return doc
}

func (g *gen) attrs(list []*model.Attribute) map[string]any {
	doc := map[string]any{}
	for _, a := range list {
		at := doc
		for _, step := range a.Claim[:len(a.Claim)-1] {
			next, ok := at[step].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[step] = next
			}
			at = next
		}
		if !g.chance(8) {
			at[a.Claim[len(a.Claim)-1]] = g.value(a.Type, "")
		}
	}
	return doc
}

func (g *gen) request() model.Request {
	r := model.Request{
		App: pickOne(g, []string{"", "desk", "kiosk", "other"}), Context: g.attrs(g.f.program.Request),
		Now: pickOne(g, constants(model.TimeType)).(model.Timestamp),
	}
	if g.chance(8) {
		return r
	}
	r.User = g.attrs(g.f.program.Identity.Attributes)
	if g.chance(2) {
		r.User["s"] = pickOne(g, []any{"alice", "pinned", "outcast", "somebody"})
	}
	if g.chance(15) {
		r.User["meta"] = "not an object"
	}
	if g.chance(2) {
		r.User["groups"] = pickOne(g, []any{[]any{"staff"}, []any{"managers", "other", nil}, []any{}, []any{"staff", json.Number("1")}, "staff", nil, []any{"bad\xff"}})
	}
	if g.chance(2) {
		r.User["access_level"] = pickOne(g, []any{"anonymous", "user", "superuser", "root", nil, json.Number("5"), ""})
	}
	return r
}

// TestConditions compares conditions, record by record, with the reference.
func TestConditions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture()
		g := &gen{T: rt, f: f, rows: []*model.Row{f.record}}
		cond := g.cond(3)
		f.grant("p", f.docs, cond, cond, everyone(), nil, model.View)
		d, err := jsondoc.NewDecider(context.Background(), f.program)
		if err != nil {
			rt.Fatalf("load: %v", err)
		}
		entry := f.docs.Datasource.Entries()[0]
		for range 25 {
			req, doc := g.request(), g.document(f.docs, 2)
			want := eval.NewEnv(f.program, req, entry).On(doc).Holds(cond)
			got, err := d.Decide(context.Background(), backend.Question{Request: req, Table: f.docs, Action: model.View, Old: doc})
			if err != nil || got != want {
				rt.Fatalf("%s\nrequest %#v\nrecord %#v\nengine %v (%v), reference %v", describe(f), req, doc, got, err, want)
			}
		}
	})
}

func describe(f *fixture) string {
	d, err := jsondoc.Document(f.program)
	if err != nil {
		return err.Error()
	}
	text, err := json.Marshal([]any{d.Policies, d.Guards})
	return fmt.Sprintf("%s %v", text, err)
}

func (g *gen) subjects() []model.Subject {
	all := []model.Subject{
		model.Everyone{},
		model.GroupSubject{Group: g.f.staff},
		model.GroupSubject{Group: g.f.managers},
		model.UserSubject{User: g.f.alice},
		model.LevelSubject{Level: g.f.program.Levels[1]},
		model.LevelSubject{Level: g.f.program.Levels[2]},
		model.AppSubject{App: g.f.desk},
		model.AppSubject{App: g.f.kiosk},
	}
	var out []model.Subject
	for range rapid.IntRange(1, 2).Draw(g.T, "subjects") {
		out = append(out, pickOne(g, all))
	}
	return out
}

func (g *gen) project(t *model.Table) {
	actions := [][]model.Action{{model.View}, {model.View, model.Edit}, {model.Create, model.Edit, model.Delete}, t.Actions}
	for i := range rapid.IntRange(1, 4).Draw(g.T, "policies") {
		var via []*model.App
		if g.chance(4) {
			via = []*model.App{pickOne(g, g.f.program.Apps)}
		}
		when := model.AnyOf(g.cond(1), g.cond(1))
		check := when
		if g.chance(3) {
			check = g.cond(1)
		}
		g.f.grant(fmt.Sprint("p", i), t, when, check, g.subjects(), via, pickOne(g, actions)...)
	}
	for i := range rapid.IntRange(0, 2).Draw(g.T, "guards") {
		g.f.guard(fmt.Sprint("g", i), t, model.AnyOf(g.cond(1), g.cond(1), g.cond(1)), g.subjects()...)
	}
}

// TestDecisions compares whole decisions with the conditions that the model
// combines, which the reference evaluates.
func TestDecisions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture()
		g := &gen{T: rt, f: f, complete: true}
		table := pickOne(g, []*model.Table{f.docs, f.files})
		g.rows = []*model.Row{{Name: "record", Table: table}}
		g.project(table)
		d, err := jsondoc.NewDecider(context.Background(), f.program)
		if err != nil {
			rt.Fatalf("load: %v", err)
		}
		for range 20 {
			g.compareDecision(d, table)
		}
	})
}

func (g *gen) compareDecision(d *jsondoc.Decider, t *model.Table) {
	q := backend.Question{Request: g.request(), Table: t, Action: pickOne(g, t.Actions)}
	old, next := g.document(t, 1), g.document(t, 1)
	switch {
	case q.Action == model.Create:
		q.New = next
	case q.Action == model.Edit && g.chance(2):
		q.Old, q.New = old, next
	default:
		q.Old, next = old, old
	}
	want := false
	for _, entry := range t.Datasource.Entries() {
		if entry.App() != nil && entry.App().Name != q.Request.App {
			continue
		}
		env := eval.NewEnv(g.f.program, q.Request, entry)
		want = q.Action == model.Create || env.On(old).Holds(g.f.program.Old(entry, t, q.Action))
		if q.Action == model.Create || q.Action == model.Edit {
			want = want && env.On(next).Holds(g.f.program.New(entry, t, q.Action))
		}
	}
	got, err := d.Decide(context.Background(), q)
	if err != nil || got != want {
		g.Fatalf("%s\nquestion %#v\nengine %v (%v), reference %v", describe(g.f), q, got, err, want)
	}
}

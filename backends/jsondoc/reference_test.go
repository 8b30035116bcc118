package jsondoc_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// boolean is the condition that a bool of the record or of the request is
// true, as written and lowered.
func (g *gen) boolean() model.Condition {
	isBool := func(t model.Type) bool { return t.Kind == model.KindBool }
	var x model.Expr
	switch rapid.IntRange(0, 3).Draw(g.T, "boolean") {
	case 0:
		return model.Condition{Source: &model.Literal{Node: node(model.Bool), Value: true}, Holds: model.True{}, Fails: model.False{}}
	case 1:
		x = g.attribute(isBool)
	default:
		c := g.rows[0].Table.Column("b")
		x = &model.ColumnRef{Node: node(c.Type), Row: g.rows[0], Column: c}
	}
	return model.Condition{Source: x, Holds: &model.Truth{X: x, Want: true}, Fails: &model.Truth{X: x}}
}

func (g *gen) simpleProject(t *model.Table) {
	actions := [][]model.Action{{model.View}, {model.View, model.Edit}, {model.Create, model.Edit, model.Delete}, t.Actions}
	many := rapid.SampledFrom([]int{2, 3, 4, 5, 12}).Draw(g.T, "policies") // 12 are found by an index
	for i := range many {
		g.f.grant(fmt.Sprint("p", i), t, nil, nil, g.subjects(), nil, pickOne(g, actions)...)
		target := t.Policies[i]
		target.When, target.Check = g.boolean(), g.boolean()
		if g.chance(2) {
			target.Columns = t.Columns[:rapid.IntRange(0, len(t.Columns)).Draw(g.T, "columns")]
		}
		if g.chance(4) {
			target.Policy.Via = []*model.App{pickOne(g, g.f.program.Apps)}
		}
	}
	if g.chance(2) {
		g.f.guard("g", t, nil, g.subjects()...)
		t.Guards[0].Require = g.boolean()
	}
	for i := range rapid.IntRange(0, 4).Draw(g.T, "masks") {
		g.mask(fmt.Sprint("m", i), t)
	}
}

// mask draws a mask; of two on one column, one shows null or both the same.
func (g *gen) mask(name string, t *model.Table) {
	m := &model.Mask{Name: name, With: model.MaskNull{}}
	if g.chance(3) {
		m.Unless = nil
	} else {
		m.Unless = g.subjects()
	}
	c := pickOne(g, t.Columns)
	if !slices.ContainsFunc(t.ColumnMasks(c), func(o *model.Mask) bool { return o.With != model.MaskFn(model.MaskNull{}) }) {
		m.With = g.maskFn(c)
	}
	m.On = []*model.MaskTarget{{Mask: m, Table: t, Columns: []*model.Column{c}}}
	g.f.program.Masks = append(g.f.program.Masks, m)
	t.Masks = append(t.Masks, m.On...)
}

func (g *gen) maskFn(c *model.Column) model.MaskFn {
	switch n := rapid.IntRange(1, 3).Draw(g.T, "kept"); {
	case c.Type.Kind == model.KindString && g.chance(4):
		return model.MaskHash{}
	case g.chance(4):
		return model.MaskNull{}
	case c.Type.Kind != model.KindString || g.chance(3):
		return &model.MaskConstant{Type: c.Type, Value: pickOne(g, constants(c.Type))}
	case g.chance(2):
		return model.MaskLast{N: n}
	default:
		return model.MaskFirst{N: n}
	}
}

// TestReference compares decisions with columns set, the columns seen, and who
// may use an app, with what the reference says.
func TestReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := newFixture()
		g := &gen{T: rt, f: f}
		table := pickOne(g, []*model.Table{f.notes, f.files})
		g.rows = []*model.Row{{Name: "record", Table: table}}
		g.simpleProject(table)
		d, err := jsondoc.NewDecider(context.Background(), f.program)
		if err != nil {
			rt.Fatalf("load: %v", err)
		}
		for range 20 {
			g.compareReference(d, table)
		}
	})
}

func (g *gen) compareReference(d *jsondoc.Decider, t *model.Table) {
	q := eval.Query{Request: g.request(), Table: t, Action: pickOne(g, t.Actions), HashKey: model.TestHashKey}
	if q.Action == model.Create {
		q.New = g.document(t, 0)
	} else {
		q.Old = g.document(t, 0)
	}
	if q.Action == model.Edit && g.chance(2) {
		q.New = g.document(t, 0)
	}
	if q.Action == model.Create || q.Action == model.Edit {
		for range rapid.IntRange(0, 2).Draw(g.T, "set") {
			q.Set = append(q.Set, pickOne(g, t.Columns).Name)
		}
	}
	want := eval.Decide(g.f.program, q)
	got, err := d.Decide(context.Background(), question(q))
	if err != nil || got != want.Allowed {
		g.Fatalf("%s\nquestion %#v\nengine %v (%v), reference %v", describe(g.f), q, got, err, want.Allowed)
	}
	r := &engine.Request{User: q.Request.User, App: q.Request.App, Context: q.Request.Context, Now: time.UnixMicro(int64(q.Request.Now))}
	g.compareWays(d.Engine(), r, q, want.Allowed)
	if mayUse := d.Engine().MayUse(r); mayUse != eval.MayUse(g.f.program, q.Request) {
		g.Fatalf("request %#v\nmay use: engine %v", q.Request, mayUse)
	}
	if q.Old == nil {
		return
	}
	var columns []string
	for _, c := range want.Columns {
		columns = append(columns, c.Name)
	}
	if diff := cmp.Diff(columns, d.Engine().Session(r).Columns(t.Datasource.Name, t.Name, q.Old)); diff != "" {
		g.Fatalf("%s\nquestion %#v\ncolumns:\n%s", describe(g.f), q, diff)
	}
	g.compareSight(d, q)
}

// compareWays asks the same of a session, of a filter and of an explanation.
func (g *gen) compareWays(e *engine.Engine, r *engine.Request, q eval.Query, want bool) {
	s := e.Session(r)
	asked := &engine.Question{
		Datasource: q.Table.Datasource.Name, Table: q.Table.Name, Action: string(q.Action), Old: q.Old, New: q.New, Set: q.Set,
	}
	for range 2 { // the second time the session knows whom the policies are for
		if got := s.Decide(asked); got != want {
			g.Fatalf("%s\nquestion %#v\nsession %v, reference %v", describe(g.f), q, got, want)
		}
	}
	x := s.Explain(asked)
	all := len(x.Checks) > 0
	for _, c := range x.Checks {
		all = all && c.Passes
	}
	for _, c := range x.Columns {
		all = all && c.MaySet
	}
	if x.Allowed != want || all != want || x.Reason == "" {
		g.Fatalf("%s\nquestion %#v\nexplained %+v, reference %v", describe(g.f), q, x, want)
	}
	if q.Old != nil && q.New == nil && q.Set == nil {
		got := s.Filter(asked.Datasource, asked.Table, asked.Action, []map[string]any{nil, q.Old, q.Old})
		if !slices.Equal(got, map[bool][]int{true: {1, 2}}[want]) {
			g.Fatalf("%s\nquestion %#v\nfilter %v, reference %v", describe(g.f), q, got, want)
		}
	}
}

// question is a query as an engine is asked.
func question(q eval.Query) backend.Question {
	return backend.Question{Request: q.Request, Table: q.Table, Action: q.Action, Old: q.Old, New: q.New, Set: q.Set}
}

// compareSight compares what the user sees, masked values by what they mean.
func (g *gen) compareSight(d *jsondoc.Decider, q eval.Query) {
	want := eval.Decide(g.f.program, q)
	got, err := d.See(context.Background(), question(q))
	if err != nil {
		g.Fatal(err)
	}
	seen := map[string]string{}
	for _, c := range want.Columns {
		seen[c.Name] = "as it is stored"
		if v, masked := want.Masked[c.Name]; masked {
			seen[c.Name] = fmt.Sprint(eval.Parse(v, c.Type, c.Native))
		}
	}
	shown := map[string]string{}
	for _, name := range got.Visible {
		shown[name] = "as it is stored"
	}
	for name, v := range got.Masked {
		c := q.Table.Column(name)
		shown[name] = fmt.Sprint(eval.Parse(v, c.Type, c.Native))
	}
	if diff := cmp.Diff(seen, shown); diff != "" {
		g.Fatalf("%s\nquestion %#v\nseen:\n%s", describe(g.f), q, diff)
	}
}

// BenchmarkEmit is of 1000 tables with four policies each.
func BenchmarkEmit(b *testing.B) {
	f := newFixture()
	f.program.Tables = nil
	for i := range 1000 {
		t := &model.Table{
			Datasource: f.docs.Datasource, Name: fmt.Sprint("t", i), Columns: f.docs.Columns[:6], Actions: f.notes.Actions,
		}
		f.program.Tables = append(f.program.Tables, t)
		row := &model.Row{Name: "record", Table: t}
		c := t.Column("s")
		own := &model.Compare{
			Op: model.Equal, X: &model.ColumnRef{Node: node(c.Type), Row: row, Column: c},
			Y: &model.AttrRef{Node: node(model.String), Attribute: f.program.Identity.Key},
		}
		for k := range 4 {
			f.grant(fmt.Sprint("p", i, "-", k), t, own, own, everyone(), nil, model.View, model.Edit)
		}
	}
	for b.Loop() {
		artifacts, err := jsondoc.Emitter{}.Emit(context.Background(), f.program)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(artifacts[0].Data)), "bytes")
	}
}

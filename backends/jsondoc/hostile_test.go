package jsondoc_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// atomsOf is every atom that looks at one operand of the type alone, beside
// constants.
func atomsOf(x model.Expr, t model.Type) []model.Cond {
	var out []model.Cond
	constant := func(t model.Type, v model.Value) *model.Literal { return &model.Literal{Node: node(t), Value: v} }
	if t.Kind == model.KindSet {
		for _, v := range constants(*t.Elem) {
			for _, not := range []bool{false, true} {
				out = append(out, &model.In{Elem: constant(*t.Elem, v), Set: x, Not: not})
			}
		}
		size := &model.Call{Node: node(model.Int), Fn: model.FnLength, Args: []model.Expr{x}}
		return append(out, &model.Compare{Op: model.Less, X: size, Y: constant(model.Int, rat("2"))},
			&model.Compare{Op: model.GreaterEqual, X: size, Y: constant(model.Int, rat("2"))})
	}
	ops := compareOps
	switch t.Kind {
	case model.KindBool, model.KindUUID, model.KindIP, model.KindEnum:
		ops = ops[:2]
	default:
	}
	for _, v := range constants(t) {
		for _, op := range ops {
			out = append(out, &model.Compare{Op: op, X: x, Y: constant(t, v)})
		}
	}
	for _, not := range []bool{false, true} {
		out = append(out, &model.In{Elem: x, Set: constant(model.SetOf(t), model.NewSet(constants(t)[:1])), Not: not})
		if t.Kind == model.KindIP {
			out = append(out, &model.InNetwork{X: x, Net: netip.MustParsePrefix("10.0.0.0/8"), Not: not})
		}
		if t.Kind == model.KindString {
			out = append(out, &model.Match{Op: model.MatchUnder, X: x, Y: constant(t, "a"), Delimiter: ".", Not: not})
		}
	}
	return out
}

// TestHostileValues asks every atom about every hostile value, in a column and
// in an attribute of every type.
func TestHostileValues(t *testing.T) {
	t.Parallel()
	for number, c := range allTypes {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture()
			col := f.docs.Columns[number]
			attr := f.program.Request[number]
			column := &model.ColumnRef{Node: node(c.typ), Row: f.record, Column: col}
			claim := &model.AttrRef{Node: node(c.typ), Attribute: attr}
			conds := append(atomsOf(column, c.typ), atomsOf(claim, c.typ)...)
			for _, not := range []bool{false, true} {
				conds = append(conds, &model.Null{X: column, Not: not}, &model.Empty{X: column, Not: not}, &model.Known{X: claim, Not: not})
			}
			f.docs.Actions = nil
			for i, cond := range conds {
				action := model.Action(fmt.Sprint("a", i))
				f.docs.Actions = append(f.docs.Actions, action)
				f.grant(string(action), f.docs, cond, cond, everyone(), nil, action)
			}
			d, err := jsondoc.NewDecider(context.Background(), f.program)
			if err != nil {
				t.Fatal(err)
			}
			values := hostile()
			for _, v := range constants(c.typ) {
				values = append(values, model.JSON(v, c.typ, c.native))
			}
			satisfied := 0
			for _, v := range values {
				satisfied += compareAtoms(t, f, d, conds, model.Request{Context: map[string]any{c.name: v}}, model.Document{c.name: v})
			}
			if satisfied == 0 {
				t.Error("no condition was ever satisfied")
			}
		})
	}
}

func compareAtoms(t *testing.T, f *fixture, d *jsondoc.Decider, conds []model.Cond, req model.Request, doc model.Document) int {
	t.Helper()
	env := eval.NewEnv(f.program, req, f.docs.Datasource.Entries()[0]).On(doc)
	satisfied := 0
	for i, cond := range conds {
		want := env.Holds(cond)
		got, err := d.Decide(context.Background(), backend.Question{Request: req, Table: f.docs, Action: f.docs.Actions[i], Old: doc})
		if err != nil || got != want {
			t.Errorf("%#v on %#v: engine %v (%v), reference %v", cond, doc, got, err, want)
		}
		if want {
			satisfied++
		}
	}
	return satisfied
}

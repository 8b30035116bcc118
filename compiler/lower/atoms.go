package lower

import (
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// choice is one value that operands may take, and when they surely do.
type choice struct {
	when model.Cond
	xs   []model.Expr
}

// atom makes an atom for each choice of operands: conditionals and defaults
// inside them become alternatives.
func (l *lowerer) atom(operands []model.Expr, build func([]model.Expr) model.Cond) model.Cond {
	if !slices.ContainsFunc(operands, computed) {
		return build(operands)
	}
	choices := l.product(operands)
	if len(choices) == 1 {
		return model.AllOf(choices[0].when, build(choices[0].xs))
	}
	arms := []model.Cond{}
	for _, c := range choices {
		arms = append(arms, model.AllOf(c.when, build(c.xs)))
	}
	return model.AnyOf(arms...)
}

// computed reports whether an operand is one that can hold choices.
func computed(x model.Expr) bool {
	_, ok := x.(*model.Call)
	return ok
}

// product lists the choices of several operands together.
func (l *lowerer) product(operands []model.Expr) []choice {
	out := []choice{{when: model.True{}}}
	for _, x := range operands {
		each := l.split(x)
		if len(out)*len(each) > MaxAtoms {
			l.tooLarge = true
			return nil
		}
		next := make([]choice, 0, len(out)*len(each))
		for _, a := range out {
			for _, b := range each {
				c := choice{when: model.AllOf(a.when, b.when)}
				c.xs = append(append(make([]model.Expr, 0, len(operands)), a.xs...), b.xs...)
				if _, never := c.when.(model.False); !never {
					next = append(next, c)
				}
			}
		}
		out = next
	}
	return out
}

// split lists the choices of one operand; their expressions are free of
// conditionals and defaults.
func (l *lowerer) split(x model.Expr) []choice {
	call, ok := x.(*model.Call)
	if !ok || l.tooLarge {
		return []choice{{when: model.True{}, xs: []model.Expr{x}}}
	}
	switch call.Fn {
	case model.FnIf:
		return append(
			l.guarded(l.form(call.Args[0], true), call.Args[1]),
			l.guarded(l.form(call.Args[0], false), call.Args[2])...)
	case model.FnCoalesce:
		column, ok := call.Args[0].(*model.ColumnRef)
		if !ok {
			return nil
		}
		// The column's own choice needs no test: its atom wants it known.
		return append([]choice{{when: model.True{}, xs: []model.Expr{column}}},
			l.guarded(&model.Null{X: column}, call.Args[1])...)
	default:
		return l.rebuild(call)
	}
}

func (l *lowerer) guarded(when model.Cond, x model.Expr) []choice {
	var out []choice
	for _, c := range l.split(x) {
		c.when = model.AllOf(when, c.when)
		if _, never := c.when.(model.False); !never {
			out = append(out, c)
		}
	}
	return out
}

// rebuild applies a function to each choice of its arguments.
func (l *lowerer) rebuild(call *model.Call) []choice {
	choices := l.product(call.Args)
	if len(choices) == 1 && same(choices[0].xs, call.Args) {
		choices[0].xs = []model.Expr{Fold(call)}
		return choices
	}
	for i, c := range choices {
		choices[i].xs = []model.Expr{Fold(&model.Call{Node: call.Node, Fn: call.Fn, Args: c.xs})}
	}
	return choices
}

func same(a, b []model.Expr) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func constant(b bool) model.Cond {
	if b {
		return model.True{}
	}
	return model.False{}
}

func compareAtom(op model.CompareOp, x, y model.Expr) model.Cond {
	if a, b, ok := literals(x, y); ok {
		if c, ok := model.CompareValues(a, b); ok {
			return constant(op.Holds(c))
		}
	}
	return &model.Compare{Op: op, X: x, Y: y}
}

var matches = map[model.Fn]model.MatchOp{
	model.FnContains: model.MatchContains, model.FnStartsWith: model.MatchStarts,
	model.FnEndsWith: model.MatchEnds, model.FnIsUnder: model.MatchUnder,
}

func match(e *model.Call, x, y model.Expr, want bool) model.Cond {
	m := &model.Match{Op: matches[e.Fn], X: x, Y: y, Not: !want}
	if e.Fn == model.FnIsUnder {
		m.Delimiter, _ = text(e.Args[2])
	}
	a, okA := text(x)
	b, okB := text(y)
	if okA && okB {
		return constant(matchText(m.Op, a, b, m.Delimiter) == want)
	}
	return m
}

func in(elem, set model.Expr, want bool) model.Cond {
	if lit, ok := set.(*model.Literal); ok {
		members, _ := lit.Value.(model.Set)
		if e, ok := elem.(*model.Literal); ok {
			return constant(contains(members, e.Value) == want)
		}
		if len(members) == 0 && want {
			return model.False{}
		}
	}
	return &model.In{Elem: elem, Set: set, Not: !want}
}

func network(e *model.Network, x model.Expr, want bool) model.Cond {
	if lit, ok := x.(*model.Literal); ok {
		addr, ok := lit.Value.(netip.Addr)
		return constant(ok && e.Net.Contains(addr) == want)
	}
	return &model.InNetwork{X: x, Net: e.Net, Not: !want}
}

func literals(x, y model.Expr) (a, b model.Value, ok bool) {
	p, okP := x.(*model.Literal)
	q, okQ := y.(*model.Literal)
	if !okP || !okQ {
		return nil, nil, false
	}
	return p.Value, q.Value, true
}

// Package lower turns typed conditions into the two lowered forms that
// engines read: "surely true" and "surely false", in negation normal form.
//
// The forms follow Kleene's three-valued logic. With T and F for the two:
//
//	T(!c)          = F(c)                     F(!c)          = T(c)
//	T(a && b)      = T(a) and T(b)            F(a && b)      = F(a) or F(b)
//	T(c ? a : b)   = T(c) and T(a), or F(c) and T(b); F with F(a), F(b)
//	T(anytrue(p))  = some record with T(p)    F(anytrue(p))  = every record has F(p)
//	atom[c ? x : y]      = T(c) and atom[x], or F(c) and atom[y]
//	atom[coalesce(x, y)] = atom[x], or x is null and atom[y]
//
// It is a pure function over model.Expr.
package lower

import (
	"errors"

	"github.com/postern-dev/postern/compiler/model"
)

// MaxAtoms is the largest number of atoms that a lowered form may have.
const MaxAtoms = 20_000

// ErrTooLarge says that a lowered form would have more than MaxAtoms atoms.
var ErrTooLarge = errors.New("the condition grows beyond the largest size when its conditionals are spelt out")

// Condition lowers a typed expression of type bool, and fails only with
// ErrTooLarge.
func Condition(x model.Expr) (model.Condition, error) {
	l := &lowerer{memo: map[key]model.Cond{}, size: map[model.Cond]int{}}
	c := model.Condition{Source: x, Holds: l.form(x, true), Fails: l.form(x, false)}
	if l.tooLarge {
		return model.Condition{}, ErrTooLarge
	}
	return c, nil
}

// key names one of the two forms of an expression.
type key struct {
	x    model.Expr
	want bool
}

// lowerer builds forms with sharing: the forms of one expression are made
// once, however often conditionals repeat them.
type lowerer struct {
	memo     map[key]model.Cond
	size     map[model.Cond]int
	tooLarge bool
}

// form is T(x) when want, else F(x).
func (l *lowerer) form(x model.Expr, want bool) model.Cond {
	if l.tooLarge {
		return model.False{}
	}
	if leaf(x) {
		return l.build(x, want)
	}
	k := key{x, want}
	if c, ok := l.memo[k]; ok {
		return c
	}
	c := l.build(x, want)
	if l.atoms(c) > MaxAtoms {
		l.tooLarge = true
		c = model.False{}
	}
	l.memo[k] = c
	return c
}

// leaf reports whether an expression has no parts, so that its forms are made
// rather than remembered.
func leaf(x model.Expr) bool {
	switch x.(type) {
	case *model.Literal, *model.ColumnRef, *model.AttrRef, *model.MemberOf, *model.NullLiteral,
		*model.GroupsRef, *model.LevelRef, *model.AppRef, *model.NowRef:
		return true
	case *model.Call, *model.Network, *model.Related:
		return false
	}
	return false
}

// atoms is the number of atoms of c as a tree, counted no further than just
// beyond MaxAtoms.
func (l *lowerer) atoms(c model.Cond) int {
	if n, ok := l.size[c]; ok {
		return n
	}
	n := 0
	switch x := c.(type) {
	case model.True, model.False:
		return 0
	case *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In, *model.InNetwork, *model.ViaApp:
		return 1
	case *model.And:
		n = l.sum(x.Terms)
	case *model.Or:
		n = l.sum(x.Terms)
	case *model.Some:
		n = 1 + l.atoms(x.Where)
	case *model.Every:
		n = 1 + l.atoms(x.Where)
	case *model.Count:
		n = 1 + l.atoms(x.Holds) + l.atoms(x.Fails)
	}
	l.size[c] = n
	return n
}

func (l *lowerer) sum(terms []model.Cond) int {
	n := 0
	for _, t := range terms {
		if n += l.atoms(t); n > MaxAtoms {
			return MaxAtoms + 1
		}
	}
	return n
}

func (l *lowerer) build(x model.Expr, want bool) model.Cond {
	switch e := x.(type) {
	case *model.Literal:
		b, ok := e.Value.(bool)
		return constant(ok && b == want)
	case *model.ColumnRef, *model.AttrRef:
		return &model.Truth{X: x, Want: want}
	case *model.MemberOf:
		name := &model.Literal{Node: model.Node{Type: model.String, Span: e.Span}, Value: e.Group.Name}
		return &model.In{Elem: name, Set: &model.GroupsRef{Node: model.Node{Type: model.StringSet, Span: e.Span}}, Not: !want}
	case *model.Network:
		return l.atom([]model.Expr{e.X}, func(xs []model.Expr) model.Cond { return network(e, xs[0], want) })
	case *model.Related:
		return l.related(e, want)
	case *model.Call:
		return l.call(e, want)
	case *model.NullLiteral, *model.GroupsRef, *model.LevelRef, *model.AppRef, *model.NowRef:
		return model.False{} // not of type bool
	}
	return model.False{}
}

func (l *lowerer) related(e *model.Related, want bool) model.Cond {
	from := rows(e)
	where := l.form(e.Body, want)
	if (e.Quantifier == model.AnyTrue) == want {
		if _, never := where.(model.False); never {
			return model.False{}
		}
		return &model.Some{From: from, Where: where}
	}
	// Every of True stays: it still wants the records to be there.
	return &model.Every{From: from, Where: where}
}

func rows(e *model.Related) model.RelatedRows {
	return model.RelatedRows{Row: e.Row, Path: e.Path, Relation: e.Relation, Each: e.Each}
}

func (l *lowerer) call(e *model.Call, want bool) model.Cond {
	switch e.Fn {
	case model.FnAnd, model.FnOr:
		terms := make([]model.Cond, len(e.Args))
		for i, a := range e.Args {
			terms[i] = l.form(a, want)
		}
		if (e.Fn == model.FnAnd) == want {
			return model.AllOf(terms...)
		}
		return model.AnyOf(terms...)
	case model.FnNot:
		return l.form(e.Args[0], !want)
	case model.FnIf:
		c, a, b := e.Args[0], e.Args[1], e.Args[2]
		return model.AnyOf(
			model.AllOf(l.form(c, true), l.form(a, want)),
			model.AllOf(l.form(c, false), l.form(b, want)))
	case model.FnCoalesce:
		column, ok := e.Args[0].(*model.ColumnRef)
		if !ok {
			return model.False{}
		}
		return model.AnyOf(l.form(column, want),
			model.AllOf(&model.Null{X: column}, l.form(e.Args[1], want)))
	default:
		return l.test(e, want)
	}
}

// test lowers a call whose operands are scalars or sets.
func (l *lowerer) test(e *model.Call, want bool) model.Cond {
	switch e.Fn {
	case model.FnEqual, model.FnNotEqual, model.FnLess, model.FnLessEqual, model.FnGreater, model.FnGreaterEqual:
		return l.compare(comparisons[e.Fn], e.Args[0], e.Args[1], want)
	case model.FnBetween:
		return l.within(e.Args[0], e.Args[1], e.Args[2], want)
	case model.FnInLast, model.FnInNext:
		return l.aroundNow(e, want)
	case model.FnIsNull, model.FnIsEmpty:
		column, ok := e.Args[0].(*model.ColumnRef)
		switch {
		case !ok:
			return model.False{}
		case e.Fn == model.FnIsNull:
			return &model.Null{X: column, Not: !want}
		}
		return &model.Empty{X: column, Not: !want}
	case model.FnKnown:
		return &model.Known{X: e.Args[0], Not: !want}
	case model.FnContains, model.FnStartsWith, model.FnEndsWith, model.FnIsUnder:
		return l.atom(e.Args[:2], func(xs []model.Expr) model.Cond { return match(e, xs[0], xs[1], want) })
	case model.FnIn:
		return l.atom(e.Args[:1], func(xs []model.Expr) model.Cond { return in(xs[0], e.Args[1], want) })
	default:
		return model.False{} // not of type bool
	}
}

var comparisons = map[model.Fn]model.CompareOp{
	model.FnEqual: model.Equal, model.FnNotEqual: model.NotEqual, model.FnLess: model.Less,
	model.FnLessEqual: model.LessEqual, model.FnGreater: model.Greater, model.FnGreaterEqual: model.GreaterEqual,
}

// within is lo <= x && x <= hi.
func (l *lowerer) within(x, lo, hi model.Expr, want bool) model.Cond {
	from := l.compare(model.GreaterEqual, x, lo, want)
	to := l.compare(model.LessEqual, x, hi, want)
	if want {
		return model.AllOf(from, to)
	}
	return model.AnyOf(from, to)
}

// aroundNow spells in_last and in_next out as comparisons with now().
func (l *lowerer) aroundNow(e *model.Call, want bool) model.Cond {
	node := model.Node{Type: model.TimeType, Span: e.Span}
	now := &model.NowRef{Node: node}
	if e.Fn == model.FnInLast {
		start := &model.Call{Node: node, Fn: model.FnSubtract, Args: []model.Expr{now, e.Args[1]}}
		return l.within(e.Args[0], start, now, want)
	}
	end := &model.Call{Node: node, Fn: model.FnAdd, Args: []model.Expr{now, e.Args[1]}}
	return l.within(e.Args[0], now, end, want)
}

// compare lowers X op Y. Where a side is itself a condition, its forms are
// combined; a number of related records makes a Count.
func (l *lowerer) compare(op model.CompareOp, x, y model.Expr, want bool) model.Cond {
	if !want {
		op = op.Opposite()
	}
	if r, ok := x.(*model.Related); ok && r.Quantifier == model.CountTrue {
		return l.count(r, op, y)
	}
	if r, ok := y.(*model.Related); ok && r.Quantifier == model.CountTrue {
		return l.count(r, mirror(op), x)
	}
	if x.ResultType().Kind == model.KindBool && (formula(x) || formula(y)) {
		same := op == model.Equal
		return model.AnyOf(
			model.AllOf(l.form(x, true), l.form(y, same)),
			model.AllOf(l.form(x, false), l.form(y, !same)))
	}
	return l.atom([]model.Expr{x, y}, func(xs []model.Expr) model.Cond { return compareAtom(op, xs[0], xs[1]) })
}

// formula reports whether a bool is no plain operand.
func formula(x model.Expr) bool {
	_, column := x.(*model.ColumnRef)
	_, attribute := x.(*model.AttrRef)
	return !column && !attribute
}

func mirror(op model.CompareOp) model.CompareOp {
	switch op {
	case model.Less:
		return model.Greater
	case model.LessEqual:
		return model.GreaterEqual
	case model.Greater:
		return model.Less
	case model.GreaterEqual:
		return model.LessEqual
	case model.Equal, model.NotEqual:
	}
	return op
}

func (l *lowerer) count(r *model.Related, op model.CompareOp, n model.Expr) model.Cond {
	holds, fails := l.form(r.Body, true), l.form(r.Body, false)
	return l.atom([]model.Expr{n}, func(xs []model.Expr) model.Cond {
		return &model.Count{From: rows(r), Holds: holds, Fails: fails, Op: op, N: xs[0]}
	})
}

package access

import (
	"maps"
	"math/big"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// A condition over related records needs only so many of them: one for each
// anytrue that holds or alltrue that fails, and for a number as many as are
// counted and one that is undecided. More can be left out of every example
// without making it another one, so that finding none with so many is a proof.

// mostRelated bounds the related records of an example.
const mostRelated = 6

// need counts the related records that a formula's conditions may need.
func (e *encoder) need(f formula, seen map[string]bool) {
	switch x := f.(type) {
	case *holds:
		k := &keyer{rows: map[*model.Row]string{}}
		model.Walk(x.cond, func(c model.Cond) {
			from, n, exact := loopNeed(c)
			if n == 0 {
				return
			}
			key := decimal(int(x.at)) + k.cond(c)
			if seen[key] {
				return
			}
			seen[key] = true
			relation := relationKey(from.Relation)
			if e.needed[relation] += n; e.needed[relation] > mostRelated {
				e.needed[relation], exact = mostRelated, false
			}
			if !exact {
				e.partial = "it may depend on many related records at once"
			}
		})
	case allOf:
		for _, t := range x {
			e.need(t, seen)
		}
	case anyOf:
		for _, t := range x {
			e.need(t, seen)
		}
	case not:
		e.need(x.of, seen)
	}
}

// loopNeed is how many related records a loop may need; not exact when no
// number is enough.
func loopNeed(c model.Cond) (from model.RelatedRows, n int, exact bool) {
	switch x := c.(type) {
	case *model.Some:
		return x.From, 1, true
	case *model.Every:
		return x.From, 1, true
	case *model.Count:
		lit, ok := x.N.(*model.Literal)
		if !ok {
			return x.From, 3, false
		}
		k, _ := lit.Value.(*big.Rat)
		if k == nil || k.Cmp(big.NewRat(mostRelated, 1)) > 0 {
			return x.From, mostRelated, false
		}
		if k.Sign() < 0 {
			return x.From, 1, true
		}
		whole := new(big.Int).Div(k.Num(), k.Denom())
		return x.From, int(whole.Int64()) + 2, true
	case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty,
		*model.Known, *model.Match, *model.In, *model.InNetwork, *model.ViaApp:
	}
	return from, 0, true
}

// with is the viewer with one more row bound.
func (v *viewer) with(row *model.Row, to *rowUnknown) *viewer {
	inner := *v
	inner.rows = maps.Clone(v.rows)
	inner.rows[row] = to
	return &inner
}

func (v *viewer) loop(c model.Cond) *smt.F {
	switch x := c.(type) {
	case *model.Some:
		var arms []*smt.F
		for _, r := range v.related(x.From) {
			arms = append(arms, smt.And(r.present, v.with(x.From.Each, r).cond(x.Where)))
		}
		return smt.Or(arms...)
	case *model.Every:
		all := []*smt.F{v.follow(v.row(x.From.Row), x.From.Path).present}
		for _, r := range v.related(x.From) {
			all = append(all, smt.Implies(r.present, v.with(x.From.Each, r).cond(x.Where)))
		}
		return smt.And(all...)
	case *model.Count:
		all := []*smt.F{v.follow(v.row(x.From.Row), x.From.Path).present}
		sum := smt.Whole(0)
		for _, r := range v.related(x.From) {
			inner := v.with(x.From.Each, r)
			yes, no := inner.cond(x.Holds), inner.cond(x.Fails)
			all = append(all, smt.Implies(r.present, smt.Or(yes, no)))
			sum = sum.Plus(one, v.indicator(smt.And(r.present, yes)))
		}
		n := v.operand(x.N)
		if n.number == nil {
			return smt.False
		}
		all = append(all, n.known, v.compare(x.Op, operand{number: &sum}, n))
		return smt.And(all...)
	case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty,
		*model.Known, *model.Match, *model.In, *model.InNetwork, *model.ViaApp:
	}
	return smt.False
}

func (v *viewer) related(from model.RelatedRows) []*rowUnknown {
	return v.list(v.follow(v.row(from.Row), from.Path), from.Relation)
}

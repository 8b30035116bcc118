package access

import (
	"fmt"
	"maps"
	"math/big"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// A condition over related records needs only so many of them: one for each
// anytrue that has to hold or alltrue that has to fail, and for a number as many
// as have to be counted, or one that is undecided. All others can be left out of
// an example without making it another one, so that finding none with so many
// is a proof.

// mostRelated bounds the related records of an example.
const mostRelated = 6

// need counts the related records that a formula's conditions may need where
// the formula has to hold, or, unless positive, has to fail. What both sides ask
// in the same form is one question where they are alike.
func (e *encoder) need(f formula, positive, alike bool, seen map[string]bool) {
	switch x := f.(type) {
	case *holds:
		k := newKeyer()
		model.Walk(x.cond, func(c model.Cond) {
			from, n, exact := loopNeed(c, positive)
			if n == 0 {
				return
			}
			key := fmt.Sprint(x.at, positive, k.cond(c))
			if !alike {
				key += fmt.Sprintf(" %p", x.side)
			}
			if seen[key] {
				return
			}
			seen[key] = true
			list := listKey{x.at, relationSymbol(from.Relation)}
			if e.needed[list] += n; e.needed[list] > mostRelated {
				e.needed[list], exact = mostRelated, false
			}
			if !exact {
				e.partial = "it may depend on many related records at once"
			}
		})
	case allOf:
		for _, t := range x {
			e.need(t, positive, alike, seen)
		}
	case anyOf:
		for _, t := range x {
			e.need(t, positive, alike, seen)
		}
	case not:
		e.need(x.of, !positive, alike, seen)
	}
}

// listKey names the related records of one of a write's records.
type listKey struct {
	at       which
	relation string
}

// loopNeed is how many related records a loop may need to hold, or to fail; not
// exact when no number is enough.
func loopNeed(c model.Cond, positive bool) (from model.RelatedRows, n int, exact bool) {
	switch x := c.(type) {
	case *model.Some:
		if positive {
			return x.From, 1, true
		}
	case *model.Every:
		if !positive {
			return x.From, 1, true
		}
	case *model.Count:
		lit, ok := x.N.(*model.Literal)
		if !ok {
			return x.From, 3, false
		}
		if positive {
			n, exact = counted(x.Op, lit)
			return x.From, n, exact
		}
		n, exact = counted(x.Op.Opposite(), lit)
		return x.From, max(n, 1), exact
	case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty,
		*model.Known, *model.Match, *model.In, *model.InNetwork, *model.ViaApp:
	}
	return from, 0, true
}

// counted is how many records make a comparison of their number with a constant
// hold that holds of more; fewer never make one fail that holds of few.
func counted(op model.CompareOp, lit *model.Literal) (int, bool) {
	k, _ := lit.Value.(*big.Rat)
	switch {
	case k == nil || k.Cmp(big.NewRat(mostRelated, 1)) > 0:
		return mostRelated, op == model.Less || op == model.LessEqual
	case k.Sign() < 0 || op == model.Less || op == model.LessEqual:
		return 0, true
	}
	n := int(new(big.Int).Div(k.Num(), k.Denom()).Int64())
	if op == model.Greater || op == model.NotEqual || !k.IsInt() {
		n++
	}
	return n, true
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

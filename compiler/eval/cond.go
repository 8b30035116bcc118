package eval

import (
	"math/big"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// Holds evaluates a lowered condition: two-valued, an atom with an unknown
// operand is not satisfied. It is the meaning that model.Cond documents;
// decisions are made by Value on the source expressions, so that the two check
// each other.
func (e *Env) Holds(c model.Cond) bool {
	switch x := c.(type) {
	case model.True:
		return true
	case model.False:
		return false
	case *model.And:
		for _, t := range x.Terms {
			if !e.Holds(t) {
				return false
			}
		}
		return true
	case *model.Or:
		for _, t := range x.Terms {
			if e.Holds(t) {
				return true
			}
		}
		return false
	case *model.Some:
		yes, _, ok := e.count(x.From, x.Where)
		return ok && yes > 0
	case *model.Every:
		yes, all, ok := e.count(x.From, x.Where)
		return ok && yes == all
	case *model.Count:
		return e.counted(x)
	case *model.ViaApp:
		return (e.app == x.App.Name) != x.Not
	case *model.Known:
		return isKnown(e.Value(x.X)) != x.Not
	case *model.Null:
		return e.document(x.X.Row, x.X.Path) != nil && (e.column(x.X) == nil) != x.Not
	case *model.Empty:
		got := e.empty(&model.Call{Fn: model.FnIsEmpty, Args: []model.Expr{x.X}})
		return got == !x.Not
	case *model.Compare:
		v, ok := e.known(x.X, x.Y)
		return ok && compare(x.Op, v[0], v[1]) == true
	case *model.Truth:
		v, ok := e.known(x.X)
		return ok && v[0] == x.Want
	case *model.In:
		v, ok := e.known(x.Elem, x.Set)
		return ok && member(v[0], v[1]) == !x.Not
	case *model.InNetwork:
		v, ok := e.known(x.X)
		return ok && contains(x.Net, v[0]) == !x.Not
	case *model.Match:
		v, ok := e.known(x.X, x.Y)
		return ok && match(x, v[0].(string), v[1].(string)) != x.Not
	}
	return false
}

// known evaluates operands; false when one of them is null or unknown.
func (e *Env) known(operands ...model.Expr) ([]model.Value, bool) {
	v := make([]model.Value, len(operands))
	for i, o := range operands {
		if v[i] = e.Value(o); !isKnown(v[i]) {
			return nil, false
		}
	}
	return v, true
}

func match(m *model.Match, x, y string) bool {
	switch m.Op {
	case model.MatchContains:
		return strings.Contains(x, y)
	case model.MatchStarts:
		return strings.HasPrefix(x, y)
	case model.MatchEnds:
		return strings.HasSuffix(x, y)
	case model.MatchUnder:
		return x == y || strings.HasPrefix(x, y+m.Delimiter)
	}
	return false
}

// counted compares a number of related records, if none is undecided.
func (e *Env) counted(x *model.Count) bool {
	yes, all, ok := e.count(x.From, x.Holds)
	no, _, _ := e.count(x.From, x.Fails)
	n, known := e.known(x.N)
	return ok && known && yes+no == all && compare(x.Op, new(big.Rat).SetInt64(int64(yes)), n[0]) == true
}

// count is the number of related records that satisfy c, and of all; false
// when the records are not given.
func (e *Env) count(from model.RelatedRows, c model.Cond) (yes, all int, ok bool) {
	list, ok := e.document(from.Row, from.Path)[from.Relation.Name].([]any)
	if !ok {
		return 0, 0, false
	}
	for _, item := range list {
		doc, isDoc := item.(model.Document)
		if !isDoc {
			return 0, 0, false
		}
		if e.with(from.Each, doc).Holds(c) {
			yes++
		}
	}
	return yes, len(list), true
}

// Package readback reads what a policy of a live database says as a condition
// of the model: which records its expression is true of, for which users. It
// knows what is generated, and the plain SQL that people write by hand. What it
// does not know for certain it says that it does not know: the condition then
// comes as two, one that is satisfied only when the expression is true, and one
// that is whenever it is.
package readback

import (
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/compiler/model"
)

// Name is that of a function.
type Name struct{ Schema, Name string }

// Function is a generated function that stands in the database as it was made.
type Function struct {
	// Value is what it gives of the request; nil for those below.
	Value model.Expr
	// Cond is what it says of related records of the table's record.
	Cond model.Cond
	// Args are the columns of the record that it is called with.
	Args []*model.Column
	// Key is the column of the record that is among the keys that it gives: of
	// the records that satisfy Cond, or, Without, of those that do not.
	Key     *model.Column
	Without bool
}

// Names is what an expression may speak of.
type Names struct {
	Table     *model.Table
	SQLName   string // of the table
	Functions map[Name]Function
	User      string // CURRENT_USER; "" when it is not known
	// Fuzzy are the columns whose collation is not deterministic.
	Fuzzy map[string]bool
}

// Read reads the text of an expression, as pg_get_expr prints it under
// search_path "pg_catalog".
func Read(text string, names Names) Condition {
	r := &reader{names: names, row: &model.Row{Name: "record", Table: names.Table}, subjects: map[*model.Column]*subject{}, times: map[string]*subject{}}
	x, err := deparsed.Parse(text)
	if err != nil {
		return Condition{Sure: model.False{}, Possible: model.True{}, Reasons: []string{err.Error()}}
	}
	return settle(r.truth(x, true))
}

type reader struct {
	names    Names
	row      *model.Row
	subjects map[*model.Column]*subject
	times    map[string]*subject // computed ones, by their text
}

// truth is the node that an expression is true, or, unless want, false.
func (r *reader) truth(e deparsed.Expr, want bool) node {
	switch x := e.(type) {
	case deparsed.And:
		return r.junction(x.Terms, true, want)
	case deparsed.Or:
		if n, ok := r.orPattern(x, want); ok {
			return n
		}
		return r.junction(x.Terms, false, want)
	case deparsed.Not:
		return r.truth(x.X, !want)
	case deparsed.Select:
		return r.truth(x.X, want)
	case deparsed.Is:
		return r.is(x, want)
	case deparsed.Distinct:
		return r.distinct(x, want)
	case deparsed.Quantified:
		return r.quantified(x, want)
	case deparsed.InUnnested:
		return r.amongKeys(x.L, x.Array, want)
	case deparsed.Op:
		return r.comparison(x, want)
	case deparsed.Call:
		if n, ok := r.asked(x, want); ok {
			return n
		}
	case deparsed.Unread:
		return unread{"not read: " + x.Text}
	case deparsed.Column, deparsed.Literal, deparsed.Cast, deparsed.Array, deparsed.Case, deparsed.Unnested, deparsed.Collate, deparsed.AtZone:
	}
	return truthOf(r.value(e), want)
}

// truthOf is that a boolean value is true, or false.
func truthOf(v value, want bool) node {
	switch {
	case v.bad != "":
		return unread{v.bad}
	case v.null:
		return never
	case v.family != famBool:
		return unread{fmt.Sprintf("a value of type %s as a condition", v.typ.SQL())}
	case len(v.either) > 0:
		var arms []node
		for _, c := range v.either {
			arms = append(arms, all(c.when, truthOf(c.value, want)))
		}
		return some(arms...)
	}
	if lit, ok := v.x.(*model.Literal); ok {
		return constant(lit.Value == want)
	}
	return atom{&model.Truth{X: v.x, Want: want}, v.odds()}
}

// junction is AND, or OR, of terms.
func (r *reader) junction(terms []deparsed.Expr, conjunction, want bool) node {
	nodes := make([]node, len(terms))
	for i, t := range terms {
		nodes[i] = r.truth(t, want)
	}
	if conjunction == want {
		return all(nodes...)
	}
	return some(nodes...)
}

// is reads IS NULL and the tests of a condition's three values.
func (r *reader) is(x deparsed.Is, want bool) node {
	yes := want != x.Not
	if x.What == deparsed.IsNull {
		return r.value(x.X).isNull(!yes)
	}
	if x.What == deparsed.IsUnknown {
		return r.value(x.X).isNull(!yes)
	}
	value := x.What == deparsed.IsTrue
	if yes {
		return r.truth(x.X, value)
	}
	// Not true is false or unknown.
	other := r.truth(x.X, !value)
	if decided(x.X) {
		return other
	}
	v := r.value(x.X)
	if v.bad != "" || v.column == nil {
		return unread{"IS NOT " + string(x.What) + " of a condition"}
	}
	return some(other, v.isNull(false))
}

// decided reports whether a condition is never unknown.
func decided(e deparsed.Expr) bool {
	_, is := e.(deparsed.Is)
	_, distinct := e.(deparsed.Distinct)
	lit, constant := e.(deparsed.Literal)
	return is || distinct || constant && (lit.Kind == deparsed.True || lit.Kind == deparsed.False)
}

// distinct is IS DISTINCT FROM, which takes NULL for a value of its own.
func (r *reader) distinct(x deparsed.Distinct, want bool) node {
	l, rr := r.value(x.L), r.value(x.R)
	if l.bad != "" {
		return unread{l.bad}
	}
	if rr.bad != "" {
		return unread{rr.bad}
	}
	if want {
		return some(compare(model.NotEqual, l, rr, true), all(l.isNull(false), rr.isNull(true)), all(l.isNull(true), rr.isNull(false)))
	}
	return some(compare(model.Equal, l, rr, true), all(l.isNull(false), rr.isNull(false)))
}

package postgres

import (
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// renderer turns lowered conditions on one table's records, asked through one
// entry, into SQL. A Cond is satisfied exactly when its SQL is true; unknown
// may come out as null or false, which row-level security treats alike.
type renderer struct {
	runtime *accessors
	entry   model.Entry
	table   *model.Table
	program *model.Program // where columns are shown
	now     sqltext.Expr
	used    map[ObjectID]struct{} // the generated functions that were called
	once    bool                  // inside a subquery that is evaluated once a query
	plain   bool                  // gates stand beside conditions: no index is looked for
	assumed bool                  // every column has an index
	indexes Indexes
	errs    []error
	related *relatedSet   // the functions over related records that were made
	body    *bodyScope    // inside the body of such a function, or of such a subquery; nil in a policy
	inline  *relatedViews // no functions: related records are read from views
}

func (r *renderer) fail(err error) {
	if err != nil {
		r.errs = append(r.errs, err)
	}
}

// print renders a whole condition.
func (r *renderer) print(c model.Cond) (sqltext.SQL, error) {
	r.errs = r.errs[:0]
	x := r.cond(c)
	if len(r.errs) > 0 {
		return "", errors.Join(r.errs...)
	}
	return sqltext.Print(x)
}

// cond renders a condition. What speaks of no column is a gate: it is computed
// once a query, in a subquery, and stands first.
func (r *renderer) cond(c model.Cond) sqltext.Expr {
	_, always := c.(model.True)
	_, never := c.(model.False)
	if !r.once && !always && !never && !columnful(c) {
		r.once = true
		x := sqltext.Select{X: r.cond(c), Alias: "gate"}
		r.once = false
		return x
	}
	switch x := c.(type) {
	case model.True:
		return sqltext.BoolConst{Value: true}
	case model.False:
		return sqltext.BoolConst{Value: false}
	case *model.And:
		plain := r.plain
		r.plain = r.plain || !r.once && r.body == nil && r.anchored(x)
		out := allOf(r.terms(x.Terms, func(terms []model.Cond) model.Cond { return model.AllOf(terms...) })...)
		r.plain = plain
		return out
	case *model.Or:
		if folded, ok := r.fold(x.Terms); ok {
			return folded
		}
		return anyOf(r.terms(x.Terms, func(terms []model.Cond) model.Cond { return model.AnyOf(terms...) })...)
	case *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
		return r.atom(c)
	}
	r.fail(fmt.Errorf("%w: condition %T", errUnsupported, c))
	return sqltext.BoolConst{Value: false}
}

// terms renders the terms of an And or Or, with all gates joined into one.
func (r *renderer) terms(terms []model.Cond, join func([]model.Cond) model.Cond) []sqltext.Expr {
	var out []sqltext.Expr
	if r.once {
		for _, t := range terms {
			out = append(out, r.cond(t))
		}
		return out
	}
	var gates, rest, last []model.Cond
	for _, t := range terms {
		switch {
		case !columnful(t):
			gates = append(gates, t)
		case followsRelation(t): // the dearest
			last = append(last, t)
		default:
			rest = append(rest, t)
		}
	}
	if len(gates) > 0 {
		out = append(out, r.cond(join(gates)))
	}
	for _, t := range append(rest, last...) {
		out = append(out, r.cond(t))
	}
	return out
}

// columnful reports whether a condition speaks of the record.
func columnful(c model.Cond) bool {
	found := false
	model.Walk(c, func(atom model.Cond) {
		found = found || isLoop(atom) || slices.ContainsFunc(model.Operands(atom), mentionsColumn)
	})
	return found
}

func isLoop(c model.Cond) bool {
	_, some := c.(*model.Some)
	_, every := c.(*model.Every)
	_, count := c.(*model.Count)
	return some || every || count
}

func (r *renderer) atom(c model.Cond) sqltext.Expr {
	if some, ok := follow(c); ok {
		return r.overRelated(some)
	}
	switch x := c.(type) {
	case *model.Some, *model.Every, *model.Count:
		return r.overRelated(c)
	case *model.Compare:
		return r.compare(x.Op, r.operand(x.X), r.operand(x.Y))
	case *model.Truth:
		o := r.operand(x.X)
		if x.Want {
			return o.x
		}
		return sqltext.Not{X: o.x}
	case *model.Null:
		return sqltext.IsNull{X: r.column(x.X), Not: x.Not}
	case *model.Empty:
		return r.empty(x)
	case *model.Known:
		return sqltext.IsNull{X: r.operand(x.X).x, Not: !x.Not}
	case *model.Match:
		return r.match(x)
	case *model.In:
		return r.in(x)
	case *model.InNetwork:
		return r.inNetwork(x)
	case *model.ViaApp:
		return sqltext.BoolConst{Value: (x.App == r.entry.App()) != x.Not}
	case model.True, model.False, *model.And, *model.Or: // no atoms
	}
	r.fail(fmt.Errorf("%w: condition %T", errUnsupported, c))
	return sqltext.BoolConst{Value: false}
}

func (r *renderer) empty(e *model.Empty) sqltext.Expr {
	o := r.operand(e.X)
	col := r.column(e.X)
	null := sqltext.IsNull{X: col, Not: e.Not}
	switch {
	case o.typ.family == famSet:
		count := sqltext.Unnested{X: sqltext.CountOf{X: sqltext.Elem{}}, Array: o.inner}
		zero := sqltext.Const{Text: "0", Type: tBigint}
		if e.Not {
			return allOf(append(slices.Clone(o.guards), sqltext.Op{L: count, Op: ">", R: zero})...)
		}
		return anyOf(null, allOf(append(slices.Clone(o.guards), sqltext.Op{L: count, Op: "=", R: zero})...))
	case e.X.Column.Type.Kind == model.KindString:
		none := sqltext.Const{Type: tText}
		if e.Not {
			return sqltext.Op{L: o.x, Op: "<>", R: none}
		}
		return anyOf(null, sqltext.Op{L: o.x, Op: "=", R: none})
	default:
		return null
	}
}

// guarded adds to an atom what has to hold for its operands to be known.
func guarded(x sqltext.Expr, guards ...[]sqltext.Expr) sqltext.Expr {
	terms := []sqltext.Expr{x}
	for _, g := range guards {
		terms = append(terms, g...)
	}
	return allOf(terms...)
}

// match renders the string tests. The "C" collation makes them by bytes, and
// keeps them working on columns of any collation.
func (r *renderer) match(m *model.Match) sqltext.Expr {
	xo, yo := r.operand(m.X), r.operand(m.Y)
	x, y := r.text(xo), r.text(yo)
	c := func(e sqltext.Expr) sqltext.Expr { return sqltext.CollateC{X: e} }
	var out sqltext.Expr
	switch m.Op {
	case model.MatchStarts:
		out = negated(sqltext.Op{L: x, Op: "^@", R: c(y)}, m.Not)
	case model.MatchEnds:
		tail := sqltext.Func{Name: "right", Args: []sqltext.Expr{x, sqltext.Func{Name: "length", Args: []sqltext.Expr{y}}}}
		out = sqltext.Op{L: tail, Op: pick(m.Not, "<>", "="), R: c(y)}
	case model.MatchContains:
		at := sqltext.Func{Name: "strpos", Args: []sqltext.Expr{x, c(y)}}
		out = sqltext.Op{L: at, Op: pick(m.Not, "=", ">"), R: sqltext.IntConst{}}
	case model.MatchUnder:
		out = r.under(x, y, m)
	default:
		r.fail(fmt.Errorf("%w: string test %s", errUnsupported, m.Op))
		out = sqltext.BoolConst{}
	}
	return guarded(out, xo.guards, yo.guards)
}

// under is "the same path, or below it". Below it is a range of strings, which
// an index under "C" answers: from path + delimiter up to, and without, path +
// the character after the delimiter.
func (r *renderer) under(x, y sqltext.Expr, m *model.Match) sqltext.Expr {
	alternatives := r.pathRange(y, m)
	if len(alternatives) == 0 {
		return sqltext.BoolConst{}
	}
	if m.Not {
		return allOf(
			sqltext.Op{L: x, Op: "<>", R: y},
			sqltext.Not{X: sqltext.Op{L: x, Op: "^@", R: below(y, m.Delimiter)}},
		)
	}
	return anchor{column: x, any: alternatives}.atom(func(c comparison) sqltext.Expr { return c.value })
}

// below is the string that all paths below one begin with.
func below(path sqltext.Expr, delimiter string) sqltext.Expr {
	if lit, ok := path.(sqltext.Const); ok {
		return sqltext.CollateC{X: sqltext.Const{Text: lit.Text + delimiter, Type: tText}}
	}
	return sqltext.CollateC{X: sqltext.Op{L: path, Op: "||", R: sqltext.Const{Text: delimiter, Type: tText}}}
}

// pathRange is the path itself and the range of those below it, all under "C",
// so that one index answers both.
func (r *renderer) pathRange(path sqltext.Expr, m *model.Match) [][]comparison {
	if len(m.Delimiter) != 1 || m.Delimiter[0] >= 0x7f {
		r.fail(fmt.Errorf("%w: the delimiter %q", errUnsupported, m.Delimiter))
		return nil
	}
	return append(one("=", sqltext.CollateC{X: path}, tText, false), []comparison{
		{op: ">=", value: below(path, m.Delimiter), typ: tText},
		{op: "<", value: below(path, string(m.Delimiter[0]+1)), typ: tText},
	})
}

func negated(x sqltext.Expr, not bool) sqltext.Expr {
	if not {
		return sqltext.Not{X: x}
	}
	return x
}

func pick(first bool, a, b sqltext.SQL) sqltext.SQL {
	if first {
		return a
	}
	return b
}

// inNetwork compares with the network's first and last address, which an
// index answers.
func (r *renderer) inNetwork(n *model.InNetwork) sqltext.Expr {
	o := r.operand(n.X)
	low, high := networkRange(n)
	if n.Not {
		out := anyOf(sqltext.Op{L: o.x, Op: "<", R: low}, sqltext.Op{L: o.x, Op: ">", R: high})
		return guarded(out, o.known())
	}
	return guarded(allOf(sqltext.Op{L: o.x, Op: ">=", R: low}, sqltext.Op{L: o.x, Op: "<=", R: high}), r.networkGuards(n, o))
}

// networkRange is the first and the last address of a network.
func networkRange(n *model.InNetwork) (low, high sqltext.Expr) {
	net := n.Net.Masked()
	return sqltext.Const{Text: net.Addr().String(), Type: tInet}, sqltext.Const{Text: lastAddress(net).String(), Type: tInet}
}

// networkGuards say that a value between two addresses is one itself.
func (r *renderer) networkGuards(n *model.InNetwork, o operand) []sqltext.Expr {
	if n.Net.Addr().Is4() && o.bounds != nil {
		return append([]sqltext.Expr{maskLen(o.x, 32)}, o.guards...)
	}
	return o.known()
}

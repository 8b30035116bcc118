package access

import (
	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// encoder states a question to the solver. All that the two programs read alike
// is one unknown.
//
// A condition's atoms are satisfied only when their operands are known; here
// that is spelt out, so that every atom of the solver is a plain relation
// between values, and a negation is one.
type encoder struct {
	s      *smt.Solver
	user   *userUnknown
	pinned bool // the directory states the level of this case's user
	keys   bool // the programs tell users by different keys
	rows   map[which]*rowUnknown
	sets   []*setUnknown
	now    *operand
	opaque map[string]operand
	needed map[listKey]int // how many related records are enough
	// partial says why, if at all, records or values that are left out might have
	// made a difference: then nothing can be proven.
	partial string
	counter int
	other   redeclared
	// the record is stored as the program before the change declares its columns;
	// nil: that makes no difference
	storedOld *smt.F

	products []product
	refined  int
	conds    map[placed]*smt.F // what has been encoded outside of loops
}

// placed is a condition where it stands: on a side, of one of a write's records.
type placed struct {
	side *side
	at   which
	cond model.Cond
}

// mostAtoms bounds what is stated to the solver.
const mostAtoms = 6000

func newEncoder(c *comparer) *encoder {
	e := &encoder{s: smt.New(), rows: map[which]*rowUnknown{}, opaque: map[string]operand{}, needed: map[listKey]int{}, conds: map[placed]*smt.F{}, other: c.other, keys: c.keys}
	e.user = newUserUnknown(e)
	return e
}

func (e *encoder) count() int {
	e.counter++
	return e.counter
}

// viewer is a side for one kind of user.
type viewer struct {
	*encoder
	side  *side
	entry *model.User // the directory's entry for the user, or nil
	at    which
	rows  map[*model.Row]*rowUnknown // those that loops bind
}

// formula states a formula.
func (e *encoder) formula(f formula, entries map[*side]*model.User) *smt.F {
	switch x := f.(type) {
	case *holds:
		v := &viewer{encoder: e, side: x.side, entry: entries[x.side], at: x.at, rows: map[*model.Row]*rowUnknown{}}
		return v.cond(x.cond)
	case allOf:
		return smt.And(e.formulas(x, entries)...)
	case anyOf:
		return smt.Or(e.formulas(x, entries)...)
	case not:
		return smt.Not(e.formula(x.of, entries))
	}
	return smt.False
}

func (e *encoder) formulas(list []formula, entries map[*side]*model.User) []*smt.F {
	out := make([]*smt.F, len(list))
	for i, f := range list {
		out[i] = e.formula(f, entries)
	}
	return out
}

// row is the record that an unbound or a bound row stands for.
func (v *viewer) row(r *model.Row) *rowUnknown {
	if bound, ok := v.rows[r]; ok {
		return bound
	}
	row, ok := v.encoder.rows[v.at]
	if !ok {
		row = v.newRow(v.side.table, v.at, smt.True)
		v.encoder.rows[v.at] = row
	}
	return row
}

func (v *viewer) conds(list []model.Cond) []*smt.F {
	out := make([]*smt.F, len(list))
	for i, c := range list {
		out[i] = v.cond(c)
	}
	return out
}

func (v *viewer) cond(c model.Cond) *smt.F {
	if len(v.rows) > 0 {
		return v.encode(c)
	}
	key := placed{v.side, v.at, c}
	f, known := v.encoder.conds[key]
	if !known {
		f = v.encode(c)
		v.encoder.conds[key] = f
	}
	return f
}

func (v *viewer) encode(c model.Cond) *smt.F {
	if v.s.Size() > mostAtoms {
		v.partial = "it is too large"
		return smt.False
	}
	switch x := c.(type) {
	case model.True:
		return smt.True
	case model.False:
		return smt.False
	case *model.And:
		return smt.And(v.conds(x.Terms)...)
	case *model.Or:
		return smt.Or(v.conds(x.Terms)...)
	case *model.Compare:
		a, b := v.operand(x.X), v.operand(x.Y)
		return smt.And(a.known, b.known, v.compare(x.Op, a, b))
	case *model.Truth:
		o := v.operand(x.X)
		if o.truth == nil {
			return smt.False
		}
		return smt.And(o.known, sign(o.truth, x.Want))
	case *model.Null:
		r := v.follow(v.row(x.X.Row), x.X.Path)
		return smt.And(r.present, sign(v.column(r, x.X.Column).null, !x.Not))
	case *model.Empty:
		return v.empty(x)
	case *model.Known:
		return sign(v.operand(x.X).known, !x.Not)
	case *model.Match:
		return v.match(x)
	case *model.In:
		elem := v.operand(x.Elem)
		set := v.operand(x.Set)
		return smt.And(elem.known, set.known, sign(v.in(elem, set, x.Set), !x.Not))
	case *model.InNetwork:
		o := v.operand(x.X)
		if o.number == nil {
			return smt.False
		}
		return smt.And(o.known, sign(v.within(*o.number, x.Net), !x.Not))
	case *model.ViaApp:
		return smt.Bool((v.side.entry.App() == x.App) != x.Not)
	case *model.Some, *model.Every, *model.Count:
		return v.loop(c)
	}
	return smt.False
}

// sign is f, or its negation.
func sign(f *smt.F, positive bool) *smt.F {
	if positive {
		return f
	}
	return smt.Not(f)
}

func (v *viewer) compare(op model.CompareOp, a, b operand) *smt.F {
	switch op {
	case model.Equal:
		return v.equal(a, b)
	case model.NotEqual:
		return smt.Not(v.equal(a, b))
	case model.Less:
		return v.less(a, b)
	case model.GreaterEqual:
		return smt.Not(v.less(a, b))
	case model.Greater:
		return v.less(b, a)
	case model.LessEqual:
		return smt.Not(v.less(b, a))
	}
	return smt.False
}

func (v *viewer) less(a, b operand) *smt.F {
	switch {
	case a.number != nil && b.number != nil:
		return v.s.Less(*a.number, *b.number)
	case a.text != nil && b.text != nil:
		return v.s.Before(*a.text, *b.text)
	case a.truth != nil && b.truth != nil:
		return smt.And(smt.Not(a.truth), b.truth)
	}
	return smt.False
}

func (v *viewer) empty(x *model.Empty) *smt.F {
	r := v.follow(v.row(x.X.Row), x.X.Path)
	c := v.column(r, x.X.Column)
	var blank *smt.F
	switch x.X.Column.Type.Kind {
	case model.KindString:
		blank = v.s.Same(*c.text, v.s.Fixed(""))
	case model.KindSet:
		blank = v.s.LessEqual(c.set.count(), smt.Whole(0))
	default:
		return smt.And(r.present, sign(c.null, !x.Not))
	}
	if x.Not {
		return smt.And(r.present, c.known, smt.Not(blank))
	}
	return smt.And(r.present, smt.Or(c.null, smt.And(c.known, blank)))
}

func (v *viewer) match(x *model.Match) *smt.F {
	a, b := v.operand(x.X), v.operand(x.Y)
	if a.text == nil || b.text == nil {
		return smt.False
	}
	var f *smt.F
	switch x.Op {
	case model.MatchContains:
		f = v.s.Contains(*a.text, *b.text)
	case model.MatchStarts:
		f = v.s.Starts(*a.text, *b.text)
	case model.MatchEnds:
		f = v.s.Ends(*a.text, *b.text)
	case model.MatchUnder:
		below := v.joined(b, v.literal(x.Delimiter, model.String))
		f = smt.Or(v.s.Same(*a.text, *b.text), v.s.Starts(*a.text, *below.text))
	}
	return smt.And(a.known, b.known, sign(f, !x.Not))
}

// in is membership; groups are what the request states and those above.
func (v *viewer) in(elem, set operand, x model.Expr) *smt.F {
	if _, groups := x.(*model.GroupsRef); groups && set.set != nil {
		return v.amongGroups(elem, set.set)
	}
	if set.set != nil {
		return set.set.contains(elem)
	}
	var arms []*smt.F
	t := x.ResultType().Elem
	for _, val := range set.list {
		arms = append(arms, v.equal(elem, v.literal(val, *t)))
	}
	return smt.Or(arms...)
}

// finish states what could not be stated before all was known.
func (e *encoder) finish() {
	for _, s := range e.sets {
		s.finish()
	}
}

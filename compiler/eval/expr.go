package eval

import (
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/compiler/model"
)

// Env is what expressions are evaluated in.
type Env struct {
	key      *model.Attribute // the identity's key
	user     *principal
	app      model.Value // string or Unknown
	request  map[*model.Attribute]model.Value
	now      model.Timestamp
	record   model.Document                // the record of the decision
	rows     map[*model.Row]model.Document // those that loops bind
	recorder Recorder                      // nil: nobody asks
}

// with is the environment with one more row bound.
func (e *Env) with(row *model.Row, doc model.Document) *Env {
	inner := *e
	inner.rows = make(map[*model.Row]model.Document, len(e.rows)+1)
	for r, d := range e.rows {
		inner.rows[r] = d
	}
	inner.rows[row] = doc
	return &inner
}

// Value is the meaning of an expression: nil for null, Unknown, or a value of
// the expression's type. A bool expression is true, false or Unknown.
func (e *Env) Value(x model.Expr) model.Value {
	v := e.value(x)
	if e.recorder != nil {
		e.recorder.Value(x, v)
	}
	return v
}

func (e *Env) value(x model.Expr) model.Value {
	switch x := x.(type) {
	case *model.Literal:
		return x.Value
	case *model.NullLiteral:
		return nil
	case *model.ColumnRef:
		return e.column(x)
	case *model.AttrRef:
		return e.attribute(x.Attribute)
	case *model.GroupsRef:
		return e.user.groups
	case *model.LevelRef:
		return e.user.level
	case *model.AppRef:
		return e.app
	case *model.NowRef:
		return e.now
	case *model.Network:
		return lift(func(v []model.Value) model.Value { return contains(x.Net, v[0]) }, e.Value(x.X))
	case *model.MemberOf:
		return lift(func(v []model.Value) model.Value { return member(x.Group.Name, v[0]) }, e.user.groups)
	case *model.Related:
		return e.related(x)
	case *model.Call:
		return e.call(x)
	}
	return model.Unknown{}
}

func (e *Env) attribute(a *model.Attribute) model.Value {
	from := e.user.attributes
	if a.Scope == model.ScopeRequest {
		from = e.request
	}
	if v := from[a]; v != nil {
		return v
	}
	return model.Unknown{}
}

// document follows to-one relations; nil when one leads nowhere.
func (e *Env) document(row *model.Row, path []*model.Relation) model.Document {
	doc, bound := e.rows[row]
	if !bound {
		doc = e.record
	}
	for _, r := range path {
		next, ok := doc[r.Name].(model.Document)
		if !ok {
			return nil
		}
		doc = next
	}
	return doc
}

func (e *Env) column(x *model.ColumnRef) model.Value {
	doc := e.document(x.Row, x.Path)
	if doc == nil {
		return model.Unknown{}
	}
	return Parse(doc[x.Column.Name], x.Column.Type, x.Column.Native)
}

// related is Kleene's or, and, or the count over the related records.
func (e *Env) related(x *model.Related) model.Value {
	list, ok := e.document(x.Row, x.Path)[x.Relation.Name].([]any)
	if !ok {
		return model.Unknown{}
	}
	yes, no := 0, 0
	for _, item := range list {
		doc, ok := item.(model.Document)
		if !ok {
			return model.Unknown{}
		}
		switch e.with(x.Each, doc).Value(x.Body) {
		case true:
			yes++
		case false:
			no++
		}
	}
	switch unknown := len(list) - yes - no; {
	case x.Quantifier == model.CountTrue && unknown == 0:
		return new(big.Rat).SetInt64(int64(yes))
	case x.Quantifier == model.AnyTrue && yes > 0:
		return true
	case x.Quantifier == model.AllTrue && no > 0:
		return false
	case x.Quantifier == model.CountTrue || unknown > 0:
		return model.Unknown{}
	}
	return x.Quantifier == model.AllTrue
}

// call evaluates functions. Those that look at null or at what is unknown come
// first; all others are unknown when an argument is.
func (e *Env) call(x *model.Call) model.Value {
	switch x.Fn {
	case model.FnAnd, model.FnOr:
		return e.junction(x.Args, x.Fn == model.FnAnd)
	case model.FnIf:
		switch e.Value(x.Args[0]) {
		case true:
			return e.Value(x.Args[1])
		case false:
			return e.Value(x.Args[2])
		}
		return model.Unknown{}
	case model.FnCoalesce:
		if v := e.Value(x.Args[0]); v != nil {
			return v
		}
		return e.Value(x.Args[1])
	case model.FnBetween:
		return e.between(x.Args)
	case model.FnKnown:
		return isKnown(e.Value(x.Args[0]))
	case model.FnIsNull, model.FnIsEmpty:
		return e.empty(x)
	default:
		args := make([]model.Value, len(x.Args))
		for i, a := range x.Args {
			args[i] = e.Value(a)
		}
		return lift(func(v []model.Value) model.Value { return e.apply(x.Fn, v) }, args...)
	}
}

// junction is Kleene's and (all) or or: the value that decides it, else
// unknown if one is, else the other.
func (e *Env) junction(args []model.Expr, all bool) model.Value {
	unknown := false
	for _, a := range args {
		b, known := e.Value(a).(bool)
		if known && b != all {
			return b
		}
		unknown = unknown || !known
	}
	if unknown {
		return model.Unknown{}
	}
	return all
}

// between is an and of two comparisons: false when one bound excludes the
// value, though the other is unknown.
func (e *Env) between(args []model.Expr) model.Value {
	v, low, high := e.Value(args[0]), e.Value(args[1]), e.Value(args[2])
	above := lift(func(v []model.Value) model.Value { return compare(model.GreaterEqual, v[0], v[1]) }, v, low)
	below := lift(func(v []model.Value) model.Value { return compare(model.LessEqual, v[0], v[1]) }, v, high)
	switch {
	case above == false || below == false:
		return false
	case above == true && below == true:
		return true
	}
	return model.Unknown{}
}

// empty is == null and is_empty. They look at the column's presence, so that
// only an absent related record or a value of no meaning is unknown.
func (e *Env) empty(x *model.Call) model.Value {
	ref := x.Args[0].(*model.ColumnRef)
	if e.document(ref.Row, ref.Path) == nil {
		return model.Unknown{}
	}
	v := e.column(ref)
	if v == nil {
		return true
	}
	if x.Fn == model.FnIsNull {
		return false
	}
	switch ref.Column.Type.Kind {
	case model.KindString, model.KindSet:
		switch v := v.(type) {
		case string:
			return v == ""
		case model.Set:
			return len(v) == 0
		}
		return model.Unknown{}
	default:
		return false
	}
}

// lift applies f unless an argument is null or unknown.
func lift(f func([]model.Value) model.Value, args ...model.Value) model.Value {
	for _, a := range args {
		if !isKnown(a) {
			return model.Unknown{}
		}
	}
	return f(args)
}

// apply is a strict function on known values.
func (e *Env) apply(fn model.Fn, v []model.Value) model.Value {
	switch fn {
	case model.FnNot:
		return !v[0].(bool)
	case model.FnEqual:
		return compare(model.Equal, v[0], v[1])
	case model.FnNotEqual:
		return compare(model.NotEqual, v[0], v[1])
	case model.FnLess:
		return compare(model.Less, v[0], v[1])
	case model.FnLessEqual:
		return compare(model.LessEqual, v[0], v[1])
	case model.FnGreater:
		return compare(model.Greater, v[0], v[1])
	case model.FnGreaterEqual:
		return compare(model.GreaterEqual, v[0], v[1])
	case model.FnInLast:
		return within(v[0], e.now-model.Timestamp(v[1].(model.Duration)), e.now)
	case model.FnInNext:
		return within(v[0], e.now, e.now+model.Timestamp(v[1].(model.Duration)))
	case model.FnContains:
		return strings.Contains(v[0].(string), v[1].(string))
	case model.FnStartsWith:
		return strings.HasPrefix(v[0].(string), v[1].(string))
	case model.FnEndsWith:
		return strings.HasSuffix(v[0].(string), v[1].(string))
	case model.FnIsUnder:
		return v[0] == v[1] || strings.HasPrefix(v[0].(string), v[1].(string)+v[2].(string))
	case model.FnIn:
		return member(v[0], v[1])
	case model.FnLower:
		return Lower(v[0].(string))
	case model.FnLength:
		return length(v[0])
	case model.FnAdd, model.FnSubtract, model.FnMultiply, model.FnNegate:
		return arithmetic(fn, v)
	case model.FnTemplate:
		return template(v)
	default:
		return model.Unknown{}
	}
}

// Lower maps the ASCII capitals to small letters and leaves all else alone.
func Lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

func length(v model.Value) model.Value {
	n := 0
	switch x := v.(type) {
	case string:
		n = utf8.RuneCountInString(x)
	case model.Set:
		n = len(x)
	}
	return new(big.Rat).SetInt64(int64(n))
}

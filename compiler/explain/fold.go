package explain

import (
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// folder works a condition out as far as what is known goes. What is left
// speaks of the rest alone, and holds exactly where the condition does.
type folder struct {
	env *eval.Env
	// What is known: the values of env are those that count.
	user    bool // attributes of the user
	groups  bool // and their groups and level
	request bool
	now     bool
	record  bool
	bound   map[*model.Row]bool // related records that env binds
}

// all knows everything that a request tells.
func (f folder) fold(c model.Cond) model.Cond {
	switch x := c.(type) {
	case model.True, model.False:
		return c
	case *model.And:
		return f.join(x.Terms, false)
	case *model.Or:
		return f.join(x.Terms, true)
	case *model.Some:
		if docs, given, ok := f.related(x.From); ok {
			return f.each(x.From, x.Where, docs, given, true)
		}
		where := f.fold(x.Where)
		if _, never := where.(model.False); never {
			return model.False{}
		}
		return &model.Some{From: x.From, Where: where}
	case *model.Every:
		if docs, given, ok := f.related(x.From); ok {
			return f.each(x.From, x.Where, docs, given, false)
		}
		return &model.Every{From: x.From, Where: f.fold(x.Where)}
	case *model.Count:
		return f.count(x)
	case *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In, *model.InNetwork, *model.ViaApp:
		return f.atom(c)
	}
	return c
}

// join folds terms, and drops those that say what others say already.
func (f folder) join(list []model.Cond, or bool) model.Cond {
	out := make([]model.Cond, len(list))
	for i, t := range list {
		out[i] = f.fold(t)
	}
	return simplify(out, or)
}

// simplify joins terms without those that are implied: a repeated one, and of
// `a || (a && b)` and `a && (a || b)` all but a.
func simplify(list []model.Cond, or bool) model.Cond {
	joined := model.AllOf(list...)
	if or {
		joined = model.AnyOf(list...)
	}
	terms := termsOf(joined, or)
	if terms == nil {
		return joined
	}
	texts := map[string]bool{}
	for _, t := range terms {
		texts[key(t)] = true
	}
	var kept []model.Cond
	seen := map[string]bool{}
	for _, t := range terms {
		text := key(t)
		if !seen[text] && !absorbed(t, texts, or) {
			kept = append(kept, t)
		}
		seen[text] = true
	}
	if or {
		return model.AnyOf(kept...)
	}
	return model.AllOf(kept...)
}

// key is a text that is the same for conditions that are.
func key(c model.Cond) string {
	text := print.Cond(c)
	model.Walk(c, func(part model.Cond) {
		if count, ok := part.(*model.Count); ok {
			text += "\n" + print.Cond(count.Fails)
		}
	})
	return text
}

// termsOf are the terms of an or (and); nil for any other condition.
func termsOf(c model.Cond, or bool) []model.Cond {
	switch x := c.(type) {
	case *model.And:
		if !or {
			return x.Terms
		}
	case *model.Or:
		if or {
			return x.Terms
		}
	case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	return nil
}

// absorbed reports whether a term of an or (and) is a conjunction (disjunction)
// with a part that is a term itself.
func absorbed(t model.Cond, texts map[string]bool, or bool) bool {
	for _, p := range termsOf(t, !or) {
		if texts[key(p)] {
			return true
		}
	}
	return false
}

// related are the related records of a loop; ok when it is known which they
// are, given when the record states them.
func (f folder) related(from model.RelatedRows) (docs []model.Document, given, ok bool) {
	if !f.row(from.Row) {
		return nil, false, false
	}
	docs, given = f.env.Records(&model.Related{Row: from.Row, Path: from.Path, Relation: from.Relation})
	return docs, given, true
}

// each is the or, or the and, over related records that are known. Those that
// a record does not state leave a loop unknown.
func (f folder) each(from model.RelatedRows, where model.Cond, docs []model.Document, given, or bool) model.Cond {
	if !given {
		return model.False{}
	}
	parts := make([]model.Cond, len(docs))
	for i, doc := range docs {
		parts[i] = f.bind(from.Each, doc).fold(where)
	}
	return simplify(parts, or)
}

func (f folder) bind(row *model.Row, doc model.Document) folder {
	inner := f
	inner.env = f.env.Bind(row, doc)
	inner.bound = map[*model.Row]bool{row: true}
	for r := range f.bound {
		inner.bound[r] = true
	}
	return inner
}

// count is worked out only where all of it is known.
func (f folder) count(x *model.Count) model.Cond {
	docs, given, ok := f.related(x.From)
	switch {
	case ok && !given:
		return model.False{}
	case !ok:
		// Its body stays as it is written: where a part of it is known to be unknown,
		// no text says the same.
		n, has := f.operand(x.N)
		if !has {
			return model.False{}
		}
		return &model.Count{From: x.From, Holds: x.Holds, Fails: x.Fails, Op: x.Op, N: n}
	}
	for _, doc := range docs {
		inner := f.bind(x.From.Each, doc)
		for _, c := range []model.Cond{inner.fold(x.Holds), inner.fold(x.Fails)} {
			if !constant(c) {
				return x
			}
		}
	}
	if !f.known(x.N) {
		return x
	}
	return truthCond(f.env.Holds(x))
}

func constant(c model.Cond) bool {
	switch c.(type) {
	case model.True, model.False:
		return true
	case *model.And, *model.Or, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	return false
}

func truthCond(b bool) model.Cond {
	if b {
		return model.True{}
	}
	return model.False{}
}

// atom is a comparison with what is known of its operands as constants; one
// with an operand that is known to be unknown never holds.
func (f folder) atom(c model.Cond) model.Cond {
	all := true
	for _, x := range model.Operands(c) {
		all = all && f.known(x)
	}
	if all {
		return truthCond(f.env.Holds(c))
	}
	switch x := c.(type) {
	case *model.Compare:
		return f.with([]model.Expr{x.X, x.Y}, func(v []model.Expr) model.Cond { return compared(x.Op, v[0], v[1]) })
	case *model.Match:
		return f.with([]model.Expr{x.X, x.Y}, func(v []model.Expr) model.Cond {
			return &model.Match{Op: x.Op, X: v[0], Y: v[1], Delimiter: x.Delimiter, Not: x.Not}
		})
	case *model.In:
		return f.with([]model.Expr{x.Elem, x.Set}, func(v []model.Expr) model.Cond { return &model.In{Elem: v[0], Set: v[1], Not: x.Not} })
	case *model.InNetwork:
		return f.with([]model.Expr{x.X}, func(v []model.Expr) model.Cond { return &model.InNetwork{X: v[0], Net: x.Net, Not: x.Not} })
	case *model.Truth, *model.Null, *model.Empty, *model.Known, *model.ViaApp:
		return c
	case model.True, model.False, *model.And, *model.Or, *model.Some, *model.Every, *model.Count:
	}
	return c
}

// mirrored is the comparison of Y with X for that of X with Y.
var mirrored = map[model.CompareOp]model.CompareOp{
	model.Equal: model.Equal, model.NotEqual: model.NotEqual, model.Less: model.Greater, model.LessEqual: model.GreaterEqual,
	model.Greater: model.Less, model.GreaterEqual: model.LessEqual,
}

// compared is a comparison with its constant on the right, as it is read.
func compared(op model.CompareOp, x, y model.Expr) model.Cond {
	if _, constant := x.(*model.Literal); constant {
		return &model.Compare{Op: mirrored[op], X: y, Y: x}
	}
	return &model.Compare{Op: op, X: x, Y: y}
}

func (f folder) with(operands []model.Expr, made func([]model.Expr) model.Cond) model.Cond {
	out := make([]model.Expr, len(operands))
	for i, x := range operands {
		v, ok := f.operand(x)
		if !ok {
			return model.False{}
		}
		out[i] = v
	}
	return made(out)
}

// operand puts constants for what is known; false when it is known to have no
// value.
func (f folder) operand(x model.Expr) (model.Expr, bool) {
	if f.known(x) {
		if _, already := x.(*model.Literal); already {
			return x, true
		}
		v := f.env.Value(x)
		if _, unknown := v.(model.Unknown); v == nil || unknown {
			return nil, false
		}
		return &model.Literal{Node: model.Node{Type: x.ResultType(), Span: x.Place()}, Value: v}, true
	}
	call, ok := x.(*model.Call)
	if !ok {
		return x, true
	}
	out := &model.Call{Node: call.Node, Fn: call.Fn, Args: make([]model.Expr, len(call.Args))}
	for i, a := range call.Args {
		if out.Args[i], ok = f.operand(a); !ok {
			return nil, false
		}
	}
	return out, true
}

// known reports whether all that an operand reads is known.
func (f folder) known(x model.Expr) bool {
	known := true
	model.WalkExpr(x, func(part model.Expr) {
		switch r := part.(type) {
		case *model.ColumnRef:
			known = known && f.row(r.Row)
		case *model.AttrRef:
			if r.Attribute.Scope == model.ScopeRequest {
				known = known && f.request
			} else {
				known = known && f.user
			}
		case *model.GroupsRef, *model.LevelRef, *model.MemberOf:
			known = known && f.groups
		case *model.NowRef:
			known = known && f.now
		case *model.Related:
			known = false
		case *model.Literal, *model.NullLiteral, *model.AppRef, *model.Call, *model.Network:
		}
	})
	return known
}

// row reports whether a record is known: the decision's own, unless a loop
// binds it.
func (f folder) row(r *model.Row) bool { return f.bound[r] || r.Name == recordRow && f.record }

// recordRow is the name of the record that is decided on.
const recordRow = "record"

package jsondoc

import (
	"fmt"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
)

// condition is a lowered condition in the document's form.
func condition(c model.Cond) (*document.Cond, error) { return (&printer{}).cond(c) }

// printer knows the rows that the loops around a condition bind.
type printer struct{ each []*model.Row }

// row is the number of a row: 0 is the record of the decision.
func (p *printer) row(r *model.Row) int {
	for i := len(p.each) - 1; i >= 0; i-- {
		if p.each[i] == r {
			return i + 1
		}
	}
	return 0
}

// pick is yes, or no when not is true.
func pick(not bool, yes, no document.Op) document.Op {
	if not {
		return no
	}
	return yes
}

func (p *printer) cond(c model.Cond) (*document.Cond, error) {
	switch x := c.(type) {
	case model.True:
		return &document.Cond{Op: document.True}, nil
	case model.False:
		return &document.Cond{Op: document.False}, nil
	case *model.And:
		return p.junction(document.And, x.Terms)
	case *model.Or:
		return p.junction(document.Or, x.Terms)
	case *model.ViaApp:
		return &document.Cond{Op: pick(x.Not, document.Via, document.NotVia), App: x.App.Name}, nil
	case *model.Some:
		return p.loop(document.Some, x.From, x.Where)
	case *model.Every:
		return p.loop(document.Every, x.From, x.Where)
	case *model.Count:
		return p.count(x)
	case *model.Compare, *model.Empty, *model.In, *model.InNetwork, *model.Known, *model.Match, *model.Null, *model.Truth:
		return p.atom(c)
	}
	return nil, fmt.Errorf("the condition %T is not known", c)
}

func (p *printer) junction(op document.Op, terms []model.Cond) (*document.Cond, error) {
	out := &document.Cond{Op: op}
	for _, t := range terms {
		term, err := p.cond(t)
		if err != nil {
			return nil, err
		}
		out.Terms = append(out.Terms, term)
	}
	return out, nil
}

func (p *printer) rows(from model.RelatedRows) *document.Rows {
	return &document.Rows{
		Each: from.Each.Name, Path: convertPath(from.Path), Relation: from.Relation.Name, Row: p.row(from.Row),
	}
}

func convertPath(path []*model.Relation) []string {
	if len(path) == 0 {
		return nil
	}
	return convert(path, func(r *model.Relation) string { return r.Name })
}

// inside is the printer of a loop's body.
func (p *printer) inside(each *model.Row) *printer {
	return &printer{each: append(p.each[:len(p.each):len(p.each)], each)}
}

func (p *printer) loop(op document.Op, from model.RelatedRows, where model.Cond) (*document.Cond, error) {
	body, err := p.inside(from.Each).cond(where)
	return &document.Cond{Op: op, Rows: p.rows(from), Where: body}, err
}

func (p *printer) count(x *model.Count) (*document.Cond, error) {
	out := &document.Cond{Op: document.Count, Rows: p.rows(x.From), Compare: document.Op(x.Op)}
	inner := p.inside(x.From.Each)
	var err error
	if out.Holds, err = inner.cond(x.Holds); err != nil {
		return nil, err
	}
	if out.Fails, err = inner.cond(x.Fails); err != nil {
		return nil, err
	}
	out.N, err = p.expr(x.N)
	return out, err
}

// atom is a node with operands.
func (p *printer) atom(c model.Cond) (*document.Cond, error) {
	out := &document.Cond{}
	switch x := c.(type) {
	case *model.Compare:
		out.Op = document.Op(x.Op)
	case *model.Truth:
		out.Op = pick(!x.Want, document.IsTrue, document.IsFalse)
	case *model.Null:
		out.Op = pick(x.Not, document.Null, document.NotNull)
	case *model.Empty:
		out.Op = pick(x.Not, document.Empty, document.NotEmpty)
	case *model.Known:
		out.Op = pick(x.Not, document.Known, document.NotKnown)
	case *model.Match:
		out.Op = matchOp(x)
		if x.Op == model.MatchUnder {
			out.Delimiter = x.Delimiter
		}
	case *model.In:
		out.Op = pick(x.Not, document.In, document.NotIn)
	case *model.InNetwork:
		out.Op = pick(x.Not, document.InNetwork, document.NotInNetwork)
		out.Network = x.Net.String()
	case model.True, model.False, *model.And, *model.Or, *model.Count, *model.Every, *model.Some, *model.ViaApp:
		return nil, fmt.Errorf("the condition %T has no operands", c)
	}
	for i, operand := range model.Operands(c) {
		e, err := p.expr(operand)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			out.X = e
		} else {
			out.Y = e
		}
	}
	return out, nil
}

func matchOp(m *model.Match) document.Op {
	switch m.Op {
	case model.MatchContains:
		return pick(m.Not, document.Contains, document.NotContains)
	case model.MatchStarts:
		return pick(m.Not, document.StartsWith, document.NotStartsWith)
	case model.MatchEnds:
		return pick(m.Not, document.EndsWith, document.NotEndsWith)
	case model.MatchUnder:
		return pick(m.Not, document.Under, document.NotUnder)
	}
	return document.Op(m.Op)
}

func (p *printer) expr(e model.Expr) (*document.Expr, error) {
	switch x := e.(type) {
	case *model.Literal:
		t := typeOf(x.Type)
		value, err := valueOf(x.Type, x.Value)
		return &document.Expr{Kind: document.Literal, Type: &t, Value: value}, err
	case *model.ColumnRef:
		return &document.Expr{
			Kind: document.ColumnExpr, Column: x.Column.Name, Path: convertPath(x.Path), Row: p.row(x.Row),
		}, nil
	case *model.AttrRef:
		kind := document.UserAttr
		if x.Attribute.Scope == model.ScopeRequest {
			kind = document.RequestAttr
		}
		return &document.Expr{Kind: kind, Name: x.Attribute.Name}, nil
	case *model.GroupsRef:
		return &document.Expr{Kind: document.Groups}, nil
	case *model.LevelRef:
		return &document.Expr{Kind: document.LevelExpr}, nil
	case *model.AppRef:
		return &document.Expr{Kind: document.AppName}, nil
	case *model.NowRef:
		return &document.Expr{Kind: document.Now}, nil
	case *model.Call:
		return p.call(x)
	case *model.MemberOf, *model.Network, *model.NullLiteral, *model.Related:
	}
	return nil, fmt.Errorf("the operand %T is not known", e)
}

// functionOf is the document's name of a function that operands may use.
func functionOf(fn model.Fn) (document.Fn, bool) {
	switch fn {
	case model.FnLower:
		return document.Lower, true
	case model.FnLength:
		return document.Length, true
	case model.FnAdd:
		return document.Add, true
	case model.FnSubtract:
		return document.Subtract, true
	case model.FnMultiply:
		return document.Multiply, true
	case model.FnNegate:
		return document.Negate, true
	case model.FnTemplate:
		return document.Template, true
	default:
		return "", false
	}
}

func (p *printer) call(x *model.Call) (*document.Expr, error) {
	fn, ok := functionOf(x.Fn)
	if !ok {
		return nil, fmt.Errorf("the function %s stands in an operand", x.Fn)
	}
	out := &document.Expr{Kind: document.Call, Fn: fn}
	for _, a := range x.Args {
		arg, err := p.expr(a)
		if err != nil {
			return nil, err
		}
		out.Args = append(out.Args, arg)
	}
	return out, nil
}

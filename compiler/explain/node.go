package explain

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// maxRelated is how many related records of a loop are shown.
const maxRelated = 20

// node is a condition with the value of each of its parts.
func (e *explainer) node(env *eval.Env, x model.Expr) *Node {
	if x == nil {
		return &Node{Text: "true", Value: True}
	}
	n := &Node{Text: e.text(x), Span: x.Place(), Value: truth(env.Value(x))}
	switch x := x.(type) {
	case *model.Call:
		if joins := junction(x.Fn); joins != "" {
			n.Joins = joins
			for _, a := range x.Args {
				n.Parts = append(n.Parts, e.node(env, a))
			}
			return n.simplified(x.Place())
		}
		n.Facts = e.facts(env, x.Args)
		for _, a := range x.Args {
			e.counts(env, a, n)
		}
	case *model.Network:
		n.Facts = e.facts(env, []model.Expr{x.X})
	case *model.MemberOf:
		n.Facts = e.facts(env, []model.Expr{&model.GroupsRef{Node: model.Node{Type: model.StringSet}}})
	case *model.Related:
		e.loop(env, x, n)
	case *model.ColumnRef, *model.AttrRef:
		n.Facts = e.facts(env, []model.Expr{x})
	case *model.Literal, *model.NullLiteral, *model.GroupsRef, *model.LevelRef, *model.AppRef, *model.NowRef:
	}
	return n
}

// junction names the functions that put conditions together.
func junction(fn model.Fn) string {
	switch fn {
	case model.FnAnd:
		return "and"
	case model.FnOr:
		return "or"
	case model.FnNot:
		return "not"
	case model.FnIf:
		return "if"
	default:
		return ""
	}
}

// simplified shows what is written as one, such as `x != null`, as one.
func (n *Node) simplified(at source.Span) *Node {
	if n.Joins == "not" && !at.IsZero() && n.Parts[0].Span == at && n.Parts[0].Joins == "" {
		n.Facts, n.Joins, n.Parts = n.Parts[0].Facts, "", nil
	}
	return n
}

// loop shows a condition for each related record.
func (e *explainer) loop(env *eval.Env, x *model.Related, n *Node) {
	switch x.Quantifier {
	case model.AnyTrue:
		n.Joins = "any"
	case model.AllTrue:
		n.Joins = "all"
	case model.CountTrue:
		n.Joins = "count"
	}
	records, ok := env.Records(x)
	if !ok {
		n.Facts = append(n.Facts, Fact{Text: relationText(x), State: IsUnknown, Span: x.Place()})
		return
	}
	for i, doc := range records {
		if i == maxRelated {
			n.More = len(records) - i
			return
		}
		part := e.node(env.Bind(x.Each, doc), x.Body)
		part.Text = fmt.Sprintf("%s[%d]: %s", relationText(x), i, part.Text)
		n.Parts = append(n.Parts, part)
	}
	if len(records) == 0 {
		n.Facts = append(n.Facts, Fact{Text: relationText(x), State: IsValue, Value: []any{}, Span: x.Place()})
	}
}

func relationText(x *model.Related) string {
	names := []string{x.Row.Name}
	for _, r := range x.Path {
		names = append(names, r.Name)
	}
	return strings.Join(append(names, x.Relation.Name), ".")
}

// counts shows the loops inside of an operand.
func (e *explainer) counts(env *eval.Env, x model.Expr, n *Node) {
	model.WalkExpr(x, func(part model.Expr) {
		if r, ok := part.(*model.Related); ok && n.Joins == "" {
			e.loop(env, r, n)
		}
	})
}

// facts are the operands of a comparison, and what they are made of. A constant
// is one only where the source does not show it, as for a variable.
func (e *explainer) facts(env *eval.Env, operands []model.Expr) []Fact {
	var out []Fact
	seen := map[string]bool{}
	add := func(x model.Expr) {
		text := e.text(x)
		native := ""
		switch ref := x.(type) {
		case *model.ColumnRef:
			text, native = print.Expr(x), ref.Column.Native
		case *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef:
			text = print.Expr(x)
		case *model.Literal, *model.NullLiteral, *model.NowRef, *model.Call, *model.Network, *model.MemberOf, *model.Related:
		}
		if !seen[text] {
			seen[text] = true
			out = append(out, newFact(text, env.Value(x), x.ResultType(), native, x.Place()))
		}
	}
	for _, x := range operands {
		switch c := x.(type) {
		case *model.Literal:
			if text := e.written(x.Place()); text != "" && !strings.ContainsAny(text[:1], `"'0123456789-[`) && text != "true" && text != "false" {
				add(x)
			}
		case *model.NullLiteral:
		case *model.Call, *model.Network:
			add(x)
			model.WalkExpr(c, func(part model.Expr) {
				if leaf(part) {
					add(part)
				}
			})
		case *model.ColumnRef, *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef, *model.NowRef, *model.MemberOf, *model.Related:
			add(x)
		}
	}
	return out
}

// leaf reports whether an expression reads a value of the record or request
// outside of loops.
func leaf(x model.Expr) bool {
	switch r := x.(type) {
	case *model.ColumnRef:
		return r.Row.Name == "record"
	case *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef:
		return true
	case *model.Literal, *model.NullLiteral, *model.NowRef, *model.Call, *model.Network, *model.MemberOf, *model.Related:
	}
	return false
}

func newFact(text string, v model.Value, t model.Type, native string, span source.Span) Fact {
	f := Fact{Text: text, State: IsValue, Span: span}
	switch v := v.(type) {
	case nil:
		f.State = IsNull
	case model.Unknown:
		f.State = IsUnknown
	case model.Duration:
		f.Value = print.Value(v)
	default:
		f.Value = model.JSON(v, t, native)
	}
	return f
}

// text is an expression as it is written, or, without its source, as it would
// be.
func (e *explainer) text(x model.Expr) string {
	if s := e.written(x.Place()); s != "" {
		return s
	}
	return print.Expr(x)
}

// written is the text at a place on one line, "" where it is not known.
func (e *explainer) written(at source.Span) string {
	f := e.sources.File(at.File)
	if f == nil || at.Start.Byte < 0 || at.End.Byte > len(f.Data) || at.Start.Byte >= at.End.Byte {
		return ""
	}
	return strings.Join(strings.Fields(string(f.Data[at.Start.Byte:at.End.Byte])), " ")
}

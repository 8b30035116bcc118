package condition

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

const loopForm = "Write anytrue([for m in record.members : m.user_id == user.id])."

func whole(n int) *big.Rat { return big.NewRat(int64(n), 1) }

// loopCall is anytrue and alltrue: over related records, over constants (a
// loop that is unrolled), or over a written list.
func (c *compiler) loopCall(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	quantifier, fn := model.AnyTrue, model.FnOr
	if e.Name == "alltrue" {
		quantifier, fn = model.AllTrue, model.FnAnd
	}
	switch x := unwrap(e.Args[0]).(type) {
	case *hclsyntax.ForExpr:
		if rel, ok := c.relation(x.CollExpr); ok {
			return c.related(quantifier, x, rel, span)
		}
		return c.unroll(fn, x, span)
	case *hclsyntax.TupleConsExpr:
		return c.terms(fn, x.Exprs, span)
	}
	o := c.expr(e.Args[0])
	if !o.ok() {
		return operand{span: span}
	}
	elems, ok := list(nil), false
	if o.konst != nil {
		elems, ok = o.konst.v.(list)
	}
	if !ok {
		return c.fail(CodeLoop, o.span, fmt.Sprintf("%s takes a list of conditions", e.Name), loopForm)
	}
	v, ok := c.value(untyped{v: elems}, model.SetOf(model.Bool), o.span, "The list of "+e.Name)
	if !ok {
		return operand{span: span}
	}
	set, _ := v.(model.Set)
	return typed(literal(slices.Contains(set, model.Value(fn == model.FnOr)) == (fn == model.FnOr), model.Bool, span))
}

func unwrap(e hclsyntax.Expression) hclsyntax.Expression {
	for {
		switch x := e.(type) {
		case *hclsyntax.ParenthesesExpr:
			e = x.Expression
		case *hclsyntax.TemplateWrapExpr:
			e = x.Wrapped
		default:
			return e
		}
	}
}

// terms is anytrue or alltrue of a written list.
func (c *compiler) terms(fn model.Fn, exprs []hclsyntax.Expression, span source.Span) operand {
	args, good := make([]model.Expr, 0, len(exprs)), true
	for _, t := range exprs {
		x, ok := c.boolean(c.expr(t), "An element of the list")
		args, good = append(args, x), good && ok
	}
	if !good {
		return operand{span: span}
	}
	return typed(junction(fn, args, span))
}

// toMany is a to-many relation of a row.
type toMany struct {
	row  *model.Row
	path []*model.Relation
	rel  *model.Relation
	ok   bool
}

// relation reads what a loop goes over; it is false for constants. A name of
// a record that is no to-many relation is reported, and gives a toMany that is
// not ok.
func (c *compiler) relation(e hclsyntax.Expression) (toMany, bool) {
	p, ok := c.path(e)
	if !ok || !c.runtimeRoot(p[0].name) {
		return toMany{}, false
	}
	row := c.row(p[0].name)
	if row == nil || len(p) < 2 {
		c.fail(CodeLoop, syntax.Span(e.Range()), "A loop goes over the related records of a record", loopForm)
		return toMany{}, true
	}
	table, path, ok := c.follow(row, p)
	if !ok {
		return toMany{}, true
	}
	last := p[len(p)-1]
	r := table.Relation(last.name)
	switch {
	case r != nil && r.Many:
		return toMany{row, path, r, true}, true
	case r != nil:
		c.fail(CodeRelation, last.span, fmt.Sprintf("%q leads to one record and not to many", r.Name), fmt.Sprintf("Name its columns directly: %s.%s.", dotted(row, path, r.Name), someColumn(r.Table)))
	case table.Column(last.name) != nil:
		c.fail(CodeLoop, last.span, fmt.Sprintf("%q is a column and not a relation", last.name), "A loop goes over related records; for the elements of a set write contains(record.x, …).")
	default:
		c.unknownName(last, table.Address(), memberNames(table))
	}
	return toMany{}, true
}

// related compiles a loop over related records. A condition after `if` is part
// of the body: any(f && b), all(!f || b), count(f).
func (c *compiler) related(q model.Quantifier, f *hclsyntax.ForExpr, rel toMany, span source.Span) operand {
	if !rel.ok || !c.loopShape(f) {
		return operand{span: span}
	}
	if f.KeyVar != "" {
		return c.fail(CodeLoop, syntax.Span(f.SrcRange), "A loop over related records has one name", "Related records have no keys. "+loopForm)
	}
	each := &model.Row{Name: f.ValVar, Table: rel.rel.Table}
	c.rows = append(c.rows, each)
	defer func() { c.rows = c.rows[:len(c.rows)-1] }()
	body, ok := c.loopBody(q, f)
	if !ok {
		return operand{span: span}
	}
	t := model.Bool
	if q == model.CountTrue {
		t = model.Int
	}
	return typed(&model.Related{
		Node: model.Node{Type: t, Span: span}, Quantifier: q,
		Row: rel.row, Path: rel.path, Relation: rel.rel, Each: each, Body: body,
	})
}

func (c *compiler) loopBody(q model.Quantifier, f *hclsyntax.ForExpr) (model.Expr, bool) {
	var filter model.Expr = literal(true, model.Bool, syntax.Span(f.SrcRange))
	okF := true
	if f.CondExpr != nil {
		filter, okF = c.boolean(c.expr(f.CondExpr), "The condition after if")
	}
	if q == model.CountTrue {
		if v, ok := unwrap(f.ValExpr).(*hclsyntax.ScopeTraversalExpr); !ok || len(v.Traversal) != 1 || v.Traversal.RootName() != f.ValVar {
			c.fail(CodeLoop, syntax.Span(f.ValExpr.Range()), "length counts whole records", fmt.Sprintf("Write length([for %s in … : %s if …]).", f.ValVar, f.ValVar))
			return nil, false
		}
		return filter, okF
	}
	body, okB := c.boolean(c.expr(f.ValExpr), "The condition of a loop")
	if !okF || !okB {
		return nil, false
	}
	if f.CondExpr == nil {
		return body, true
	}
	span := syntax.Span(f.SrcRange)
	if q == model.AllTrue {
		return junction(model.FnOr, []model.Expr{not(filter, filter.Place()), body}, span), true
	}
	return junction(model.FnAnd, []model.Expr{filter, body}, span), true
}

// loopShape checks what loops of all kinds share.
func (c *compiler) loopShape(f *hclsyntax.ForExpr) bool {
	if f.KeyExpr != nil || f.Group {
		c.fail(CodeLoop, syntax.Span(f.SrcRange), "A loop in a condition makes a list and not a map", loopForm)
		return false
	}
	for _, name := range []string{f.KeyVar, f.ValVar} {
		if name != "" && (slices.Contains(roots, name) || c.row(name) != nil) {
			c.fail(CodeLoop, syntax.Span(f.SrcRange), fmt.Sprintf("The loop's name %q already means something else", name), "Take another name for it.")
			return false
		}
	}
	return true
}

// countRelated is length of a to-many relation or of a loop over one; false
// when the argument is neither.
func (c *compiler) countRelated(arg hclsyntax.Expression, span source.Span) (operand, bool) {
	switch x := unwrap(arg).(type) {
	case *hclsyntax.ForExpr:
		if rel, ok := c.relation(x.CollExpr); ok {
			return c.related(model.CountTrue, x, rel, span), true
		}
	case *hclsyntax.ScopeTraversalExpr, *hclsyntax.RelativeTraversalExpr, *hclsyntax.IndexExpr:
		p, ok := c.path(x)
		if !ok || len(p) < 2 || c.row(p[0].name) == nil {
			return operand{}, false
		}
		table := c.row(p[0].name).Table
		for _, s := range p[1 : len(p)-1] {
			r := table.Relation(s.name)
			if r == nil || r.Many {
				return operand{}, false // reported when compiled as a name
			}
			table = r.Table
		}
		if r := table.Relation(p[len(p)-1].name); r == nil || !r.Many {
			return operand{}, false
		}
		rel, _ := c.relation(x)
		each := &model.Row{Name: c.freeName(rel.rel.Name), Table: rel.rel.Table}
		return typed(&model.Related{
			Node: model.Node{Type: model.Int, Span: span}, Quantifier: model.CountTrue,
			Row: rel.row, Path: rel.path, Relation: rel.rel, Each: each, Body: literal(true, model.Bool, span),
		}), true
	}
	return operand{}, false
}

// freeName is a name for a row that the source does not name, other than those
// of the rows around it.
func (c *compiler) freeName(name string) string {
	for c.runtimeRoot(name) {
		name += "_"
	}
	return name
}

// unroll is a loop over constants: its condition once for each of them.
func (c *compiler) unroll(fn model.Fn, f *hclsyntax.ForExpr, span source.Span) operand {
	if !c.loopShape(f) {
		return operand{span: span}
	}
	coll, ok := c.hclValue(f.CollExpr)
	if !ok || !c.constant(coll, syntax.Span(f.CollExpr.Range())).ok() {
		return operand{span: span}
	}
	if coll.IsNull() || !coll.CanIterateElements() {
		return c.fail(CodeLoop, syntax.Span(f.CollExpr.Range()), "A loop goes over a list or the related records of a record", loopForm)
	}
	outer := c.ctx
	defer func() { c.ctx = outer }()
	var args []model.Expr
	good := true
	for it := coll.ElementIterator(); it.Next() && !c.stopped; {
		k, v := it.Element()
		c.ctx = bind(outer, f, k, v)
		x, ok := c.unrolled(fn, f)
		args, good = append(args, x), good && ok
		if !good {
			break // the next ones would say the same
		}
	}
	if !good || c.stopped {
		return operand{span: span}
	}
	return typed(junction(fn, args, span))
}

func bind(outer *hcl.EvalContext, f *hclsyntax.ForExpr, k, v cty.Value) *hcl.EvalContext {
	inner := outer.NewChild()
	inner.Variables = map[string]cty.Value{f.ValVar: v}
	if f.KeyVar != "" {
		inner.Variables[f.KeyVar] = k
	}
	return inner
}

func (c *compiler) unrolled(fn model.Fn, f *hclsyntax.ForExpr) (model.Expr, bool) {
	q := model.AnyTrue
	if fn == model.FnAnd {
		q = model.AllTrue
	}
	return c.loopBody(q, f)
}

// tuple is a list of constants.
func (c *compiler) tuple(e *hclsyntax.TupleConsExpr) operand {
	span := syntax.Span(e.SrcRange)
	out, good := make(list, 0, len(e.Exprs)), true
	for _, x := range e.Exprs {
		o := c.element(x)
		switch {
		case !o.ok():
			good = false
		case o.konst != nil:
			out = append(out, untyped{v: o.konst.v, at: o.span})
		default:
			good = false
			c.fail(CodeUnsupported, o.span, "A list in a condition holds constants alone",
				"Write the comparisons out: x == a || x == b.")
		}
	}
	if !good {
		return operand{span: span}
	}
	return operand{konst: &untyped{v: out}, span: span}
}

// element compiles an element of a list. Plain constants do not count towards
// the size of the condition, so that a list may be long.
func (c *compiler) element(e hclsyntax.Expression) operand {
	if t, ok := e.(*hclsyntax.TemplateExpr); ok && t.IsStringLiteral() {
		v, _ := t.Value(nil)
		return c.constant(v, syntax.Span(t.SrcRange))
	}
	if l, ok := e.(*hclsyntax.LiteralValueExpr); ok {
		return c.constant(l.Val, syntax.Span(l.SrcRange))
	}
	return c.expr(e)
}

// template puts strings, ints and uuids together.
func (c *compiler) template(e *hclsyntax.TemplateExpr) operand {
	span := syntax.Span(e.SrcRange)
	args := make([]model.Expr, 0, len(e.Parts))
	constant, good := "", true
	flush := func(at source.Span) {
		if constant != "" {
			args = append(args, literal(constant, model.String, at))
			constant = ""
		}
	}
	for _, part := range e.Parts {
		o := c.expr(part)
		if s, ok := constantPart(o); ok {
			constant += s
			continue
		}
		x, ok := c.templatePart(o)
		if !ok {
			good = false
			continue
		}
		flush(span)
		args = append(args, x)
	}
	if !good {
		return operand{span: span}
	}
	if len(args) == 0 {
		return known(constant, span)
	}
	flush(span)
	for _, a := range args {
		if lit, ok := a.(*model.Literal); ok {
			if _, ok := c.value(untyped{v: lit.Value}, model.String, span, "A template"); !ok {
				return operand{span: span}
			}
		}
	}
	return call(model.FnTemplate, model.String, span, args...)
}

func constantPart(o operand) (string, bool) {
	if o.konst == nil {
		return "", false
	}
	switch v := o.konst.v.(type) {
	case string:
		return v, true
	case bool:
		return fmt.Sprint(v), true
	case *big.Rat:
		if new(big.Rat).Mul(v, numberScale).IsInt() {
			return model.DecimalString(v), true
		}
	}
	return "", false
}

func (c *compiler) templatePart(o operand) (model.Expr, bool) {
	switch {
	case !o.ok():
		return nil, false
	case o.x != nil:
		switch o.x.ResultType().Kind {
		case model.KindString, model.KindInt, model.KindUUID:
			return o.x, c.scalarUse(o)
		default:
		}
	case o.pick != nil:
		if t, ok := o.natural(); ok && (t.Kind == model.KindString || t.Kind == model.KindInt) {
			return c.as(o, t, "A part of a template")
		}
	}
	c.fail(CodeType, o.span, fmt.Sprintf("A template takes strings, ints and uuids, and %s is %s", describe(o), nameOf(o)),
		"Engines write other types differently.")
	return nil, false
}

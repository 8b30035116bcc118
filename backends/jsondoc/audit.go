package jsondoc

import (
	"fmt"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// CodeConditionSize is the code of a condition that is beyond the limits of
// the JSON document.
const CodeConditionSize diag.Code = "json-condition-size"

// MaxNodes is how many nodes one lowered condition may have in the document.
const MaxNodes = 20_000

// Audit finds the conditions that are too large or nested too deep for the
// document; all else of a program can be expressed.
func (Emitter) Audit(p *model.Program) diag.List {
	var list diag.List
	for _, pol := range p.Policies {
		for _, t := range pol.On {
			auditCond(&list, t.When, t.Span, "policy "+pol.Name)
			if t.Allows(model.Create) || t.Allows(model.Edit) {
				auditCond(&list, t.Check, t.Span, "policy "+pol.Name)
			}
		}
	}
	for _, g := range p.Guards {
		for _, t := range g.On {
			auditCond(&list, t.Require, t.Span, "guard "+g.Name)
		}
	}
	return list.Sorted()
}

func auditCond(list *diag.List, c model.Condition, span source.Span, owner string) {
	if c.Source != nil && !c.Source.Place().IsZero() {
		span = c.Source.Place()
	}
	var m meter
	m.cond(c.Holds, 0, 0)
	what := ""
	switch {
	case m.nodes > MaxNodes:
		what = fmt.Sprintf("it has more than %d parts", MaxNodes)
	case m.depth > document.MaxDepth:
		what = fmt.Sprintf("it is nested more than %d deep", document.MaxDepth)
	case m.loops > document.MaxLoops:
		what = fmt.Sprintf("its loops over related records are nested more than %d deep", document.MaxLoops)
	default:
		return
	}
	list.Fail(CodeConditionSize, span, "The condition of "+owner+" is too large for the JSON document",
		"After lowering "+what+". Split it into several policies, or simplify it.")
}

// meter measures a condition; it stops counting above MaxNodes, so that parts
// which stand in many places do not take for ever.
type meter struct{ nodes, depth, loops int }

func (m *meter) enter(depth int) bool {
	m.nodes++
	m.depth = max(m.depth, depth)
	return m.nodes <= MaxNodes && depth <= document.MaxDepth
}

func (m *meter) cond(c model.Cond, depth, loops int) {
	m.loops = max(m.loops, loops)
	if !m.enter(depth) {
		return
	}
	for _, x := range model.Operands(c) {
		m.expr(x, depth+1)
	}
	var inside []model.Cond
	switch x := c.(type) {
	case *model.And:
		inside = x.Terms
	case *model.Or:
		inside = x.Terms
	case *model.Some:
		inside, loops = []model.Cond{x.Where}, loops+1
	case *model.Every:
		inside, loops = []model.Cond{x.Where}, loops+1
	case *model.Count:
		inside, loops = []model.Cond{x.Holds, x.Fails}, loops+1
	case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match,
		*model.In, *model.InNetwork, *model.ViaApp:
	}
	for _, t := range inside {
		m.cond(t, depth+1, loops)
	}
}

func (m *meter) expr(e model.Expr, depth int) {
	if !m.enter(depth) {
		return
	}
	if c, ok := e.(*model.Call); ok {
		for _, a := range c.Args {
			m.expr(a, depth+1)
		}
	}
}

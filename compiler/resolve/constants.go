package resolve

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// graph computes the local values and the modules of one folder in the order
// in which they need each other.
type graph struct {
	*resolver
	locals map[string]*syntax.Local
	calls  map[string]*syntax.ModuleCall
	values map[string]cty.Value // by "local.x" and "module.x"
	state  map[string]int       // 1: being computed, 2: done
}

// constants computes local.* and module.*.
func (r *resolver) constants() {
	g := &graph{
		resolver: r, locals: map[string]*syntax.Local{}, calls: map[string]*syntax.ModuleCall{},
		values: map[string]cty.Value{}, state: map[string]int{},
	}
	for _, l := range r.syntax.Locals {
		if first, ok := g.locals[l.Name]; ok {
			r.duplicate(l.Span, first.Span, fmt.Sprintf("A second local value %q", l.Name))
			continue
		}
		g.locals[l.Name] = l
	}
	for _, c := range r.syntax.Modules {
		if first, ok := g.calls[c.Label(0)]; ok {
			r.duplicate(c.Span, first.Span, fmt.Sprintf("A second module %q", c.Label(0)))
			continue
		}
		g.calls[c.Label(0)] = c
	}
	locals, modules := map[string]cty.Value{}, map[string]cty.Value{}
	for _, name := range sortedKeys(g.locals) {
		g.visit("local."+name, nil)
		locals[name] = g.values["local."+name]
	}
	for _, name := range sortedKeys(g.calls) {
		g.visit("module."+name, nil)
		modules[name] = g.values["module."+name]
	}
	r.eval.Variables["local"], r.eval.Variables["module"] = cty.ObjectVal(locals), cty.ObjectVal(modules)
}

// parts are the expressions of a node, and where it stands.
func (g *graph) parts(id string) (exprs []hcl.Expression, span source.Span, what string) {
	kind, name, _ := strings.Cut(id, ".")
	if kind == "local" {
		l := g.locals[name]
		return []hcl.Expression{l.Value}, l.Span, "The local value " + name
	}
	c := g.calls[name]
	for _, in := range c.Inputs {
		exprs = append(exprs, in.Value)
	}
	if c.ForEach != nil {
		exprs = append(exprs, c.ForEach)
	}
	if c.Description != nil {
		exprs = append(exprs, c.Description)
	}
	return exprs, c.Span, "The module " + name
}

func (g *graph) visit(id string, path []string) {
	path = append(path, id)
	exprs, span, what := g.parts(id)
	switch g.state[id] {
	case 2:
		return
	case 1:
		g.cycle(span, what, path)
		return
	}
	g.state[id] = 1
	own := map[string]map[string]cty.Value{"local": {}, "module": {}}
	for _, e := range exprs {
		for _, t := range e.Variables() {
			if root := t.RootName(); own[root] != nil && len(t) > 1 {
				g.need(root, memberName(t[1]), own[root], path)
			}
		}
	}
	ctx := g.eval.NewChild()
	ctx.Variables = map[string]cty.Value{"local": cty.ObjectVal(own["local"]), "module": cty.ObjectVal(own["module"])}
	v := cty.DynamicVal
	if kind, name, _ := strings.Cut(id, "."); kind == "module" {
		v = g.call(g.calls[name], ctx)
	} else if got, ok := g.value(g.locals[name].Value, ctx); ok {
		v = got
	}
	g.values[id], g.state[id] = v, 2
}

// need computes what an expression names, and puts it among the values that
// the expression sees.
func (g *graph) need(root, name string, own map[string]cty.Value, path []string) {
	known := root == "local" && g.locals[name] != nil || root == "module" && g.calls[name] != nil
	if !known {
		// Candidates for the nearest name.
		for other := range g.locals {
			if _, ok := own[other]; !ok && root == "local" {
				own[other] = cty.DynamicVal
			}
		}
		for other := range g.calls {
			if _, ok := own[other]; !ok && root == "module" {
				own[other] = cty.DynamicVal
			}
		}
		return
	}
	id := root + "." + name
	g.visit(id, path)
	own[name] = cty.DynamicVal // stays so in a cycle, which is reported
	if v, done := g.values[id]; done {
		own[name] = v
	}
}

package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// asserts makes the assert blocks, in order of file and place.
func (r *resolver) asserts() []*model.Assert {
	seen := map[string]source.Span{}
	var out []*model.Assert
	for _, b := range r.syntax.Asserts {
		if first, ok := seen[b.Label(0)]; ok {
			r.duplicate(b.Span, first, fmt.Sprintf("A second assert %q", b.Label(0)))
			continue
		}
		seen[b.Label(0)] = b.Span
		r.description(b.Description, r.eval)
		a := &model.Assert{Name: b.Label(0), Span: b.Span}
		for _, n := range b.Never {
			a.Never = append(a.Never, r.never(n)...)
		}
		if len(b.Never) == 0 {
			r.diags.Fail(CodeTest, b.Span, "The assert claims nothing", "Add `never { who = [...], action = ..., on = [...] }`, an argument a line.")
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b *model.Assert) int { return a.Span.Compare(b.Span) })
	return out
}

// never makes the claims of a block, one for each of its tables.
func (r *resolver) never(b *syntax.Never) []*model.Never {
	if b.Who == nil || b.Action == nil || b.On == nil {
		return nil
	}
	round := repeat{ctx: r.eval}
	who := r.filledSubjects(b.Who, round, "The claim is about nobody")
	action, stated := r.neverAction(b.Action, round)
	on, ok := r.tableRefs(b.On, round.ctx)
	if ok && len(on) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(b.On), "The claim is about no table", "Name tables or resources.")
	}
	apps := r.neverApps(b.App, round)
	var out []*model.Never
	for _, at := range on {
		n := &model.Never{
			Who: who, Table: at.table, Apps: apps, When: r.condition(b.When, at.table, round), Span: b.Span,
		}
		if stated {
			if list := r.allowed([]item{action}, at.table); len(list) == 1 {
				n.Action = list[0]
			}
		}
		r.neverColumns(n, b.Columns, round)
		for _, a := range apps {
			if a.Connect(at.table.Datasource) == nil {
				r.diags.Fail(CodeVia, syntaxSpan(b.App), fmt.Sprintf("app.%s does not connect to %s", a.Name, at.table.Datasource.Name),
					fmt.Sprintf("The claim is about %s, which lies there: it would hold for no reason. Remove the app or the table.", at.table.Address()))
			}
		}
		out = append(out, n)
	}
	return out
}

// neverAction reads the one action that a claim is about.
func (r *resolver) neverAction(expr hcl.Expression, round repeat) (item, bool) {
	list, ok := r.actions(expr, round)
	if !ok {
		return item{}, false
	}
	if len(list) != 1 || list[0].text == everyAction {
		r.diags.Fail(CodeTest, syntaxSpan(expr), "A claim is about one action", "Write a `never` block for each action.")
		return item{}, false
	}
	return list[0], true
}

func (r *resolver) neverColumns(n *model.Never, expr hcl.Expression, round repeat) {
	if expr == nil {
		return
	}
	switch n.Action {
	case model.View, model.Create, model.Edit, "": // an action that is wrong is reported, and its columns too
		n.Columns = r.columns(expr, "claim", n.Table, round)
	default:
		r.diags.Fail(CodeTest, syntaxSpan(expr), fmt.Sprintf("%q is not about single columns", n.Action),
			"Columns are shown by view, and set by create and edit. Remove `columns`.")
	}
}

// neverApps reads the ways in that a claim is about; nil is every one.
func (r *resolver) neverApps(expr hcl.Expression, round repeat) []*model.App {
	if expr == nil {
		return nil
	}
	var out []*model.App
	fine := true
	for _, e := range r.elements(expr, round.ctx) {
		ref, ok := r.reference(e, round.ctx)
		if !ok || !r.expect(ref, "app") {
			fine = false
			continue
		}
		for _, a := range ref.apps {
			if slices.Contains(out, a) {
				r.repeated(ref.span, "app."+a.Name)
				continue
			}
			out = append(out, a)
		}
	}
	if fine && len(out) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), "The claim is about no app", "Name apps, or remove `app` for every way in.")
	}
	slices.SortFunc(out, func(a, b *model.App) int { return strings.Compare(a.Name, b.Name) })
	return out
}

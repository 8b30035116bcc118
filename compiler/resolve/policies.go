package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// policies makes the policies and what each means on its tables.
func (r *resolver) policies() {
	blocks, taken := map[string]source.Span{}, map[string]source.Span{}
	for _, b := range r.syntax.Policies {
		if !r.once("policy", &b.Header, blocks) {
			continue
		}
		for _, round := range r.repeats(&b.Header) {
			p := &model.Policy{
				Name: r.address(b.Label(0), round.key, round.keyed), Label: b.Label(0), Key: round.key,
				Description: r.description(b.Description, round.ctx), Span: b.Span,
			}
			if first, ok := taken[p.Name]; ok {
				r.duplicate(b.Span, first, fmt.Sprintf("A second policy with the address %s", p.Name))
				continue
			}
			taken[p.Name] = b.Span
			r.policy(p, b, round)
			r.program.Policies = append(r.program.Policies, p)
		}
	}
	slices.SortFunc(r.program.Policies, func(a, b *model.Policy) int { return strings.Compare(a.Name, b.Name) })
}

// once reports whether a block's label is new.
func (r *resolver) once(what string, h *syntax.Header, seen map[string]source.Span) bool {
	if first, ok := seen[h.Label(0)]; ok {
		r.duplicate(h.Span, first, fmt.Sprintf("A second %s %q", what, h.Label(0)))
		return false
	}
	seen[h.Label(0)] = h.Span
	return r.claimName(what, h)
}

func (r *resolver) policy(p *model.Policy, b *syntax.Policy, round repeat) {
	if b.To != nil {
		p.To = r.filledSubjects(b.To, round, "The policy is for nobody")
	}
	if b.Via != nil {
		p.Via = r.via(b.Via, round)
	}
	if b.On == nil || b.Allow == nil {
		return
	}
	on, ok := r.tableRefs(b.On, round.ctx)
	if ok && len(on) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(b.On), "The policy is on no table", "Name tables or resources.")
	}
	actions, ok := r.actions(b.Allow, round)
	if ok && len(actions) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(b.Allow), "The policy allows nothing", "Name actions, or `all`.")
	}
	for _, at := range on {
		t := &model.PolicyTarget{Policy: p, Table: at.table, Span: at.span}
		t.Allow = r.allowed(actions, at.table)
		t.Columns = r.columns(b.Columns, "policy", at.table, round)
		t.When = r.condition(b.When, at.table, round)
		t.Check = t.When
		if b.Check != nil {
			t.Check = r.condition(b.Check, at.table, round)
		}
		r.viaReaches(p, b, at)
		p.On = append(p.On, t)
		for _, a := range t.Allow {
			if !slices.Contains(p.Allow, a) {
				p.Allow = append(p.Allow, a)
			}
		}
	}
	if b.Check != nil && len(p.On) > 0 && !slices.ContainsFunc(p.Allow, func(a model.Action) bool { return a == model.Create || a == model.Edit }) {
		r.diags.Warn(CodeCheckUnused, syntaxSpan(b.Check), "The check is never asked",
			"A check is on the new record of a create or an edit, and the policy allows neither.")
	}
}

func (r *resolver) filledSubjects(expr hcl.Expression, round repeat, empty string) []model.Subject {
	to, ok := r.subjects(expr, round.ctx, true)
	if ok && len(to) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), empty, "Name groups, users, apps, access levels or `everyone`.")
	}
	return to
}

// condition compiles a condition on a table's records. A sensitive constant
// would reach the artifacts, so it is refused before.
func (r *resolver) condition(expr hcl.Expression, t *model.Table, round repeat) model.Condition {
	if expr == nil {
		return condition.Compile(nil, r.scope(t, round.ctx), &r.diags)
	}
	native := syntax.Native(expr)
	if r.mentions(native, round.ctx, cty.Value.ContainsMarked) {
		r.sensitive(syntaxSpan(expr), "What is compared becomes part of the artifacts; use a value that is not sensitive.")
		return condition.True(syntaxSpan(expr))
	}
	if r.diags.HasErrors() && r.mentions(native, round.ctx, func(v cty.Value) bool { return !v.IsWhollyKnown() }) {
		return condition.True(syntaxSpan(expr)) // the value's own error is reported
	}
	return condition.Compile(native, r.scope(t, round.ctx), &r.diags)
}

// via resolves the apps that a policy is limited to.
func (r *resolver) via(expr hcl.Expression, round repeat) []*model.App {
	out, fine := []*model.App{}, true
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
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), "The policy is reached through no app", "Name apps, or remove `via` for any app.")
	}
	slices.SortFunc(out, func(a, b *model.App) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// viaReaches reports an app in `via` that has no way to the table's records.
func (r *resolver) viaReaches(p *model.Policy, b *syntax.Policy, at placed) {
	for _, a := range p.Via {
		if a.Connect(at.table.Datasource) == nil {
			r.diags.Fail(CodeVia, syntaxSpan(b.Via), fmt.Sprintf("app.%s does not connect to %s", a.Name, at.table.Datasource.Name),
				fmt.Sprintf("The policy is on %s, which lies there. Add a connect block to the app, or remove the app from `via`.", at.table.Address()))
		}
	}
}

const everyAction = "all"

// actions reads `allow`: names of actions, or all of them.
func (r *resolver) actions(expr hcl.Expression, round repeat) ([]item, bool) {
	var out []item
	fine := true
	for _, e := range r.elements(expr, round.ctx) {
		word, span := hcl.ExprAsKeyword(syntax.Native(e)), syntaxSpan(e)
		if word == "" {
			s, ok := r.text(e, round.ctx)
			if !ok {
				fine = false
				continue
			}
			word = s
		}
		if slices.ContainsFunc(out, func(o item) bool { return o.text == word }) {
			r.repeated(span, "the action "+word)
			continue
		}
		out = append(out, item{word, span})
	}
	return out, fine
}

// allowed is the actions that a policy grants on a table, in its order.
func (r *resolver) allowed(actions []item, t *model.Table) []model.Action {
	want := map[model.Action]bool{}
	for _, a := range actions {
		switch {
		case a.text == everyAction:
			for _, x := range t.Actions {
				want[x] = true
			}
		case t.HasAction(model.Action(a.text)):
			want[model.Action(a.text)] = true
		default:
			names := []string{everyAction}
			for _, x := range t.Actions {
				names = append(names, string(x))
			}
			detail := fmt.Sprintf("The actions of %s are %s.", t.Address(), strings.Join(names[1:], ", "))
			if near := nearest(a.text, names); near != "" {
				detail = fmt.Sprintf("Did you mean %s? ", near) + detail
			}
			r.diags.Fail(CodeAction, a.span, fmt.Sprintf("%s has no action %q", t.Address(), a.text), detail)
		}
	}
	var out []model.Action
	for _, x := range t.Actions {
		if want[x] {
			out = append(out, x)
		}
	}
	return out
}

// columns is what a policy shows and lets write, or a mask hides: every column,
// the named ones, or all but those in except([…]).
func (r *resolver) columns(expr hcl.Expression, what string, t *model.Table, round repeat) []*model.Column {
	if expr == nil {
		return t.Columns
	}
	list, without := syntax.Native(expr), false
	if call, diags := hcl.ExprCall(bare(list)); !diags.HasErrors() && call.Name == "except" {
		without = true
		if len(call.Arguments) != 1 {
			r.diags.Fail(CodeReference, syntaxSpan(expr), "except() takes one list of columns", "Write `except([\"NAME\", …])`.")
			return nil
		}
		list = call.Arguments[0]
	}
	names, ok := r.texts(list, round.ctx)
	named := map[*model.Column]bool{}
	for _, n := range names {
		c := t.Column(n.text)
		switch {
		case c == nil:
			ok = false
			r.unknownColumn(t, n)
		case named[c]:
			r.repeated(n.span, fmt.Sprintf("the column %q", n.text))
		}
		named[c] = true
	}
	var out []*model.Column
	for _, c := range t.Columns {
		if named[c] != without {
			out = append(out, c)
		}
	}
	if ok && len(out) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), fmt.Sprintf("The %s has no columns of %s", what, t.Address()), "Name at least one, or remove the "+what+".")
	}
	return out
}

// guards makes the guards.
func (r *resolver) guards() {
	blocks, taken := map[string]source.Span{}, map[string]source.Span{}
	for _, b := range r.syntax.Guards {
		if !r.once("guard", &b.Header, blocks) {
			continue
		}
		for _, round := range r.repeats(&b.Header) {
			g := &model.Guard{
				Name: r.address(b.Label(0), round.key, round.keyed), Label: b.Label(0), Key: round.key,
				Description: r.description(b.Description, round.ctx), To: []model.Subject{model.Everyone{}}, Span: b.Span,
			}
			if first, ok := taken[g.Name]; ok {
				r.duplicate(b.Span, first, fmt.Sprintf("A second guard with the address %s", g.Name))
				continue
			}
			taken[g.Name] = b.Span
			if b.To != nil {
				g.To = r.filledSubjects(b.To, round, "The guard is for nobody")
			}
			if b.On == nil || b.Require == nil {
				continue
			}
			on, ok := r.tableRefs(b.On, round.ctx)
			if ok && len(on) == 0 {
				r.diags.Fail(CodeEmpty, syntaxSpan(b.On), "The guard is on no table", "Name tables or resources.")
			}
			for _, at := range on {
				g.On = append(g.On, &model.GuardTarget{Guard: g, Table: at.table, Span: at.span, Require: r.condition(b.Require, at.table, round)})
			}
			r.program.Guards = append(r.program.Guards, g)
		}
	}
	slices.SortFunc(r.program.Guards, func(a, b *model.Guard) int { return strings.Compare(a.Name, b.Name) })
}

// finish hangs the policies, guards and masks on their tables, in order of name.
func (r *resolver) finish() {
	for _, p := range r.program.Policies {
		for _, t := range p.On {
			t.Table.Policies = append(t.Table.Policies, t)
		}
	}
	for _, g := range r.program.Guards {
		for _, t := range g.On {
			t.Table.Guards = append(t.Table.Guards, t)
		}
	}
	r.finishMasks()
	r.finishReports()
}

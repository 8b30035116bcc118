package rego

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// A data filter is a rule that OPA's Compile API evaluates with input.record
// unknown: what remains of it is a condition on columns, which OPA writes as SQL
// or UCAST. Its conditions read columns as they are, without the library's
// readers, and bring all that is known into the form that a database compares.

// filtered is the unknown of data filters.
var filtered = ref{"input", []string{record}}

// filters collects the data filters of a datasource.
type filters struct {
	out   *rules
	model *model.Program
	// misfit takes what has no form in a filter.
	misfit func(misfit)
}

// misfit is a part of a condition that a database's filter cannot carry.
type misfit struct {
	filter    *model.Filter // of which action
	table     *model.Table
	owner     string // the policy or guard
	span      source.Span
	what, way string
}

// filterRules writes the data filters of a datasource; nil without any.
func filterRules(p *model.Program, ds *model.Datasource, report func(misfit)) ([]rule, error) {
	f := &filters{out: &rules{names: map[string]bool{}}, model: p, misfit: report}
	for _, t := range ds.Tables {
		if len(t.Filters) > 0 {
			f.table(t)
		}
	}
	return f.out.list, f.out.err
}

// maxWays bounds in how many ways a record may satisfy a filter: OPA writes each
// of them out.
const maxWays = 1000

// table writes the filters of a table, and each condition that they use once.
func (f *filters) table(t *model.Table) {
	guards := 1
	for _, g := range t.Guards {
		c := model.AnyOf(f.model.Outside(g.Guard.To), g.Require.Holds)
		guards = capped(guards * f.condition(t.Filters[0], t, "guard", g.Guard.Name, "guard", g.Span, c))
	}
	ways := map[*model.PolicyTarget]int{}
	for _, x := range t.Policies {
		if first := reads(t, x); first != nil {
			ways[x] = f.condition(first, t, "when", x.Policy.Name, "policy", x.Span, x.When.Holds)
		}
	}
	for _, x := range t.Filters {
		f.reachable(t, x)
		n := 0
		for _, policy := range t.Policies {
			if policy.Allows(x.Action) {
				n = capped(n + ways[policy])
			}
		}
		if changes(x.Action) {
			n = f.seen(t, x, ways)
		}
		if x.Action == model.Edit && n > 0 && ownChecks(t) {
			n = capped(n * f.accepted(t, x))
		}
		n = capped(n * guards)
		f.rule(t, x, n > 0)
		if n > maxWays {
			f.misfit(misfit{
				filter: x, table: t, span: x.Span, what: fmt.Sprintf("more than %d ways to satisfy the policies and guards together", maxWays),
				way: "Each way is a part of the filter. Write the policies or guards of the table with fewer alternatives, or remove the action from `filters`.",
			})
		}
	}
}

// filterKeys are the names below `filters` of an action's rule: a repeated table
// is named by its label and its key, since OPA's API knows no quotation marks.
func filterKeys(t *model.Table, x *model.Filter) []string {
	if t.Key == "" {
		return []string{t.Name, string(x.Action)}
	}
	return []string{t.Label, t.Key, string(x.Action)}
}

// unreachable are names that OPA's API leaves out of a path, or reads as something
// else: nothing, dots, numbers, and whatever has a quotation mark.
var unreachable = regexp.MustCompile(`^\.{0,2}$|^[+-]?[0-9.]+$|"`)

// reachable refuses names that no path of OPA's API can have.
func (f *filters) reachable(t *model.Table, x *model.Filter) {
	for _, s := range append(datasourcePath(f.model.Project, t.Datasource.Name), filterKeys(t, x)...) {
		if unreachable.MatchString(s) {
			f.misfit(misfit{
				filter: x, table: t, span: x.Span, what: fmt.Sprintf("the name %q, which no path of OPA's API can have", s),
				way: "Give it a name that is no number and has no quotation mark, or remove `filters`.",
			})
		}
	}
}

// capped keeps products of counts from overflowing.
func capped(n int) int { return min(n, maxWays+1) }

// changes reports whether an action needs view as well.
func changes(a model.Action) bool { return a == model.Edit || a == model.Delete }

// reads is the first filter of the table that reads what a policy asks of a
// record, or nil.
func reads(t *model.Table, p *model.PolicyTarget) *model.Filter {
	for _, x := range t.Filters {
		if p.Allows(x.Action) || changes(x.Action) && p.Allows(model.View) {
			return x
		}
	}
	return nil
}

// ownChecks reports whether an edit that changes nothing may fail: whether a
// policy for edits asks something else of the new record.
func ownChecks(t *model.Table) bool {
	return slices.ContainsFunc(t.Policies, func(x *model.PolicyTarget) bool { return x.Allows(model.Edit) && ownCheck(x) })
}

// seen writes, for each policy that grants a write, that the record may be viewed
// too, which such a policy may grant by itself. It returns the number of ways of
// both.
func (f *filters) seen(t *model.Table, x *model.Filter, ways map[*model.PolicyTarget]int) int {
	all, views := 0, 0
	for _, p := range t.Policies {
		if p.Allows(model.View) {
			views = capped(views + ways[p])
		}
	}
	for _, p := range t.Policies {
		if !p.Allows(x.Action) {
			continue
		}
		b := own(t, p)
		switch {
		case p.Allows(model.View):
			all = capped(all + ways[p])
		case views > 0:
			b = append(b, f.granted(t, "view", "when", model.View)...)
			all = capped(all + ways[p]*views)
		default:
			continue
		}
		about := f.about(p, "That the policy, or another one, lets a record of "+t.Address()+" be viewed, in data filters.")
		f.out.add(rule{note: about, name: "filter_seen_" + word(string(x.Action)), args: []term{name("table"), name("owner")}, body: b})
	}
	return all
}

// accepted writes, for each policy that grants an edit, what is asked of the
// record as a new one, which is the same for most. It returns the number of ways.
func (f *filters) accepted(t *model.Table, x *model.Filter) int {
	n := 0
	for _, p := range t.Policies {
		if p.Allows(model.Edit) {
			n = capped(n + f.condition(x, t, "check", p.Policy.Name, "policy", p.Span, p.Check.Holds))
		}
	}
	return n
}

func own(t *model.Table, p *model.PolicyTarget) body {
	return body{test{term: infix{"==", name("table"), text(t.Name)}}, test{term: infix{"==", name("owner"), text(p.Policy.Name)}}}
}

func (*filters) about(p *model.PolicyTarget, description string) *note {
	return &note{title: p.Policy.Name, description: description, source: p.Span.String()}
}

// granted says that a policy for the action is satisfied.
func (*filters) granted(t *model.Table, each, fn string, a model.Action) body {
	policies := call{fn: "policies", args: []term{text(t.Name), text(string(a))}}
	return body{some{each: each, of: policies}, test{term: call{fn: "filter_" + fn, args: []term{text(t.Name), name(each)}}}}
}

// rule writes the entry point of one action. Where no record can be, it is false.
func (f *filters) rule(t *model.Table, x *model.Filter, possible bool) {
	about := &note{
		title:       "filters",
		description: "For the Compile API: the records of " + t.Address() + " that the request may " + string(x.Action) + ".",
		source:      x.Span.String(), entry: true, unknown: &filtered,
	}
	out := rule{note: about, name: "filters", keys: filterKeys(t, x), value: boolean(false)}
	if possible {
		out.value, out.body = nil, body{test{term: name("entered")}}
		for _, g := range t.Guards {
			out.body = append(out.body, test{term: call{fn: "filter_guard", args: []term{text(t.Name), text(g.Guard.Name)}}})
		}
		out.body = append(out.body, f.granted(t, "policy", "when", x.Action)...)
		if changes(x.Action) {
			seen := "filter_seen_" + word(string(x.Action))
			out.body = append(out.body, test{term: call{fn: seen, args: []term{text(t.Name), name("policy")}}})
		}
		if x.Action == model.Edit && ownChecks(t) {
			out.body = append(out.body, f.granted(t, "accepted", "check", model.Edit)...)
		}
	}
	f.out.add(out)
}

// condition writes a condition as rules of the function filter_KIND, a rule for
// each way to satisfy it, and returns their number.
func (f *filters) condition(x *model.Filter, t *model.Table, kind, owner, block string, at source.Span, c model.Cond) int {
	about := note{
		title: owner, source: at.String(),
		description: "What the " + block + " asks of a record of " + t.Address() + ", in data filters.",
	}
	next := 0
	s := &scope{out: f.out, next: &next, err: &f.out.err, about: about, base: strings.Join([]string{"filter_any", word(t.Name), word(owner)}, "_")}
	w := &carrier{scope: s, table: t, misfit: func(span source.Span, what, way string) {
		if span.IsZero() {
			span = at
		}
		f.misfit(misfit{filter: x, table: t, owner: block + " " + owner, span: span, what: what, way: way})
	}}
	found := slices.Clip(body{test{term: infix{"==", name("table"), text(t.Name)}}, test{term: infix{"==", name("owner"), text(owner)}}})
	c = atEntry(t.Datasource, c)
	ways := w.ways(c)
	for _, way := range ways {
		f.out.add(rule{note: &about, name: "filter_" + kind, args: []term{name("table"), name("owner")}, body: append(found, way.body...)})
	}
	return parts(ways)
}

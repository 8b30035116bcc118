// Package casl writes what one user may do as rules of CASL, for front ends that
// ask @casl/ability. What is known of the user is worked out, so that a rule
// speaks of the record alone. Only what CASL decides exactly alike is written;
// the rest is a diagnostic. docs/targets.md says how the rules are loaded.
package casl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// CodeUnsupported is the code of what CASL cannot decide exactly alike.
const CodeUnsupported diag.Code = "casl-unsupported"

// maxRules bounds the rules of one action on one table: CASL's plain conditions
// have no "or", so that each way to satisfy one is a rule.
const maxRules = 256

// anyAction is the action that CASL takes for all of them.
const anyAction = "manage"

// rule is one rule of CASL.
type rule struct {
	Action     string   `json:"action"`
	Subject    string   `json:"subject"`
	Fields     []string `json:"fields,omitempty"`
	Conditions term     `json:"conditions,omitempty"`
}

// RequestOf is the request with which the user comes to a datasource.
type RequestOf func(*model.Datasource) (model.Request, error)

// Export is what a request's user may do, for the actions of a list, or for all
// of them when it is empty, as a JSON array of rules. The list says what cannot
// be written; with an error in it nothing is.
func Export(p *model.Program, request RequestOf, actions []model.Action) ([]byte, diag.List, error) {
	x := &exporter{rules: []rule{}}
	for _, t := range p.Tables {
		req, err := request(t.Datasource)
		if err != nil {
			return nil, nil, err
		}
		rest, ok := explain.RestOf(p, req, t)
		if !ok {
			continue
		}
		for _, a := range t.Actions {
			if len(actions) == 0 || slices.Contains(actions, a) {
				x.action(t, rest, a)
			}
		}
	}
	if x.list.HasErrors() {
		return nil, x.list.Sorted(), nil
	}
	out, err := json.MarshalIndent(x.rules, "", "  ")
	if err != nil {
		return nil, nil, fmt.Errorf("writing rules: %w", err)
	}
	return append(out, '\n'), x.list.Sorted(), nil
}

type exporter struct {
	rules []rule
	list  diag.List
	span  source.Span // of what is being written
	owner string
}

func (x *exporter) fail(what, way string) terms {
	summary := fmt.Sprintf("CASL cannot carry %s, in %s", what, x.owner)
	for _, d := range x.list {
		if d.Summary == summary && d.Span == x.span {
			return nil // another action said so already
		}
	}
	x.list.Fail(CodeUnsupported, x.span, summary, way)
	return nil
}

func (x *exporter) policy(p explain.RestPolicy, c model.Cond) terms {
	t := p.Target
	x.span, x.owner = t.Span, "the policy "+t.Policy.Name+" on "+t.Table.Address()
	return x.cond(c)
}

// guards are the guards, all of which each rule holds.
func (x *exporter) guards(rest *explain.Rest) terms {
	out := terms{term{}}
	for _, g := range rest.Guards {
		t := g.Target
		x.span, x.owner = t.Span, "the guard "+t.Guard.Name+" on "+t.Table.Address()
		out = x.and(out, x.cond(g.Require))
	}
	return out
}

// action writes the rules of one action on one table, as docs/semantics.md
// decides it of a record that the action does not change.
func (x *exporter) action(t *model.Table, rest *explain.Rest, a model.Action) {
	granting := rest.Granting(a)
	if len(granting) == 0 {
		return
	}
	if a == anyAction {
		x.span, x.owner = t.Span, "the table "+t.Address()
		x.fail("the action "+anyAction, "CASL takes it for all actions: call it something else, or leave it out with --action.")
		return
	}
	guards := x.guards(rest)
	for _, p := range granting {
		when := p.When
		if a == model.Create {
			when = p.Check
		}
		if a == model.Edit && !same(p.Target) {
			x.span, x.owner = p.Target.Span, "the policy "+p.Target.Policy.Name+" on "+t.Address()
			x.fail("a check that is not the when", "An ability is asked about one record, and this edit is about two: leave it out with --action.")
			continue
		}
		all := x.and(guards, x.policy(p, when))
		switch a {
		case model.View:
			x.add(t, a, all, fields(p.Target.Columns))
		case model.Create:
			x.add(t, a, all, fields(rest.Settable(a)))
		case model.Edit, model.Delete:
			for _, seen := range rest.Granting(model.View) {
				var names []string
				if a == model.Edit {
					names = fields(slices.DeleteFunc(rest.Settable(a), func(c *model.Column) bool { return !slices.Contains(seen.Target.Columns, c) }))
				}
				x.add(t, a, x.and(all, x.policy(seen, seen.When)), names)
			}
		default: // a resource's own action is about no columns
			x.add(t, a, all, nil)
		}
	}
}

// same reports whether a policy asks the same of both records of an edit.
func same(t *model.PolicyTarget) bool { return print.Cond(t.When.Holds) == print.Cond(t.Check.Holds) }

// noField stands where a rule grants a record and none of its columns: a list
// without elements is an error for CASL, and no list is every field.
const noField = ""

func fields(columns []*model.Column) []string {
	if len(columns) == 0 {
		return []string{noField}
	}
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return out
}

// add writes a rule for each way to satisfy a condition.
func (x *exporter) add(t *model.Table, a model.Action, ways terms, names []string) {
	for _, n := range names {
		if strings.Contains(n, "*") {
			x.span, x.owner = t.Span, "the table "+t.Address()
			x.fail("the column "+n, "A star in the name of a field is a pattern.")
			return
		}
	}
	for _, w := range ways {
		r := rule{Action: string(a), Subject: t.Address(), Fields: names, Conditions: w}
		if !slices.ContainsFunc(x.rules, func(o rule) bool { return o.equal(r) }) {
			x.rules = append(x.rules, r)
		}
	}
}

func (r rule) equal(o rule) bool {
	return r.Action == o.Action && r.Subject == o.Subject && slices.Equal(r.Fields, o.Fields) && r.Conditions.key() == o.Conditions.key()
}

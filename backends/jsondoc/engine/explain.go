package engine

import (
	"fmt"
	"slices"
)

// Explanation says why a question has its answer. Its members are stable and
// may be written as JSON.
type Explanation struct {
	// Allowed is what Decide answers.
	Allowed bool `json:"allowed"`
	// Reason is one sentence: what allows it, or what was missing first.
	Reason string `json:"reason"`
	// Checks are what the answer is the conjunction of, in the order in which
	// they are asked; none when the question did not come that far.
	Checks []Check `json:"checks,omitempty"`
	// Columns are the columns that the question sets, in its order.
	Columns []ColumnCheck `json:"columns,omitempty"`
}

// Check is one action asked about one record: some policy must grant it, and
// every guard must pass.
type Check struct {
	Action   string        `json:"action"`
	Record   string        `json:"record"` // "old", as it stands, or "new", as a write makes it
	Passes   bool          `json:"passes"`
	Policies []PolicyCheck `json:"policies"`
	Guards   []GuardCheck  `json:"guards"`
}

// PolicyCheck is one policy that allows the action on the table.
type PolicyCheck struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"` // "file:line"
	// For: the request is surely among those that the policy is for.
	For bool `json:"for"`
	// Holds: its condition is true of the record.
	Holds bool `json:"holds"`
	// Grants: both.
	Grants bool `json:"grants"`
}

// GuardCheck is one guard on the table.
type GuardCheck struct {
	Name   string `json:"name"`
	Source string `json:"source,omitempty"`
	// Outside: the user is surely none of those that the guard is for.
	Outside bool `json:"outside"`
	// Holds: what it requires is true of the record.
	Holds bool `json:"holds"`
	// Passes: one of the two.
	Passes bool `json:"passes"`
}

// ColumnCheck is one column that a write sets.
type ColumnCheck struct {
	Name string `json:"name"`
	// Listed: a policy for the action that is for this request lists it.
	Listed bool `json:"listed"`
	// Masked: a mask on it applies to the user.
	Masked bool `json:"masked"`
	// Seen: the user sees it on the record as it stands; true for a create.
	Seen bool `json:"seen"`
	// MaySet: listed, seen and not masked.
	MaySet bool `json:"may_set"`
}

// Explain answers a question with its reasons. It takes longer than Decide.
func (e *Engine) Explain(r *Request, q *Question) Explanation { return e.Session(r).Explain(q) }

// Explain answers a question with its reasons.
func (s *Session) Explain(q *Question) Explanation {
	out := Explanation{Allowed: s.Decide(q)}
	t := s.table(q.Datasource, q.Table)
	switch {
	case t == nil:
		out.Reason = fmt.Sprintf("The document has no table %q of datasource %q.", q.Table, q.Datasource)
		return out
	case t.action(q.Action) == nil:
		out.Reason = fmt.Sprintf("The table %q has no action %q.", q.Table, q.Action)
		return out
	case !s.enter(t):
		out.Reason = s.noWay(t)
		return out
	case q.Action == create && q.New == nil, q.Action != create && q.Old == nil:
		out.Reason = "The question has no record."
		return out
	}
	x := &s.call.scratch
	before, after := x.record(0, t.schema, q.Old), x.record(newRow, t.schema, q.New)
	for _, part := range parts(q) {
		r := before
		if part.isNew && after != nil {
			r = after
		}
		out.Checks = append(out.Checks, s.check(t, part, r))
	}
	if q.Action == create || q.Action == edit {
		for _, name := range q.Set {
			out.Columns = append(out.Columns, s.checkColumn(t, q.Action, name, before))
		}
	}
	out.Reason = out.reason()
	return out
}

// part is one check of a question.
type part struct {
	action string
	isNew  bool // asked about the new record
	check  bool // with the policies' conditions on new records
}

// parts are the checks of a question, as decide makes them.
func parts(q *Question) []part {
	switch q.Action {
	case create:
		return []part{{create, true, true}}
	case edit:
		return []part{{edit, false, false}, {view, false, false}, {edit, true, true}, {view, true, false}}
	case remove:
		return []part{{remove, false, false}, {view, false, false}}
	}
	return []part{{q.Action, false, false}}
}

// noWay is why a session may not come into a table's datasource.
func (s *Session) noWay(t *table) string {
	_, connects := t.datasource.apps[s.app]
	switch {
	case s.app == "":
		return fmt.Sprintf("The datasource %q is reached through an app, and the request names none.", t.ref.Datasource)
	case !connects:
		return fmt.Sprintf("The app %q does not connect to the datasource %q.", s.app, t.ref.Datasource)
	}
	return fmt.Sprintf("The user may not use the app %q.", s.app)
}

func (s *Session) check(t *table, p part, r *Record) Check {
	c := &s.call
	c.rows[0] = r
	out := Check{Action: p.action, Record: "old", Policies: []PolicyCheck{}, Guards: []GuardCheck{}}
	if p.isNew {
		out.Record = "new"
	}
	granted, guarded := false, true
	var list []*arm
	if a := t.action(p.action); a != nil {
		list = a.all
	}
	for _, a := range list {
		result := PolicyCheck{Name: a.policy.Name, Source: a.policy.Source, For: a.gate.opens(c), Holds: a.grants(c, p.check)}
		result.Grants = result.For && result.Holds
		granted = granted || result.Grants
		out.Policies = append(out.Policies, result)
	}
	for _, g := range t.guards {
		result := GuardCheck{Name: g.source.Name, Source: g.source.Source, Outside: among(g.to, c) == no, Holds: g.require(c)}
		result.Passes = result.Outside || result.Holds
		guarded = guarded && result.Passes
		out.Guards = append(out.Guards, result)
	}
	out.Passes = granted && guarded
	return out
}

func (s *Session) checkColumn(t *table, action, name string, before *Record) ColumnCheck {
	out := ColumnCheck{Name: name, Seen: action == create}
	number := t.schema.columnNumber(name)
	if number < 0 {
		return out
	}
	out.Listed = s.open(t.action(action)).any(&s.call, func(a *arm) bool { return slices.Contains(a.columns, number) })
	out.Masked = s.mask(t, number) != nil
	out.Seen = out.Seen || before != nil && s.sees(t, before, number)
	out.MaySet = out.Listed && out.Seen && !out.Masked
	return out
}

// reason is the sentence of an explanation that has checks.
func (x *Explanation) reason() string {
	for _, c := range x.Checks {
		if c.Passes {
			continue
		}
		for _, g := range c.Guards {
			if !g.Passes {
				return fmt.Sprintf("The guard %q refuses the %s record.", g.Name, c.Record)
			}
		}
		return fmt.Sprintf("No policy grants %s on the %s record.", c.Action, c.Record)
	}
	if !x.Allowed {
		for _, c := range x.Columns {
			if !c.MaySet {
				return fmt.Sprintf("The column %q may not be set.", c.Name)
			}
		}
	}
	for _, p := range x.Checks[0].Policies {
		if p.Grants {
			return fmt.Sprintf("The policy %q grants it.", p.Name)
		}
	}
	return ""
}

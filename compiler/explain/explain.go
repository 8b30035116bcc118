// Package explain says why a request may or may not do something to a record:
// each policy and guard that was asked, each comparison with the values that
// it saw, and the places where they are written. What it tells is data; views
// print it. The verdict is the reference evaluator's own.
package explain

import (
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Truth is the value of a condition: "true", "false" or "unknown".
type Truth string

// The three values.
const (
	True    Truth = "true"
	False   Truth = "false"
	Unknown Truth = "unknown"
)

// Explanation is a decision and all that led to it.
type Explanation struct {
	Table   string       `json:"table"` // "table.crm.deals" or "resource.game.profile"
	Action  model.Action `json:"action"`
	App     string       `json:"app,omitempty"` // "app.desk"
	Allowed bool         `json:"allowed"`
	// Reason is the verdict in one sentence.
	Reason string `json:"reason"`
	User   User   `json:"user"`
	// Entry is whether the request has a way in at all.
	Entry Entry `json:"entry"`
	// Checks are the questions that the decision asks, all of which must hold;
	// none when there is no way in.
	Checks []Check `json:"checks"`
	// Columns are what the user sees of the record as it stands, in the table's
	// order; none for a create.
	Columns []Column `json:"columns"`
	// Notes are what is odd about the question, such as a value of a wrong type.
	Notes []string `json:"notes"`
}

// User is what is known of the request's user, after the directory and nested
// groups.
type User struct {
	Level      Fact   `json:"access_level"`
	Groups     Fact   `json:"groups"`
	Attributes []Fact `json:"attributes"`
}

// Entry is the way that a request takes to a datasource. Where all users share
// the app's access, whether this one is among them is for the app to ask, and
// not part of the decision.
type Entry struct {
	Holds    bool          `json:"holds"`
	App      string        `json:"app,omitempty"`
	AsApp    bool          `json:"as_app,omitempty"` // all users share the app's access
	Subjects []SubjectFact `json:"users,omitempty"`
	Span     source.Span   `json:"span"`
}

// Kind is what a check asks.
type Kind string

// The kinds of checks.
const (
	Policies Kind = "policies" // one of them grants the action
	Guards   Kind = "guards"   // each of them lets it pass
	Columns  Kind = "columns"  // each column that is set may be set
)

// Check is one question of a decision.
type Check struct {
	Kind Kind `json:"kind"`
	// Record is "old" for the record as it stands, "new" for what a write makes.
	Record string       `json:"record"`
	Action model.Action `json:"action"` // that policies must grant; "" for guards
	Holds  bool         `json:"holds"`
	Rules  []Rule       `json:"rules,omitempty"`
	Set    []SetColumn  `json:"set,omitempty"`
}

// Outcome is what a policy or guard said.
type Outcome string

// The outcomes.
const (
	Grants       Outcome = "grants"         // a policy: its condition is true
	NotGrants    Outcome = "does not grant" // a policy: its condition is false or unknown
	Passes       Outcome = "passes"         // a guard: what it requires is true
	Refuses      Outcome = "refuses"        // a guard: what it requires is false or unknown
	DoesNotApply Outcome = "does not apply" // a policy or guard that is not for this user or app
)

// Rule is a policy or a guard that a check asks.
type Rule struct {
	Kind        string        `json:"kind"` // "policy" or "guard"
	Name        string        `json:"name"`
	Description string        `json:"description,omitempty"`
	Span        source.Span   `json:"span"`
	Outcome     Outcome       `json:"outcome"`
	Subjects    []SubjectFact `json:"to"`
	// Via are the apps that a policy is limited to; none when it is not.
	Via []SubjectFact `json:"via,omitempty"`
	// Condition is absent where the rule does not apply.
	Condition *Node `json:"condition,omitempty"`
}

// SubjectFact is whether the user is a subject, such as "group.sales".
type SubjectFact struct {
	Subject string `json:"subject"`
	Value   Truth  `json:"value"`
}

// State says whether a value is there.
type State string

// The states of a value.
const (
	IsValue   State = "value"
	IsNull    State = "null"    // a record's column without a value
	IsUnknown State = "unknown" // not stated, or none of the type
)

// Fact is a value that was looked at.
type Fact struct {
	Text  string      `json:"text"` // such as "record.owner_id"
	State State       `json:"state"`
	Value any         `json:"value"` // as JSON; null unless State is "value"
	Span  source.Span `json:"span"`
}

// Node is a condition or a part of one.
type Node struct {
	Text  string      `json:"text"`
	Span  source.Span `json:"span"`
	Value Truth       `json:"value"`
	// Joins is "and", "or", "not" or "if" for what is put together from Parts,
	// "any", "all" or "count" for a loop with a part for each related record, ""
	// for a comparison.
	Joins string  `json:"joins,omitempty"`
	Facts []Fact  `json:"facts,omitempty"`
	Parts []*Node `json:"parts,omitempty"`
	// More is how many related records are left out of Parts.
	More int `json:"more,omitempty"`
}

// Column is what the user sees of a column.
type Column struct {
	Name   string `json:"name"`
	Access string `json:"access"` // "visible", "masked" or "hidden"
	// Shows is what a masked column shows.
	Shows any    `json:"shows,omitempty"`
	Mask  string `json:"mask,omitempty"`
	// Policies are those that show the column of this record.
	Policies []string `json:"policies,omitempty"`
}

// SetColumn is whether a write may set a column.
type SetColumn struct {
	Name  string `json:"name"`
	Holds bool   `json:"holds"`
	Why   string `json:"why,omitempty"` // why not
}

// Explain answers a query and says why. Sources, which may be nil, give
// conditions the words in which they are written.
func Explain(p *model.Program, q eval.Query, sources *source.Set) *Explanation {
	e := &explainer{program: p, query: q, sources: sources, decision: eval.Decide(p, q)}
	out := &Explanation{
		Table: TableAddress(q.Table), Action: q.Action, Allowed: e.decision.Allowed,
		Checks: []Check{}, Columns: []Column{}, Notes: e.notes(),
	}
	if q.Request.App != "" {
		out.App = "app." + q.Request.App
	}
	env, entry, ok := eval.Enter(p, q.Request, q.Table.Datasource)
	if !ok {
		out.User = e.user(eval.NewEnv(p, q.Request, model.Entry{Datasource: q.Table.Datasource}))
		out.Reason = e.noEntry()
		return out
	}
	e.env, e.entry = env, entry
	out.User, out.Entry = e.user(env), e.entered()
	if !out.Entry.Holds {
		out.Reason = "the user is not surely among the users of " + out.Entry.App
		return out
	}
	if out.Entry.AsApp && !eval.MayUse(p, q.Request) {
		out.Notes = append(out.Notes, "all users of "+out.Entry.App+" share its access; this user is not surely one of them, which the app has to ask itself")
	}
	out.Checks = e.checks()
	out.Columns = e.columns()
	out.Reason = reason(out)
	return out
}

// TableAddress is a table or resource as it is written in the language.
func TableAddress(t *model.Table) string {
	if t.Resource() {
		return "resource." + t.Address()
	}
	return "table." + t.Address()
}

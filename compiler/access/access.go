// Package access says who gains and who loses between two programs: for every
// subject, action and table whether there is a user and a record that one of
// them allows and the other does not. "Same" is a proof; "wider" and "narrower"
// come with such a user and record, which the reference evaluator has confirmed;
// what could not be decided says so. docs/access.md tells how it is done.
package access

import (
	"time"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Verdict says how the access of a change's subject differs.
type Verdict string

// The verdicts.
const (
	Wider     Verdict = "wider"     // somebody gains, nobody loses
	Narrower  Verdict = "narrower"  // somebody loses, nobody gains
	Both      Verdict = "both"      // somebody gains, and somebody loses
	Undecided Verdict = "undecided" // not known; a gate takes it for wider
)

// Widens reports whether a gate against widening has to stop the change.
func (v Verdict) Widens() bool { return v != Narrower }

// Narrows reports whether a gate against narrowing has to stop the change.
func (v Verdict) Narrows() bool { return v != Wider }

// Options bound the work. The zero value means the defaults.
type Options struct {
	// Steps bounds one question: how many assignments the solver may try.
	Steps int
	// Timeout bounds one question; what takes longer is undecided.
	Timeout time.Duration
	// Before and After are what a database was found to let be done where that is
	// not what the program before, or after, says (model.LiveCell).
	Before, After []*model.LiveCell
}

// The default bounds of one question.
const (
	DefaultSteps   = 20_000
	DefaultTimeout = 10 * time.Second
)

func (o Options) withDefaults() Options {
	if o.Steps == 0 {
		o.Steps = DefaultSteps
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	return o
}

// Diff is how access under a new program differs from access under an old one.
type Diff struct {
	// Changes is sorted by table, action, subject, columns and apps.
	Changes []Change `json:"changes"`
	// Same is the number of cells (subject, app, action, table) that are proven
	// equal.
	Same int `json:"same"`
}

// Count is the number of changes with a verdict.
func (d *Diff) Count(v Verdict) int {
	n := 0
	for _, c := range d.Changes {
		if c.Verdict == v {
			n++
		}
	}
	return n
}

// Widens reports whether somebody gains, or might.
func (d *Diff) Widens() bool {
	for _, c := range d.Changes {
		if c.Verdict.Widens() {
			return true
		}
	}
	return false
}

// Narrows reports whether somebody loses, or might.
func (d *Diff) Narrows() bool {
	for _, c := range d.Changes {
		if c.Verdict.Narrows() {
			return true
		}
	}
	return false
}

// Change is one difference in access: what a subject may do to the records of a
// table, or to some of their columns.
type Change struct {
	Verdict Verdict `json:"verdict"`
	// Subject is whom policies grant the access to, as in HCL: "group.sales",
	// "everyone", "user.alice", "access_level.user", "app.bot". Whoever else is
	// among them, through nested groups for example, is not listed again.
	Subject string `json:"subject"`
	// Apps are the apps through which the access differs in this way, sorted;
	// empty when it does through every app of the datasource, or when the
	// datasource has none.
	Apps   []string     `json:"apps,omitempty"`
	Action model.Action `json:"action"`
	// Table is the address as in HCL: table.crm.deals, resource.game.profile.
	Table string `json:"table"`
	// Columns are those that are seen (view) or may be set (create, edit) on
	// records that could be reached before as well. Empty: it is the records
	// themselves that are gained or lost.
	Columns []string `json:"columns,omitempty"`
	// Gained is one user and record that only the new program allows, Lost one
	// that only the old program allows.
	Gained *Witness `json:"gained,omitempty"`
	Lost   *Witness `json:"lost,omitempty"`
	// Reason says why an undecided change is undecided, or that it takes the
	// policies for two subjects together.
	Reason string `json:"reason,omitempty"`
	// Spans are the places of the policies, guards and masks behind it that
	// differ: in the new program for a gain, in the old one for a loss.
	Spans []source.Span `json:"spans,omitempty"`
	// Removed are rules that only the old program has on the table, at their place
	// in it: guards and masks for a gain, the subject's policies for a loss. Added
	// are guards and masks that only the new one has, for a loss.
	Removed []Rule `json:"removed,omitempty"`
	Added   []Rule `json:"added,omitempty"`
}

// Rule is a policy, guard or mask.
type Rule struct {
	Object string      `json:"object"` // as in HCL: guard.tenant
	Span   source.Span `json:"span"`
}

// String is the change without its witness: "group.a view table.crm.deals".
func (c Change) String() string {
	s := c.Subject + " " + string(c.Action) + " " + c.Table
	if len(c.Columns) > 0 {
		s += " (" + joined(c.Columns) + ")"
	}
	return s
}

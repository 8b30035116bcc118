package review

import (
	"fmt"
	"time"

	"github.com/postern-dev/postern/compiler/access"
)

// Gate says which changes must be approved.
type Gate struct {
	Widening  bool
	Narrowing bool
	Approvals []Approval
	Now       time.Time // that approvals are still good at
}

// Refusal is a change that a gate stops.
type Refusal struct {
	Datasource string         `json:"datasource,omitempty"`
	Publish    string         `json:"publish,omitempty"`
	Change     string         `json:"change"` // as an approval names it
	Verdict    access.Verdict `json:"verdict"`
	// Approve is the line that would let it pass.
	Approve string `json:"approve"`
	// Stale says that there is an approval of the change, and why it does not
	// count.
	Stale string `json:"stale,omitempty"`
}

// On reports whether the gate stops anything at all.
func (g Gate) On() bool { return g.Widening || g.Narrowing }

// Check lists what the gate stops of a report, and the approvals that let
// others pass.
func (g Gate) Check(r *Report) (refused []Refusal, used []Approval) {
	ask := func(v access.Verdict, key, hash string) {
		key = words(key)
		if (!g.Widening || !v.Widens()) && (!g.Narrowing || !v.Narrows()) {
			return
		}
		no := Refusal{Datasource: r.Datasource, Publish: r.Publish, Change: key, Verdict: v, Approve: Approval{Key: key, Hash: hash}.String()}
		for _, a := range g.Approvals {
			if a.covers(key, hash, g.Now) {
				used = append(used, a)
				return
			}
			if a.Key == key {
				no.Stale = stale(a, hash)
			}
		}
		refused = append(refused, no)
	}
	for _, c := range r.Changes {
		ask(c.Verdict, c.Key(), c.Hash)
	}
	for _, b := range r.ByHand {
		ask(b.Verdict, b.Key(), b.Hash)
	}
	if r.Undecided != "" {
		ask(access.Undecided, r.undecidedKey(), r.UndecidedHash)
	}
	return refused, used
}

// stale is why an approval of a change does not count.
func stale(a Approval, hash string) string {
	where := "on the command line"
	if a.Line > 0 {
		where = fmt.Sprintf("in %s:%d", ApprovalsFile, a.Line)
	}
	if a.Hash != hash {
		return "the approval " + where + " is for another condition"
	}
	return "the approval " + where + " ended on " + a.Until.Format(time.DateOnly)
}

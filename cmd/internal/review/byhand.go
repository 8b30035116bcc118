package review

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/lang/source"
)

// ByHand is a change of a plan to what was made outside of the project.
type ByHand struct {
	Verdict access.Verdict `json:"verdict"` // of what the plan does to it
	Object  plan.Object    `json:"object"`
	Action  plan.Action    `json:"action"`
	Span    source.Span    `json:"span"`
	Before  string         `json:"before"`
	After   string         `json:"after"`
	Hash    string         `json:"hash"`
}

// Key is the change in the words of an approval, without its hash.
func (b ByHand) Key() string {
	return "by hand " + string(b.Action) + " " + strings.Join(strings.Fields(b.Object.String()), " ")
}

// AddByHand adds what a plan changes of what was made outside of the project,
// as far as it bears on who may do what. What compared says it is part of was
// read back from the database and is among the report's changes already; nil:
// nothing was.
func (r *Report) AddByHand(changes []plan.Change, compared func(plan.Change) bool) {
	for _, c := range changes {
		about, v := c.What(), handVerdict(c)
		if !outside(about) || v == "" || compared != nil && compared(c) {
			continue
		}
		before, after := plan.Texts(c)
		sum := sha256.New()
		for _, s := range []string{"postern change by hand, version 1", string(plan.ActionOf(c)), about.Object.String(), before, after} {
			_, _ = fmt.Fprintf(sum, "%d:%s\n", len(s), s)
		}
		r.ByHand = append(r.ByHand, ByHand{
			Verdict: v, Object: about.Object, Action: plan.ActionOf(c), Span: about.Span, Before: before, After: after,
			Hash: hex.EncodeToString(sum.Sum(nil)),
		})
	}
	r.count()
}

// outside reports whether a change is about what the project did not make: a
// grant that is taken away has a reason of its own.
func outside(about plan.About) bool {
	switch about.Reason {
	case plan.ReasonDrift, plan.ReasonBefore:
		return true
	case "", "no longer declared":
		return about.Drift
	}
	return about.Drift || about.Object.Kind == "grant"
}

// handVerdict says whether a plan gives or takes access where it changes what
// was made by hand; "" where no access hangs on it. What it cannot tell is
// undecided.
func handVerdict(c plan.Change) access.Verdict {
	before, after := plan.Texts(c)
	kind := c.What().Object.Kind
	if strings.HasPrefix(string(kind), "outside ") {
		return "" // the plan leaves it as it is
	}
	switch kind {
	case "grant", "default privilege", "membership":
		return byAction(c, access.Wider, access.Narrower)
	case "policy":
		if strings.HasPrefix(before+after, "RESTRICTIVE") {
			return byAction(c, access.Narrower, access.Wider)
		}
		return byAction(c, access.Wider, access.Narrower)
	case "row security":
		if strings.HasPrefix(after, "enable") || strings.HasPrefix(after, "force") {
			return access.Narrower
		}
		return access.Wider
	case "role":
		return roleVerdict(before, after)
	case "password", "record":
		return ""
	}
	return access.Undecided
}

// byAction is the verdict of making and of taking away; what is changed in
// place is undecided.
func byAction(c plan.Change, add, remove access.Verdict) access.Verdict {
	switch plan.ActionOf(c) {
	case plan.ActionAdd:
		return add
	case plan.ActionRemove:
		return remove
	case plan.ActionChange:
	}
	return access.Undecided
}

// powers are the attributes of a role through which it reaches more.
var powers = []string{"SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION", "LOGIN", "INHERIT"}

// roleVerdict compares the powers of a role; its limits and settings give no
// access.
func roleVerdict(before, after string) access.Verdict {
	gains, loses := false, false
	for _, p := range powers {
		was, is := slices.Contains(strings.Fields(before), p), slices.Contains(strings.Fields(after), p)
		gains, loses = gains || is && !was, loses || was && !is
	}
	switch {
	case gains && loses:
		return access.Both
	case gains:
		return access.Wider
	case loses:
		return access.Narrower
	}
	return ""
}

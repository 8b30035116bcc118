// Package review says who gains and who loses by a change, as data that views
// print and gates decide on: between two git revisions, or by a plan.
package review

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
)

// Kind is what a program was read from.
type Kind string

// What access is compared between.
const (
	Revision Kind = "revision" // a git revision
	Folder   Kind = "folder"   // the work tree
	Applied  Kind = "applied"  // what was applied to a database last, or published
	Nothing  Kind = "nothing"  // nothing was applied yet
	Planned  Kind = "plan"     // what a plan leads to
	Unknown  Kind = "unknown"  // what was applied cannot be read
	Live     Kind = "live"     // what a database lets be done now
)

// Side is one of the two that are compared.
type Side struct {
	Kind     Kind   `json:"kind"`
	Name     string `json:"name,omitempty"`     // as it was asked for, such as "main"
	Revision string `json:"revision,omitempty"` // the git commit
	Author   string `json:"author,omitempty"`   // of the commit
	Subject  string `json:"subject,omitempty"`  // the first line of its message
	// At is when the commit was made, or the plan applied.
	At *time.Time `json:"at,omitempty"`
	// By is who applied it.
	By string `json:"by,omitempty"`
	// ByHand says that it is what a database lets be done now, for what was
	// applied was changed by hand since.
	ByHand bool `json:"changed_by_hand,omitempty"`
}

// Report is who gains and who loses.
type Report struct {
	Datasource string `json:"datasource,omitempty"` // of a plan
	Publish    string `json:"publish,omitempty"`    // of a place that is published to
	Before     Side   `json:"before"`
	After      Side   `json:"after"`
	// Changes are those of the source.
	Changes []Change `json:"changes"`
	// ByHand are what a plan changes besides: what was made outside of the
	// project, which it takes away or brings back.
	ByHand []ByHand `json:"by_hand"`
	Same   int      `json:"same"` // how many others are proven equal
	// Undecided says why nothing is known of the access before; "" where it is.
	Undecided string `json:"undecided,omitempty"`
	// UndecidedHash stands for all that is not known, in an approval.
	UndecidedHash string `json:"undecided_hash,omitempty"`
	Counts        Counts `json:"counts"`
}

// Counts are how many changes have which verdict.
type Counts struct {
	Wider     int `json:"wider"`
	Narrower  int `json:"narrower"`
	Both      int `json:"both"`
	Undecided int `json:"undecided"`
}

// Change is one difference in access, and what names it in an approval.
type Change struct {
	access.Change
	Hash string `json:"hash"`
}

// Key is the change in the words of an approval, without its hash.
func (c Change) Key() string {
	if len(c.Apps) == 0 {
		return c.String()
	}
	return c.String() + " via " + strings.Join(c.Apps, ", ")
}

// Compare compares two programs; nil is one that allows nothing.
func Compare(ctx context.Context, before, after *model.Program) (*Report, error) {
	return compare(ctx, before, after, access.Options{})
}

// CompareLive compares what a database was found to let be done, where that is
// not what a program says, with what another says.
func CompareLive(ctx context.Context, before *model.Program, found []*model.LiveCell, after *model.Program) (*Report, error) {
	return compare(ctx, before, after, access.Options{Before: found})
}

// Drifted says who gained and who lost by what a database was found to let be
// done where that is not what the program that was applied says.
func Drifted(ctx context.Context, applied *model.Program, found []*model.LiveCell) (*Report, error) {
	return compare(ctx, applied, applied, access.Options{After: found})
}

func compare(ctx context.Context, before, after *model.Program, opts access.Options) (*Report, error) {
	d, err := access.Compare(ctx, before, after, opts)
	if err != nil {
		return nil, err
	}
	r := &Report{Changes: make([]Change, len(d.Changes)), ByHand: []ByHand{}, Same: d.Same}
	for i, c := range d.Changes {
		r.Changes[i] = Change{Change: c, Hash: c.Hash(after)}
	}
	r.count()
	return r, nil
}

// NotComparable is the report of a plan of which it is not known what was
// before; program is what it leads to.
func NotComparable(why, program string) *Report {
	sum := sha256.Sum256([]byte("postern access not comparable, version 1\n" + program))
	r := &Report{Changes: []Change{}, ByHand: []ByHand{}, Undecided: why, UndecidedHash: hex.EncodeToString(sum[:])}
	r.Before.Kind = Unknown
	r.count()
	return r
}

func (r *Report) count() {
	r.Counts = Counts{}
	add := func(v access.Verdict) {
		switch v {
		case access.Wider:
			r.Counts.Wider++
		case access.Narrower:
			r.Counts.Narrower++
		case access.Both:
			r.Counts.Both++
		case access.Undecided:
			r.Counts.Undecided++
		}
	}
	for _, c := range r.Changes {
		add(c.Verdict)
	}
	for _, c := range r.ByHand {
		add(c.Verdict)
	}
	if r.Undecided != "" {
		r.Counts.Undecided++
	}
}

// Empty reports whether nobody gains or loses, for sure.
func (r *Report) Empty() bool { return len(r.Changes)+len(r.ByHand) == 0 && r.Undecided == "" }

// Restrict is a program as far as one datasource goes: the same objects, with
// their places.
func Restrict(p *model.Program, ds *model.Datasource) *model.Program {
	only := *p
	only.Datasources, only.Tables, only.Accounts = []*model.Datasource{ds}, ds.Tables, ds.Accounts
	return &only
}

// undecidedKey names what is not known of a target in an approval.
func (r *Report) undecidedKey() string { return "undecided " + r.Target() }

// Target is what the report is of, such as "datasource.crm"; "" of revisions.
func (r *Report) Target() string {
	switch {
	case r.Publish != "":
		return "publish." + r.Publish
	case r.Datasource != "":
		return "datasource." + r.Datasource
	}
	return ""
}

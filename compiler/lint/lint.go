// Package lint gives advice on a program that is right, but says more than it
// means: rules without effect, conditions that decide nothing, what nobody
// described. What it says of access is proven by package access; what cannot be
// proven is not said. docs/lints.md lists the rules.
package lint

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Finding is one piece of advice.
type Finding struct {
	Rule    string      `json:"rule"`
	Object  string      `json:"object"`          // as in HCL: policy.readers; "" for a comment
	Table   string      `json:"table,omitempty"` // as in HCL, where it is about one table of the object
	Message string      `json:"message"`
	Span    source.Span `json:"span"`
	// Proof is for how many cells it is proven, where it says something of access.
	Proof *Proof `json:"proof,omitempty"`
	// Related are the places that it rests on: what covers a policy, what a
	// condition contradicts itself in.
	Related []Related `json:"related,omitempty"`
	// Witness is somebody who shows it, with what Example says of them.
	Witness *access.Witness `json:"witness,omitempty"`
	Example string          `json:"example,omitempty"`
	// Ignored is the reason that the source gives for leaving it as it is.
	Ignored string `json:"ignored,omitempty"`
}

// Proof counts what was asked for a finding. Every question was answered, by
// proof, with "nobody": a single one that was not would leave no finding.
type Proof struct {
	Cells int `json:"cells"`
	// Each is what one cell is made of, such as subject, app, action and table.
	Each []string `json:"each"`
}

// The cells of proofs: what subjects may do, and what conditions decide.
var (
	eachAccess    = []string{"subject", "app", "action", "table"}
	eachCondition = []string{"app", "table"}
)

// Related is a place with a part in a finding.
type Related struct {
	Object  string      `json:"object"` // as in HCL
	Span    source.Span `json:"span"`
	Message string      `json:"message"` // what it does there
}

// Report is what a program's lint found, each sorted by place, rule and table.
type Report struct {
	Findings []Finding `json:"findings"`
	Ignored  []Finding `json:"ignored"`
}

// Options bound the work. The zero value means the defaults.
type Options struct {
	Access access.Options // of one question
}

// The default bounds of one question: smaller than those of a gate, since what
// is not decided is not said.
const (
	DefaultSteps   = 5_000
	DefaultTimeout = 500 * time.Millisecond
)

// Run gives advice on a program and the text that it was compiled from. The
// error is that of the context alone.
func Run(ctx context.Context, p *model.Program, set *source.Set, opts Options) (*Report, error) {
	opts.Access.Steps = cmp.Or(opts.Access.Steps, DefaultSteps)
	opts.Access.Timeout = cmp.Or(opts.Access.Timeout, DefaultTimeout)
	l := &linter{program: p, asker: access.NewAsker(p, opts.Access), at: map[ruleAt]bool{}}
	l.descriptions()
	l.conditions(ctx)
	l.guards(ctx)
	l.policies(ctx)
	l.apps(ctx)
	l.accounts(ctx)
	l.groups(ctx)
	l.levels(ctx)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("looking for advice: %w", err)
	}
	return l.report(ignores(set)), nil
}

// linter collects findings.
type linter struct {
	program *model.Program
	asker   *access.Asker
	mu      sync.Mutex
	found   []Finding
	at      map[ruleAt]bool
}

type ruleAt struct {
	rule string
	span source.Span
}

func (l *linter) add(f Finding) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found = append(l.found, f)
	l.at[ruleAt{f.Rule, f.Span}] = true
}

// told reports whether a rule was found at a block.
func (l *linter) told(rule string, at source.Span) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at[ruleAt{rule, at}]
}

// each does something for all elements, as many at a time as there are
// processors.
func each[T any](ctx context.Context, list []T, do func(T)) {
	limit := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for _, x := range list {
		limit <- struct{}{}
		wait.Go(func() {
			defer func() { <-limit }()
			if ctx.Err() == nil {
				do(x)
			}
		})
	}
	wait.Wait()
}

// report sorts the findings, and sets aside those that a comment ignores.
func (l *linter) report(comments []ignore) *Report {
	out := &Report{Findings: []Finding{}, Ignored: []Finding{}}
	for _, f := range l.found {
		i := slices.IndexFunc(comments, func(c ignore) bool { return c.covers(f) })
		if i < 0 {
			out.Findings = append(out.Findings, f)
			continue
		}
		comments[i].used = true
		f.Ignored = comments[i].reason
		out.Ignored = append(out.Ignored, f)
	}
	for _, c := range comments {
		if f, ok := c.finding(); ok {
			out.Findings = append(out.Findings, f)
		}
	}
	for _, list := range [][]Finding{out.Findings, out.Ignored} {
		slices.SortFunc(list, func(a, b Finding) int {
			return cmp.Or(a.Span.Compare(b.Span), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Table, b.Table), strings.Compare(a.Message, b.Message))
		})
	}
	return out
}

func tableName(t *model.Table) string {
	if t.Resource() {
		return "resource." + t.Address()
	}
	return "table." + t.Address()
}

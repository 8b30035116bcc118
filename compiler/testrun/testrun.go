// Package testrun runs a project's tests on the reference evaluator and on
// real engines, which must all give the same answers.
package testrun

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Engine answers a test's questions on one target.
type Engine interface {
	// Name is the target's name: postgres, rego or json.
	Name() string
	// Covers reports whether the target holds records of the table.
	Covers(t *model.Table) bool
	// Answer decides each question, in order, with the test's fixtures as the
	// records there are.
	Answer(ctx context.Context, t *model.Test, asks []model.Ask) ([]bool, error)
}

// Result is how one test ended.
type Result struct {
	Name     string      `json:"name"`
	Span     source.Span `json:"span"`
	Passed   bool        `json:"passed"`
	Failures []Failure   `json:"failures,omitempty"`
	// Decisions is how many questions were asked of each engine.
	Decisions int `json:"decisions"`
}

// Failure is one expectation that was not met, or one question on which an
// engine differs from the evaluator.
type Failure struct {
	Target  string      `json:"target"` // "evaluator" or the engine's name
	Span    source.Span `json:"span"`
	Message string      `json:"message"`
}

// Run runs the tests in order. An engine that fails to answer fails the test.
func Run(ctx context.Context, p *model.Program, tests []*model.Test, engines []Engine) ([]Result, error) {
	var out []Result
	for _, t := range tests {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		out = append(out, runTest(ctx, p, t, engines))
	}
	return out, nil
}

func runTest(ctx context.Context, p *model.Program, t *model.Test, engines []Engine) Result {
	asks := questions(t)
	reference := NewReference(p)
	want, _ := reference.Answer(ctx, t, asks)
	r := Result{Name: t.Name, Span: t.Span, Decisions: len(asks) + len(t.Sights) + len(t.Reports)}
	r.Failures = append(judge(t, asks, want, reference), sights(ctx, t, reference)...)
	r.Failures = append(r.Failures, reports(ctx, t, reference)...)
	for _, e := range engines {
		r.Failures = append(r.Failures, runEngine(ctx, t, asks, want, e)...)
	}
	r.Passed = len(r.Failures) == 0
	return r
}

// runEngine asks an engine what it covers.
func runEngine(ctx context.Context, t *model.Test, asks []model.Ask, want []bool, e Engine) []Failure {
	var mine []model.Ask
	var expected []bool
	for i, a := range asks {
		if e.Covers(a.Table()) {
			mine, expected = append(mine, a), append(expected, want[i])
		}
	}
	got, err := e.Answer(ctx, t, mine)
	if err != nil {
		return []Failure{{Target: e.Name(), Span: t.Span, Message: err.Error()}}
	}
	out := append(judge(t, mine, got, e), differences(t, mine, expected, got, e.Name())...)
	out = append(out, sights(ctx, t, e)...)
	return append(out, reports(ctx, t, e)...)
}

// questions lists what a test asks: for each expectation every fixture whose
// table has the action, then the writes.
func questions(t *model.Test) []model.Ask {
	var asks []model.Ask
	for _, e := range t.Expects {
		for _, f := range t.Fixtures {
			if f.Table.HasAction(e.Action) && e.Action != model.Create {
				asks = append(asks, model.Ask{Action: e.Action, Old: f})
			}
		}
	}
	for _, w := range t.Writes {
		asks = append(asks, writeAsk(w))
	}
	return asks
}

func writeAsk(w *model.Write) model.Ask {
	if w.From == nil {
		return model.Ask{Action: model.Create, Write: w}
	}
	return model.Ask{Action: model.Edit, Old: w.From, Write: w}
}

// judge compares answers with what the test expects.
func judge(t *model.Test, asks []model.Ask, answers []bool, engine Engine) []Failure {
	var out []Failure
	target := engine.Name()
	for _, e := range t.Expects {
		want, got := names(e.Fixtures, engine), []string{}
		for i, a := range asks {
			if a.Write == nil && a.Action == e.Action && answers[i] {
				got = append(got, a.Old.Name)
			}
		}
		slices.Sort(got)
		if !slices.Equal(want, slices.Compact(got)) {
			out = append(out, Failure{Target: target, Span: e.Span, Message: fmt.Sprintf("%s: %s", e.Action, gap(want, got))})
		}
	}
	for i, a := range asks {
		if a.Write != nil && a.Write.Allowed != answers[i] {
			out = append(out, Failure{Target: target, Span: a.Write.Span, Message: fmt.Sprintf("write %q: expected %s, got %s",
				a.Write.Name, verdict(a.Write.Allowed), verdict(answers[i]))})
		}
	}
	return out
}

// differences lists the questions on which an engine and the evaluator
// disagree, whether or not the test expects anything of them.
func differences(t *model.Test, asks []model.Ask, want, got []bool, target string) []Failure {
	var out []Failure
	for i, a := range asks {
		if want[i] == got[i] {
			continue
		}
		subject := ""
		if a.Write != nil {
			subject = fmt.Sprintf("write %q", a.Write.Name)
		} else {
			subject = fmt.Sprintf("%s of %s", a.Action, a.Old.Name)
		}
		out = append(out, Failure{Target: target, Span: t.Span, Message: fmt.Sprintf(
			"%s: %s says %s, the evaluator says %s", subject, target, verdict(got[i]), verdict(want[i]))})
	}
	return out
}

func names(fixtures []*model.Fixture, e Engine) []string {
	out := []string{}
	for _, f := range fixtures {
		if e.Covers(f.Table) {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// gap says what of two sorted lists is missing and what is too much.
func gap(want, got []string) string {
	without := func(list, other []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(n string) bool { return slices.Contains(other, n) })
	}
	var parts []string
	if missing := without(want, got); len(missing) > 0 {
		parts = append(parts, "denied "+list(missing)+", expected allowed")
	}
	if extra := without(got, want); len(extra) > 0 {
		parts = append(parts, "allowed "+list(extra)+", expected denied")
	}
	return strings.Join(parts, "; ")
}

func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func verdict(allowed bool) string {
	if allowed {
		return "allowed"
	}
	return "denied"
}

// Reference is the reference evaluator as an Engine.
type Reference struct{ program *model.Program }

// NewReference makes the reference engine of a program.
func NewReference(p *model.Program) *Reference { return &Reference{program: p} }

// Name is "evaluator".
func (*Reference) Name() string { return "evaluator" }

// Covers is true: the evaluator knows all tables.
func (*Reference) Covers(*model.Table) bool { return true }

// Answer decides each question with compiler/eval.
func (r *Reference) Answer(_ context.Context, t *model.Test, asks []model.Ask) ([]bool, error) {
	docs := NewDocuments(r.program, t)
	out := make([]bool, len(asks))
	for i, a := range asks {
		q := eval.Query{Request: docs.Request(a.Table().Datasource), Table: a.Table(), Action: a.Action}
		q.Old, q.New, q.Set = docs.Ask(a)
		out[i] = eval.Decide(r.program, q).Allowed
	}
	return out, nil
}

// Ask is the old and the new record of a question, and the columns it sets.
func (d *Documents) Ask(a model.Ask) (before, after model.Document, set []string) {
	if a.Old != nil {
		before = d.Of(a.Old.Table, a.Old.Values)
	}
	if a.Write != nil {
		after = d.Of(a.Write.Table, a.Write.To)
		set = a.Write.Changed
	}
	return before, after, set
}

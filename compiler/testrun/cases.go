package testrun

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// Case is one question of a test with the answer that the test expects.
type Case struct {
	Name    string // such as "view of d1"
	Ask     model.Ask
	Allowed bool
	Span    source.Span
}

// Cases lists a test's questions with their expected answers.
func Cases(t *model.Test) []Case {
	var out []Case
	for _, e := range t.Expects {
		for _, f := range t.Fixtures {
			if f.Table.HasAction(e.Action) && e.Action != model.Create {
				out = append(out, Case{
					Name: fmt.Sprintf("%s of %s", e.Action, f.Name), Ask: model.Ask{Action: e.Action, Old: f},
					Allowed: slices.Contains(e.Fixtures, f), Span: e.Span,
				})
			}
		}
	}
	for _, w := range t.Writes {
		out = append(out, Case{Name: fmt.Sprintf("write %q", w.Name), Ask: writeAsk(w), Allowed: w.Allowed, Span: w.Span})
	}
	return out
}

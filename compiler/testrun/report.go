package testrun

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// ReportEngine is an Engine that has reports. Others are not asked about them:
// only databases have reports.
type ReportEngine interface {
	Engine
	// Rows says which of a test's records a report shows to its user, in the
	// order of the test.
	Rows(ctx context.Context, t *model.Test, r *model.Report) ([]*model.Fixture, error)
}

// reports compares what reports show with what the test expects.
func reports(ctx context.Context, t *model.Test, e Engine) []Failure {
	engine, ok := e.(ReportEngine)
	if !ok {
		return nil
	}
	var out []Failure
	for _, r := range t.Reports {
		if !e.Covers(r.Report.From) {
			continue
		}
		rows, err := engine.Rows(ctx, t, r.Report)
		if err != nil {
			out = append(out, Failure{Target: e.Name(), Span: r.Span, Message: err.Error()})
			continue
		}
		want, got := names(r.Fixtures, e), names(rows, e)
		if !slices.Equal(want, got) {
			out = append(out, Failure{Target: e.Name(), Span: r.Span, Message: fmt.Sprintf("report %s: expected %s, got %s", r.Report.Name, list(want), list(got))})
		}
	}
	return out
}

// Rows decides with compiler/eval what a report shows.
func (r *Reference) Rows(_ context.Context, t *model.Test, report *model.Report) ([]*model.Fixture, error) {
	docs := NewDocuments(r.program, t)
	var out []*model.Fixture
	for _, f := range t.Fixtures {
		if f.Table != report.From {
			continue
		}
		if _, shown := eval.Report(r.program, report, eval.Query{Request: t.Request, Old: docs.Of(f.Table, f.Values)}); shown {
			out = append(out, f)
		}
	}
	return out, nil
}

// Package targets is the table of the targets that the commands know, and
// joins them to what is asked of them.
package targets

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
)

// documentEngine answers a test's questions one by one from documents.
type documentEngine struct {
	name    string
	program *model.Program
	decider interface {
		backend.Decider
		backend.Viewer
	}
}

func (e *documentEngine) Name() string { return e.name }

func (*documentEngine) Covers(*model.Table) bool { return true }

func (e *documentEngine) Answer(ctx context.Context, t *model.Test, asks []model.Ask) ([]bool, error) {
	docs := testrun.NewDocuments(e.program, t)
	out := make([]bool, len(asks))
	for i, a := range asks {
		q := backend.Question{Request: docs.Request(a.Table().Datasource), Table: a.Table(), Action: a.Action}
		q.Old, q.New, q.Set = docs.Ask(a)
		allowed, err := e.decider.Decide(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("asking %s: %w", e.name, err)
		}
		out[i] = allowed
	}
	return out, nil
}

// See asks what the test's user sees of each record.
func (e *documentEngine) See(ctx context.Context, t *model.Test, records []*model.Fixture) ([]model.Sight, error) {
	docs := testrun.NewDocuments(e.program, t)
	out := make([]model.Sight, len(records))
	for i, f := range records {
		q := backend.Question{Request: docs.Request(f.Table.Datasource), Table: f.Table, Action: model.View, Old: docs.Of(f.Table, f.Values)}
		var err error
		if out[i], err = e.decider.See(ctx, q); err != nil {
			return nil, fmt.Errorf("asking %s what is seen: %w", e.name, err)
		}
	}
	return out, nil
}

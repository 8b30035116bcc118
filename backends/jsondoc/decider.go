package jsondoc

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/compiler/model"
)

// Decider answers questions by the engine, from the bytes of the emitted
// document: nothing of the program itself is asked.
type Decider struct{ engine *engine.Engine }

var (
	_ backend.Decider = (*Decider)(nil)
	_ backend.Viewer  = (*Decider)(nil)
)

// NewDecider writes the program's document and loads it. Masks by hash() use
// model.TestHashKey.
func NewDecider(ctx context.Context, p *model.Program) (*Decider, error) {
	artifacts, err := Emitter{}.Emit(ctx, p)
	if err != nil {
		return nil, err
	}
	for _, a := range artifacts {
		if a.Path != DocumentPath {
			continue
		}
		e, err := engine.Load(a.Data, engine.WithHashKey(string(model.TestHashKey)))
		if err != nil {
			return nil, err
		}
		return &Decider{engine: e}, nil
	}
	return nil, fmt.Errorf("the json target wrote no %s", DocumentPath)
}

// Engine is the loaded document.
func (d *Decider) Engine() *engine.Engine { return d.engine }

// Decide answers one question; the error is always nil but for a cancelled
// context.
func (d *Decider) Decide(ctx context.Context, q backend.Question) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("decide: %w", err)
	}
	return d.engine.Decide(requestOf(q.Request), &engine.Question{
		Datasource: q.Table.Datasource.Name, Table: q.Table.Name, Action: string(q.Action),
		Old: q.Old, New: q.New, Set: q.Set,
	}), nil
}

// See tells what the question's user sees of its old record.
func (d *Decider) See(ctx context.Context, q backend.Question) (model.Sight, error) {
	if err := ctx.Err(); err != nil {
		return model.Sight{}, fmt.Errorf("see: %w", err)
	}
	s := d.engine.Session(requestOf(q.Request))
	seen, masked := s.Project(q.Table.Datasource.Name, q.Table.Name, q.Old)
	out := model.Sight{Masked: map[string]any{}}
	for _, c := range q.Table.Columns {
		v, ok := seen[c.Name]
		switch {
		case slices.Contains(masked, c.Name):
			out.Masked[c.Name] = v
		case ok:
			out.Visible = append(out.Visible, c.Name)
		}
	}
	return out, nil
}

func requestOf(r model.Request) *engine.Request {
	return &engine.Request{User: r.User, App: r.App, Context: r.Context, Now: time.UnixMicro(int64(r.Now))}
}

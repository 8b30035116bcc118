package testrun

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// SightEngine is an Engine that also tells what a user sees of a record. A
// test with expectations of columns fails on an engine that is none.
type SightEngine interface {
	Engine
	// See says, in order, what the test's user sees of each record.
	See(ctx context.Context, t *model.Test, records []*model.Fixture) ([]model.Sight, error)
}

// sights compares what an engine shows of records with what the test expects.
func sights(ctx context.Context, t *model.Test, e Engine) []Failure {
	var mine []*model.ExpectSight
	var records []*model.Fixture
	for _, s := range t.Sights {
		if e.Covers(s.Fixture.Table) {
			mine, records = append(mine, s), append(records, s.Fixture)
		}
	}
	if len(mine) == 0 {
		return nil
	}
	see, ok := e.(SightEngine)
	if !ok {
		return []Failure{{Target: e.Name(), Span: mine[0].Span, Message: e.Name() + " does not tell what a user sees of a record"}}
	}
	got, err := see.See(ctx, t, records)
	if err != nil {
		return []Failure{{Target: e.Name(), Span: t.Span, Message: err.Error()}}
	}
	var out []Failure
	for i, s := range mine {
		if message := compareSights(s.Fixture, s.Sight, got[i]); message != "" {
			out = append(out, Failure{Target: e.Name(), Span: s.Span, Message: fmt.Sprintf("columns of %s: %s", s.Fixture.Name, message)})
		}
	}
	return out
}

// compareSights says for which columns two sights differ, "" for none.
func compareSights(f *model.Fixture, want, got model.Sight) string {
	t := f.Table
	if got.Values != nil {
		return compareSeen(f, want, got)
	}
	var parts []string
	for _, c := range t.Columns {
		w, g := looks(c, want), looks(c, got)
		if w != g {
			parts = append(parts, fmt.Sprintf("expected %s %s, got %s", c.Name, w, g))
		}
	}
	return strings.Join(parts, "; ")
}

// compareSeen is compareSights for an engine that tells values alone.
func compareSeen(f *model.Fixture, want, got model.Sight) string {
	doc := model.Document{}
	for _, c := range f.Table.Columns {
		doc[c.Name] = model.JSON(f.Values[c.Name], c.Type, c.Native)
	}
	var parts []string
	seen := eval.Seen(f.Table, want, doc)
	for _, c := range f.Table.Columns {
		if w, g := seen[c.Name], got.Values[c.Name]; !eval.SameSeen(c, w, g) {
			parts = append(parts, fmt.Sprintf("expected %s %s, shown as %s, got %s", c.Name, looks(c, want), shown(c, w), shown(c, g)))
		}
	}
	return strings.Join(parts, "; ")
}

// looks says how a column looks in a sight; values of a type that are equal
// look the same.
func looks(c *model.Column, s model.Sight) string {
	if raw, ok := s.Masked[c.Name]; ok {
		return fmt.Sprintf("masked as %s", shown(c, raw))
	}
	if slices.Contains(s.Visible, c.Name) {
		return "visible"
	}
	return "hidden"
}

func shown(c *model.Column, raw any) string {
	switch v := eval.Parse(raw, c.Type, c.Native).(type) {
	case nil:
		return "null"
	case model.Unknown:
		return fmt.Sprintf("%v, which is no %s", raw, c.Type)
	default:
		return fmt.Sprintf("%q", fmt.Sprint(model.JSON(v, c.Type, c.Native)))
	}
}

// See decides with compiler/eval what each record shows.
func (r *Reference) See(_ context.Context, t *model.Test, records []*model.Fixture) ([]model.Sight, error) {
	docs := NewDocuments(r.program, t)
	out := make([]model.Sight, len(records))
	for i, f := range records {
		d := eval.Decide(r.program, eval.Query{Request: docs.Request(f.Table.Datasource), Table: f.Table, Action: model.View, Old: docs.Of(f.Table, f.Values), HashKey: model.TestHashKey})
		out[i] = eval.SightOf(d)
	}
	return out, nil
}

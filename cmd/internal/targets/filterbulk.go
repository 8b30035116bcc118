package targets

import (
	"context"
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
)

// filterBulk asks OPA's Compile API for the data filters of a table, and Postgres
// for the rows that they find.
type filterBulk struct {
	decider  *rego.Decider
	postgres *postgresBulk
}

func (*filterBulk) Name() string { return filterEngine }

// filterEngine names the engine that is there where both of these targets are.
const filterEngine = "filters"

var filterTargets = []string{"postgres", "rego"}

func (e *filterBulk) Covers(t *model.Table) bool { return len(t.Filters) > 0 && e.postgres.Covers(t) }

func (e *filterBulk) Ask(ctx context.Context, q *verify.Query) (*verify.Answer, error) {
	out := &verify.Answer{Allowed: map[model.Action][]bool{}}
	rows := e.postgres.rows[q.Table]
	for _, f := range q.Table.Filters {
		allowed := make([]bool, len(q.Records))
		out.Allowed[f.Action] = allowed
		out.Only = append(out.Only, f.Action)
		left, err := e.decider.Filter(ctx, q.Request, q.Table, f)
		if err != nil {
			return nil, err
		}
		if left.Never {
			continue
		}
		found, err := e.postgres.db.Filtered(ctx, q.Table, sqltext.SQL(left.SQL))
		if err != nil {
			return nil, err
		}
		passes := map[int]bool{}
		for _, row := range found {
			passes[row] = true
		}
		for i := range allowed {
			allowed[i] = passes[rows[i]]
		}
		for i, doc := range q.Records {
			other, err := matches(left.UCAST, q.Table, doc)
			if err != nil {
				return nil, err
			}
			if other != allowed[i] {
				return nil, fmt.Errorf("the filter of %s for %s finds %v as SQL %t and as UCAST %t: %s", q.Table.Address(), f.Action, doc, allowed[i], other, left.SQL)
			}
		}
	}
	return out, nil
}

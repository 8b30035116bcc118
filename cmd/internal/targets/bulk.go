package targets

import (
	"context"
	"slices"
	"time"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/backends/postgres/testdb"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
)

// regoBulk asks the OPA library.
type regoBulk struct{ decider *rego.Decider }

func newRegoBulk(ctx context.Context, p *model.Program) (*regoBulk, error) {
	d, err := rego.NewDecider(ctx, p)
	return &regoBulk{d}, err
}

func (*regoBulk) Name() string { return "rego" }

func (*regoBulk) Covers(*model.Table) bool { return true }

// Ask uses `filter` for all that changes nothing, and `allow` for the rest.
func (e *regoBulk) Ask(ctx context.Context, q *verify.Query) (*verify.Answer, error) {
	out := &verify.Answer{Allowed: map[model.Action][]bool{}}
	for _, action := range q.Table.Actions {
		allowed, err := e.decider.DecideMany(ctx, q.Request, q.Table, action, q.Records)
		if err != nil {
			return nil, err
		}
		out.Allowed[action] = allowed
	}
	for _, pair := range q.Edits {
		allowed, err := e.decider.Decide(ctx, backend.Question{
			Request: q.Request, Table: q.Table, Action: model.Edit, Old: q.Records[pair[0]], New: q.Records[pair[1]],
		})
		if err != nil {
			return nil, err
		}
		out.Edits = append(out.Edits, allowed)
	}
	for _, i := range q.Columns {
		sight, err := e.decider.See(ctx, backend.Question{Request: q.Request, Table: q.Table, Action: model.View, Old: q.Records[i]})
		if err != nil {
			return nil, err
		}
		out.Sights = append(out.Sights, sight)
	}
	return out, nil
}

// jsonBulk asks the JSON engine.
type jsonBulk struct{ engine *engine.Engine }

func newJSONBulk(ctx context.Context, p *model.Program) (*jsonBulk, error) {
	d, err := jsondoc.NewDecider(ctx, p)
	if err != nil {
		return nil, err
	}
	return &jsonBulk{d.Engine()}, nil
}

func (*jsonBulk) Name() string { return "json" }

func (*jsonBulk) Covers(*model.Table) bool { return true }

func (e *jsonBulk) Ask(_ context.Context, q *verify.Query) (*verify.Answer, error) {
	s := e.engine.Session(&engine.Request{
		User: q.Request.User, App: q.Request.App, Context: q.Request.Context, Now: time.UnixMicro(int64(q.Request.Now)),
	})
	ask := func(action model.Action, before, after model.Document) bool {
		return s.Decide(&engine.Question{
			Datasource: q.Table.Datasource.Name, Table: q.Table.Name, Action: string(action), Old: before, New: after,
		})
	}
	out := &verify.Answer{Allowed: map[model.Action][]bool{}}
	for _, action := range q.Table.Actions {
		allowed := make([]bool, len(q.Records))
		for i, doc := range q.Records {
			if action == model.Create {
				allowed[i] = ask(action, nil, doc)
			} else {
				allowed[i] = ask(action, doc, nil)
			}
		}
		out.Allowed[action] = allowed
	}
	for _, pair := range q.Edits {
		out.Edits = append(out.Edits, ask(model.Edit, q.Records[pair[0]], q.Records[pair[1]]))
	}
	for _, i := range q.Columns {
		out.Sights = append(out.Sights, e.see(s, q, i))
	}
	return out, nil
}

// see is what the session's user sees of a record.
func (e *jsonBulk) see(s *engine.Session, q *verify.Query, i int) model.Sight {
	seen, masked := s.Project(q.Table.Datasource.Name, q.Table.Name, q.Records[i])
	out := model.Sight{Masked: map[string]any{}}
	for name, v := range seen {
		if slices.Contains(masked, name) {
			out.Masked[name] = v
		} else {
			out.Visible = append(out.Visible, name)
		}
	}
	return out
}

// postgresBulk asks a real Postgres that holds the records.
type postgresBulk struct {
	db   *testdb.DB
	rows map[*model.Table][]int // the numbers of the rows that stand for the world's records
}

func (*postgresBulk) Name() string { return "postgres" }

func (e *postgresBulk) Covers(t *model.Table) bool { return e.db.Covers(t) }

// Keep puts the world's records into the database.
func (e *postgresBulk) Keep(ctx context.Context, w *verify.World) error {
	rows := map[*model.Table][]testdb.Row{}
	for t, records := range w.Records {
		if !e.Covers(t) {
			continue
		}
		for _, r := range records {
			row := testdb.Row{}
			for _, c := range t.Columns {
				if text, ok := r.Text[c.Name]; ok {
					row[c.Name] = text
				} else if text, ok := verify.Text(r.Doc[c.Name]); ok {
					row[c.Name] = text
				}
			}
			rows[t] = append(rows[t], row)
		}
	}
	docs, err := e.db.Keep(ctx, w.Now, rows)
	if err != nil {
		return err
	}
	e.rows = map[*model.Table][]int{}
	for t := range rows {
		var kept []*verify.Record
		for i, r := range w.Records[t] {
			if docs[t][i] != nil {
				r.Doc = docs[t][i]
				kept = append(kept, r)
				e.rows[t] = append(e.rows[t], i)
			}
		}
		w.Records[t] = kept
	}
	return nil
}

func (e *postgresBulk) Ask(ctx context.Context, q *verify.Query) (*verify.Answer, error) {
	rows := e.rows[q.Table]
	request := q.AsStated()
	if q.Table.Datasource.Identity == model.IdentityRole {
		request = q.Request // a login states nothing else
	}
	bulk := &testdb.BulkQuery{Request: request, Table: q.Table, Rows: rows, See: len(q.Columns) > 0}
	for _, pair := range q.Edits {
		bulk.Edits = append(bulk.Edits, [2]int{rows[pair[0]], rows[pair[1]]})
	}
	got, err := e.db.Bulk(ctx, bulk)
	if err != nil {
		return nil, err
	}
	out := &verify.Answer{Allowed: got.Allowed, Edits: got.Edits}
	for _, i := range q.Columns {
		out.Sights = append(out.Sights, model.Sight{Values: got.Seen[rows[i]]})
	}
	return out, nil
}

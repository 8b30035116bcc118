package eval

import "github.com/postern-dev/postern/compiler/model"

// Report is what a report shows of a record to a request: nothing (false) where
// the request may not view the record, is not surely among those the report is
// for, or where its condition is not true of the record.
func Report(p *model.Program, r *model.Report, q Query) (model.Sight, bool) {
	q.Table, q.Action = r.From, model.View
	d := Decide(p, q)
	entry, ok := findEntry(r.From.Datasource, q.Request.App)
	if !ok || !d.Allowed {
		return model.Sight{}, false
	}
	env := NewEnv(p, q.Request, entry)
	if env.among(r.To) != true || env.onRecord(r.Where.Source, q.Old) != true {
		return model.Sight{}, false
	}
	listed := map[string]bool{}
	for _, c := range r.Columns {
		listed[c.Name] = true
	}
	all := SightOf(d)
	out := model.Sight{Masked: map[string]any{}}
	for _, name := range all.Visible {
		if listed[name] {
			out.Visible = append(out.Visible, name)
		}
	}
	for name, v := range all.Masked {
		if listed[name] {
			out.Masked[name] = v
		}
	}
	return out, true
}

package eval

import "github.com/postern-dev/postern/compiler/model"

// Enter is the environment of a request to a datasource, without any row, and
// the way in that it takes; false when it has none.
func Enter(p *model.Program, req model.Request, ds *model.Datasource) (*Env, model.Entry, bool) {
	entry, ok := findEntry(ds, req.App)
	if !ok {
		return nil, entry, false
	}
	return NewEnv(p, req, entry), entry, true
}

// Among is whether the request's user is one of the subjects: true, false or
// Unknown.
func (e *Env) Among(subjects []model.Subject) model.Value { return e.among(subjects) }

// Bind is the environment with one more row, as a loop over related records
// binds it.
func (e *Env) Bind(row *model.Row, doc model.Document) *Env { return e.with(row, doc) }

// Records are the related records that an expression speaks of; false when the
// record does not give them.
func (e *Env) Records(x *model.Related) ([]model.Document, bool) {
	list, ok := e.document(x.Row, x.Path)[x.Relation.Name].([]any)
	if !ok {
		return nil, false
	}
	out := make([]model.Document, len(list))
	for i, item := range list {
		if out[i], ok = item.(model.Document); !ok {
			return nil, false
		}
	}
	return out, true
}

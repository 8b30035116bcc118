package authzen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
)

// The types of subjects.
const (
	userType      = "user"
	anonymousType = "anonymous"
)

// Records finds records that requests name by id alone.
type Records interface {
	// Has reports whether records of the table can be looked up.
	Has(t *engine.Table) bool
	// Find is the complete record with an id, or ErrNoRecord, also where the id
	// is none that the table can have.
	Find(ctx context.Context, t *engine.Table, id string) (map[string]any, error)
	// List is at most limit records in order of their ids, after the one with
	// the id after ("": from the beginning).
	List(ctx context.Context, t *engine.Table, after string, limit int) ([]Found, error)
}

// Found is one record of a list.
type Found struct {
	ID     string
	Record map[string]any
}

// ErrNoRecord says that there is no record with the id.
var ErrNoRecord = errors.New("there is no such record")

// claims is a subject as the claims of a request; nil for an anonymous one.
func claims(e *engine.Engine, s entity, path string) (map[string]any, error) {
	switch s.typ {
	case anonymousType:
		return nil, nil
	case userType:
	default:
		return nil, notFound(path+".type", fmt.Sprintf("there is no subject type %q: it is %q or %q", s.typ, userType, anonymousType))
	}
	key := keyOf(e)
	id := typed(key.Type, s.id)
	out := maps.Clone(s.properties)
	if out == nil {
		out = map[string]any{}
	}
	at := out
	for i, step := range key.Claim {
		if i == len(key.Claim)-1 {
			if stated, there := at[step]; there && stated != id {
				return nil, badRequest(path+".properties."+strings.Join(key.Claim, "."), "is not what the id says")
			}
			at[step] = id
			break
		}
		next, ok := at[step].(map[string]any)
		if at[step] != nil && !ok {
			return nil, badRequest(path+".properties."+step, "must be an object")
		}
		if next = maps.Clone(next); next == nil {
			next = map[string]any{}
		}
		at[step] = next
		at = next
	}
	return out, nil
}

func keyOf(e *engine.Engine) *document.Attribute {
	d := e.Document()
	for i := range d.Identity.Attributes {
		if a := &d.Identity.Attributes[i]; a.Name == d.Identity.Key {
			return a
		}
	}
	return nil // a loaded document has its key
}

// typed is an id in the form in which claims and records hold a value of the
// type.
func typed(t document.Type, id string) any {
	switch t.Kind {
	case document.Int, document.Number:
		return json.Number(id)
	case document.Bool:
		return id == "true"
	case document.String, document.UUID, document.Date, document.Timestamp, document.IP, document.Enum, document.Set, document.Duration:
	}
	return id
}

// who is who asks: the subject, and what the context tells.
func (x *exchange) who(a *ask, path string) (*engine.Request, error) {
	user, err := claims(x.engine, a.subject, path+"subject")
	if err != nil {
		return nil, err
	}
	r := &engine.Request{User: user, Context: a.context, Now: x.now()}
	switch app := a.context["app"].(type) {
	case nil:
	case string:
		r.App = app
	default:
		return nil, badRequest(path+"context.app", "must be a string, not "+kind(app))
	}
	switch now := a.context["now"].(type) {
	case nil:
	case string:
		if r.Now, err = time.Parse(time.RFC3339Nano, now); err != nil {
			return nil, badRequest(path+"context.now", "must be a time in the form of RFC 3339")
		}
	default:
		return nil, badRequest(path+"context.now", "must be a string, not "+kind(now))
	}
	return r, nil
}

// mayUse is the gate of an app by which all users share the access: no decision
// knows who they are behind it, so whether they may use it is asked before. The
// gate of other apps is part of each decision.
func (x *exchange) mayUse(t *engine.Table, r *engine.Request) bool {
	for _, app := range x.engine.Document().Apps {
		if app.Name != r.App {
			continue
		}
		for _, c := range app.Connects {
			if c.Datasource == t.Datasource() && c.As == document.AsApp {
				return x.engine.MayUse(r)
			}
		}
	}
	return true
}

// table is the table that a resource type names: "datasource.table", or the
// table alone where one datasource has it.
func table(e *engine.Engine, typ, path string) (*engine.Table, error) {
	if datasource, name, ok := strings.Cut(typ, "."); ok {
		if t, err := e.Table(datasource, name); err == nil {
			return t, nil
		}
	}
	var found *engine.Table
	for _, ds := range e.Document().Datasources {
		t, err := e.Table(ds.Name, typ)
		if err != nil {
			continue
		}
		if found != nil {
			return nil, notFound(path, fmt.Sprintf("several datasources have a resource %q: name it as %s.%s or %s.%s", typ, found.Datasource(), typ, ds.Name, typ))
		}
		found = t
	}
	if found == nil {
		return nil, notFound(path, fmt.Sprintf("there is no resource type %q: it is DATASOURCE.TABLE", typ))
	}
	return found, nil
}

// record is the record that a resource names: its properties, or, without any,
// the one that is looked up by the id.
func (x *exchange) record(t *engine.Table, r entity, path string) (map[string]any, error) {
	if r.properties == nil && x.records != nil && x.records.Has(t) {
		doc, err := x.records.Find(x.request.Context(), t, r.id)
		if errors.Is(err, ErrNoRecord) {
			return nil, notFound(path+".id", "there is no such record")
		}
		return doc, err
	}
	key := t.PrimaryKey()
	out := maps.Clone(r.properties)
	if out == nil {
		out = map[string]any{}
	}
	values, ok := Key(r.id, len(key))
	if !ok || r.id == "" {
		return out, nil
	}
	for i, name := range key {
		if stated := out[name]; stated != nil && text(stated) != values[i] {
			return nil, badRequest(path+".properties."+name, "is not what the id says")
		} else if stated != nil {
			continue
		}
		for _, c := range t.Source().Columns {
			if c.Name == name {
				out[name] = typed(c.Type, values[i])
			}
		}
	}
	return out, nil
}

// text is a scalar as an id holds it.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case json.Number:
		return string(x)
	case bool:
		return strconv.FormatBool(x)
	}
	return ""
}

func wholeNumber(v any) (int, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.Atoi(string(n))
	return i, err == nil && i >= 0
}

// question is one decision of the engine: a create makes the record that the
// resource holds, an edit makes of it what the action's property "new" holds.
func question(t *engine.Table, a action, doc map[string]any, path string) (*engine.Question, error) {
	if !hasAction(t, a.name) {
		return nil, notFound(path+"action.name", fmt.Sprintf("the resource %s.%s has no action %q", t.Datasource(), t.Name(), a.name))
	}
	q := &engine.Question{Datasource: t.Datasource(), Table: t.Name(), Action: a.name, Old: doc}
	if a.name == "create" {
		q.Old, q.New = nil, doc
	}
	if a.name == "edit" {
		next, err := optionalObject(a.properties["new"], path+"action.properties.new")
		if err != nil {
			return nil, err
		}
		q.New = next
	}
	if set := a.properties["set"]; set != nil {
		list, ok := set.([]any)
		if !ok {
			return nil, badRequest(path+"action.properties.set", "must be an array of names of columns, not "+kind(set))
		}
		q.Set = []string{}
		for _, v := range list {
			name, ok := v.(string)
			if !ok {
				return nil, badRequest(path+"action.properties.set", "must hold names of columns alone")
			}
			q.Set = append(q.Set, name)
		}
	}
	return q, nil
}

func hasAction(t *engine.Table, name string) bool {
	for _, a := range t.Source().Actions {
		if a == name {
			return true
		}
	}
	return false
}

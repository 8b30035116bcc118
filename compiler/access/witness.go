package access

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// Witness is one request and the records that it is about, in the forms of
// model.Request and model.Document. Columns and attributes that do not matter
// are left out.
type Witness struct {
	User    map[string]any `json:"user"` // the claims; null: anonymous
	App     string         `json:"app,omitempty"`
	Request map[string]any `json:"request,omitempty"`
	Now     string         `json:"now,omitempty"` // RFC 3339; empty where the time does not matter
	// Record is the record as it stands; null for a create.
	Record model.Document `json:"record,omitempty"`
	// NewRecord is what a create or an edit makes.
	NewRecord model.Document `json:"new_record,omitempty"`

	now model.Timestamp
}

// String is the witness as text: user {id: "u1"}, record {owner_id: "u2"}.
func (w *Witness) String() string {
	if w == nil {
		return ""
	}
	parts := []string{"an anonymous user"}
	if w.User != nil {
		parts[0] = "user " + object(w.User)
	}
	if w.App != "" {
		parts = append(parts, "app "+w.App)
	}
	if len(w.Request) > 0 {
		parts = append(parts, "request "+object(w.Request))
	}
	if w.Now != "" {
		parts = append(parts, "now "+w.Now)
	}
	if w.Record != nil {
		parts = append(parts, "record "+object(w.Record))
	}
	if w.NewRecord != nil {
		parts = append(parts, "new record "+object(w.NewRecord))
	}
	return strings.Join(parts, ", ")
}

func object(m map[string]any) string {
	parts := make([]string, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+": "+shown(m[k]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func shown(v any) string {
	switch x := v.(type) {
	case map[string]any:
		return object(x)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = shown(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case json.Number:
		return x.String()
	case nil:
		return "null"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// confirms asks the reference evaluator whether the witness is one: the
// question's one side allows, and its other side does not.
func (q *question) confirms(w *Witness) bool {
	if q.check != nil {
		return q.check(w)
	}
	has, lacks := q.cell.old, q.cell.new
	if q.gain {
		has, lacks = lacks, has
	}
	if q.column != "" && !lacks.allows(q.cell.action, w, "", sight{}) {
		return false
	}
	return has.allows(q.cell.action, w, q.column, q.seen) && !lacks.allows(q.cell.action, w, q.column, q.seen)
}

// through reports whether the witness is allowed by what is granted to the
// question's subject, and not only by chance through another one.
func (q *question) through(w *Witness) bool {
	s := q.cell.old
	if q.gain {
		s = q.cell.new
	}
	if s.live[q.cell.action] != nil {
		return true // found: the subject is what its condition asks of the user
	}
	env := eval.NewEnv(s.program, model.Request{User: w.User, App: w.App, Context: w.Request, Now: w.now}, s.entry)
	if w.Record == nil {
		return env.On(w.NewRecord).Holds(s.program.Granted(s.entry, s.table, q.cell.action, true, q.via))
	}
	if q.cell.action != model.Edit {
		return env.On(w.Record).Holds(s.program.Granted(s.entry, s.table, q.cell.action, false, q.via))
	}
	return env.On(w.NewRecord).Holds(s.program.Granted(s.entry, s.table, q.cell.action, true, q.via))
}

// allows asks the evaluator about a side: the record, or a column of it.
func (s *side) allows(a model.Action, w *Witness, column string, seen sight) bool {
	if l := s.live[a]; l != nil {
		return l.allows(s, w, column, seen)
	}
	if !s.ok || !s.table.HasAction(a) {
		return false
	}
	query := eval.Query{
		Request: model.Request{User: w.User, App: w.App, Context: w.Request, Now: w.now},
		Table:   s.table, Action: a, Old: w.Record, New: w.NewRecord,
	}
	if column == "" {
		return eval.Decide(s.program, query).Allowed
	}
	if s.table.Column(column) == nil {
		return false
	}
	if a != model.View {
		query.Set = []string{column}
		return eval.Decide(s.program, query).Allowed
	}
	d := eval.Decide(s.program, query)
	if !d.Allowed || !slices.ContainsFunc(d.Columns, func(c *model.Column) bool { return c.Name == column }) {
		return false
	}
	if _, masked := d.Masked[column]; !masked || seen.mask == "" {
		return true
	}
	return s.shownThrough(query.Request, s.table.Column(column)) == seen.mask
}

// shownThrough is the kind of the mask through which a request sees a column.
func (s *side) shownThrough(req model.Request, c *model.Column) string {
	env := eval.NewEnv(s.program, req, s.entry)
	for _, m := range s.table.ColumnMasks(c) {
		if !env.Holds(s.program.Exempt(s.entry, m)) {
			return maskKind(m.With)
		}
	}
	return rawSight
}

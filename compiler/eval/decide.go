// Package eval is the reference evaluator: the meaning of the language in the
// fewest lines. It evaluates conditions as they were written, with three
// values, and combines policies and guards as docs/semantics.md says; every
// target is tested against it. It is made to be read, not to be fast.
package eval

import (
	"github.com/postern-dev/postern/compiler/model"
)

// Query is one decision asked for.
type Query struct {
	Request model.Request
	Table   *model.Table
	Action  model.Action
	// Old is the record as it stands; nil for a create.
	Old model.Document
	// New is the record that a write makes; for an edit nil means that nothing
	// changes.
	New model.Document
	// Set names the columns that a write sets; nil asks nothing about columns.
	Set []string
	// HashKey is the key of masks by hash(); without one they show null.
	HashKey model.HashKey
}

// Recorder is told what decisions look at.
type Recorder interface {
	// Policy says whether a policy that applies to the request grants on a
	// record.
	Policy(t *model.PolicyTarget, granted bool)
	// Guard says whether a guard that the user is not surely outside of refuses
	// a record.
	Guard(t *model.GuardTarget, refused bool)
	// Value is the value of an expression or a part of one.
	Value(x model.Expr, v model.Value)
}

// Decision is what was decided and who decided it.
type Decision struct {
	Allowed  bool
	Policies []*model.Policy // that grant the action on the old record (on the new one for a create)
	Guards   []*model.Guard  // that do not let it pass
	// Columns are those the user sees of the old record, as they are stored or
	// masked, in the table's order; none unless view is allowed.
	Columns []*model.Column
	// Masked are what the masked ones of Columns show, in the form of Document.
	Masked map[string]any
}

// Decide answers a query.
func Decide(p *model.Program, q Query) Decision { return DecideRecorded(p, q, nil) }

// DecideRecorded answers a query and tells a recorder, unless it is nil, what
// the decision looks at.
func DecideRecorded(p *model.Program, q Query, rec Recorder) Decision {
	d := &decider{program: p, query: q, recorder: rec}
	entry, ok := findEntry(q.Table.Datasource, q.Request.App)
	if !ok {
		return Decision{}
	}
	if q.Action == model.Create && q.New == nil || q.Action != model.Create && q.Old == nil {
		return Decision{} // there is no record to decide on
	}
	d.entry = entry
	d.env = NewEnv(p, q.Request, entry)
	d.env.recorder = rec
	if !d.mayUse() {
		return Decision{}
	}
	return d.decide()
}

// MayUse decides whether a request's user may use the app that it names.
func MayUse(p *model.Program, req model.Request) bool {
	for _, a := range p.Apps {
		if a.Name == req.App {
			env := &Env{key: p.Identity.Key, user: resolve(p, req.User), app: req.App, now: req.Now}
			return env.among(a.Users) == true
		}
	}
	return false
}

// NewEnv is the environment of a request that comes through an entry, without
// any row.
func NewEnv(p *model.Program, req model.Request, entry model.Entry) *Env {
	e := &Env{key: p.Identity.Key, app: model.Unknown{}, now: req.Now, request: map[*model.Attribute]model.Value{}}
	if entry.Connect != nil {
		e.app = entry.Connect.App.Name
	}
	if entry.AsApp() {
		e.user = nobody()
	} else {
		e.user = resolve(p, req.User)
	}
	for _, a := range p.Request {
		e.request[a] = attribute(req.Context, a)
	}
	return e
}

// findEntry is the way in that a request takes: a datasource with apps needs
// one of them named; one without ignores the app.
func findEntry(ds *model.Datasource, app string) (model.Entry, bool) {
	for _, e := range ds.Entries() {
		if e.Connect == nil || e.Connect.App.Name == app {
			return e, true
		}
	}
	return model.Entry{}, false
}

type decider struct {
	program *model.Program
	query   Query
	entry   model.Entry
	env     *Env

	recorder Recorder
}

func (d *decider) mayUse() bool {
	if d.entry.Connect == nil || d.entry.AsApp() {
		return true
	}
	return d.env.among(d.entry.Connect.App.Users) == true
}

func (d *decider) decide() Decision {
	q := d.query
	var out Decision
	now, next := q.Old, q.New
	if q.Action == model.Create {
		now = q.New
	} else if next == nil {
		next = q.Old
	}
	out.Policies = d.granting(q.Action, now, q.Action == model.Create)
	out.Guards = d.failing(now)
	out.Allowed = len(out.Policies) > 0 && len(out.Guards) == 0
	views := d.granting(model.View, now, false)
	if q.Action != model.Create && len(views) > 0 && len(out.Guards) == 0 {
		out.Columns = d.shown(now)
		out.Masked = d.masked(out.Columns, now)
	}
	switch q.Action {
	case model.Edit:
		out.Allowed = out.Allowed && len(views) > 0 &&
			len(d.granting(model.Edit, next, true)) > 0 &&
			len(d.granting(model.View, next, false)) > 0 &&
			len(d.failing(next)) == 0 && d.writable(out.Columns)
	case model.Create:
		out.Allowed = out.Allowed && d.writable(q.Table.Columns)
	case model.Delete:
		out.Allowed = out.Allowed && len(views) > 0
	default: // view and a resource's own actions ask no more
	}
	return out
}

// granting lists the policies that grant the action on the record.
func (d *decider) granting(a model.Action, doc model.Document, check bool) []*model.Policy {
	var out []*model.Policy
	for _, t := range d.targets(a, doc, check) {
		out = append(out, t.Policy)
	}
	return out
}

func (d *decider) targets(a model.Action, doc model.Document, check bool) []*model.PolicyTarget {
	var out []*model.PolicyTarget
	for _, t := range d.query.Table.Policies {
		if !t.Allows(a) || !d.applies(t.Policy) {
			continue
		}
		c := t.When
		if check {
			c = t.Check
		}
		granted := d.env.onRecord(c.Source, doc) == true
		if granted {
			out = append(out, t)
		}
		if d.recorder != nil {
			d.recorder.Policy(t, granted)
		}
	}
	return out
}

// applies reports whether the request is surely among those a policy is for.
// Through an app whose users share its access only the app itself counts.
func (d *decider) applies(p *model.Policy) bool {
	to := p.To
	if d.entry.AsApp() {
		to = nil
		for _, s := range p.To {
			if a, ok := s.(model.AppSubject); ok {
				to = append(to, a)
			}
		}
	}
	if d.env.among(to) != true {
		return false
	}
	for _, a := range p.Via {
		if d.env.app == a.Name {
			return true
		}
	}
	return p.Via == nil
}

// failing lists the guards that neither leave the user out nor hold.
func (d *decider) failing(doc model.Document) []*model.Guard {
	var out []*model.Guard
	for _, t := range d.query.Table.Guards {
		if d.env.among(t.Guard.To) == false {
			continue
		}
		refused := d.env.onRecord(t.Require.Source, doc) != true
		if refused {
			out = append(out, t.Guard)
		}
		if d.recorder != nil {
			d.recorder.Guard(t, refused)
		}
	}
	return out
}

// shown lists the columns of a record that the granting view policies include.
func (d *decider) shown(doc model.Document) []*model.Column {
	seen := map[*model.Column]bool{}
	for _, t := range d.targets(model.View, doc, false) {
		for _, c := range t.Columns {
			seen[c] = true
		}
	}
	var out []*model.Column
	for _, c := range d.query.Table.Columns {
		if seen[c] {
			out = append(out, c)
		}
	}
	return out
}

// writable reports whether every column that the write sets is among the
// visible ones, is listed by a policy that grants the action to the user, and
// is not masked for them.
func (d *decider) writable(visible []*model.Column) bool {
	allowed := map[string]bool{}
	for _, t := range d.query.Table.Policies {
		if t.Allows(d.query.Action) && d.applies(t.Policy) {
			for _, c := range t.Columns {
				allowed[c.Name] = true
			}
		}
	}
	shown := map[string]bool{}
	for _, c := range visible {
		shown[c.Name] = d.mask(c) == nil
	}
	for _, name := range d.query.Set {
		if !allowed[name] || !shown[name] {
			return false
		}
	}
	return true
}

// On is the environment with a record for the decision's row.
func (e *Env) On(doc model.Document) *Env {
	inner := *e
	inner.record = doc
	return &inner
}

// onRecord evaluates a condition on a record.
func (e *Env) onRecord(x model.Expr, doc model.Document) model.Value { return e.On(doc).Value(x) }

// among is whether the request's user is one of the subjects: true, false or
// Unknown.
func (e *Env) among(subjects []model.Subject) model.Value {
	var result model.Value = false
	for _, s := range subjects {
		switch e.is(s) {
		case true:
			return true
		case false:
		default:
			result = model.Unknown{}
		}
	}
	return result
}

func (e *Env) is(s model.Subject) model.Value {
	switch x := s.(type) {
	case model.Everyone:
		return true
	case model.AppSubject:
		return e.app == x.App.Name
	case model.GroupSubject:
		return lift(func(v []model.Value) model.Value { return member(x.Group.Name, v[0]) }, e.user.groups)
	case model.LevelSubject:
		return lift(func(v []model.Value) model.Value {
			for _, l := range x.Level.AtLeast {
				if l.Name == v[0] {
					return true
				}
			}
			return false
		}, e.user.level)
	case model.UserSubject:
		return lift(func(v []model.Value) model.Value { return compare(model.Equal, v[0], x.User.Key) }, e.userKey())
	}
	return model.Unknown{}
}

// userKey is the value of the identity's key attribute.
func (e *Env) userKey() model.Value {
	return e.attribute(e.key)
}

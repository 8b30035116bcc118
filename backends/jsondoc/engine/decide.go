package engine

import (
	"slices"
	"time"
)

// Request says who asks, through what, and when.
type Request struct {
	// User is the claims; nil for an anonymous request. Attributes are read at
	// their claim paths, the user's direct groups at "groups", the access level
	// at "access_level"; without one it is "user" when the identity's key is
	// known and "anonymous" when not.
	User map[string]any
	// App is the name of the app, "" for none.
	App string
	// Context holds what else the request tells.
	Context map[string]any
	// Now is the start of the statement; fractions of a microsecond are cut.
	Now time.Time
}

// Question is one decision asked for.
type Question struct {
	Datasource, Table string
	Action            string
	// Old is the complete record as it stands, with related records under
	// their relations' names; nil for a create.
	Old map[string]any
	// New is the complete record that a write makes; for an edit nil means that
	// nothing changes.
	New map[string]any
	// Set names the columns that a write sets; nil asks nothing about columns.
	Set []string
}

// The actions of every table.
const (
	view   = "view"
	create = "create"
	edit   = "edit"
	remove = "delete"
)

// Decide answers one question of one request: whether it is allowed. What the
// document does not know is not allowed.
func (e *Engine) Decide(r *Request, q *Question) bool {
	s := e.sessions.Get().(*Session)
	s.once = true
	s.start(r)
	allowed := s.Decide(q)
	s.release()
	return allowed
}

// MayUse decides whether the request's user may use the app that it names.
func (e *Engine) MayUse(r *Request) bool {
	users, ok := e.appUsers[r.App]
	if !ok {
		return false
	}
	s := e.sessions.Get().(*Session)
	defer s.release()
	s.start(r)
	s.call.user, s.call.app, s.call.hasApp, s.call.shared = s.user, r.App, true, false
	return among(users, &s.call) == yes
}

// Decide answers one question.
func (s *Session) Decide(q *Question) bool {
	t := s.table(q.Datasource, q.Table)
	if t == nil {
		return false
	}
	x := &s.call.scratch
	d := decision{
		table: t, action: q.Action, arms: t.action(q.Action),
		old: x.record(0, t.schema, q.Old), new: x.record(newRow, t.schema, q.New), set: q.Set,
	}
	return s.decide(&d)
}

// decision is a question with its names found.
type decision struct {
	table    *table
	action   string
	arms     *arms // nil: the table has no such action
	old, new *Record
	set      []string
}

func (s *Session) decide(d *decision) bool {
	if d.arms == nil || !s.enter(d.table) {
		return false
	}
	if d.action == create {
		return d.new != nil && s.granted(d.arms, d.new, true) && s.guarded(d.table, d.new) && s.maySet(d, false)
	}
	return d.old != nil && s.allowed(d)
}

// allowed decides about an action on a record as it stands.
func (s *Session) allowed(d *decision) bool {
	if !s.granted(d.arms, d.old, false) || !s.guarded(d.table, d.old) {
		return false
	}
	switch d.action {
	case edit:
		next := d.new
		if next == nil {
			next = d.old
		}
		return s.granted(d.table.view, d.old, false) && s.granted(d.arms, next, true) &&
			s.granted(d.table.view, next, false) && s.guarded(d.table, next) && s.maySet(d, true)
	case remove:
		return s.granted(d.table.view, d.old, false)
	}
	return true
}

// granted reports whether some policy grants the action on the record; check
// asks the policies' conditions on new records.
func (s *Session) granted(list *arms, r *Record, check bool) bool {
	s.call.rows[0] = r
	if s.once && list.index == nil {
		return s.grantedOnce(list.all, check)
	}
	return s.open(list).grants(&s.call, check)
}

// grantedOnce is the same for the one decision of a session, which need not
// know of all arms whom they are for.
func (s *Session) grantedOnce(all []*arm, check bool) bool {
	for _, a := range all {
		if a.gate.opens(&s.call) && a.grants(&s.call, check) {
			return true
		}
	}
	return false
}

func (a *arm) grants(c *call, check bool) bool {
	if check {
		return a.check(c)
	}
	return a.when(c)
}

// guarded reports whether every guard passes: the user is surely outside it,
// or the record holds what it requires.
func (s *Session) guarded(t *table, r *Record) bool {
	s.call.rows[0] = r
	if s.once {
		for _, g := range t.guards {
			if !g.require(&s.call) && among(g.to, &s.call) != no {
				return false
			}
		}
		return true
	}
	for _, g := range s.bound(t) {
		if !g.require(&s.call) {
			return false
		}
	}
	return true
}

// maySet reports whether each column that a write sets is listed by a policy
// for the action that is for this request, is not masked for its user, and, for
// an edit, is seen by the user on the record as it stands.
func (s *Session) maySet(d *decision, seen bool) bool {
	for _, name := range d.set {
		number := d.table.schema.columnNumber(name)
		if number < 0 {
			return false
		}
		listed := s.open(d.arms).any(&s.call, func(a *arm) bool { return slices.Contains(a.columns, number) })
		if !listed || s.mask(d.table, number) != nil || seen && !s.sees(d.table, d.old, number) {
			return false
		}
	}
	return true
}

func (s *Session) sees(t *table, r *Record, column int) bool {
	s.call.rows[0] = r
	return s.open(t.view).any(&s.call, func(a *arm) bool {
		return slices.Contains(a.columns, column) && a.when(&s.call)
	})
}

// Filter returns the numbers of the records to which the action is allowed as
// they stand (for an edit: when nothing changes).
func (s *Session) Filter(datasource, tableName, action string, records []map[string]any) []int {
	t := s.table(datasource, tableName)
	if t == nil || action == create {
		return nil
	}
	f := s.filter(t, action, t.action(action))
	var out []int
	for i, doc := range records {
		if doc != nil && f.allows(s.call.scratch.record(0, t.schema, doc)) {
			out = append(out, i)
		}
	}
	return out
}

// Columns names the columns of a record that the user sees, as they are stored
// or masked, in the table's order; none when the record may not be viewed.
func (s *Session) Columns(datasource, tableName string, doc map[string]any) []string {
	t := s.table(datasource, tableName)
	if t == nil || doc == nil || !s.enter(t) {
		return nil
	}
	r := s.call.scratch.record(0, t.schema, doc)
	if !s.guarded(t, r) {
		return nil
	}
	s.call.rows[0] = r
	s.shown = append(s.shown[:0], make([]bool, len(t.schema.columns))...)
	s.open(t.view).any(&s.call, func(a *arm) bool {
		if a.when(&s.call) {
			for _, number := range a.columns {
				s.shown[number] = true
			}
		}
		return false // all of them count
	})
	var out []string
	for number := range t.schema.columns {
		if s.shown[number] {
			out = append(out, t.schema.columns[number].name)
		}
	}
	return out
}

package engine

import (
	"slices"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
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
)

// Session answers several questions of one request; the user is resolved
// once. It is for one goroutine at a time, and reads the request's documents
// as long as it lives.
type Session struct {
	engine *Engine
	user   *user
	app    string
	call   call
	shown  []bool
}

// Session starts a session.
func (e *Engine) Session(r *Request) *Session {
	s := e.newSession()
	s.start(r)
	return s
}

func (e *Engine) newSession() *Session {
	s := &Session{engine: e, user: e.newUser()}
	s.call.context = make([]any, len(e.contextAttrs))
	return s
}

func (s *Session) start(r *Request) {
	s.app = r.App
	s.call.now = r.Now.UnixMicro()
	s.engine.resolve(s.user, r.User)
	for i := range s.engine.contextAttrs {
		s.call.context[i] = s.engine.contextAttrs[i].raw(r.Context)
	}
}

// release forgets the request's documents.
func (s *Session) release() {
	s.user.clear()
	clear(s.call.context)
	clear(s.call.rows[:])
	s.engine.sessions.Put(s)
}

// Decide answers one question of one request: whether it is allowed. What the
// document does not know is not allowed.
func (e *Engine) Decide(r *Request, q *Question) bool {
	s := e.sessions.Get().(*Session)
	defer s.release()
	s.start(r)
	return s.Decide(q)
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

// enter takes the way into the table, and reports whether there is one and the
// user may take it.
func (s *Session) enter(t *table) bool {
	c := &s.call
	c.user, c.app, c.hasApp, c.shared = s.user, "", false, false
	if len(t.datasource.apps) == 0 {
		return true
	}
	asUser, ok := t.datasource.apps[s.app]
	if !ok {
		return false
	}
	c.app, c.hasApp, c.shared = s.app, true, !asUser
	if c.shared {
		c.user = s.engine.nobody
		return true
	}
	return among(s.engine.appUsers[s.app], c) == yes
}

// Decide answers one question.
func (s *Session) Decide(q *Question) bool {
	t := s.engine.tables[document.TableRef{Datasource: q.Datasource, Table: q.Table}]
	if t == nil || !s.enter(t) {
		return false
	}
	if q.Action == create {
		return q.New != nil && s.granted(t.arms[create], q.New, true) && s.guarded(t, q.New) && s.maySet(t, q, false)
	}
	return q.Old != nil && s.allowed(t, q)
}

// allowed decides about an action on a record as it stands.
func (s *Session) allowed(t *table, q *Question) bool {
	if !s.granted(t.arms[q.Action], q.Old, false) || !s.guarded(t, q.Old) {
		return false
	}
	switch q.Action {
	case edit:
		next := q.New
		if next == nil {
			next = q.Old
		}
		return s.granted(t.arms[view], q.Old, false) && s.granted(t.arms[edit], next, true) &&
			s.granted(t.arms[view], next, false) && s.guarded(t, next) && s.maySet(t, q, true)
	case "delete":
		return s.granted(t.arms[view], q.Old, false)
	}
	return true
}

// granted reports whether some policy grants the action on the record; check
// asks the policies' conditions on new records.
func (s *Session) granted(arms []*arm, doc map[string]any, check bool) bool {
	s.call.rows[0] = doc
	for _, a := range arms {
		when := a.when
		if check {
			when = a.check
		}
		if a.gate.opens(&s.call) && when(&s.call) {
			return true
		}
	}
	return false
}

// guarded reports whether every guard passes: the user is surely outside it,
// or the record holds what it requires.
func (s *Session) guarded(t *table, doc map[string]any) bool {
	s.call.rows[0] = doc
	for _, g := range t.guards {
		if !g.require(&s.call) && among(g.to, &s.call) != no {
			return false
		}
	}
	return true
}

// maySet reports whether each column that a write sets is listed by a policy
// for the action that is for this request, is not masked for its user, and, for
// an edit, is seen by the user on the record as it stands.
func (s *Session) maySet(t *table, q *Question, seen bool) bool {
	for _, name := range q.Set {
		number := slices.Index(t.columns, name)
		if number < 0 {
			return false
		}
		listed := slices.ContainsFunc(t.arms[q.Action], func(a *arm) bool {
			return slices.Contains(a.columns, number) && a.gate.opens(&s.call)
		})
		if !listed || s.mask(t, number) != nil || seen && !s.sees(t, q.Old, number) {
			return false
		}
	}
	return true
}

func (s *Session) sees(t *table, doc map[string]any, column int) bool {
	s.call.rows[0] = doc
	return slices.ContainsFunc(t.arms[view], func(a *arm) bool {
		return slices.Contains(a.columns, column) && a.gate.opens(&s.call) && a.when(&s.call)
	})
}

// Filter returns the numbers of the records to which the action is allowed as
// they stand (for an edit: when nothing changes).
func (s *Session) Filter(datasource, tableName, action string, records []map[string]any) []int {
	t := s.engine.tables[document.TableRef{Datasource: datasource, Table: tableName}]
	if t == nil || action == create || !s.enter(t) {
		return nil
	}
	q := Question{Action: action}
	var out []int
	for i, doc := range records {
		if q.Old = doc; doc != nil && s.allowed(t, &q) {
			out = append(out, i)
		}
	}
	return out
}

// Columns names the columns of a record that the user sees, as they are stored
// or masked, in the table's order; none when the record may not be viewed.
func (s *Session) Columns(datasource, tableName string, doc map[string]any) []string {
	t := s.engine.tables[document.TableRef{Datasource: datasource, Table: tableName}]
	if t == nil || doc == nil || !s.enter(t) || !s.guarded(t, doc) {
		return nil
	}
	s.call.rows[0] = doc
	s.shown = append(s.shown[:0], make([]bool, len(t.columns))...)
	for _, a := range t.arms[view] {
		if !a.gate.opens(&s.call) || !a.when(&s.call) {
			continue
		}
		for _, number := range a.columns {
			s.shown[number] = true
		}
	}
	var out []string
	for number, name := range t.columns {
		if s.shown[number] {
			out = append(out, name)
		}
	}
	return out
}

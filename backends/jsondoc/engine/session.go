package engine

import "github.com/postern-dev/postern/backends/jsondoc/document"

// Session answers several questions of one request; the user is resolved
// once, and so is whom the policies of a table are for. It is for one goroutine
// at a time, and reads the request's documents as long as it lives.
type Session struct {
	engine *Engine
	user   *user
	app    string
	call   call
	shown  []bool
	once   bool // it answers one question

	last    *table // the table asked for last
	filters filter // the filter that runs

	// What follows is of one way into one datasource.
	entered  *datasource
	mayEnter bool
	opened   [opened]openArms
	next     int
	boundTo  *table
	guards   []*guard
}

// opened is how many actions' policies a session remembers.
const opened = 4

// Session starts a session.
func (e *Engine) Session(r *Request) *Session {
	s := e.newSession()
	s.start(r)
	return s
}

func (e *Engine) newSession() *Session {
	s := &Session{engine: e, user: e.newUser()}
	s.call.context = make([]slot, len(e.contextAttrs))
	return s
}

func (s *Session) start(r *Request) {
	s.app = r.App
	s.call.now = r.Now.UnixMicro()
	s.leave()
	s.engine.resolve(s.user, r.User)
	s.call.stated = r.Context
	for i := range s.call.context {
		s.call.context[i].state = unread
	}
}

// release forgets the request's documents.
func (s *Session) release() {
	s.user.clear()
	clear(s.call.context)
	s.call.stated = nil
	clear(s.call.rows[:])
	s.call.scratch.forget()
	s.leave()
	s.once = false
	s.engine.sessions.Put(s)
}

// leave forgets the way in, and what is known of it.
func (s *Session) leave() {
	s.entered, s.boundTo = nil, nil
	for i := range s.opened {
		s.opened[i].of = nil
	}
}

// table finds a table, or nil.
func (s *Session) table(datasource, name string) *table {
	if t := s.last; t != nil && t.ref.Table == name && t.ref.Datasource == datasource {
		return t
	}
	t := s.engine.tables[document.TableRef{Datasource: datasource, Table: name}]
	if t != nil {
		s.last = t
	}
	return t
}

// enter takes the way into the table's datasource, and reports whether there
// is one and the user may take it.
func (s *Session) enter(t *table) bool {
	if s.entered != t.datasource {
		s.leave()
		s.entered, s.mayEnter = t.datasource, s.takeWay(t.datasource)
	}
	return s.mayEnter
}

func (s *Session) takeWay(d *datasource) bool {
	c := &s.call
	c.user, c.app, c.hasApp, c.shared = s.user, "", false, false
	if len(d.apps) == 0 {
		return true
	}
	asUser, ok := d.apps[s.app]
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

// open is the arms of an action that are for the request. They are good until as
// many other actions have been asked for as a session remembers.
func (s *Session) open(list *arms) *openArms {
	for i := range s.opened {
		if o := &s.opened[i]; o.of == list {
			return o
		}
	}
	o := &s.opened[s.next]
	s.next = (s.next + 1) % opened
	list.open(&s.call, o)
	return o
}

// bound is the guards of a table that the user is not surely outside of.
func (s *Session) bound(t *table) []*guard {
	if s.boundTo == t {
		return s.guards
	}
	s.boundTo, s.guards = t, s.guards[:0]
	for _, g := range t.guards {
		if among(g.to, &s.call) != no {
			s.guards = append(s.guards, g)
		}
	}
	return s.guards
}

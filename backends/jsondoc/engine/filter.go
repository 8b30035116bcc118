package engine

// filter asks the same of many records; what does not depend on the record is
// found once.
type filter struct {
	session  *Session
	decision decision
	none     bool // nothing is allowed
	plain    bool // allowed is what a policy grants and no guard refuses
	arms     *openArms
	guards   []*guard
}

// filter is the session's one filter, made ready.
func (s *Session) filter(t *table, action string, list *arms) *filter {
	f := &s.filters
	*f = filter{session: s, decision: decision{table: t, action: action, arms: list}, plain: action != edit && action != remove}
	if f.none = list == nil || !s.enter(t); !f.none {
		f.arms, f.guards = s.open(list), s.bound(t)
	}
	return f
}

func (f *filter) allows(r *Record) bool {
	if f.none {
		return false
	}
	if !f.plain {
		f.decision.old = r
		return f.session.allowed(&f.decision)
	}
	c := &f.session.call
	c.rows[0] = r
	return f.arms.grants(c, false) && f.passes(c)
}

func (f *filter) passes(c *call) bool {
	for _, g := range f.guards {
		if !g.require(c) {
			return false
		}
	}
	return true
}

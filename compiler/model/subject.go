package model

// Within is the condition under which a request's user is surely among the
// subjects.
func (p *Program) Within(subjects []Subject) Cond {
	var arms []Cond
	for _, s := range subjects {
		arms = append(arms, p.subjectCond(s, false))
	}
	return AnyOf(arms...)
}

// Outside is the condition under which a request's user is surely among none
// of the subjects.
func (p *Program) Outside(subjects []Subject) Cond {
	var all []Cond
	for _, s := range subjects {
		all = append(all, p.subjectCond(s, true))
	}
	return AllOf(all...)
}

func (p *Program) subjectCond(s Subject, not bool) Cond {
	switch x := s.(type) {
	case Everyone:
		if not {
			return False{}
		}
		return True{}
	case GroupSubject:
		return &In{Elem: text(x.Group.Name), Set: &GroupsRef{Node: Node{Type: StringSet}}, Not: not}
	case UserSubject:
		op := Equal
		if not {
			op = NotEqual
		}
		key := p.Identity.Key
		return &Compare{
			Op: op, X: &AttrRef{Node: Node{Type: key.Type}, Attribute: key},
			Y: &Literal{Node: Node{Type: key.Type}, Value: x.User.Key},
		}
	case LevelSubject:
		names := make([]Value, len(x.Level.AtLeast))
		for i, l := range x.Level.AtLeast {
			names[i] = l.Name
		}
		return &In{
			Elem: &LevelRef{Node: Node{Type: String}},
			Set:  &Literal{Node: Node{Type: StringSet}, Value: NewSet(names)}, Not: not,
		}
	case AppSubject:
		return &ViaApp{App: x.App, Not: not}
	}
	return False{}
}

func text(s string) Expr { return &Literal{Node: Node{Type: String}, Value: s} }

// Gate is the condition under which a policy applies to a request at all: its
// user is surely within To, and it comes through one of Via. asApp says that
// the request comes through an app connected `as = "app"`, where only
// policies count that name the app itself.
func (p *Program) Gate(pol *Policy, asApp bool) Cond {
	return p.gate(pol, counting(pol, asApp))
}

// counting is those of a policy's subjects that count: through an app that
// shares its access among all users, the apps alone.
func counting(pol *Policy, asApp bool) []Subject {
	if !asApp {
		return pol.To
	}
	var to []Subject
	for _, s := range pol.To {
		if a, ok := s.(AppSubject); ok {
			to = append(to, a)
		}
	}
	return to
}

// gate is the condition that a request is surely within some of a policy's
// subjects and comes through one of its apps.
func (p *Program) gate(pol *Policy, to []Subject) Cond {
	gate := p.Within(to)
	if pol.Via == nil {
		return gate
	}
	var via []Cond
	for _, a := range pol.Via {
		via = append(via, &ViaApp{App: a})
	}
	return AllOf(AnyOf(via...), gate)
}

package engine

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// answer is true, false or unknown.
type answer int

const (
	no answer = iota
	unknown
	yes
)

func answerOf(known, is bool) answer {
	switch {
	case !known:
		return unknown
	case is:
		return yes
	}
	return no
}

// subject tells whether the request's user is one.
type subject func(c *call) answer

// among is whether the user is one of the subjects: yes when it is surely one,
// no when it is surely none.
func among(list []subject, c *call) answer {
	result := no
	for _, is := range list {
		switch is(c) {
		case yes:
			return yes
		case unknown:
			result = unknown
		case no:
		}
	}
	return result
}

func (e *Engine) subjects(list []document.Subject) ([]subject, error) {
	out := make([]subject, 0, len(list))
	for _, s := range list {
		is, err := e.subject(s)
		if err != nil {
			return nil, err
		}
		out = append(out, is)
	}
	return out, nil
}

func (e *Engine) subject(s document.Subject) (subject, error) {
	switch s.Kind {
	case document.Everyone:
		return func(*call) answer { return yes }, nil
	case document.GroupSubject:
		number := e.groups[s.Name]
		return func(c *call) answer { return answerOf(c.user.groupsKnown, c.user.groups.has(number)) }, nil
	case document.LevelSubject:
		atLeast := e.levels[s.Name]
		return func(c *call) answer {
			return answerOf(c.user.levelKnown, slices.Contains(atLeast, c.user.level))
		}, nil
	case document.UserSubject:
		number := e.directory.byName[s.Name]
		return func(c *call) answer { return answerOf(c.user.keyKnown, c.user.entry == number) }, nil
	case document.AppSubject:
		name := s.Name
		return func(c *call) answer { return answerOf(true, c.hasApp && c.app == name) }, nil
	}
	return nil, fmt.Errorf("the subject kind %q is not known", s.Kind)
}

// gate is whom a policy is for.
type gate struct {
	to     []subject
	toApps []subject // those of to that are apps
	group  int       // the number of the group that to is alone, or -1
	anyApp bool      // without via
	via    []string
}

func (e *Engine) gate(p *document.Policy) (g gate, err error) {
	if g.to, err = e.subjects(p.To); err != nil {
		return g, err
	}
	for i, s := range p.To {
		if s.Kind == document.AppSubject {
			g.toApps = append(g.toApps, g.to[i])
		}
	}
	g.group = -1
	if len(p.To) == 1 && p.To[0].Kind == document.GroupSubject {
		g.group = e.groups[p.To[0].Name]
	}
	g.anyApp = p.Via == nil
	if p.Via != nil {
		g.via = *p.Via
	}
	return g, nil
}

// opens reports whether the request is surely among those a policy is for.
// Through an app whose users share its access only the app itself counts.
func (g *gate) opens(c *call) bool {
	switch {
	case c.shared:
		return among(g.toApps, c) == yes && g.through(c)
	case g.group >= 0: // what most policies are for
		return c.user.groupsKnown && c.user.groups.has(g.group) && g.through(c)
	}
	return among(g.to, c) == yes && g.through(c)
}

// through reports whether the policy may be used through the request's app.
func (g *gate) through(c *call) bool { return g.anyApp || c.hasApp && slices.Contains(g.via, c.app) }

package engine

import "github.com/postern-dev/postern/backends/jsondoc/document"

// arms are the policies' parts in one action on one table.
type arms struct {
	all   []*arm
	index *index // nil when all are looked at one by one
}

// fewArms is up to how many arms are faster looked at one by one.
const fewArms = 8

// index finds the arms by whom they are for, so that the policies for others
// cost nothing.
type index struct {
	everyone []*arm
	groups   map[int][]*arm
	levels   map[string][]*arm // by the level of the user
	entries  map[int][]*arm    // by the directory entry of the user
	apps     map[string][]*arm
}

// index makes the indexes of all actions that have many arms.
func (e *Engine) index(*document.Document) error {
	for _, t := range e.tables {
		for _, a := range t.actions {
			if len(a.arms.all) > fewArms {
				a.arms.index = e.indexOf(a.arms.all)
			}
		}
	}
	return nil
}

func (e *Engine) indexOf(all []*arm) *index {
	x := &index{groups: map[int][]*arm{}, levels: map[string][]*arm{}, entries: map[int][]*arm{}, apps: map[string][]*arm{}}
	for _, a := range all {
		for _, s := range a.policy.To {
			switch s.Kind {
			case document.Everyone:
				x.everyone = append(x.everyone, a)
			case document.GroupSubject:
				number := e.groups[s.Name]
				x.groups[number] = append(x.groups[number], a)
			case document.LevelSubject:
				for _, level := range e.levels[s.Name] {
					x.levels[level] = append(x.levels[level], a)
				}
			case document.UserSubject:
				number := e.directory.byName[s.Name]
				x.entries[number] = append(x.entries[number], a)
			case document.AppSubject:
				x.apps[s.Name] = append(x.apps[s.Name], a)
			}
		}
	}
	return x
}

// open appends the arms that are for the request to list; one that is for it
// in several ways may be there several times.
func (a *arms) open(c *call, list []*arm) []*arm {
	if a.index == nil {
		for _, arm := range a.all {
			if arm.gate.opens(c) {
				list = append(list, arm)
			}
		}
		return list
	}
	x := a.index
	if c.hasApp {
		list = through(c, list, x.apps[c.app])
	}
	if c.shared {
		return list // only the app itself counts
	}
	list = through(c, list, x.everyone)
	if c.user.levelKnown {
		list = through(c, list, x.levels[c.user.level])
	}
	if c.user.groupsKnown {
		for _, number := range c.user.members {
			list = through(c, list, x.groups[number])
		}
	}
	if c.user.keyKnown {
		list = through(c, list, x.entries[c.user.entry])
	}
	return list
}

// through appends the arms that may be used through the request's app.
func through(c *call, list, found []*arm) []*arm {
	for _, a := range found {
		if a.gate.through(c) {
			list = append(list, a)
		}
	}
	return list
}

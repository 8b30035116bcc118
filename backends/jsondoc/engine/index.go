package engine

import (
	"slices"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

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
	everyone share
	groups   map[int]share
	levels   map[string]share // by the level of the user
	entries  map[int]share    // by the directory entry of the user
	apps     map[string]share
}

// share is the arms for one subject: looked at one by one, or found.
type share struct {
	each  []*arm
	found *bucket // nil: each of them is looked at
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
	x := &index{groups: map[int]share{}, levels: map[string]share{}, entries: map[int]share{}, apps: map[string]share{}}
	for _, a := range all {
		for _, s := range a.policy.To {
			switch s.Kind {
			case document.Everyone:
				x.everyone.each = append(x.everyone.each, a)
			case document.GroupSubject:
				addTo(x.groups, e.groups[s.Name], a)
			case document.LevelSubject:
				for _, level := range e.levels[s.Name] {
					addTo(x.levels, level, a)
				}
			case document.UserSubject:
				addTo(x.entries, e.directory.byName[s.Name], a)
			case document.AppSubject:
				addTo(x.apps, s.Name, a)
			}
		}
	}
	x.everyone.found = newBucket(x.everyone.each)
	find(x.groups)
	find(x.levels)
	find(x.entries)
	find(x.apps)
	return x
}

func addTo[K comparable](shares map[K]share, k K, a *arm) {
	shares[k] = share{each: append(shares[k].each, a)}
}

func find[K comparable](shares map[K]share) {
	for k, p := range shares {
		shares[k] = share{each: p.each, found: newBucket(p.each)}
	}
}

// open puts the arms that are for the request into o; one that is for it in
// several ways may be there several times.
func (a *arms) open(c *call, o *openArms) {
	o.of, o.each, o.found = a, o.each[:0], o.found[:0]
	if a.index == nil {
		for _, arm := range a.all {
			if arm.gate.opens(c) {
				o.each = append(o.each, arm)
			}
		}
		return
	}
	x := a.index
	if c.hasApp {
		o.add(c, x.apps[c.app])
	}
	if c.shared {
		return // only the app itself counts
	}
	o.add(c, x.everyone)
	if c.user.levelKnown {
		o.add(c, x.levels[c.user.level])
	}
	if c.user.groupsKnown {
		for _, number := range c.user.members {
			o.add(c, x.groups[number])
		}
	}
	if c.user.keyKnown {
		o.add(c, x.entries[c.user.entry])
	}
}

// openArms are the arms of an action that are for the session's request.
type openArms struct {
	of    *arms
	each  []*arm
	found []*bucket // whose arms may be used through the request's app, or not
}

// add adds the arms that may be used through the request's app.
func (o *openArms) add(c *call, p share) {
	if p.found != nil {
		o.found = append(o.found, p.found)
		return
	}
	for _, a := range p.each {
		if a.gate.through(c) {
			o.each = append(o.each, a)
		}
	}
}

// grants reports whether one of the arms grants the call's record; check asks
// the policies' conditions on new records.
func (o *openArms) grants(c *call, check bool) bool {
	for _, a := range o.each {
		if a.grants(c, check) {
			return true
		}
	}
	for _, b := range o.found {
		if b.grants(c, check) {
			return true
		}
	}
	return false
}

// any reports whether some arm is as asked.
func (o *openArms) any(c *call, is func(*arm) bool) bool {
	if slices.ContainsFunc(o.each, is) {
		return true
	}
	for _, b := range o.found {
		if slices.ContainsFunc(b.all, func(a *arm) bool { return a.gate.through(c) && is(a) }) {
			return true
		}
	}
	return false
}

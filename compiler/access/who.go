package access

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// userUnknown is what a request tells: its claims, before the directory and
// nested groups.
type userUnknown struct {
	attributes map[string]*attributeUnknown
	levels     []string // that either program has
	level      operand  // known: it is one of levels
	groups     operand
	// Where the programs tell users by different keys, a request that states no
	// level is of a user to the one and of nobody to the other: by program, the
	// level.
	unstated *smt.F
	byKey    map[*model.Program]operand
}

type attributeUnknown struct {
	attribute *model.Attribute
	origin    string // see side.origin
	operand
}

func newUserUnknown(e *encoder) *userUnknown {
	u := &userUnknown{attributes: map[string]*attributeUnknown{}}
	u.groups = operand{typ: model.StringSet, known: e.s.Truth(true), set: e.newSet(model.String), key: "groups"}
	return u
}

// levels makes the access level one of those that the programs have.
func (e *encoder) levels(programs ...*model.Program) {
	for _, p := range programs {
		for _, l := range p.Levels {
			if !slices.Contains(e.user.levels, l.Name) {
				e.user.levels = append(e.user.levels, l.Name)
			}
		}
	}
	t := e.s.Text(smt.TextFacts{OneOf: e.user.levels})
	e.user.level = operand{typ: model.String, known: e.s.Truth(true), text: &t, key: "level"}
	if e.keys {
		e.user.unstated, e.user.byKey = e.s.Truth(false), map[*model.Program]operand{}
		for _, p := range programs {
			e.levelByKey(p)
		}
	}
	if !e.apart() {
		e.s.Assert(smt.Implies(e.anonymous(), smt.Not(e.user.groups.known)))
	}
}

// apart reports whether the programs may take one request to be of different
// levels: then what an anonymous request states is looked at for each.
func (e *encoder) apart() bool { return e.pinned || e.keys }

// levelByKey is the level of a request as a program takes it.
func (e *encoder) levelByKey(p *model.Program) {
	u, t := e.user, e.s.Text(smt.TextFacts{OneOf: e.user.levels})
	key := e.told(p.Identity.Key, "").known
	is := func(level string) *smt.F { return e.s.Same(t, e.s.Fixed(level)) }
	e.s.Assert(smt.Or(u.unstated, e.s.Same(t, *u.level.text)))
	e.s.Assert(smt.Or(smt.Not(u.unstated), smt.Not(key), is(model.LevelUser)))
	e.s.Assert(smt.Or(smt.Not(u.unstated), key, is(model.LevelAnonymous)))
	o := u.level
	o.text, o.known, o.key = &t, smt.Or(u.unstated, u.level.known), o.key+" by "+attributeKey(p.Identity.Key)
	u.byKey[p] = o
}

// anonymous is that the request states so; what states nothing at all is the
// same to every program.
func (e *encoder) anonymous() *smt.F {
	return smt.And(e.user.level.known, e.s.Same(*e.user.level.text, e.s.Fixed(model.LevelAnonymous)))
}

// stated is an attribute as the request states it.
func (e *encoder) stated(a *model.Attribute) operand { return e.told(a, "") }

// told is an attribute as it is told from one origin: another one may tell
// something else.
func (e *encoder) told(a *model.Attribute, origin string) operand {
	key := attributeKey(a)
	if origin != "" {
		key += " from " + origin
	}
	u, ok := e.user.attributes[key]
	if !ok {
		u = &attributeUnknown{attribute: a, origin: origin, operand: e.scalar(a.Type, "")}
		u.known, u.key = e.s.Truth(true), key
		if a.Scope == model.ScopeUser && !e.apart() {
			// An anonymous user's claims count for nothing, so there are none.
			e.s.Assert(smt.Implies(e.anonymous(), smt.Not(u.known)))
		}
		e.user.attributes[key] = u
	}
	return u.operand
}

// nobody reports whether the directory makes the user anonymous.
func (v *viewer) nobody() bool {
	return v.entry != nil && v.entry.Level != nil && v.entry.Level.Name == model.LevelAnonymous
}

// counts is the condition under which what the request states of its user
// counts: its level is not anonymous.
func (v *viewer) counts() *smt.F {
	if !v.apart() || v.entry != nil && v.entry.Level != nil {
		return smt.True // told says it already; or the directory's level counts
	}
	level := v.level()
	return smt.Not(smt.And(level.known, v.s.Same(*level.text, v.s.Fixed(model.LevelAnonymous))))
}

func (v *viewer) attribute(a *model.Attribute) operand {
	if a.Scope == model.ScopeUser {
		if v.nobody() {
			return absent(a.Type)
		}
		if v.entry != nil {
			for _, pin := range v.entry.Attributes {
				if pin.Attribute == a {
					return v.pin(pin.Value, a.Type)
				}
			}
		}
	}
	o := v.told(a, v.side.origin(a))
	if a.Scope == model.ScopeUser {
		o.known = smt.And(o.known, v.counts())
	}
	return o
}

// pin is a value that the directory states.
func (v *viewer) pin(val model.Value, t model.Type) operand {
	if val == nil {
		return absent(t)
	}
	o := v.literal(val, t)
	o.known = v.counts()
	return o
}

func (v *viewer) level() operand {
	if v.entry != nil && v.entry.Level != nil {
		return v.literal(v.entry.Level.Name, model.String)
	}
	o := v.user.level
	if v.keys {
		o = v.user.byKey[v.side.program]
	}
	if len(v.side.program.Levels) < len(v.user.levels) {
		var known []*smt.F
		for _, l := range v.side.program.Levels {
			known = append(known, v.s.Same(*o.text, v.s.Fixed(l.Name)))
		}
		o.known = smt.And(o.known, smt.Or(known...))
	}
	return o
}

func (v *viewer) groups() operand {
	if v.nobody() {
		return absent(model.StringSet)
	}
	if v.entry != nil && v.entry.Groups != nil {
		var names []model.Value
		for _, g := range v.entry.Groups {
			for _, above := range g.Closure {
				names = append(names, above)
			}
		}
		return operand{typ: model.StringSet, known: v.counts(), list: model.NewSet(names)}
	}
	o := v.user.groups
	o.known = smt.And(o.known, v.counts())
	return o
}

// amongGroups is that a name is one of the stated groups or above one of them.
func (v *viewer) amongGroups(name operand, stated *setUnknown) *smt.F {
	arms := []*smt.F{stated.contains(name)}
	for _, g := range v.side.program.Groups {
		for _, above := range g.Closure {
			if above == g.Name {
				continue
			}
			is := v.equal(name, v.literal(above, model.String))
			if !is.IsFalse() {
				arms = append(arms, smt.And(is, stated.contains(v.literal(g.Name, model.String))))
			}
		}
	}
	return smt.Or(arms...)
}

// claims is the claims document in a model; false when a value cannot be given.
func (e *encoder) claims(q *question, m *smt.Model, named, brief bool) (map[string]any, bool) {
	level := "no such level"
	if m.Holds(e.user.level.known) {
		level = m.Text(*e.user.level.text)
	}
	if level == model.LevelAnonymous && !named && !e.keys {
		return nil, true
	}
	doc := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(e.user.attributes)) {
		u := e.user.attributes[key]
		needed := !brief || u.relevant(m) || attributeKey(u.attribute) == attributeKey(q.cell.comparer.new.Identity.Key)
		if u.attribute.Scope == model.ScopeUser && needed && !put(doc, u, m) {
			return nil, false
		}
	}
	if e.user.unstated == nil || !m.Holds(e.user.unstated) {
		doc["access_level"] = level
	}
	if m.Holds(e.user.groups.known) {
		v, ok := e.user.groups.set.value(m)
		if !ok {
			return nil, false
		}
		doc["groups"] = model.JSON(v, model.StringSet, "")
	}
	return doc, true
}

// context is the request document in a model.
func (e *encoder) context(m *smt.Model, brief bool) (map[string]any, bool) {
	var doc map[string]any
	for _, key := range slices.Sorted(maps.Keys(e.user.attributes)) {
		u := e.user.attributes[key]
		if u.attribute.Scope != model.ScopeRequest || brief && !u.relevant(m) {
			continue
		}
		if doc == nil {
			doc = map[string]any{}
		}
		if !put(doc, u, m) {
			return nil, false
		}
	}
	return doc, true
}

// put writes an attribute at its claim path, if it is known.
func put(doc map[string]any, u *attributeUnknown, m *smt.Model) bool {
	if !m.Holds(u.known) {
		return true
	}
	v, ok := u.value(m)
	if !ok {
		return false
	}
	for _, step := range u.attribute.Claim[:len(u.attribute.Claim)-1] {
		next, ok := doc[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			doc[step] = next
		}
		doc = next
	}
	doc[u.attribute.Claim[len(u.attribute.Claim)-1]] = model.JSON(v, u.attribute.Type, "")
	return true
}

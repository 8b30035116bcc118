package engine

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// user is what is known of a request's user after the directory and nested
// groups.
type user struct {
	level       string
	levelKnown  bool
	groupsKnown bool
	groups      bitset   // of the project's groups
	members     []int    // the numbers of the same groups
	others      []string // groups that the project does not have
	attrs       []slot   // by number of attribute
	claims      map[string]any
	entry       int // number of the directory entry with the user's key, or -1
	keyKnown    bool
}

type bitset []uint64

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// clear makes nothing known of the user, not even that it is anonymous.
func (u *user) clear() {
	u.level, u.levelKnown, u.groupsKnown, u.entry, u.keyKnown = "", false, false, -1, false
	u.clearGroups()
	clear(u.attrs)
	u.claims = nil
}

func (u *user) clearGroups() {
	for _, number := range u.members {
		u.groups[number/64] = 0
	}
	u.members = u.members[:0]
	clear(u.others)
	u.others = u.others[:0]
}

// join puts the user into groups.
func (u *user) join(numbers []int) {
	for _, number := range numbers {
		if !u.groups.has(number) {
			u.groups.set(number)
			u.members = append(u.members, number)
		}
	}
}

// attribute is a declared attribute.
type attribute struct {
	name  string
	typ   document.Type
	claim []string
	fill  filler
}

// put leaves a raw value in a slot, to be looked at when it is needed.
func (s *slot) put(raw any) {
	s.more, s.state = raw, null
	if raw != nil {
		s.state = unread
	}
}

// read is the slot with its value decoded; one that nothing was put into is
// read from doc.
func (a *attribute) read(s *slot, doc map[string]any) *slot {
	if s.state == unread {
		a.decode(s, doc)
	}
	return s
}

func (a *attribute) decode(s *slot, doc map[string]any) {
	raw := s.more
	if raw == nil {
		raw = a.raw(doc)
	}
	if raw == nil {
		s.state = null
		return
	}
	a.fill(s, raw)
}

// raw reads the value at the claim path, nil when there is none.
func (a *attribute) raw(doc map[string]any) any {
	for _, step := range a.claim[:len(a.claim)-1] {
		next, ok := doc[step].(map[string]any)
		if !ok {
			return nil
		}
		doc = next
	}
	return doc[a.claim[len(a.claim)-1]]
}

// directory holds the entries and what finds them.
type directory struct {
	entries []entry
	byKey   map[key]int
	byName  map[string]int
}

// entry is what one directory entry states.
type entry struct {
	level        string // "": not stated
	statesGroups bool
	groups       []int // with those above
	attrs        []statedAttr
}

type statedAttr struct {
	number int
	raw    any // nil: the user has none
}

// key is a value of the identity's key attribute; equal values are ==.
type key struct {
	text string
	i    int64
	uuid uuid
	ip   netip.Addr
}

// keyReader makes the key of a slot of the key attribute; false when its value
// is not known.
func keyReader(t document.Type) (func(*slot) (key, bool), error) {
	switch familyOf(t.Kind) {
	case famText:
		return func(s *slot) (key, bool) { return key{text: s.text}, s.state == known }, nil
	case famUUID:
		return func(s *slot) (key, bool) { return key{uuid: s.bytes}, s.state == known }, nil
	case famTime:
		return func(s *slot) (key, bool) { return key{i: s.int()}, s.state == known }, nil
	case famIP:
		return func(s *slot) (key, bool) { return key{ip: s.ip()}, s.state == known }, nil
	case famNum:
		return func(s *slot) (key, bool) { return numKey(s.num()), s.state == known }, nil
	case famBool:
		return func(s *slot) (key, bool) { return key{text: boolText(s.truth)}, s.state == known }, nil
	case famDuration, famSet:
	}
	return nil, fmt.Errorf("the identity's key has the type %q, which names nobody", t.Kind)
}

// keyOf is the key that a raw value is.
func (e *Engine) keyOf(raw any) (key, bool) {
	var s slot
	s.put(raw)
	return e.readKey(e.userAttrs[e.keyAttr].read(&s, nil))
}

// numKey is the whole numbers of 64 bits as they are and the rest as text.
func numKey(n num) key {
	if n.big == nil && n.scale == 0 {
		return key{i: n.i}
	}
	return key{text: n.scaled().String()}
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// resolve reads the claims into u: nil claims are an anonymous user; what the
// directory states replaces what the claims say; at level anonymous groups
// and attributes are unknown. Nothing may be known of u yet.
func (e *Engine) resolve(u *user, claims map[string]any) {
	if claims == nil {
		u.level, u.levelKnown = document.LevelAnonymous, true
		return
	}
	u.claims = claims
	at := &u.attrs[e.keyAttr]
	at.state = unread
	k, isKnown := e.readKey(e.userAttrs[e.keyAttr].read(at, claims))
	found := -1
	if isKnown && len(e.directory.byKey) > 0 {
		if i, ok := e.directory.byKey[k]; ok {
			found = i
		}
	}
	u.level, u.levelKnown = e.levelOf(claims, isKnown, found)
	if u.levelKnown && u.level == document.LevelAnonymous {
		*at = slot{}
		return
	}
	for i := range u.attrs {
		if i != e.keyAttr {
			u.attrs[i].state = unread
		}
	}
	u.entry, u.keyKnown = found, isKnown
	if found >= 0 {
		e.applyEntry(u, &e.directory.entries[found])
	}
	if found < 0 || !e.directory.entries[found].statesGroups {
		e.readGroups(u, claims["groups"])
	}
}

func (e *Engine) applyEntry(u *user, d *entry) {
	for _, a := range d.attrs {
		u.attrs[a.number].put(a.raw)
		if a.number != e.keyAttr {
			continue
		}
		var k key
		k, u.keyKnown = e.keyOf(a.raw)
		u.entry = -1
		if i, ok := e.directory.byKey[k]; ok && u.keyKnown {
			u.entry = i
		}
	}
	if d.statesGroups {
		u.groupsKnown = true
		u.join(d.groups)
	}
}

func (e *Engine) levelOf(claims map[string]any, keyKnown bool, found int) (string, bool) {
	if found >= 0 && e.directory.entries[found].level != "" {
		return e.directory.entries[found].level, true
	}
	switch stated := claims["access_level"].(type) {
	case nil:
		if keyKnown {
			return document.LevelUser, true
		}
		return document.LevelAnonymous, true
	case string:
		_, ok := e.levels[stated]
		return stated, ok
	}
	return "", false
}

// readGroups reads the claimed groups, an array of strings; null elements are
// ignored, any other makes them unknown.
func (e *Engine) readGroups(u *user, raw any) {
	list, ok := raw.([]any)
	if !ok {
		return
	}
	for _, item := range list {
		if item == nil {
			continue
		}
		name, _ := item.(string)
		if number, declared := e.groups[name]; declared {
			u.join(e.closures[number])
			continue
		}
		if name, ok := decodeText(item); !ok {
			u.clearGroups()
			return
		} else if !slices.Contains(u.others, name) {
			u.others = append(u.others, name)
		}
	}
	u.groupsKnown = true
}

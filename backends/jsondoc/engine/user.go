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
	others      []string // groups that the project does not have
	attrs       []any    // raw values by number of attribute; nil: unknown
	entry       int      // number of the directory entry with the user's key, or -1
	keyKnown    bool
}

type bitset []uint64

func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bitset) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// clear makes nothing known of the user, not even that it is anonymous.
func (u *user) clear() {
	u.level, u.levelKnown, u.groupsKnown, u.entry, u.keyKnown = "", false, false, -1, false
	clear(u.groups)
	clear(u.attrs)
	u.others = u.others[:0]
}

// attribute is a declared attribute.
type attribute struct {
	name  string
	typ   document.Type
	claim []string
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
	groups       bitset
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

// keyDecoder is the decoder of the key attribute.
func keyDecoder(t document.Type) (func(any) (key, bool), error) {
	switch familyOf(t.Kind) {
	case famText:
		text := textDecoder(t, "")
		return func(raw any) (key, bool) { s, ok := text(raw); return key{text: s}, ok }, nil
	case famUUID:
		return func(raw any) (key, bool) { u, ok := decodeUUID(raw); return key{uuid: u}, ok }, nil
	case famTime:
		instant := timeDecoder(t, "")
		return func(raw any) (key, bool) { i, ok := instant(raw); return key{i: i}, ok }, nil
	case famIP:
		return func(raw any) (key, bool) { a, ok := decodeIP(raw); return key{ip: a}, ok }, nil
	case famNum:
		decode := numDecoder(t)
		return func(raw any) (key, bool) { n, ok := decode(raw); return numKey(n), ok }, nil
	case famBool:
		return func(raw any) (key, bool) {
			b, ok := raw.(bool)
			return key{text: boolText(b)}, ok
		}, nil
	case famDuration, famSet:
	}
	return nil, fmt.Errorf("the identity's key has the type %q, which names nobody", t.Kind)
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
// and attributes are unknown.
func (e *Engine) resolve(u *user, claims map[string]any) {
	u.clear()
	if claims == nil {
		u.level, u.levelKnown = document.LevelAnonymous, true
		return
	}
	k, known := e.decodeKey(e.userAttrs[e.keyAttr].raw(claims))
	found := -1
	if known {
		if i, ok := e.directory.byKey[k]; ok {
			found = i
		}
	}
	u.level, u.levelKnown = e.levelOf(claims, known, found)
	if u.levelKnown && u.level == document.LevelAnonymous {
		return
	}
	for i := range e.userAttrs {
		u.attrs[i] = e.userAttrs[i].raw(claims)
	}
	u.entry, u.keyKnown = found, known
	if found >= 0 {
		e.applyEntry(u, &e.directory.entries[found])
	}
	if found < 0 || !e.directory.entries[found].statesGroups {
		e.readGroups(u, claims["groups"])
	}
}

func (e *Engine) applyEntry(u *user, d *entry) {
	for _, a := range d.attrs {
		u.attrs[a.number] = a.raw
		if a.number != e.keyAttr {
			continue
		}
		var k key
		k, u.keyKnown = e.decodeKey(a.raw)
		u.entry = -1
		if i, ok := e.directory.byKey[k]; ok && u.keyKnown {
			u.entry = i
		}
	}
	if d.statesGroups {
		u.groupsKnown = true
		copy(u.groups, d.groups)
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
		name, ok := decodeText(item)
		if !ok {
			clear(u.groups)
			u.others = u.others[:0]
			return
		}
		number, declared := e.groups[name]
		switch {
		case !declared && !slices.Contains(u.others, name):
			u.others = append(u.others, name)
		case declared:
			for _, above := range e.closures[number] {
				u.groups.set(above)
			}
		}
	}
	u.groupsKnown = true
}

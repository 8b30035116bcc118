package eval

import (
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// principal is what is known of a request's user, after the directory and
// nested groups. The zero value of each field means unknown.
type principal struct {
	level      model.Value // string or Unknown
	groups     model.Value // Set of strings or Unknown
	attributes map[*model.Attribute]model.Value
}

// nobody is the user of an entry where all users share the app's access:
// nothing is known, not even that it is anonymous.
func nobody() *principal {
	return &principal{level: model.Unknown{}, groups: model.Unknown{}}
}

// resolve reads the claims as the documentation of model.Request says.
func resolve(p *model.Program, claims map[string]any) *principal {
	anonymous := &principal{level: model.LevelAnonymous, groups: model.Unknown{}}
	if claims == nil {
		return anonymous
	}
	key := attribute(claims, p.Identity.Key)
	entry := directoryEntry(p, key)
	u := &principal{level: levelOf(p, claims, key, entry)}
	if u.level == model.LevelAnonymous {
		return anonymous
	}
	u.groups = groupsOf(p, claims, entry)
	u.attributes = map[*model.Attribute]model.Value{}
	for _, a := range p.Identity.Attributes {
		u.attributes[a] = attribute(claims, a)
	}
	if entry != nil {
		for _, v := range entry.Attributes {
			u.attributes[v.Attribute] = v.Value
		}
	}
	return u
}

// attribute reads one attribute at its claim path; a missing one is unknown.
func attribute(doc map[string]any, a *model.Attribute) model.Value {
	var raw any = doc
	for _, step := range a.Claim {
		object, ok := raw.(map[string]any)
		if !ok {
			return model.Unknown{}
		}
		raw = object[step]
	}
	v := Parse(raw, a.Type, "")
	if v == nil {
		return model.Unknown{}
	}
	return v
}

func directoryEntry(p *model.Program, key model.Value) *model.User {
	if !isKnown(key) {
		return nil
	}
	for _, u := range p.Users {
		if c, ok := model.CompareValues(u.Key, key); ok && c == 0 {
			return u
		}
	}
	return nil
}

func levelOf(p *model.Program, claims map[string]any, key model.Value, entry *model.User) model.Value {
	if entry != nil && entry.Level != nil {
		return entry.Level.Name
	}
	switch stated := claims["access_level"].(type) {
	case nil:
		if isKnown(key) {
			return model.LevelUser
		}
		return model.LevelAnonymous
	case string:
		if slices.ContainsFunc(p.Levels, func(l *model.Level) bool { return l.Name == stated }) {
			return stated
		}
	}
	return model.Unknown{}
}

func groupsOf(p *model.Program, claims map[string]any, entry *model.User) model.Value {
	var names []model.Value
	if entry != nil && entry.Groups != nil {
		for _, g := range entry.Groups {
			names = append(names, g.Name)
		}
	} else {
		stated, ok := Parse(claims["groups"], model.StringSet, "").(model.Set)
		if !ok {
			return model.Unknown{}
		}
		names = stated
	}
	all := slices.Clone(names)
	for _, name := range names {
		for _, g := range p.Groups {
			if g.Name == name {
				for _, above := range g.Closure {
					all = append(all, above)
				}
			}
		}
	}
	return model.NewSet(all)
}

func isKnown(v model.Value) bool {
	_, unknown := v.(model.Unknown)
	return v != nil && !unknown
}

package eval

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// LookUp is the request as an engine without a database must be asked about
// records of the datasource: with the attributes that the datasource reads from
// its own tables in the claims, in place of what they say. Rows gives the
// records of a table.
func LookUp(p *model.Program, ds *model.Datasource, req model.Request, rows func(*model.Table) []model.Document) model.Request {
	if ds.Identity == model.IdentityRole {
		req = asLogin(p, req)
	}
	if len(ds.Lookups) == 0 || req.User == nil {
		return req
	}
	key := attribute(req.User, p.Identity.Key)
	for _, l := range ds.Lookups {
		var v any
		if isKnown(key) {
			v = lookedUp(l, key, rows(l.Table))
		}
		req.User = put(req.User, l.Attribute.Claim, v)
	}
	return req
}

// Claim is the value of an attribute in claims, or Unknown.
func Claim(claims map[string]any, a *model.Attribute) model.Value { return attribute(claims, a) }

// asLogin is what a login tells of a request: the name of the user and those of
// the project's groups that it is in.
func asLogin(p *model.Program, req model.Request) model.Request {
	req.Context = nil
	key, ok := attribute(req.User, p.Identity.Key).(string)
	if !ok {
		req.User = nil
		return req
	}
	groups := []any{}
	if stated, ok := Parse(req.User["groups"], model.StringSet, "").(model.Set); ok {
		for _, g := range p.Groups {
			if g.Name != key && slices.Contains(stated, model.Value(g.Name)) {
				groups = append(groups, g.Name)
			}
		}
	}
	req.User = put(map[string]any{"groups": groups}, p.Identity.Key.Claim, key)
	return req
}

// lookedUp is the value in the form of a claim; nil when it is unknown.
func lookedUp(l *model.Lookup, key model.Value, rows []model.Document) any {
	var values []model.Value
	for _, doc := range rows {
		match := Parse(doc[l.Match.Name], l.Match.Type, l.Match.Native)
		if c, ok := model.CompareValues(match, key); ok && c == 0 {
			values = append(values, Parse(doc[l.Column.Name], l.Column.Type, l.Column.Native))
		}
	}
	switch {
	case len(values) == 0, !l.Each && len(values) > 1:
		return nil
	case !l.Each:
		return claim(values[0], l.Attribute.Type)
	}
	out := []any{}
	for _, v := range values {
		if v == nil {
			continue
		}
		if !isKnown(v) {
			return nil
		}
		out = append(out, claim(v, *l.Attribute.Type.Elem))
	}
	return out
}

func claim(v model.Value, t model.Type) any {
	if !isKnown(v) {
		return nil
	}
	return model.JSON(v, t, "")
}

// put is a copy of a document with the value at a path.
func put(doc map[string]any, path []string, v any) map[string]any {
	out := maps.Clone(doc)
	if out == nil {
		out = map[string]any{}
	}
	if len(path) == 1 {
		out[path[0]] = v
		return out
	}
	inner, _ := doc[path[0]].(map[string]any)
	out[path[0]] = put(inner, path[1:], v)
	return out
}

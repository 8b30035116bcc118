package authzen

import (
	"cmp"
	"fmt"
)

// entity is a subject or a resource.
type entity struct {
	typ, id    string
	properties map[string]any // nil: none were given
}

type action struct {
	name       string
	properties map[string]any
}

// ask is one evaluation, complete.
type ask struct {
	subject  entity
	action   action
	resource entity
	context  map[string]any
}

// needs says which parts of an ask a request must have: an evaluation all, a
// search all but the id or the action that it looks for.
type needs struct{ subjectID, resourceID, action bool }

// parse reads an ask from an object, each member of which may come from
// defaults instead.
func parse(doc, defaults map[string]any, path string, n needs) (ask, error) {
	var out ask
	pick := func(name string) any {
		if v, there := doc[name]; there {
			return v
		}
		return defaults[name]
	}
	var err error
	if out.subject, err = parseEntity(pick("subject"), path+"subject", n.subjectID); err != nil {
		return out, err
	}
	if out.resource, err = parseEntity(pick("resource"), path+"resource", n.resourceID); err != nil {
		return out, err
	}
	if n.action {
		if out.action, err = parseAction(pick("action"), path+"action"); err != nil {
			return out, err
		}
	}
	out.context, err = optionalObject(pick("context"), path+"context")
	return out, err
}

func parseEntity(v any, path string, needsID bool) (entity, error) {
	var out entity
	doc, err := requiredObject(v, path)
	if err != nil {
		return out, err
	}
	if out.typ, err = requiredText(doc, path, "type"); err != nil {
		return out, err
	}
	if needsID {
		if out.id, err = requiredText(doc, path, "id"); err != nil {
			return out, err
		}
	}
	out.properties, err = optionalObject(doc["properties"], path+".properties")
	return out, err
}

func parseAction(v any, path string) (action, error) {
	var out action
	doc, err := requiredObject(v, path)
	if err != nil {
		return out, err
	}
	if out.name, err = requiredText(doc, path, "name"); err != nil {
		return out, err
	}
	out.properties, err = optionalObject(doc["properties"], path+".properties")
	return out, err
}

func requiredObject(v any, path string) (map[string]any, error) {
	if v == nil {
		return nil, badRequest(path, "is missing")
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return nil, badRequest(path, "must be an object, not "+kind(v))
	}
	return doc, nil
}

func optionalObject(v any, path string) (map[string]any, error) {
	if v == nil {
		return nil, nil
	}
	return requiredObject(v, path)
}

// maxText is how long a type, an id or a name may be, in bytes.
const maxText = 1024

func requiredText(doc map[string]any, path, name string) (string, error) {
	v, path := doc[name], path+"."+name
	if v == nil {
		return "", badRequest(path, "is missing")
	}
	text, ok := v.(string)
	switch {
	case !ok:
		return "", badRequest(path, "must be a string, not "+kind(v))
	case text == "":
		return "", badRequest(path, "is empty")
	case len(text) > maxText:
		return "", badRequest(path, fmt.Sprintf("has more than %d bytes", maxText))
	}
	return text, nil
}

// kind is what a JSON value is, in words.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case []any:
		return "an array"
	case map[string]any:
		return "an object"
	}
	return "a number"
}

// The semantics of evaluations.
const (
	executeAll  = "execute_all"
	untilDeny   = "deny_on_first_deny"
	untilPermit = "permit_on_first_permit"
)

// semantic reads options.evaluations_semantic.
func semantic(doc map[string]any) (string, error) {
	options, err := optionalObject(doc["options"], "options")
	if err != nil {
		return "", err
	}
	switch v := options["evaluations_semantic"].(type) {
	case nil:
		return executeAll, nil
	case string:
		if v == executeAll || v == untilDeny || v == untilPermit {
			return v, nil
		}
		return "", badRequest("options.evaluations_semantic", fmt.Sprintf("must be %s, %s or %s", executeAll, untilDeny, untilPermit))
	default:
		return "", badRequest("options.evaluations_semantic", "must be a string, not "+kind(v))
	}
}

// page is what a search asks of its pages.
type page struct {
	asked bool
	token string
	limit int // results, at most
}

// The results of a search's page: how many without a limit, and at most.
const (
	defaultLimit = 100
	maxLimit     = 1000
)

func parsePage(v any) (page, error) {
	out := page{limit: defaultLimit}
	doc, err := optionalObject(v, "page")
	if err != nil || doc == nil {
		return out, err
	}
	out.asked = true
	if t := doc["token"]; t != nil {
		var ok bool
		if out.token, ok = t.(string); !ok {
			return out, badRequest("page.token", "must be a string, not "+kind(t))
		}
	}
	if l := doc["limit"]; l != nil {
		n, ok := wholeNumber(l)
		if !ok {
			return out, badRequest("page.limit", "must be a whole number from 0")
		}
		out.limit = min(cmp.Or(n, defaultLimit), maxLimit)
	}
	return out, nil
}

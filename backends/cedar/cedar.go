// Package cedar writes policies in Cedar's JSON policy format, for programs that
// ask a Cedar engine. Only what Cedar can decide exactly alike is written; the
// rest is a diagnostic. docs/targets.md says what the entities must hold.
package cedar

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// CodeUnsupported is the code of what Cedar cannot decide exactly alike.
const CodeUnsupported diag.Code = "cedar-unsupported"

// The types of Cedar's entities. A record's type is DATASOURCE::TABLE.
const (
	userType   = "User"
	groupType  = "Group"
	actionType = "Action"
)

// LevelAttribute is the principal's attribute that holds the access level.
const LevelAttribute = "access_level"

// node is one node of Cedar's JSON form of expressions, which names a node's
// kind by its one member.
type node map[string]any

// policy is one Cedar policy.
type policy struct {
	Annotations map[string]string `json:"annotations,omitempty"`
	Effect      string            `json:"effect"`
	Principal   node              `json:"principal"`
	Action      node              `json:"action"`
	Resource    node              `json:"resource"`
	Conditions  []clause          `json:"conditions"`
}

type clause struct {
	Kind string `json:"kind"`
	Body node   `json:"body"`
}

// entity is one entity in Cedar's JSON form.
type entity struct {
	UID     uid            `json:"uid"`
	Attrs   map[string]any `json:"attrs"`
	Parents []uid          `json:"parents"`
}

type uid struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Export is a program's policies for the actions of a list, or for all of them
// when it is empty, as a Cedar policy set, and the entities of its groups. The
// list says what cannot be written; with an error in it nothing is.
func Export(p *model.Program, actions []model.Action) (policies, entities []byte, list diag.List) {
	x := &exporter{program: p, policies: map[string]policy{}}
	x.limits()
	for _, t := range p.Tables {
		for _, a := range t.Actions {
			if len(actions) == 0 || slices.Contains(actions, a) {
				x.action(t, a)
			}
		}
	}
	if x.list.HasErrors() {
		return nil, nil, x.list.Sorted()
	}
	policies, err := json.MarshalIndent(map[string]any{"staticPolicies": x.policies}, "", "  ")
	if err == nil {
		entities, err = json.MarshalIndent(groups(p), "", "  ")
	}
	if err != nil { // names and texts are UTF-8, and nothing else is in them
		x.list.Fail(CodeUnsupported, p.Span, "The policies cannot be written as JSON", err.Error())
	}
	return append(policies, '\n'), append(entities, '\n'), x.list.Sorted()
}

type exporter struct {
	program  *model.Program
	policies map[string]policy
	list     diag.List
	span     source.Span // of what is being written
	owner    string
}

func (x *exporter) fail(what, way string) node {
	x.list.Fail(CodeUnsupported, x.span, fmt.Sprintf("Cedar cannot carry %s, in %s", what, x.owner), way)
	return nil
}

// limits finds what no policy set can carry.
func (x *exporter) limits() {
	x.owner = "the project"
	for _, u := range x.program.Users {
		x.span = u.Span
		x.fail("the user block "+u.Name, "A directory replaces what claims say; state groups and attributes in the entities of users instead.")
	}
	for _, ds := range x.program.Datasources {
		if len(ds.Apps) > 0 {
			x.span = ds.Span
			x.fail("the apps of datasource."+ds.Name, "Cedar has no apps: export projects without them.")
		}
	}
}

// groups are the groups, each in those above it.
func groups(p *model.Program) []entity {
	out := []entity{}
	for _, g := range p.Groups {
		e := entity{UID: uid{groupType, g.Name}, Attrs: map[string]any{}, Parents: []uid{}}
		for _, above := range g.MemberOf {
			e.Parents = append(e.Parents, uid{groupType, above.Name})
		}
		out = append(out, e)
	}
	return out
}

// action writes a policy of Cedar for each of ours that grants the action on
// the table. Guards stand in each of them, and not as forbid: a forbid that
// meets an error would not count, and open what it should close.
func (x *exporter) action(t *model.Table, a model.Action) {
	if !plainName(t.Datasource.Name) || !plainName(t.Name) {
		x.span, x.owner = t.Span, "the table "+t.Address()
		x.fail("its name", "A name in Cedar is letters, digits and underscores, and none of its own words.")
		return
	}
	if a == model.Edit {
		if slices.ContainsFunc(t.Policies, func(p *model.PolicyTarget) bool { return p.Allows(a) }) {
			x.span, x.owner = t.Span, "the action edit on "+t.Address()
			x.fail("two records, the old and the new", "Cedar's request has one resource: export other actions with --action.")
		}
		return
	}
	for _, target := range t.Policies {
		if !target.Allows(a) {
			continue
		}
		cond := target.When.Holds
		if a == model.Create {
			cond = target.Check.Holds
		}
		all := []model.Cond{x.program.Gate(target.Policy, false), cond, x.program.Guarded(t)}
		if a == model.Delete {
			var seen []model.Cond
			for _, arm := range x.program.VisibleColumns(t.Datasource.Entries()[0], t) {
				seen = append(seen, arm.Cond)
			}
			all = append(all, model.AnyOf(seen...))
		}
		x.span, x.owner = target.Span, "the policy "+target.Policy.Name+" on "+t.Address()
		body := x.cond(model.AllOf(all...))
		x.policies[target.Policy.Name+"/"+t.Address()+"/"+string(a)] = policy{
			Annotations: map[string]string{"source": target.Policy.Span.String()},
			Effect:      "permit", Principal: node{"op": "All"},
			Action:     node{"op": "==", "entity": uid{actionType, string(a)}},
			Resource:   node{"op": "is", "entity_type": EntityType(t)},
			Conditions: []clause{{Kind: "when", Body: body}},
		}
	}
}

// plainName reports whether a name is an identifier of Cedar.
func plainName(name string) bool {
	return identifier.MatchString(name) && !slices.Contains([]string{"true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar"}, name)
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// EntityType is the Cedar type of a table's records.
func EntityType(t *model.Table) string { return t.Datasource.Name + "::" + t.Name }

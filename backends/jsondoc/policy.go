package jsondoc

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
)

func directory(p *model.Program, d *document.Document) error {
	d.Directory = make([]document.User, 0, len(p.Users))
	for _, u := range p.Users {
		key, err := valueOf(p.Identity.Key.Type, u.Key)
		if err != nil {
			return fmt.Errorf("key of user %q: %w", u.Name, err)
		}
		out := document.User{Name: u.Name, Description: u.Description, Key: *key, Attributes: []document.UserValue{}}
		if u.Groups != nil {
			names := convert(u.Groups, func(g *model.Group) string { return g.Name })
			out.Groups = &names
		}
		if u.Level != nil {
			out.Level = u.Level.Name
		}
		for _, a := range u.Attributes {
			stated := document.UserValue{Name: a.Attribute.Name}
			if a.Value != nil {
				if stated.Value, err = valueOf(a.Attribute.Type, a.Value); err != nil {
					return fmt.Errorf("attribute %q of user %q: %w", a.Attribute.Name, u.Name, err)
				}
			}
			out.Attributes = append(out.Attributes, stated)
		}
		d.Directory = append(d.Directory, out)
	}
	return nil
}

func policies(p *model.Program, d *document.Document) error {
	d.Policies = make([]document.Policy, 0, len(p.Policies))
	for _, pol := range p.Policies {
		out := document.Policy{
			Name: pol.Name, Description: pol.Description, Source: pol.Span.String(),
			To: convert(pol.To, subject), Targets: []document.PolicyTarget{},
		}
		if pol.Via != nil {
			via := convert(pol.Via, func(a *model.App) string { return a.Name })
			out.Via = &via
		}
		same := grouping[document.PolicyTarget]{}
		for _, t := range pol.On {
			target, err := policyTarget(t)
			if err != nil {
				return fmt.Errorf("policy %q on %s: %w", pol.Name, t.Table.Address(), err)
			}
			if err := same.add(target, tableRef(t.Table)); err != nil {
				return err
			}
		}
		for _, g := range same.groups {
			g.target.Tables = g.tables()
			out.Targets = append(out.Targets, g.target)
		}
		d.Policies = append(d.Policies, out)
	}
	return nil
}

func policyTarget(t *model.PolicyTarget) (document.PolicyTarget, error) {
	out := document.PolicyTarget{Allow: convert(t.Allow, func(a model.Action) string { return string(a) })}
	var err error
	if out.When, err = condition(t.When.Holds); err != nil {
		return out, err
	}
	if t.Allows(model.Create) || t.Allows(model.Edit) {
		check, err := condition(t.Check.Holds)
		if err != nil {
			return out, err
		}
		if !reflect.DeepEqual(check, out.When) {
			out.Check = check
		}
	}
	if !slices.Equal(t.Columns, t.Table.Columns) {
		names := convert(t.Columns, columnName)
		out.Columns = &names
	}
	return out, nil
}

func guards(p *model.Program, d *document.Document) error {
	d.Guards = make([]document.Guard, 0, len(p.Guards))
	for _, g := range p.Guards {
		out := document.Guard{
			Name: g.Name, Description: g.Description, Source: g.Span.String(),
			To: convert(g.To, subject), Targets: []document.GuardTarget{},
		}
		same := grouping[document.GuardTarget]{}
		for _, t := range g.On {
			require, err := condition(t.Require.Holds)
			if err != nil {
				return fmt.Errorf("guard %q on %s: %w", g.Name, t.Table.Address(), err)
			}
			if err := same.add(document.GuardTarget{Require: require}, tableRef(t.Table)); err != nil {
				return err
			}
		}
		for _, x := range same.groups {
			x.target.Tables = x.tables()
			out.Targets = append(out.Targets, x.target)
		}
		d.Guards = append(d.Guards, out)
	}
	return nil
}

// grouping puts the tables together for which a policy or guard is written
// the same, so that one over many tables stays small.
type grouping[T any] struct {
	groups []*targets[T]
	byText map[string]*targets[T]
}

type targets[T any] struct {
	target T
	refs   []document.TableRef
}

func (t *targets[T]) tables() []document.TableRef {
	slices.SortFunc(t.refs, compareRefs)
	return t.refs
}

func (g *grouping[T]) add(target T, ref document.TableRef) error {
	text, err := json.Marshal(target)
	if err != nil {
		return fmt.Errorf("write a target: %w", err)
	}
	if g.byText == nil {
		g.byText = map[string]*targets[T]{}
	}
	same := g.byText[string(text)]
	if same == nil {
		same = &targets[T]{target: target}
		g.byText[string(text)] = same
		g.groups = append(g.groups, same)
	}
	same.refs = append(same.refs, ref)
	return nil
}

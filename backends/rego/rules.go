package rego

import (
	"slices"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// rules collects the rules of one package.
type rules struct {
	list  []rule
	names map[string]bool // of helpers
	err   error
}

func (r *rules) add(x rule) { r.list = append(r.list, x) }

// unique makes up the name of a helper rule.
func (r *rules) unique(base string) string {
	for n := 1; ; n++ {
		name := base + "_" + strconv.Itoa(n)
		if !r.names[name] {
			r.names[name] = true
			return name
		}
	}
}

// conditions writes the conditions of a datasource's policies and guards, table
// by table.
func conditions(p *model.Program, ds *model.Datasource) ([]rule, error) {
	r := &rules{names: map[string]bool{}}
	for _, t := range ds.Tables {
		for _, target := range t.Policies {
			r.policy(target)
		}
		for _, target := range t.Guards {
			r.guard(p, target)
		}
	}
	return r.list, r.err
}

func (r *rules) policy(t *model.PolicyTarget) {
	about := note{
		title: t.Policy.Name, source: t.Span.String(),
		description: described(t.Policy.Description, "What the policy asks of a record of "+t.Table.Address()+"."),
	}
	r.condition(t.Table, "when", t.Policy.Name, about, t.When.Holds)
	if ownCheck(t) {
		about.description = "What the policy asks of a new record of " + t.Table.Address() + "."
		r.condition(t.Table, "check", t.Policy.Name, about, t.Check.Holds)
	}
}

// ownCheck reports whether a policy asks something else of a new record than of
// one as it stands. Otherwise the data says that `when` is its check as well: a
// rule that called the function `when` would depend on all of its rules, and the
// engine's dependencies would grow with the square of the policies.
func ownCheck(t *model.PolicyTarget) bool {
	return (t.Allows(model.Create) || t.Allows(model.Edit)) && t.Check.Holds != t.When.Holds
}

// guard writes when a guard lets a record pass: its user is surely outside it,
// or what it requires holds.
func (r *rules) guard(p *model.Program, t *model.GuardTarget) {
	about := note{
		title: t.Guard.Name, source: t.Span.String(),
		description: described(t.Guard.Description, "What the guard asks of a record of "+t.Table.Address()+"."),
	}
	r.condition(t.Table, "guard", t.Guard.Name, about, model.AnyOf(p.Outside(t.Guard.To), t.Require.Holds))
}

// condition writes one condition as rules of the function fn, a rule for each
// alternative. They begin with comparisons of arguments with constants, by which
// the engine's rule index finds them at once; it does not look at constants in
// a rule's head. Without an alternative it writes none, for an
// unknown policy grants nothing and an unknown guard does not pass.
func (r *rules) condition(t *model.Table, fn, owner string, about note, c model.Cond) {
	next := 0
	s := &scope{out: r, next: &next, err: &r.err, about: about, base: strings.Join([]string{"any", word(t.Name), word(owner)}, "_")}
	c = atEntry(t.Datasource, c)
	found := body{test{term: infix{"==", name("table"), text(t.Name)}}, test{term: infix{"==", name("owner"), text(owner)}}}
	found = slices.Clip(found)
	for _, b := range s.alternatives(c) {
		args := []term{name("table"), name("owner"), b.argument(record)}
		r.add(rule{note: &about, name: fn, args: args, body: append(found, b...)})
	}
}

// atEntry folds what every way into a datasource tells: a datasource without
// apps knows no app, and one with apps decides only for requests that name one.
func atEntry(ds *model.Datasource, c model.Cond) model.Cond {
	open := len(ds.Apps) == 0
	fold := func(holds bool) model.Cond {
		if holds {
			return model.True{}
		}
		return model.False{}
	}
	return model.Rewrite(c, func(atom model.Cond) model.Cond {
		switch x := atom.(type) {
		case *model.ViaApp:
			if open {
				return fold(x.Not)
			}
		case *model.Known:
			if _, ok := x.X.(*model.AppRef); ok {
				return fold(open == x.Not)
			}
		case model.True, model.False, *model.And, *model.Or, *model.Compare, *model.Count, *model.Empty, *model.Every,
			*model.In, *model.InNetwork, *model.Match, *model.Null, *model.Some, *model.Truth:
			if open && mentionsApp(atom) {
				return model.False{}
			}
		}
		return atom
	})
}

func mentionsApp(atom model.Cond) bool {
	found := false
	for _, o := range model.Operands(atom) {
		model.WalkExpr(o, func(e model.Expr) {
			_, ok := e.(*model.AppRef)
			found = found || ok
		})
	}
	return found
}

// word is a name as part of an identifier; names of helpers need not tell more
// apart, see unique.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, s)
}

package access_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// TestAskerAgreesWithBruteForce tries all users and records of a small world on
// what an asker takes for proven about random programs.
func TestAskerAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	us, rs := users(), records()
	proven := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		text := programs{rt}.draw()
		p := tryCompile(t, text)
		if p == nil {
			rt.Skip("refused")
		}
		a := access.NewAsker(p, access.Options{})
		table := p.Tables[slices.IndexFunc(p.Tables, func(t *model.Table) bool { return t.Name == "t" })]
		skip := rapid.IntRange(0, 5).Draw(rt, "users")
		everyone := func(ask func(user map[string]any, record model.Document, other model.Document)) {
			for j, u := range us {
				for i, r := range rs {
					if j%6 == skip {
						ask(u, r, rs[(i*7+3)%len(rs)])
					}
				}
			}
		}
		policiesAgree(rt, a, p, table, everyone, proven, text)
		for _, g := range table.Guards {
			if c, _ := a.OfGuard(t.Context(), g, g.Require.Holds); c != access.Varies {
				proven["conditions of guards"]++
				everyone(func(u map[string]any, r, _ model.Document) {
					env := eval.NewEnv(p, model.Request{User: u}, table.Datasource.Entries()[0])
					if on := env.On(r); !on.Holds(p.Outside(g.Guard.To)) && on.Holds(g.Require.Holds) != (c == access.AlwaysHolds) {
						rt.Fatalf("%s: %v of %v and %v in\n%s", g.Guard.Name, c, u, r, text)
					}
				})
			}
			if _, same := a.SameWithout(t.Context(), table, nil, []*model.GuardTarget{g}); same {
				proven["guards"]++
				without := *table
				without.Guards = nil
				everyone(func(u map[string]any, r, other model.Document) {
					sameAnswers(rt, p, table, &without, u, r, other, text)
				})
			}
		}
		if _, same := a.SameGroups(t.Context(), p.Groups[0], p.Groups[1]); same {
			proven["groups"]++
			everyone(func(u map[string]any, r, other model.Document) {
				if list, _ := u["groups"].([]any); len(list) > 0 {
					both := maps.Clone(u)
					both["groups"] = []any{"g", "h"}
					sameFor(rt, p, table, u, both, r, other, text)
				}
			})
		}
		if e := table.Datasource.Entries()[0]; a.GivesNothing(t.Context(), e, table) {
			proven["tables"]++
			none := *table
			none.Policies = nil
			everyone(func(u map[string]any, r, other model.Document) { sameAnswers(rt, p, table, &none, u, r, other, text) })
		}
	})
	for _, what := range []string{"conditions of policies", "policies", "groups"} {
		if proven[what] == 0 {
			t.Errorf("nothing was proven of %s", what)
		}
	}
	t.Log(proven)
}

// policiesAgree tries what is proven of policies and their conditions.
func policiesAgree(
	rt *rapid.T, a *access.Asker, p *model.Program, table *model.Table,
	everyone func(func(map[string]any, model.Document, model.Document)), proven map[string]int, text string,
) {
	for _, x := range table.Policies {
		if c, _ := a.OfPolicy(rt.Context(), x, x.When.Holds); c != access.Varies {
			proven["conditions of policies"]++
			everyone(func(u map[string]any, r, _ model.Document) {
				env := eval.NewEnv(p, model.Request{User: u}, table.Datasource.Entries()[0])
				if on := env.On(r); on.Holds(p.Gate(x.Policy, false)) && on.Holds(x.When.Holds) != (c == access.AlwaysHolds) {
					rt.Fatalf("%s: %v of %v and %v in\n%s", x.Policy.Name, c, u, r, text)
				}
			})
		}
		if _, same := a.SameWithout(rt.Context(), table, []*model.PolicyTarget{x}, nil); same {
			proven["policies"]++
			without := *table
			without.Policies = slices.DeleteFunc(slices.Clone(table.Policies), func(y *model.PolicyTarget) bool { return x == y })
			everyone(func(u map[string]any, r, other model.Document) {
				sameAnswers(rt, p, table, &without, u, r, other, text)
			})
		}
	}
}

// questions are what a user may ask about a record, and about making it of
// another.
func questions(r, other model.Document) []eval.Query {
	return []eval.Query{
		{Action: model.View, Old: r},
		{Action: model.Delete, Old: r},
		{Action: "ban", Old: r},
		{Action: model.Create, New: r},
		{Action: model.Edit, Old: r, New: other},
		{Action: model.Edit, Old: r, New: other, Set: []string{"c"}},
	}
}

// sameAnswers wants the same answers about a record with a table's rules and
// with others.
func sameAnswers(rt *rapid.T, p *model.Program, with, without *model.Table, u map[string]any, r, other model.Document, text string) {
	for _, q := range questions(r, other) {
		q.Request = model.Request{User: u}
		q.Table = with
		a := eval.Decide(p, q)
		q.Table = without
		b := eval.Decide(p, q)
		if a.Allowed != b.Allowed || !slices.Equal(a.Columns, b.Columns) || len(a.Masked) != len(b.Masked) {
			rt.Fatalf("%s by %v of %v, %v: %v and %v in\n%s", q.Action, u, q.Old, q.New, a.Allowed, b.Allowed, text)
		}
	}
}

// sameFor wants the same answers for two users.
func sameFor(rt *rapid.T, p *model.Program, table *model.Table, u, v map[string]any, r, other model.Document, text string) {
	for _, q := range questions(r, other) {
		q.Table = table
		q.Request = model.Request{User: u}
		a := eval.Decide(p, q)
		q.Request = model.Request{User: v}
		b := eval.Decide(p, q)
		if a.Allowed != b.Allowed || !slices.Equal(a.Columns, b.Columns) || len(a.Masked) != len(b.Masked) {
			rt.Fatalf("%s of %v, %v: %v by %v and %v by %v in\n%s", q.Action, q.Old, q.New, a.Allowed, u, b.Allowed, v, text)
		}
	}
}

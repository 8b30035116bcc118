package access_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// drawNever draws a claim on the project that programs draws.
func (g programs) drawNever() string {
	action := g.one("view", "view", "edit", "delete", "create", "ban")
	columns := ""
	if action != "delete" && action != "ban" && rapid.Bool().Draw(g.t, "of columns") {
		columns = "    columns = [\"c\"]\n"
	}
	return fmt.Sprintf("assert \"a\" {\n  never {\n    who = [%s]\n    action = %s\n    on = [resource.s.t]\n    when = %s\n%s  }\n}\n",
		g.subjects(), action, g.cond(), columns)
}

// TestNeverAgreesWithBruteForce tries all users and records of a small world on
// random claims: what is proven is refuted by none of them.
func TestNeverAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	us, rs := users(), records()
	ended := map[access.Outcome]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g := programs{rt}
		text, claim := g.draw(), g.drawNever()
		set := &source.Set{Files: []source.File{{Name: "a.hcl", Data: []byte(text)}, {Name: "a.test.hcl", Data: []byte(claim)}}}
		p, suite, diags := compiler.CompileSuite(t.Context(), set, compiler.Inputs{})
		if diags.HasErrors() {
			rt.Skip("refused")
		}
		n := suite.Asserts[0].Never[0]
		f, err := access.Never(t.Context(), p, n, access.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		ended[f.Outcome]++
		if (f.Outcome == access.Refuted) != (f.Witness != nil && len(f.Spans) > 0) {
			rt.Fatalf("%v, by %v at %v", f.Outcome, f.Witness, f.Spans)
		}
		if f.Outcome != access.Proven {
			return
		}
		for _, u := range us {
			for i, r := range rs {
				q := eval.Query{Action: n.Action, Old: r}
				switch n.Action {
				case model.Create:
					q.Old, q.New = nil, r
				case model.Edit:
					q.New = rs[(i*7+3)%len(rs)]
				default:
				}
				if refutes(&asker{p, u}, n, q, r) {
					rt.Fatalf("proven, but %v of %v, %v may\n%s\n%s", u, q.Old, q.New, text, claim)
				}
			}
		}
	})
	t.Logf("%v", ended)
	if ended[access.Proven] == 0 || ended[access.Refuted] == 0 {
		t.Errorf("not every outcome was seen: %v", ended)
	}
}

// refutes reports whether a query is one that a claim says nobody is allowed.
func refutes(a *asker, n *model.Never, q eval.Query, on model.Document) bool {
	env := eval.NewEnv(a.p, model.Request{User: a.user}, n.Entries()[0]).On(on)
	if !env.Holds(a.p.Within(n.Who)) || !env.Holds(n.When.Holds) {
		return false
	}
	if len(n.Columns) > 0 && n.Action == model.View {
		return a.sees(q)["c"] == "raw"
	}
	if len(n.Columns) > 0 {
		q.Set = []string{"c"}
	}
	return a.allows(q)
}

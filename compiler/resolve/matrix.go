package resolve

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// namedUser is one user of a matrix: a name, and what a test says of a user.
type namedUser struct {
	item
	user hcl.Expression
}

// matrix makes the tests of a matrix, one for each user: of every action that
// the records' tables have, but create, the user may do exactly what is listed.
func (r *resolver) matrix(b *syntax.Matrix, shared *syntax.Fixtures, seen map[string]source.Span) []*model.Test {
	r.description(b.Description, r.eval)
	if b.Users == nil {
		return nil
	}
	users := r.matrixUsers(b.Users)
	allows := r.matrixAllows(b, users)
	var out []*model.Test
	for _, u := range users {
		name := b.Label(0) + " / " + u.text
		if first, ok := seen[name]; ok {
			r.duplicate(u.span, first, fmt.Sprintf("A second test %q", name))
			continue
		}
		seen[name] = u.span
		test := &syntax.Test{
			Header: syntax.Header{Type: b.Type, Span: u.span}, User: u.user, App: b.App, Now: b.Now, Request: b.Request, Given: b.Given,
		}
		t := r.newTest(name, test, shared)
		t.listed(b, u, allows)
		t.login(test)
		if b.App == nil {
			t.onlyApp(b.Span)
		}
		out = append(out, t.test)
	}
	return out
}

// matrixUsers reads the users, in the order in which they stand.
func (r *resolver) matrixUsers(expr hcl.Expression) []namedUser {
	var out []namedUser
	if pairs, diags := hcl.ExprMap(syntax.Native(expr)); !diags.HasErrors() {
		first := map[string]source.Span{}
		for _, p := range pairs {
			name, ok := r.text(p.Key, r.eval)
			span := syntaxSpan(p.Key)
			if at, again := first[name]; again {
				r.duplicate(span, at, fmt.Sprintf("A second user %q", name))
				continue
			}
			if ok {
				first[name] = span
				out = append(out, namedUser{item{name, span}, p.Value})
			}
		}
	} else {
		fields, _ := r.fields(expr, r.eval)
		for _, f := range fields {
			out = append(out, namedUser{f.item, hcl.StaticExpr(f.value, expr.Range())})
		}
	}
	if len(out) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(expr), "The matrix has no users", "Write `users = { NAME = { … } }`.")
	}
	return out
}

// matrixAllows checks the allow blocks and finds them by action.
func (r *resolver) matrixAllows(b *syntax.Matrix, users []namedUser) map[model.Action]*syntax.Allow {
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = u.text
	}
	out := map[model.Action]*syntax.Allow{}
	for _, a := range b.Allows {
		action := model.Action(a.Label(0))
		if first, ok := out[action]; ok {
			r.duplicate(a.Span, first.Span, fmt.Sprintf("A second allow block for %q", action))
			continue
		}
		out[action] = a
		for _, row := range a.Users {
			if !slices.Contains(names, row.Name) {
				r.unknown(row.Span, "user of the matrix", row.Name, slices.Clone(names), "")
			}
		}
	}
	return out
}

// listed expects of every action of the records' tables what the matrix lists
// for the user: nothing where it lists nothing.
func (t *testBuilder) listed(b *syntax.Matrix, u namedUser, allows map[model.Action]*syntax.Allow) {
	if len(t.test.Fixtures) == 0 {
		t.diags.Fail(CodeEmpty, b.Span, "The matrix has no records", "Add `given \"DATASOURCE\" \"TABLE\" { NAME = { … } }`.")
		return
	}
	var actions []string
	for _, f := range t.test.Fixtures {
		for _, a := range f.Table.Actions {
			if a != model.Create && !slices.Contains(actions, string(a)) {
				actions = append(actions, string(a))
			}
		}
	}
	for _, a := range b.Allows {
		if !slices.Contains(actions, a.Label(0)) {
			t.unknown(a.LabelSpan(0), "action of the records", a.Label(0), slices.Clone(actions), "")
		}
	}
	for _, action := range actions {
		row := &syntax.NamedExpr{Name: action, Span: u.span, Value: &hclsyntax.TupleConsExpr{SrcRange: b.Users.Range()}}
		if a := allows[model.Action(action)]; a != nil {
			row.Span = a.Span
			for _, x := range a.Users {
				if x.Name == u.text {
					row.Span, row.Value = x.Span, x.Value
				}
			}
		}
		t.expectAction(row)
	}
}

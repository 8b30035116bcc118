package resolve

import (
	"fmt"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// login holds the user of a test on a datasource of identity = "role" to what a
// login can be: what a test states beyond that would be without effect.
func (t *testBuilder) login(b *syntax.Test) {
	d := t.roleDatasource()
	if d == nil || t.program.Identity.Key == nil {
		return
	}
	const logins = "Its users are login roles (identity = \"role\"), which tell their name and their groups. "
	key := t.program.Identity.Key
	if b.Request != nil {
		t.diags.Fail(CodeTest, syntaxSpan(b.Request), fmt.Sprintf("Nothing tells datasource.%s of a request", d.Name), logins+"Remove `request`.")
	}
	if t.test.Request.User == nil {
		at := b.Span
		if b.User != nil {
			at = syntaxSpan(b.User)
		}
		t.diags.Fail(CodeTest, at, fmt.Sprintf("The test is of nobody, and nobody comes to datasource.%s without a login", d.Name),
			logins+fmt.Sprintf("Add `user = { %s = \"…\" }`.", key.Name))
		return
	}
	if name, ok := claimAt(t.test.Request.User, key.Claim).(string); !ok || !model.LoginName(name) {
		at := syntaxSpan(b.User)
		if span, stated := t.stated[key.Name]; stated {
			at = span
		}
		t.diags.Fail(CodeTest, at, fmt.Sprintf("The user of the test cannot be a login of datasource.%s", d.Name),
			logins+fmt.Sprintf("State its name: `%s = \"…\"`, of 1 to 63 bytes, not public, none or one that begins with pg_.", key.Name))
	}
	for _, name := range sortedKeys(t.stated) {
		switch a := t.identityAttribute(name); {
		case name == "groups", a == key:
		case name == "access_level":
			t.diags.Fail(CodeTest, t.stated[name], fmt.Sprintf("Nothing tells datasource.%s of an access level", d.Name),
				logins+"Leave it out: the level is user, but for `user` blocks.")
		case a != nil && d.Lookup(a) != nil:
			t.diags.Fail(CodeTest, t.stated[name], fmt.Sprintf("datasource.%s looks user.%s up, whatever the test states", d.Name, name),
				fmt.Sprintf("Leave it out, and give the record of %s that holds it.", d.Lookup(a).Table.Address()))
		case a != nil:
			t.diags.Fail(CodeTest, t.stated[name], fmt.Sprintf("Nothing tells datasource.%s of user.%s", d.Name, name), logins+"Leave it out.")
		}
	}
}

// claimAt is what put set at a path, or nil.
func claimAt(doc map[string]any, path []string) any {
	for _, p := range path[:len(path)-1] {
		doc, _ = doc[p].(map[string]any)
	}
	return doc[path[len(path)-1]]
}

func (t *testBuilder) identityAttribute(name string) *model.Attribute {
	for _, a := range t.program.Identity.Attributes {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// roleDatasource is the datasource of the test's records whose users are login
// roles, or nil.
func (t *testBuilder) roleDatasource() *model.Datasource {
	for _, f := range t.test.Fixtures {
		if f.Table.Datasource.Identity == model.IdentityRole {
			return f.Table.Datasource
		}
	}
	for _, w := range t.test.Writes {
		if w.Table.Datasource.Identity == model.IdentityRole {
			return w.Table.Datasource
		}
	}
	return nil
}

// states notes where the test's user states an attribute.
func (t *testBuilder) states(name string, at source.Span) {
	if t.stated == nil {
		t.stated = map[string]source.Span{}
	}
	t.stated[name] = at
}

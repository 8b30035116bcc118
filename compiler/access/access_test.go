package access_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

func compile(t testing.TB, text string) *model.Program {
	t.Helper()
	p, diags := compiler.Compile(t.Context(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(text)}}}, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags)
	}
	return p
}

// TestSameProgram finds nothing between a program and itself, and counts what
// it has compared.
func TestSameProgram(t *testing.T) {
	t.Parallel()
	p := compile(t, `
postern { project = "a" }
group "a" {}
group "b" {}
datasource "s" { type = "service" }
resource "s" "r" {
  attribute "x" { type = int }
  actions = ["view", "ban"]
}
policy "p" {
  on = [resource.s.r]
  to = [group.a, group.b]
  allow = [view]
}
`)
	d, err := access.Compare(t.Context(), p, p, access.Options{})
	if err != nil || len(d.Changes) != 0 || d.Same != 2 {
		t.Fatal(d, err)
	}
	if d, err = access.Compare(t.Context(), nil, nil, access.Options{}); err != nil || len(d.Changes) != 0 || d.Same != 0 {
		t.Fatal(d, err)
	}
}

// TestEffective lists what each subject is granted.
func TestEffective(t *testing.T) {
	t.Parallel()
	p := compile(t, bruteBase+`
group "h" {}
policy "p" {
  on = [resource.s.t]
  to = [group.h, everyone]
  allow = [view, ban]
  columns = ["c"]
}
guard "d" {
  on = [resource.s.t]
  require = record.n == user.id
}
`)
	var got []string
	for _, c := range access.Effective(p) {
		got = append(got, fmt.Sprintf("%s %s %s %v %v %v", c.Subject, c.Action, c.Table, c.Columns, c.Policies, c.Guards))
	}
	want := []string{
		"everyone view resource.s.t [c] [p] [d]", "group.h view resource.s.t [c] [p] [d]",
		"everyone ban resource.s.t [] [p] [d]", "group.h ban resource.s.t [] [p] [d]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

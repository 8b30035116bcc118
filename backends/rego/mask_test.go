package rego

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/backend"
	reference "github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// meanings are masked values as what they mean, by column.
func meanings(t *model.Table, masked map[string]any) map[string]string {
	out := map[string]string{}
	for name, v := range masked {
		c := t.Column(name)
		out[name] = fmt.Sprint(reference.Parse(v, c.Type, c.Native))
	}
	return out
}

const maskProject = `
postern {
  project  = "masks"
  hash_key = env("MASKS_KEY")
}
identity {
  attribute "id" { type = int }
}
group "staff" { description = "Staff" }
datasource "d" { type = "service" }
app "web" {
  users = [everyone]
  connect { datasource = datasource.d }
}
app "kiosk" {
  users = [everyone]
  connect {
    datasource = datasource.d
    as         = "app"
  }
}
resource "d" "r" {
  attribute "last"  { type = string }
  attribute "first" { type = string }
  attribute "text"  { type = string }
  attribute "hash"  { type = string }
  attribute "n"     { type = number }
}
policy "see" {
  on      = [resource.d.r]
  to      = [everyone, app.kiosk]
  allow   = [view]
  columns = ["last", "first", "hash", "n"]
  when    = record.n < 10
}
policy "all" {
  on    = [resource.d.r]
  to    = [group.staff]
  allow = [view, edit, create]
}
mask "last" {
  on      = [resource.d.r]
  columns = ["last"]
  unless  = [app.kiosk]
  with    = last(2)
}
mask "first" {
  on      = [resource.d.r]
  columns = ["first"]
  unless  = [access_level.superuser]
  with    = first(3)
}
mask "hash" {
  on      = [resource.d.r]
  columns = ["hash"]
  with    = hash()
}
mask "text" {
  on      = [resource.d.r]
  columns = ["text", "last"]
  unless  = [group.staff]
  with    = null
}
mask "n" {
  on      = [resource.d.r]
  columns = ["n"]
  unless  = [group.staff]
  with    = 1.5
}
`

// TestMasks compares what drawn users see of drawn records with the evaluator,
// and whether they may write a masked column.
func TestMasks(t *testing.T) {
	t.Parallel()
	p, _ := compileFiles(t, source.File{Name: "main.hcl", Data: []byte(maskProject)})
	d, err := NewDecider(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	table := p.Tables[0]
	texts := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.SampledFrom([]any{nil, "", "a", "ab", "abc", "abcd", "é́́", "😀😀😀", "a\u0000b", "\xff\xfe\xfd", true, []any{"a"}, map[string]any{}}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		q := backend.Question{Table: table, Action: model.View}
		q.Request.App = rapid.SampledFrom([]string{"web", "kiosk", ""}).Draw(rt, "app")
		q.Request.User = rapid.SampledFrom([]map[string]any{
			nil,
			{"id": "x"},
			{"access_level": "user"},
			{"access_level": "user", "groups": []any{"staff"}},
			{"access_level": "superuser"},
			{"access_level": "superuser", "groups": []any{}},
		}).Draw(rt, "user")
		q.Old = model.Document{"n": rapid.SampledFrom([]any{nil, 1, json.Number("1"), json.Number("11")}).Draw(rt, "n")}
		for _, name := range []string{"last", "first", "text", "hash"} {
			q.Old[name] = texts.Draw(rt, name)
		}
		compareSight(rt, p, d, q)
		q.Action, q.New = model.Edit, q.Old
		if rapid.Bool().Draw(rt, "create") {
			q.Action, q.Old = model.Create, nil
		}
		q.Set = []string{rapid.SampledFrom([]string{"last", "first", "text", "hash", "n"}).Draw(rt, "set")}
		got, err := d.Decide(context.Background(), q)
		want := reference.Decide(p, reference.Query{Request: q.Request, Table: q.Table, Action: q.Action, Old: q.Old, New: q.New, Set: q.Set})
		if err != nil || got != want.Allowed {
			rt.Fatalf("%s of %v by %v: rego says %v (%v), the evaluator %v", q.Action, q.Set, q.Request.User, got, err, want.Allowed)
		}
	})
}

func compareSight(t interface{ Fatalf(string, ...any) }, p *model.Program, d *Decider, q backend.Question) {
	want := reference.Decide(p, reference.Query{Request: q.Request, Table: q.Table, Action: model.View, Old: q.Old, HashKey: model.TestHashKey})
	got, err := d.See(context.Background(), q)
	if err != nil {
		t.Fatalf("see: %v", err)
	}
	var visible []string
	for _, c := range want.Columns {
		if _, masked := want.Masked[c.Name]; !masked {
			visible = append(visible, c.Name)
		}
	}
	if diff := cmp.Diff(visible, got.Visible) + cmp.Diff(meanings(q.Table, want.Masked), meanings(q.Table, got.Masked)); diff != "" {
		t.Fatalf("%v sees of %v (-evaluator +rego)\n%s", q.Request.User, q.Old, diff)
	}
}

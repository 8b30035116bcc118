package access_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// bruteBase is the project whose users and records are all tried.
const bruteBase = `
postern { project = "a" }
identity {
  attribute "id" { type = int }
  attribute "r" { type = string }
}
group "g" {}
datasource "s" { type = "service" }
resource "s" "m" {
  attribute "who" { type = int }
  actions = ["view"]
}
resource "s" "t" {
  attribute "n" { type = int }
  attribute "c" { type = string }
  relation "many" {
    table = resource.s.m
    on    = { n = "who" }
    many  = true
  }
  actions = ["view", "edit", "delete", "create", "ban"]
}
`

// programs draws the rules of a project.
type programs struct{ t *rapid.T }

func (g programs) one(list ...string) string { return rapid.SampledFrom(list).Draw(g.t, "one") }

func (g programs) some(list ...string) string {
	picked := slices.DeleteFunc(slices.Clone(list), func(string) bool { return !rapid.Bool().Draw(g.t, "some") })
	if len(picked) == 0 {
		picked = list[:1]
	}
	return strings.Join(picked, ", ")
}

func (g programs) cond() string {
	atom := func() string {
		return g.one("record.n == user.id", "record.n != user.id", "record.n > 1", "record.c == user.r", `record.c == "a"`, "record.n == null", "member_of(group.h)",
			`user.access_level == "user"`, "known(user.r)", "true", "anytrue([for m in record.many : m.who == 1])", "alltrue([for m in record.many : m.who == 1])",
			"length([for m in record.many : m if m.who == 1]) == 1", "record.n * 2 >= user.id + 2", "!known(user.groups)")
	}
	switch rapid.IntRange(0, 4).Draw(g.t, "shape") {
	case 0:
		return "(" + atom() + " && " + atom() + ")"
	case 1:
		return "(" + atom() + " || " + atom() + ")"
	case 2:
		return "!(" + atom() + ")"
	}
	return atom()
}

func (g programs) subjects() string {
	return g.some("group.g", "group.h", "everyone", "access_level.user", "user.u")
}

func (g programs) draw() string {
	var b strings.Builder
	base, key := bruteBase, "id = 1"
	if g.one("", "", "", "otherwise") != "" {
		// The same names are declared in another way, the key as well.
		base = strings.Replace(base, `attribute "c" { type = string }`, `attribute "c" { type = `+g.one("string", `enum("a", "b")`, `enum("b")`)+` }`, 1)
		number := g.one("int", "number")
		base = strings.Replace(base, `attribute "n" { type = int }`, `attribute "n" { type = `+number+` }`, 1)
		base = strings.Replace(base, `attribute "who" { type = int }`, `attribute "who" { type = `+number+` }`, 1)
		if g.one("id", "r") == "r" {
			base, key = strings.Replace(base, "identity {", "identity {\n  key = \"r\"", 1), "r = \"a\""
		}
	}
	b.WriteString(base)
	fmt.Fprintf(&b, "group \"h\" { %s }\n", g.one("", "member_of = [group.g]"))
	fmt.Fprintf(&b, "user \"u\" {\n  attributes = { %s%s }\n%s%s}\n", key, g.one("", ", "+map[string]string{"id = 1": "r = \"a\"", "r = \"a\"": "id = 1"}[key], ", "+map[string]string{"id = 1": "r", "r = \"a\"": "id"}[key]+" = null"),
		g.one("", "  groups = [group.h]\n", "  groups = []\n"), g.one("", "  access_level = access_level.anonymous\n", "  access_level = access_level.superuser\n"))
	for i := range rapid.IntRange(1, 3).Draw(g.t, "policies") {
		fmt.Fprintf(&b, "policy \"p%d\" {\n  on = [resource.s.t]\n  to = [%s]\n  allow = [%s]\n  when = %s\n", i, g.subjects(), g.some("view", "edit", "delete", "create", "ban"), g.cond())
		if rapid.Bool().Draw(g.t, "check") {
			fmt.Fprintf(&b, "  check = %s\n", g.cond())
		}
		if rapid.Bool().Draw(g.t, "columns") {
			fmt.Fprintf(&b, "  columns = [%s]\n", g.one(`"n"`, `"n", "c"`))
		}
		b.WriteString("}\n")
	}
	if rapid.Bool().Draw(g.t, "guard") {
		fmt.Fprintf(&b, "guard \"d\" {\n  on = [resource.s.t]\n  to = [%s]\n  require = %s\n}\n", g.subjects(), g.cond())
	}
	if rapid.Bool().Draw(g.t, "mask") {
		fmt.Fprintf(&b, "mask \"k\" {\n  on = [resource.s.t]\n  columns = [\"c\"]\n  unless = [%s]\n  with = %s\n}\n", g.subjects(), g.one("null", "last(1)", "first(1)", `redact("x")`))
	}
	return b.String()
}

func users() []map[string]any {
	out := []map[string]any{nil}
	for _, id := range []any{nil, json.Number("1"), json.Number("2")} {
		for _, groups := range []any{nil, []any{}, []any{"g"}, []any{"h"}} {
			for _, level := range []any{nil, "user", "anonymous", "none"} {
				for _, r := range []any{nil, "a", "b"} {
					out = append(out, map[string]any{"id": id, "groups": groups, "access_level": level, "r": r})
				}
			}
		}
	}
	return out
}

func records() []model.Document {
	var out []model.Document
	one, odd := map[string]any{"who": json.Number("1")}, map[string]any{"who": json.Number("2")}
	for _, n := range []any{nil, json.Number("1"), json.Number("2"), "x"} {
		for _, c := range []any{nil, "a", "b"} {
			many := []any{}
			switch n { // the records that are joined have the same number
			case json.Number("1"):
				many = []any{one, one}
			case json.Number("2"):
				many = []any{odd}
			}
			for i := range len(many) + 1 {
				out = append(out, model.Document{"n": n, "c": c, "many": many[:i]})
			}
		}
	}
	return out
}

// TestAgreesWithBruteForce tries all users and records of a small world on two
// random programs: whoever gains or loses there has to be among the changes.
func TestAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	us, rs := users(), records()
	undecided, cells := 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		g := programs{rt}
		texts := [2]string{g.draw(), g.draw()}
		before, after := tryCompile(t, texts[0]), tryCompile(t, texts[1])
		if before == nil || after == nil {
			rt.Skip("refused")
		}
		d, err := access.Compare(t.Context(), before, after, access.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		undecided += d.Count(access.Undecided)
		cells += d.Same + len(d.Changes)
		check := func(u map[string]any, q eval.Query, column string, had, has bool) {
			if had == has {
				return
			}
			if !slices.ContainsFunc(d.Changes, func(c access.Change) bool {
				about := c.Action == q.Action && strings.HasSuffix(c.Table, ".t") && (len(c.Columns) == 0) == (column == "") &&
					(column == "" || slices.Contains(c.Columns, column))
				return about && (has && c.Verdict.Widens() || had && c.Verdict.Narrows())
			}) {
				rt.Fatalf("%v, %v of %v, %v (column %q): %v before, %v after, but\n%s\n%s\n%s", q.Action, u, q.Old, q.New, column, had, has, report(d), texts[0], texts[1])
			}
		}
		skip := rapid.IntRange(0, 5).Draw(rt, "users")
		for j, u := range us {
			if j%6 != skip {
				continue
			}
			for i, r := range rs {
				b, a := &asker{before, u}, &asker{after, u}
				for _, action := range []model.Action{model.View, model.Delete, "ban", model.Create} {
					q := eval.Query{Action: action, Old: r}
					if action == model.Create {
						q.Old, q.New = nil, r
					}
					check(u, q, "", b.allows(q), a.allows(q))
					if had, has := b.sees(q), a.sees(q); action == model.View && b.allows(q) && a.allows(q) {
						check(u, q, "n", had["n"] != "", has["n"] != "")
						check(u, q, "c", had["c"] == "raw", has["c"] == "raw")
					}
				}
				q := eval.Query{Action: model.Edit, Old: r, New: rs[(i*7+3)%len(rs)]}
				check(u, q, "", b.allows(q), a.allows(q))
				q.Set = []string{"c"}
				if plain := (eval.Query{Action: model.Edit, Old: q.Old, New: q.New}); b.allows(plain) && a.allows(plain) {
					check(u, q, "c", b.allows(q), a.allows(q))
				}
			}
		}
	})
	t.Logf("%d of %d cells undecided", undecided, cells)
}

type asker struct {
	p    *model.Program
	user map[string]any
}

func (a *asker) decide(q eval.Query) eval.Decision {
	q.Request = model.Request{User: maps.Clone(a.user)}
	for _, t := range a.p.Tables {
		if t.Name == "t" {
			q.Table = t
		}
	}
	return eval.Decide(a.p, q)
}

func (a *asker) allows(q eval.Query) bool { return a.decide(q).Allowed }

// sees tells of each visible column whether it is raw or masked.
func (a *asker) sees(q eval.Query) map[string]string {
	d := a.decide(q)
	out := map[string]string{}
	for _, c := range d.Columns {
		out[c.Name] = "raw"
		if _, masked := d.Masked[c.Name]; masked {
			out[c.Name] = "masked"
		}
	}
	return out
}

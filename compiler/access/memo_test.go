package access_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler/access"
)

// memoTables are tables and resources on which the same conditions can be
// written, and mean something else: column c may hold null, or what is no number,
// or small numbers alone, and relations lead elsewhere.
const memoTables = `
postern { project = "a" }
identity {
  attribute "id" { type = string }
  attribute "n" { type = int }
}
group "a" {}
group "b" {}
group "up" { member_of = [group.over] }
group "over" {}
datasource "db" { type = "postgres" }
datasource "s" { type = "service" }
table "db" "other" {
  column "id" { type = int }
  column "x" {
    type = int
    null = true
  }
  primary_key = ["id"]
}
table "db" "others" {
  column "id" { type = int }
  column "x" { type = int }
  primary_key = ["id"]
}
resource "s" "other" {
  attribute "id" { type = int }
  attribute "x" { type = int }
  actions = ["view"]
}
resource "s" "loose" {
  attribute "id" { type = int }
  attribute "c" { type = int }
  relation "one" {
    table = resource.s.other
    on    = { id = "id" }
  }
  actions = ["view"]
}
`

var memoColumns = map[string]string{
	"bare": "", "nulls": "    null = true\n", "small": "    native = \"smallint\"\n", "nulls_small": "    null = true\n    native = \"smallint\"\n",
}

// memoProgram grants view on each of the tables where the condition holds.
func memoProgram(when string) string {
	var b strings.Builder
	b.WriteString(memoTables)
	for _, name := range []string{"bare", "nulls", "nulls_small", "small"} {
		for _, to := range []string{"other", "others"} {
			fmt.Fprintf(&b, "table \"db\" \"%s_%s\" {\n  column \"id\" { type = int }\n  column \"c\" {\n    type = int\n%s  }\n  relation \"one\" {\n    table = table.db.%s\n"+
				"    on    = { id = \"id\" }\n  }\n  primary_key = [\"id\"]\n}\n", name, to, memoColumns[name], to)
		}
	}
	policy := func(on string) {
		fmt.Fprintf(&b, "policy \"%s\" {\n  on = [%s]\n  to = [group.a, group.b, group.up]\n  allow = [view]\n  when = %s\n}\n", strings.ReplaceAll(on, ".", "_"), on, when)
	}
	for name := range memoColumns {
		policy("table.db." + name + "_other")
		policy("table.db." + name + "_others")
	}
	policy("resource.s.loose")
	return b.String()
}

// TestRememberedAnswers compares tables that are alike but for what their
// columns may hold and where their relations lead. Whether answers are
// remembered, and in which order they are asked for, makes no difference.
func TestRememberedAnswers(t *testing.T) {
	t.Parallel()
	verdicts := map[access.Verdict]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g := programs{rt}
		atom := func() string {
			return g.one("record.c == null", "record.c != null", "record.c < 5", "record.c >= 5", "record.c < 40000", "record.c == user.n", "record.one.x == 1", "record.one.x != 1",
				"record.one.x == null", "record.one.x == record.c", "member_of(group.a)", "member_of(group.over)", "true", "known(user.n)")
		}
		cond := func() string {
			return "(" + atom() + g.one(" && ", " || ") + g.one("", "!") + "(" + atom() + g.one(" && ", " || ") + atom() + "))"
		}
		a := cond()
		b := g.one(cond(), "("+a+" && "+atom()+")", "("+a+" || "+atom()+")")
		before, after := tryCompile(t, memoProgram(a)), tryCompile(t, memoProgram(b))
		if before == nil || after == nil {
			rt.Skip("refused")
		}
		want := access.CompareTables(t.Context(), before, after, false, true)
		for _, reversed := range []bool{false, true} {
			got := access.CompareTables(t.Context(), before, after, reversed, false)
			for i := range want {
				if x, y := summary(&want[i]), summary(&got[i]); x != y {
					rt.Fatalf("alone\n%s\nremembered (reversed: %t)\n%s\n%s\n%s", x, reversed, y, a, b)
				}
				for _, c := range got[i].Changes {
					verdicts[c.Verdict]++
				}
			}
		}
	})
	t.Log(verdicts)
}

// summary is a diff without its witnesses.
func summary(d *access.Diff) string {
	var b strings.Builder
	for _, c := range d.Changes {
		fmt.Fprintf(&b, "%s %s %v %s\n", c.Verdict, c, c.Apps, c.Reason)
	}
	fmt.Fprintf(&b, "same %d", d.Same)
	return b.String()
}

// TestRememberedOfResources: a column of a table that is a number or null makes
// this hold always; an attribute of a resource may be neither.
func TestRememberedOfResources(t *testing.T) {
	t.Parallel()
	before, after := compile(t, memoProgram("true")), compile(t, memoProgram("record.c == null || record.c < 5 || record.c >= 5"))
	for _, reversed := range []bool{false, true} {
		for _, d := range access.CompareTables(t.Context(), before, after, reversed, false) {
			for _, c := range d.Changes {
				if c.Table != "resource.s.loose" || c.Verdict != access.Narrower {
					t.Errorf("reversed %t: %s %s", reversed, c.Verdict, c)
				}
			}
		}
		d := access.CompareTables(t.Context(), before, after, reversed, false)[0]
		if len(d.Changes) != 3 {
			t.Errorf("reversed %t: %s", reversed, summary(&d))
		}
	}
}

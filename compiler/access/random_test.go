package access_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomBase is the project that random conditions stand in.
const randomBase = `
postern { project = "a" }
identity {
  attribute "id" { type = string }
  attribute "i" { type = int }
  attribute "s" { type = string }
  attribute "f" { type = bool }
}
group "g" {}
group "h" { member_of = [group.g] }
datasource "db" { type = "postgres" }
table "db" "t" {
  column "n" {
    type = int
    null = true
  }
  column "m" { type = int }
  column "x" {
    type = number
    null = true
  }
  column "s" {
    type = string
    null = true
  }
  column "w" { type = string }
  column "b" {
    type = bool
    null = true
  }
  column "at" {
    type = timestamp
    null = true
  }
  column "tags" {
    type = set(string)
    null = true
  }
  primary_key = ["m"]
}
`

// randomPolicy grants view to everyone when the condition holds.
func randomPolicy(when string) string {
	return "policy \"p\" {\n  on = [table.db.t]\n  to = [everyone]\n  allow = [view]\n  when = " + when + "\n}\n"
}

// draw makes conditions as text.
type draw struct{ *rand.Rand }

func pick[T any](d draw, list ...T) T { return list[d.IntN(len(list))] }

func (d draw) whole(depth int) string {
	if depth > 0 {
		switch d.IntN(7) {
		case 0:
			return "(" + d.whole(depth-1) + pick(d, " + ", " - ") + d.whole(depth-1) + ")"
		case 1:
			return fmt.Sprintf("(%d * %s)", d.IntN(5)-2, d.whole(depth-1))
		case 2:
			return "length(" + d.text(0) + ")"
		case 3:
			return fmt.Sprintf("coalesce(record.n, %d)", d.IntN(3))
		}
	}
	return pick(d, "record.n", "record.m", "user.i", "record.n", "record.m", fmt.Sprint(d.IntN(6)-2))
}

func (d draw) text(depth int) string {
	if depth > 0 && d.IntN(6) == 0 {
		return `coalesce(record.s, "ab")`
	}
	return pick(d, "record.s", "record.w", "user.s")
}

func (d draw) constant() string { return pick(d, `"a"`, `"ab"`, `"b"`, `"aba"`, `"a.b"`, `"c"`) }

func (d draw) order() string { return pick(d, " == ", " != ", " < ", " <= ", " > ", " >= ") }

func (d draw) atom() string {
	switch d.IntN(16) {
	case 0, 1, 2:
		return "(" + d.whole(2) + d.order() + d.whole(1) + ")"
	case 3:
		return "(record.x" + d.order() + pick(d, "1.5", "2", "record.m", "0") + ")"
	case 4, 5:
		return "(" + d.text(1) + d.order() + pick(d, d.constant(), d.text(0)) + ")"
	case 6, 7:
		return pick(d, "contains", "starts_with", "ends_with") + "(" + d.text(1) + ", " + pick(d, d.constant(), d.constant(), d.text(0)) + ")"
	case 8:
		return fmt.Sprintf("(length(%s)%s%d)", d.text(0), d.order(), d.IntN(4))
	case 9:
		return pick(d, "(record.n == null)", "(record.s != null)", "is_empty(record.s)", "!is_empty(record.w)", "(record.x == null)", "is_empty(record.tags)")
	case 10:
		return pick(d, "record.b", "user.f", "(record.b == user.f)", "known(user.s)", "known(user.groups)")
	case 11:
		return pick(d, "member_of(group.g)", "member_of(group.h)", "contains(user.groups, record.w)")
	case 12:
		return "contains([" + d.constant() + ", " + d.constant() + "], " + d.text(0) + ")"
	case 13:
		return "is_under(" + d.text(0) + ", " + pick(d, d.constant(), d.text(0)) + `, ".")`
	case 14:
		return pick(d, fmt.Sprintf("in_last(record.at, days(%d))", 1+d.IntN(3)), fmt.Sprintf("in_next(record.at, hours(%d))", 24*(1+d.IntN(2))), "(record.at < now())", "(record.at + days(1) > now())")
	}
	return pick(d, "contains(record.tags, "+d.constant()+")", "contains(record.tags, "+d.text(0)+")", fmt.Sprintf("(length(record.tags)%s%d)", d.order(), d.IntN(3)),
		"between("+d.whole(1)+", "+d.whole(0)+", "+d.whole(0)+")")
}

func (d draw) cond(depth int) string {
	if depth > 0 {
		switch d.IntN(8) {
		case 0, 1, 2:
			return "(" + d.cond(depth-1) + " && " + d.cond(depth-1) + ")"
		case 3, 4, 5:
			return "(" + d.cond(depth-1) + " || " + d.cond(depth-1) + ")"
		case 6:
			return "!(" + d.cond(depth-1) + ")"
		}
		if d.IntN(2) == 0 {
			return "(" + d.cond(depth-1) + " ? " + d.cond(depth-1) + " : " + d.cond(depth-1) + ")"
		}
	}
	return d.atom()
}

// pair draws two conditions that often have something to do with each other.
func (d draw) pair(depth int) (string, string) {
	a := d.cond(depth)
	switch d.IntN(7) {
	case 0:
		return a, d.cond(depth)
	case 1:
		return a, "(" + a + " && " + d.cond(1) + ")"
	case 2:
		return a, "(" + a + " || " + d.cond(1) + ")"
	case 3:
		return a, "!(!(" + a + "))"
	case 4:
		b := d.cond(1)
		return "!(" + a + " && " + b + ")", "(!(" + a + ") || !(" + b + "))"
	case 5:
		b, c := d.cond(1), d.cond(1)
		return "(" + a + " && (" + b + " || " + c + "))", "((" + a + " && " + b + ") || (" + c + " && " + a + "))"
	}
	b := d.cond(1)
	return a, "((" + a + " && " + b + ") || (" + a + " && !(" + b + ")) || " + a + ")"
}

func newDraw(seed uint64) draw { return draw{rand.New(rand.NewPCG(seed, 5))} } // #nosec G404 -- repeatable on purpose

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }

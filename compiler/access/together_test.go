package access_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// drawEdits draws a project in which edits come from policies for several
// subjects: some let a record be edited, others accept the result.
func (g programs) drawEdits() string {
	var b strings.Builder
	b.WriteString(bruteBase)
	b.WriteString("group \"h\" {}\npolicy \"view\" {\n  on = [resource.s.t]\n  to = [everyone]\n  allow = [view]\n}\n")
	cond := func() string {
		return g.one("record.n == user.id", "record.n > 1", `record.c == "a"`, "record.n == 7", "true", "member_of(group.h)")
	}
	for i := range rapid.IntRange(2, 3).Draw(g.t, "policies") {
		fmt.Fprintf(&b, "policy \"p%d\" {\n  on = [resource.s.t]\n  to = [%s]\n  allow = [edit]\n  when = %s\n  check = %s\n}\n",
			i, g.one("group.g", "group.h", "everyone", "group.g, group.h"), cond(), cond())
	}
	return b.String()
}

// TestTogetherAgreesWithBruteForce tries all edits of a small world that need
// policies for two subjects at once, and all others.
func TestTogetherAgreesWithBruteForce(t *testing.T) {
	t.Parallel()
	rs := slices.DeleteFunc(records(), func(r model.Document) bool { return len(r["many"].([]any)) > 0 })
	var us []map[string]any
	for _, u := range users() {
		if u != nil && u["access_level"] == nil && u["r"] == nil {
			us = append(us, u)
			if u["groups"] == nil {
				us = append(us, map[string]any{"id": u["id"], "groups": []any{"g", "h"}})
			}
		}
	}
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		g := programs{rt}
		texts := [2]string{g.drawEdits(), g.drawEdits()}
		if g.one("other", "other", "again") == "again" { // the first policy twice changes nothing
			_, first, _ := strings.Cut(texts[0], "policy \"p0\"")
			first, _, _ = strings.Cut(first, "\n}\n")
			texts[1] = texts[0] + "policy \"again\"" + first + "\n}\n"
		}
		before, after := tryCompile(t, texts[0]), tryCompile(t, texts[1])
		if before == nil || after == nil {
			rt.Skip("refused")
		}
		d, err := access.Compare(t.Context(), before, after, access.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		var gained, lost, widens, narrows bool
		for _, u := range us {
			b, a := &asker{before, u}, &asker{after, u}
			for _, r := range rs {
				for _, next := range rs {
					q := eval.Query{Action: model.Edit, Old: r, New: next}
					had, has := b.allows(q), a.allows(q)
					gained, lost = gained || has && !had, lost || had && !has
				}
			}
		}
		for _, c := range d.Changes {
			if c.Action != model.Edit {
				rt.Fatalf("%s changes\n%s", c, report(d))
			}
			widens, narrows = widens || c.Gained != nil, narrows || c.Lost != nil
			if strings.HasPrefix(c.Reason, "one subject's policies") {
				seen["together"]++
				// Nobody is said to gain through the two what they gain through one.
				if slices.ContainsFunc(d.Changes, func(o access.Change) bool {
					return o.Subject == c.Subject && o.Reason != c.Reason && o.Verdict == c.Verdict
				}) {
					seen["both"]++
				}
			}
		}
		if gained && !widens || lost && !narrows {
			rt.Fatalf("gained %t, lost %t, but\n%s\n%s\n%s", gained, lost, report(d), texts[0], texts[1])
		}
		if widens && !gained || narrows && !lost {
			seen["beyond the small world"]++
		}
		if !gained && !lost {
			seen["same"]++
		}
	})
	t.Log(seen)
	if seen["together"] == 0 || seen["same"] == 0 {
		t.Errorf("not every kind was seen: %v", seen)
	}
}

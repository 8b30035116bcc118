package access

import (
	"crypto/sha256"
	"slices"
	"strings"
	"sync"

	"github.com/postern-dev/postern/compiler/model"
)

// memo keeps answers by the form of their questions: tables and groups are often
// alike, and a question that differs from another one by names alone has the
// same answer.
type memo struct {
	mu      sync.Mutex
	answers map[[32]byte]remembered
	once    sync.Once
	alike   []string // groups that only their names tell apart, sorted
}

type remembered struct {
	answer
	names []string // the groups that were asked about, in canonical order
}

// remember answers a question as one of the same form was answered, or by
// deciding it.
func (c *comparer) remember(q *question, decide func() answer) answer {
	c.memo.once.Do(func() { c.memo.alike = c.alikeGroups() })
	names := ordered(c.memo.alike, q.via)
	k := q.cell.forms.keyer()
	k.names = map[string]string{}
	for i, n := range names {
		k.names[n] = "\x00" + decimal(i)
	}
	text := k.formula(q.part) + "\x00" + k.formula(q.whole)
	if q.within != nil {
		text += "\x00" + k.formula(q.within)
	}
	if strings.HasPrefix(q.cell.address, "resource.") {
		text += "\x00resource" // whose attributes may hold anything
	}
	if o := q.cell.old.origins + "\x00" + q.cell.new.origins; o != "\x00" {
		text += "\x00origins " + o
	}
	if q.gain {
		text += "\x00gain"
	}
	key := sha256.Sum256([]byte(text))
	c.memo.mu.Lock()
	before, known := c.memo.answers[key]
	c.memo.mu.Unlock()
	if known {
		if a, ok := before.apply(q, names); ok {
			return a
		}
	}
	a := decide()
	c.memo.mu.Lock()
	c.memo.answers[key] = remembered{a, names}
	c.memo.mu.Unlock()
	return a
}

// apply is the answer in a question's own names; a witness is confirmed again.
func (r remembered) apply(q *question, names []string) (answer, bool) {
	if r.outcome != found {
		return r.answer, true
	}
	w := *r.witness
	w.App = q.cell.app
	if groups, ok := w.User["groups"].([]any); ok {
		user := map[string]any{}
		for k, v := range w.User {
			user[k] = v
		}
		renamed := make([]any, len(groups))
		for i, g := range groups {
			renamed[i] = g
			if name, ok := g.(string); ok {
				if n := slices.Index(r.names, name); n >= 0 {
					renamed[i] = names[n]
				}
			}
		}
		user["groups"] = renamed
		w.User = user
	}
	return answer{outcome: found, witness: &w}, q.confirms(&w) && q.through(&w)
}

// ordered is the groups with the subject's own first.
func ordered(groups []string, subject string) []string {
	for i, g := range groups {
		if "group."+g == subject {
			out := append([]string{g}, groups[:i]...)
			return append(out, groups[i+1:]...)
		}
	}
	return groups
}

// alikeGroups lists the groups for which others could stand: they are above and
// below none, the directory puts nobody in them, and conditions ask for nothing
// but whether a user is in them.
func (c *comparer) alikeGroups() []string {
	special := map[string]bool{}
	both := map[string]int{}
	for _, p := range []*model.Program{c.old, c.new} {
		for _, g := range p.Groups {
			both[g.Name]++
			if len(g.Closure) > 1 {
				for _, name := range g.Closure {
					special[name] = true
				}
			}
		}
		for _, u := range p.Users {
			for _, g := range u.Groups {
				special[g.Name] = true
			}
		}
		if namesGroups(p) {
			return nil
		}
	}
	for _, tables := range c.found {
		if len(tables) > 0 {
			return nil // what was found may ask anything of the groups
		}
	}
	var out []string
	for name, n := range both {
		if n == 2 && !special[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// namesGroups reports whether a condition asks more of the groups than whether
// a constant is among them.
func namesGroups(p *model.Program) bool {
	more := false
	look := func(c model.Cond) {
		model.Walk(c, func(c model.Cond) {
			if in, ok := c.(*model.In); ok {
				_, constant := in.Elem.(*model.Literal)
				_, groups := in.Set.(*model.GroupsRef)
				if constant && groups {
					return
				}
			}
			if _, known := c.(*model.Known); known {
				return
			}
			for _, x := range model.Operands(c) {
				model.WalkExpr(x, func(e model.Expr) {
					_, groups := e.(*model.GroupsRef)
					more = more || groups
				})
			}
		})
	}
	for _, t := range p.Tables {
		for _, x := range t.Policies {
			look(x.When.Holds)
			look(x.Check.Holds)
		}
		for _, x := range t.Guards {
			look(x.Require.Holds)
		}
	}
	return more
}

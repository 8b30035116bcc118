package engine

import (
	"net/netip"
	"strings"
)

// cond is a compiled condition.
type cond func(c *call) bool

func always(*call) bool { return true }
func never(*call) bool  { return false }

func allOf(terms []cond) cond {
	if len(terms) == 2 {
		a, b := terms[0], terms[1]
		return func(c *call) bool { return a(c) && b(c) }
	}
	return func(c *call) bool {
		for _, t := range terms {
			if !t(c) {
				return false
			}
		}
		return true
	}
}

func anyOf(terms []cond) cond {
	if len(terms) == 2 {
		a, b := terms[0], terms[1]
		return func(c *call) bool { return a(c) || b(c) }
	}
	return func(c *call) bool {
		for _, t := range terms {
			if t(c) {
				return true
			}
		}
		return false
	}
}

// equal is x == y, or x != y, with both known.
func equal[T comparable](x, y get[T], want bool) cond {
	return func(c *call) bool {
		a, ok := x(c)
		if !ok {
			return false
		}
		b, ok := y(c)
		return ok && (a == b) == want
	}
}

// ordered is a comparison with both operands known; satisfied tells which
// results of compare (negative, zero, positive) satisfy it.
func ordered[T any](x, y get[T], compare func(a, b T) int, satisfied func(int) bool) cond {
	return func(c *call) bool {
		a, ok := x(c)
		if !ok {
			return false
		}
		b, ok := y(c)
		return ok && satisfied(compare(a, b))
	}
}

func isTrue(x get[bool], want bool) cond {
	return func(c *call) bool {
		b, ok := x(c)
		return ok && b == want
	}
}

// isNull looks at the column alone; its record must be there.
func isNull(record row, from source, want bool) cond {
	return func(c *call) bool { return record(c) != nil && (from(c).state == null) == want }
}

// emptyText is satisfied when the column is null or "", or, without want, when
// it is known and not "".
func emptyText(record row, from source, want bool) cond {
	return func(c *call) bool {
		if record(c) == nil {
			return false
		}
		s := from(c)
		if s.state == null {
			return want
		}
		return s.state == known && (s.text == "") == want
	}
}

// emptySet is the same of a set without elements.
func emptySet(record row, from source, size func(c *call) (int, bool), want bool) cond {
	return func(c *call) bool {
		if record(c) == nil {
			return false
		}
		if from(c).state == null {
			return want
		}
		n, ok := size(c)
		return ok && (n == 0) == want
	}
}

func knows(is func(c *call) bool, want bool) cond {
	return func(c *call) bool { return is(c) == want }
}

// textTest is a test of one string against another.
func textTest(x, y get[string], test func(a, b string) bool, want bool) cond {
	return func(c *call) bool {
		a, ok := x(c)
		if !ok {
			return false
		}
		b, ok := y(c)
		return ok && test(a, b) == want
	}
}

// under is a path test: x is y, or below it.
func under(delimiter string) func(x, y string) bool {
	return func(x, y string) bool {
		rest, ok := strings.CutPrefix(x, y)
		return ok && (rest == "" || strings.HasPrefix(rest, delimiter))
	}
}

func in[T any](x get[T], set setOf[T], want bool) cond {
	return func(c *call) bool {
		elem, ok := x(c)
		if !ok {
			return false
		}
		is, ok := set.has(c, elem)
		return ok && is == want
	}
}

func inNetwork(x get[netip.Addr], net netip.Prefix, want bool) cond {
	return func(c *call) bool {
		a, ok := x(c)
		return ok && net.Contains(a) == want
	}
}

func via(app string, want bool) cond {
	return func(c *call) bool { return (c.hasApp && c.app == app) == want }
}

// loop goes through the records of a to-many relation, each bound as a row.
type loop struct {
	record   row
	relation int
	number   int
	to       *schema
}

func (l *loop) rows(c *call) (rows, bool) { return l.record(c).many(l.relation) }

func (l *loop) bind(c *call, list rows, i int) {
	if list.records != nil {
		c.rows[l.number] = list.records[i]
		return
	}
	doc, _ := list.docs[i].(map[string]any)
	c.rows[l.number] = c.scratch.record(l.number, l.to, doc)
}

// satisfying is the number of the records that satisfy where; it stops at the
// limit.
func (l *loop) satisfying(c *call, list rows, where cond, limit int) int {
	n := 0
	for i := range list.len() {
		if n == limit {
			break
		}
		l.bind(c, list, i)
		if where(c) {
			n++
		}
	}
	return n
}

func some(l loop, where cond) cond {
	return func(c *call) bool {
		list, ok := l.rows(c)
		return ok && l.satisfying(c, list, where, 1) == 1
	}
}

func every(l loop, where cond) cond {
	return func(c *call) bool {
		list, ok := l.rows(c)
		if !ok {
			return false
		}
		for i := range list.len() {
			l.bind(c, list, i)
			if !where(c) {
				return false
			}
		}
		return true
	}
}

// count compares the number of records that satisfy holds, when all others
// satisfy fails.
func count(l loop, holds, fails cond, n get[num], satisfied func(int) bool) cond {
	return func(c *call) bool {
		list, ok := l.rows(c)
		if !ok {
			return false
		}
		limit, ok := n(c)
		if !ok {
			return false
		}
		yes := l.satisfying(c, list, holds, -1)
		no := l.satisfying(c, list, fails, -1)
		return yes+no == list.len() && satisfied(compareNum(whole(int64(yes)), limit))
	}
}

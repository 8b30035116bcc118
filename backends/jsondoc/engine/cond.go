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

// null looks at the column alone; its record must be there.
func null(record row, column string, want bool) cond {
	return func(c *call) bool {
		doc := record(c)
		return doc != nil && (doc[column] == nil) == want
	}
}

// emptyText is satisfied when the column is null or "", or, without want, when
// it is known and not "".
func emptyText(record row, column string, decode func(any) (string, bool), want bool) cond {
	return func(c *call) bool {
		doc := record(c)
		if doc == nil {
			return false
		}
		raw := doc[column]
		if raw == nil {
			return want
		}
		s, ok := decode(raw)
		return ok && (s == "") == want
	}
}

// emptySet is the same of a set without elements.
func emptySet(record row, column string, size func(c *call) (int, bool), want bool) cond {
	return func(c *call) bool {
		doc := record(c)
		if doc == nil {
			return false
		}
		if doc[column] == nil {
			return want
		}
		n, ok := size(c)
		return ok && (n == 0) == want
	}
}

func known(is func(c *call) bool, want bool) cond {
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

// related finds the records of a to-many relation; false when the record does
// not tell them all.
func related(record row, name string) func(c *call) ([]any, bool) {
	return func(c *call) ([]any, bool) {
		list, ok := record(c)[name].([]any)
		if !ok {
			return nil, false
		}
		for _, item := range list {
			if _, ok := item.(map[string]any); !ok {
				return nil, false
			}
		}
		return list, true
	}
}

// satisfying is the number of the records that satisfy where, each bound as
// row number; it stops at the limit.
func satisfying(c *call, list []any, number int, where cond, limit int) int {
	n := 0
	for _, item := range list {
		if n == limit {
			break
		}
		c.rows[number], _ = item.(map[string]any)
		if where(c) {
			n++
		}
	}
	return n
}

func some(rows func(*call) ([]any, bool), number int, where cond) cond {
	return func(c *call) bool {
		list, ok := rows(c)
		return ok && satisfying(c, list, number, where, 1) == 1
	}
}

func every(rows func(*call) ([]any, bool), number int, where cond) cond {
	return func(c *call) bool {
		list, ok := rows(c)
		if !ok {
			return false
		}
		for _, item := range list {
			c.rows[number], _ = item.(map[string]any)
			if !where(c) {
				return false
			}
		}
		return true
	}
}

// count compares the number of records that satisfy holds, when all others
// satisfy fails.
func count(rows func(*call) ([]any, bool), number int, holds, fails cond, n get[num], satisfied func(int) bool) cond {
	return func(c *call) bool {
		list, ok := rows(c)
		if !ok {
			return false
		}
		limit, ok := n(c)
		if !ok {
			return false
		}
		yes := satisfying(c, list, number, holds, -1)
		no := satisfying(c, list, number, fails, -1)
		return yes+no == len(list) && satisfied(compareNum(whole(int64(yes)), limit))
	}
}

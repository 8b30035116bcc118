package engine

import (
	"strings"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// The comparisons that policies are made of most, of a slot with another or
// with a constant, each as one closure: what compare would put together of
// four. They mean the same; the tests ask both.

// fused is the condition in its fused form, or nil when it has none.
func (k *compiler) fused(op document.Op, a, b operand) cond {
	if a.from == nil {
		if b.from == nil || b.constant != nil {
			return nil
		}
		a, b, op = b, a, mirrored(op)
	}
	equality, want := op == document.Equal || op == document.NotEqual, op == document.Equal
	switch {
	case b.from != nil && equality && a.fam == famText:
		return equalText(a.from, b.from, want)
	case b.from != nil && equality && a.fam == famUUID:
		return equalUUID(a.from, b.from, want)
	case b.constant == nil:
		return nil
	case equality && a.fam == famText:
		text, _ := b.constant.(string)
		return isText(a.from, text, want)
	case a.fam == famNum:
		if n, _ := b.constant.(num); n.big == nil && n.scale == 0 {
			return compareWhole(a.from, op, n.i)
		}
	}
	return nil
}

// mirrored is the operator with its sides exchanged.
func mirrored(op document.Op) document.Op {
	switch op {
	case document.Less:
		return document.Greater
	case document.LessEqual:
		return document.GreaterEqual
	case document.Greater:
		return document.Less
	case document.GreaterEqual:
		return document.LessEqual
	default:
		return op
	}
}

func equalText(x, y source, want bool) cond {
	return func(c *call) bool {
		a := x(c)
		if a.state != known {
			return false
		}
		b := y(c)
		return b.state == known && (a.text == b.text) == want
	}
}

func equalUUID(x, y source, want bool) cond {
	return func(c *call) bool {
		a := x(c)
		if a.state != known {
			return false
		}
		b := y(c)
		return b.state == known && (a.bytes == b.bytes) == want
	}
}

func isText(x source, text string, want bool) cond {
	return func(c *call) bool {
		a := x(c)
		return a.state == known && (a.text == text) == want
	}
}

// compareWhole compares with a whole number of 64 bits.
func compareWhole(x source, op document.Op, i int64) cond {
	test := satisfies(op)
	return func(c *call) bool {
		a := x(c)
		if a.state != known {
			return false
		}
		if a.more != nil || a.scale != 0 {
			return test(compareNum(a.num(), whole(i)))
		}
		switch op {
		case document.Equal:
			return a.int() == i
		case document.NotEqual:
			return a.int() != i
		case document.Less:
			return a.int() < i
		case document.LessEqual:
			return a.int() <= i
		case document.Greater:
			return a.int() > i
		default: // satisfies knows no other
			return a.int() >= i
		}
	}
}

func startsWith(x source, text string, want bool) cond {
	return func(c *call) bool {
		a := x(c)
		return a.state == known && strings.HasPrefix(a.text, text) == want
	}
}

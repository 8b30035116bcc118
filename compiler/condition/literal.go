package condition

import (
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

var (
	numberLimit = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil))
	numberScale = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil))
)

// value reads a constant as one of the type. what names the place, for
// messages.
func (c *compiler) value(u untyped, t model.Type, span source.Span, what string) (model.Value, bool) {
	switch v := u.v.(type) {
	case nil:
		c.fail(CodeNull, span, what+" cannot be null",
			"null stands only in == and != beside a column of a record; for a value that a request may not state use known(user.x).")
		return nil, false
	case list:
		if t.Kind == model.KindSet {
			return c.set(v, *t.Elem, span, what)
		}
	case bool:
		if t.Kind == model.KindBool {
			return v, true
		}
	case *big.Rat:
		if t.Kind == model.KindInt || t.Kind == model.KindNumber {
			return c.number(v, t, span, what)
		}
	case string:
		if textual(t) {
			return c.text(v, t, span, what)
		}
	}
	given := "a list"
	if n, ok := u.natural(); ok {
		given = article(n)
	} else if _, ok := u.v.(mapping); ok {
		given = "a map"
	}
	c.fail(CodeType, span, fmt.Sprintf("%s wants %s, and %s is %s", what, article(t), describeConstant(u), given), hintFor(u, t))
	return nil, false
}

// hintFor says how a constant of another type would be written.
func hintFor(u untyped, t model.Type) string {
	if s, ok := u.v.(string); ok && len(s) < 40 && !textual(t) && t.Kind != model.KindSet {
		return fmt.Sprintf("Write it without quotes if %s is meant.", article(t))
	}
	if n, ok := u.v.(*big.Rat); ok && textual(t) {
		if s := model.DecimalString(n); len(s) < 40 {
			return fmt.Sprintf("Write %q if %s is meant.", s, article(t))
		}
	}
	return ""
}

// textual reports whether constants of the type are written as strings.
func textual(t model.Type) bool {
	switch t.Kind {
	case model.KindString, model.KindUUID, model.KindDate, model.KindTimestamp, model.KindIP, model.KindEnum:
		return true
	default:
		return false
	}
}

func (c *compiler) set(elems list, t model.Type, span source.Span, what string) (model.Value, bool) {
	values := make([]model.Value, 0, len(elems))
	good := true
	for _, e := range elems {
		at := span
		if !e.at.IsZero() {
			at = e.at
		}
		if e.v == nil {
			c.fail(CodeNull, at, what+" cannot hold null", "Leave null out of the list; test a column with == null.")
			return nil, false
		}
		v, ok := c.value(e, t, at, what)
		good = good && ok
		values = append(values, v)
	}
	if !good {
		return nil, false
	}
	return model.NewSet(values), true
}

// number checks that a constant is one of the language: an int within int64,
// a number below 10^38 with at most 18 decimals.
func (c *compiler) number(n *big.Rat, t model.Type, span source.Span, what string) (model.Value, bool) {
	if t.Kind == model.KindInt {
		switch {
		case !n.IsInt():
			c.fail(CodeType, span, fmt.Sprintf("%s wants an int, and %s is not whole", what, describeConstant(untyped{v: n})),
				"An int never equals a fraction; compare with < or >, or use a whole number.")
			return nil, false
		case !n.Num().IsInt64():
			c.fail(CodeRange, span, "This number is outside the range of int", "An int is from -9223372036854775808 to 9223372036854775807.")
			return nil, false
		}
		return n, true
	}
	if new(big.Rat).Abs(n).Cmp(numberLimit) >= 0 {
		c.fail(CodeRange, span, "This number is too large", "A number is below 10^38.")
		return nil, false
	}
	if !new(big.Rat).Mul(n, numberScale).IsInt() {
		c.fail(CodeRange, span, "This number has too many decimals", "A number has at most 18 decimals; round it.")
		return nil, false
	}
	return n, true
}

// text reads a string constant as a value of a type that is written as text.
func (c *compiler) text(s string, t model.Type, span source.Span, what string) (model.Value, bool) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		c.fail(CodeValue, span, "This string has a character that no database stores", "Remove the NUL character or the invalid UTF-8.")
		return nil, false
	}
	switch t.Kind {
	case model.KindString:
		return s, true
	case model.KindEnum:
		return c.enum(s, t, span, what)
	case model.KindUUID:
		if u, ok := eval.ParseUUID(s); ok {
			return u, true
		}
	case model.KindDate:
		if d, ok := eval.ParseDate(s); ok {
			return d, true
		}
	case model.KindTimestamp:
		if ts, ok := eval.ParseTimestamp(s); ok {
			return ts, true
		}
	case model.KindIP:
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && !a.Is4In6() {
			return a, true
		}
	default:
	}
	c.fail(CodeValue, span, fmt.Sprintf("%s is not %s", describeConstant(untyped{v: s}), article(t)), formOf(s, t))
	return nil, false
}

// formOf says how a constant of the type is written.
func formOf(s string, t model.Type) string {
	switch t.Kind {
	case model.KindUUID:
		return `Write 32 hexadecimal digits in groups of 8-4-4-4-12, such as "7b0e1f2a-0000-4000-8000-000000000001".`
	case model.KindDate:
		if _, ok := eval.ParseTimestamp(s); ok {
			return `A date has no time: write "2024-01-31", from year 1 to 9999.`
		}
		return `Write an existing day as "2024-01-31", from year 1 to 9999.`
	case model.KindTimestamp:
		if _, ok := eval.ParseDate(s); ok {
			return fmt.Sprintf("A timestamp has a time and an offset: write %q for the start of that day.", s+"T00:00:00Z")
		}
		return `Write RFC 3339 as "2024-01-31T09:30:00Z": at most 6 decimals, an offset up to 15:59, seconds below 60, year 1 to 9999.`
	case model.KindIP:
		if a, err := netip.ParseAddr(s); err == nil && a.Is4In6() {
			return fmt.Sprintf("IPv4-mapped addresses are refused, since engines read them differently: write %q.", a.Unmap())
		}
		if _, err := netip.ParsePrefix(s); err == nil {
			return `This is a network: use cidr_contains("10.0.0.0/8", x).`
		}
		return `Write one IPv4 or IPv6 address without a mask or a zone, such as "10.1.2.3".`
	default:
		return ""
	}
}

func (c *compiler) enum(s string, t model.Type, span source.Span, what string) (model.Value, bool) {
	for _, v := range t.Enum {
		if v == s {
			return s, true
		}
	}
	detail := "Its values are " + quoteAll(t.Enum) + "."
	if n := nearest(s, t.Enum); n != "" {
		detail = fmt.Sprintf("Did you mean %q? ", n) + detail
	}
	c.fail(CodeValue, span, fmt.Sprintf("%s wants one of the values of its enum, and %s is none", what, describeConstant(untyped{v: s})), detail)
	return nil, false
}

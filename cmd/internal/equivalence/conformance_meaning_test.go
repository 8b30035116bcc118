package equivalence_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// kleene is a truth value; and is the lesser of two, or the greater.
type kleene int

const (
	no kleene = iota
	unknown
	yes
)

func truth(b bool) kleene {
	if b {
		return yes
	}
	return no
}

// asked is what a condition is asked about.
type asked struct{ record, user map[string]any }

// condition is a condition and what it means.
type condition struct {
	text string
	mean func(*asked) kleene
}

// operand is a part of a condition; known is false where it has no value of its
// type.
type operand struct {
	text string
	get  func(*asked) (v any, known bool)
}

func raw(e *asked, path string) any {
	of, name, _ := strings.Cut(path, ".")
	if of == "user" {
		return e.user[name]
	}
	return e.record[name]
}

func read(path string, parse func(any) (any, bool)) operand {
	return operand{path, func(e *asked) (any, bool) { return parse(raw(e, path)) }}
}

func constant(text string, v any) operand {
	return operand{text, func(*asked) (any, bool) { return v, true }}
}

func asText(v any) (any, bool) { s, ok := v.(string); return s, ok }
func asBool(v any) (any, bool) { b, ok := v.(bool); return b, ok }

var numberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?$`)

func asRat(v any) (*big.Rat, bool) {
	n, ok := v.(json.Number)
	if !ok || !numberForm.MatchString(string(n)) {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

func asInt(v any) (any, bool) {
	r, ok := asRat(v)
	return r, ok && r.IsInt() && r.Num().IsInt64()
}

func power(n int64) *big.Rat {
	return new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil))
}

func asNumber(v any) (any, bool) {
	r, ok := asRat(v)
	if !ok {
		return nil, false
	}
	return r, new(big.Rat).Abs(r).Cmp(power(38)) < 0 && new(big.Rat).Mul(r, power(18)).IsInt()
}

var timeForm = regexp.MustCompile(`^[0-9]{4}-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$`)

// asTime reads a time with its offset, or with the one that is added to it.
func asTime(suffix string) func(any) (any, bool) {
	return func(v any) (any, bool) {
		s, ok := v.(string)
		if !ok || !timeForm.MatchString(s+suffix) {
			return nil, false
		}
		at, err := time.Parse(time.RFC3339, s+suffix)
		if err != nil || strings.HasPrefix(s, "0000") || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
			return nil, false
		}
		return at, true
	}
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

func asUUID(v any) (any, bool) {
	s, ok := v.(string)
	return strings.ToLower(s), ok && uuidForm.MatchString(s)
}

func asAddress(v any) (any, bool) {
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	a, err := netip.ParseAddr(s)
	return a, err == nil && a.Zone() == "" && !a.Is4In6()
}

// asSet reads an array as its distinct elements, by their text.
func asSet(elem func(any) (any, bool)) func(any) (any, bool) {
	return func(v any) (any, bool) {
		list, ok := v.([]any)
		if !ok {
			return nil, false
		}
		out := map[string]bool{}
		for _, x := range list {
			if x == nil {
				continue
			}
			y, ok := elem(x)
			if !ok {
				return nil, false
			}
			out[keyOf(y)] = true
		}
		return out, true
	}
}

func keyOf(v any) string {
	if r, ok := v.(*big.Rat); ok {
		return r.RatString()
	}
	return fmt.Sprint(v)
}

// compared is negative, zero or positive.
func compared(x, y any) int {
	switch a := x.(type) {
	case *big.Rat:
		return a.Cmp(y.(*big.Rat))
	case time.Time:
		return a.Compare(y.(time.Time))
	case string:
		return strings.Compare(a, y.(string))
	case bool:
		if a == y.(bool) {
			return 0
		}
		return 1
	case netip.Addr:
		return a.Compare(y.(netip.Addr))
	}
	panic("no order")
}

func binary(format string, x, y operand, holds func(x, y any) bool) condition {
	return condition{fmt.Sprintf(format, x.text, y.text), func(e *asked) kleene {
		a, ok := x.get(e)
		b, also := y.get(e)
		if !ok || !also {
			return unknown
		}
		return truth(holds(a, b))
	}}
}

func unary(format string, x operand, holds func(x any) bool) condition {
	return condition{fmt.Sprintf(format, x.text), func(e *asked) kleene {
		a, ok := x.get(e)
		if !ok {
			return unknown
		}
		return truth(holds(a))
	}}
}

func mapped(format string, x operand, to func(any) any) operand {
	return operand{fmt.Sprintf(format, x.text), func(e *asked) (any, bool) {
		v, ok := x.get(e)
		if !ok {
			return nil, false
		}
		return to(v), true
	}}
}

func both(format string, x, y operand, to func(x, y any) any) operand {
	return operand{fmt.Sprintf(format, x.text, y.text), func(e *asked) (any, bool) {
		a, ok := x.get(e)
		b, also := y.get(e)
		if !ok || !also {
			return nil, false
		}
		return to(a, b), true
	}}
}

var comparisons = map[string]func(int) bool{
	"==": func(c int) bool { return c == 0 }, "!=": func(c int) bool { return c != 0 },
	"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
	">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 },
}

var (
	allOps   = []string{"==", "!=", "<", "<=", ">", ">="}
	equality = allOps[:2]
)

func compare(x, y operand, ops []string) []condition {
	var out []condition
	for _, op := range ops {
		out = append(out, binary("%s "+op+" %s", x, y, func(a, b any) bool { return comparisons[op](compared(a, b)) }))
	}
	return out
}

func lowered(v any) any {
	b := []byte(v.(string))
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

func conformanceConditions() []condition {
	var out []condition
	for _, part := range [][]condition{textConditions(), numberConditions(), timeConditions(), otherConditions(), setConditions(), missingConditions(), relatedConditions()} {
		out = append(out, part...)
	}
	return out
}

func textConditions() []condition {
	var out []condition
	s, s2, user := read("record.s", asText), read("record.s2", asText), read("user.s", asText)
	padded := read("record.ch", func(v any) (any, bool) { t, ok := v.(string); return strings.TrimRight(t, " "), ok })
	for _, c := range []operand{s, s2, read("record.v", asText), padded, read("record.dm", asText)} {
		out = append(out, compare(c, user, allOps)...)
		out = append(out, compare(c, constant(`"a%"`, "a%"), []string{"==", "<"})...)
	}
	out = append(out, compare(s, s2, allOps)...)
	for text, v := range map[string]string{`""`: "", `"é"`: "é", `"a"`: "a", `"\ufffd"`: "\ufffd", `"\\"`: `\`, `"$${x}"`: "${x}"} {
		out = append(out, compare(s, constant(text, v), []string{"==", "!=", "<", ">="})...)
	}
	needles := []operand{user, s2, constant(`""`, ""), constant(`"a"`, "a"), constant(`"a%"`, "a%"), constant(`"_"`, "_"), constant(`"k"`, "k"), constant(`"\\"`, `\`)}
	for _, hay := range []operand{s, padded} {
		for _, needle := range needles {
			out = append(out,
				binary("starts_with(%s, %s)", hay, needle, func(x, y any) bool { return strings.HasPrefix(x.(string), y.(string)) }),
				binary("ends_with(%s, %s)", hay, needle, func(x, y any) bool { return strings.HasSuffix(x.(string), y.(string)) }),
				binary("contains(%s, %s)", hay, needle, func(x, y any) bool { return strings.Contains(x.(string), y.(string)) }),
				binary(`is_under(%s, %s, ".")`, hay, needle, func(x, y any) bool { return x == y || strings.HasPrefix(x.(string), y.(string)+".") }),
				binary(`is_under(%s, %s, "%%")`, hay, needle, func(x, y any) bool { return x == y || strings.HasPrefix(x.(string), y.(string)+"%") }),
			)
		}
	}
	low := mapped("lower(%s)", s, lowered)
	out = append(out, compare(low, user, equality)...)
	out = append(out, compare(low, mapped("lower(%s)", user, lowered), allOps)...)
	out = append(out, compare(low, constant(`"k"`, "k"), equality)...)
	out = append(out,
		unary("length(%s) >= 3", s, func(v any) bool { return utf8.RuneCountInString(v.(string)) >= 3 }),
		unary("length(%s) == 1", s, func(v any) bool { return utf8.RuneCountInString(v.(string)) == 1 }),
		unary("length(%s) < 2", padded, func(v any) bool { return utf8.RuneCountInString(v.(string)) < 2 }),
	)
	template := func(x operand, show func(any) any) {
		out = append(out, compare(mapped(`"p:${%s}"`, x, show), user, equality)...)
	}
	template(read("record.i8", asInt), func(v any) any { return "p:" + v.(*big.Rat).Num().String() })
	template(read("record.u", asUUID), func(v any) any { return "p:" + v.(string) })
	template(s, func(v any) any { return "p:" + v.(string) })
	return out
}

func numberConditions() []condition {
	var out []condition
	i8, ui, un := read("record.i8", asInt), read("user.i", asInt), read("user.n", asNumber)
	n := read("record.n", asNumber)
	rat := func(s string) *big.Rat { r, _ := new(big.Rat).SetString(s); return r }
	for _, c := range []string{"i", "i2", "i8"} {
		x := read("record."+c, asInt)
		out = append(out, compare(x, ui, allOps)...)
		out = append(out, compare(x, un, allOps)...)
		out = append(out, compare(x, constant("7.5", rat("7.5")), []string{"<", ">="})...)
		out = append(out, compare(x, n, allOps)...)
	}
	out = append(out, compare(i8, constant("9007199254740993", rat("9007199254740993")), allOps)...)
	out = append(out, compare(n, un, allOps)...)
	out = append(out, compare(n, ui, allOps)...)
	out = append(out, compare(n, constant("0.3", rat("0.3")), allOps)...)
	out = append(out, compare(n, constant("0.1 + 0.2", rat("0.3")), equality)...)
	add := func(x, y any) any { return new(big.Rat).Add(x.(*big.Rat), y.(*big.Rat)) }
	multiply := func(x, y any) any { return new(big.Rat).Mul(x.(*big.Rat), y.(*big.Rat)) }
	subtract := func(x, y any) any { return new(big.Rat).Sub(x.(*big.Rat), y.(*big.Rat)) }
	i := read("record.i", asInt)
	out = append(out, compare(both("%s + %s", i8, i, add), ui, allOps)...)
	out = append(out, compare(both("%s * %s", i8, i8, multiply), ui, equality)...)
	out = append(out, compare(both("%s - %s", ui, i8, subtract), i, allOps)...)
	out = append(out, compare(both("%s * %s", ui, i8, multiply), un, allOps)...)
	out = append(out, condition{"between(record.i8, user.i, 7)", func(e *asked) kleene {
		x, ok := i8.get(e)
		if !ok {
			return unknown
		}
		high := truth(x.(*big.Rat).Cmp(rat("7")) <= 0)
		lo, ok := ui.get(e)
		if !ok {
			return min(unknown, high)
		}
		return min(truth(x.(*big.Rat).Cmp(lo.(*big.Rat)) >= 0), high)
	}})
	return out
}

func timeConditions() []condition {
	var out []condition
	d, ts, tsn := read("record.d", asTime("T00:00:00Z")), read("record.ts", asTime("")), read("record.tsn", asTime("Z"))
	ud, ut := read("user.d", asTime("T00:00:00Z")), read("user.t", asTime(""))
	instant := time.Date(2024, 3, 10, 5, 30, 0, 123456000, time.UTC)
	now := time.Date(2024, 3, 11, 5, 30, 0, 123456000, time.UTC)
	at := constant(`"2024-03-10T05:30:00.123456Z"`, instant)
	day := constant(`"2024-03-10"`, time.Date(2024, 3, 10, 0, 0, 0, 0, time.UTC))
	for _, x := range []operand{ts, tsn} {
		out = append(out, compare(x, ut, allOps)...)
		out = append(out, compare(x, at, allOps)...)
		out = append(out, compare(x, ud, allOps)...)
		out = append(out, compare(x, constant("now()", now), allOps)...)
		later := operand{x.text + " + hours(36)", func(e *asked) (any, bool) {
			v, ok := x.get(e)
			if !ok {
				return nil, false
			}
			at := v.(time.Time).Add(36 * time.Hour)
			return at, at.Year() <= 9999
		}}
		out = append(out, compare(later, ut, allOps)...)
	}
	out = append(out, compare(d, ud, allOps)...)
	out = append(out, compare(d, ut, allOps)...)
	out = append(out, compare(d, day, allOps)...)
	out = append(out, compare(d, constant("now()", now), []string{"<", ">="})...)
	out = append(out, compare(ts, tsn, allOps)...)
	out = append(out, compare(d, tsn, allOps)...)
	for _, x := range []operand{d, ts, tsn, ut} {
		for name, long := range map[string]time.Duration{"days(1)": 24 * time.Hour, "days(30)": 720 * time.Hour, "hours(30)": 30 * time.Hour} {
			out = append(out,
				unary("in_last(%s, "+name+")", x, func(v any) bool { t := v.(time.Time); return !t.Before(now.Add(-long)) && !t.After(now) }),
				unary("in_next(%s, "+name+")", x, func(v any) bool { t := v.(time.Time); return !t.Before(now) && !t.After(now.Add(long)) }),
			)
		}
	}
	return out
}

func otherConditions() []condition {
	var out []condition
	e, s := read("record.e", asText), read("user.s", asText)
	b, ub := read("record.b", asBool), read("user.b", asBool)
	ip, uip := read("record.ip", asAddress), read("user.ip", asAddress)
	out = append(out, compare(read("record.u", asUUID), read("user.u", asUUID), equality)...)
	out = append(out, compare(b, ub, equality)...)
	out = append(out, unary("%s", b, func(v any) bool { return v.(bool) }), unary("!%s", b, func(v any) bool { return !v.(bool) }), unary("%s", ub, func(v any) bool { return v.(bool) }))
	out = append(out, compare(e, s, equality)...)
	out = append(out, compare(e, constant(`"open"`, "open"), equality)...)
	out = append(out, compare(ip, uip, equality)...)
	for _, net := range []string{"10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "::/0", "10.1.2.3/32", "::/96", "128.0.0.0/1"} {
		p := netip.MustParsePrefix(net)
		for _, x := range []operand{ip, uip} {
			out = append(out, unary("cidr_contains(\""+net+"\", %s)", x, func(v any) bool { return p.Contains(v.(netip.Addr)) }))
		}
	}
	return out
}

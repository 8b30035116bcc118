package equivalence_test

import (
	"fmt"
	"math/big"
)

func setConditions() []condition {
	tags, teams := read("record.tags", asSet(asText)), read("user.ss", asSet(asText))
	nums := read("record.nums", asSet(asInt))
	s, us, ui, i8 := read("record.s", asText), read("user.s", asText), read("user.i", asInt), read("record.i8", asInt)
	has := func(set, x operand) condition {
		return binary("contains(%s, %s)", set, x, func(x, y any) bool { return x.(map[string]bool)[keyOf(y)] })
	}
	list := constant(`["a", "b"]`, map[string]bool{"a": true, "b": true})
	return []condition{
		has(tags, constant(`"a"`, "a")), has(tags, us), has(tags, s), has(teams, s), has(teams, constant(`"a"`, "a")), has(teams, us), has(list, s), has(list, us),
		has(nums, ui), has(nums, i8), has(nums, constant("9007199254740993", big.NewRat(9007199254740993, 1))),
		unary("length(%s) >= 2", tags, func(v any) bool { return len(v.(map[string]bool)) >= 2 }),
		unary("length(%s) == 0", tags, func(v any) bool { return len(v.(map[string]bool)) == 0 }),
		unary("length(%s) == 1", teams, func(v any) bool { return len(v.(map[string]bool)) == 1 }),
		unary("length(%s) < 2", nums, func(v any) bool { return len(v.(map[string]bool)) < 2 }),
	}
}

func missingConditions() []condition {
	us := read("user.s", asText)
	var out []condition
	for _, name := range []string{"s", "n", "d", "tags", "ip", "b", "e"} {
		out = append(out, condition{"record." + name + " == null", func(e *asked) kleene { return truth(e.record[name] == nil) }})
	}
	emptySet := func(name string, elem func(any) (any, bool)) condition {
		return condition{"is_empty(record." + name + ")", func(e *asked) kleene {
			if e.record[name] == nil {
				return yes
			}
			set, ok := asSet(elem)(e.record[name])
			if !ok {
				return unknown
			}
			return truth(len(set.(map[string]bool)) == 0)
		}}
	}
	return append(out,
		condition{"known(user.s)", func(e *asked) kleene { _, ok := us.get(e); return truth(ok) }},
		condition{"known(user.t)", func(e *asked) kleene { _, ok := asTime("")(e.user["t"]); return truth(ok) }},
		condition{"known(user.ss)", func(e *asked) kleene { _, ok := asSet(asText)(e.user["ss"]); return truth(ok) }},
		condition{"is_empty(record.s)", func(e *asked) kleene { return truth(e.record["s"] == nil || e.record["s"] == "") }},
		condition{"is_empty(record.d)", func(e *asked) kleene { return truth(e.record["d"] == nil) }},
		emptySet("tags", asText), emptySet("nums", asInt),
		condition{`coalesce(record.s, "none") == user.s`, func(e *asked) kleene {
			y, ok := us.get(e)
			if !ok {
				return unknown
			}
			if x := e.record["s"]; x != nil {
				return truth(x == y)
			}
			return truth(y == "none")
		}},
		condition{`coalesce(record.s, record.s2, "none") < "b"`, func(e *asked) kleene {
			for _, x := range []any{e.record["s"], e.record["s2"]} {
				if s, ok := x.(string); ok {
					return truth(s < "b")
				}
			}
			return no
		}},
	)
}

// related is the members of a record for which a condition is true, unknown and
// false.
func related(e *asked, mean func(m map[string]any) kleene) (counts [3]int) {
	list, _ := e.record["m"].([]any)
	for _, m := range list {
		counts[mean(m.(map[string]any))]++
	}
	return counts
}

func relatedConditions() []condition {
	ofUser := func(e *asked) func(map[string]any) kleene {
		return func(m map[string]any) kleene {
			x, ok := m["u"].(string)
			y, also := e.user["s"].(string)
			if !ok || !also {
				return unknown
			}
			return truth(x == y)
		}
	}
	high := func(*asked) func(map[string]any) kleene {
		return func(m map[string]any) kleene {
			k, ok := asRat(m["k"])
			if !ok {
				return unknown
			}
			return truth(k.Sign() > 0)
		}
	}
	var out []condition
	for text, each := range map[string]func(*asked) func(map[string]any) kleene{"m.u == user.s": ofUser, "m.k > 0": high} {
		count := func(op string, n int) condition {
			return condition{fmt.Sprintf("length([for m in record.m : m if %s]) %s %d", text, op, n), func(e *asked) kleene {
				c := related(e, each(e))
				if c[unknown] > 0 {
					return unknown
				}
				return truth(comparisons[op](c[yes] - n))
			}}
		}
		out = append(out,
			condition{"anytrue([for m in record.m : " + text + "])", func(e *asked) kleene {
				switch c := related(e, each(e)); {
				case c[yes] > 0:
					return yes
				case c[unknown] > 0:
					return unknown
				}
				return no
			}},
			condition{"alltrue([for m in record.m : " + text + "])", func(e *asked) kleene {
				switch c := related(e, each(e)); {
				case c[no] > 0:
					return no
				case c[unknown] > 0:
					return unknown
				}
				return yes
			}},
			count(">=", 2), count("==", 1), count("<", 1), count("==", 0),
		)
	}
	return append(out, condition{"length(record.m) >= 2", func(e *asked) kleene { c := related(e, high(e)); return truth(c[0]+c[1]+c[2] >= 2) }})
}

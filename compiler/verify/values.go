package verify

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/compiler/model"
)

func rat(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func whole(n int64) *big.Rat { return new(big.Rat).SetInt64(n) }

// typical are values of a type that have been trouble somewhere.
func typical(t model.Type) []model.Value {
	switch t.Kind {
	case model.KindBool:
		return []model.Value{true, false}
	case model.KindInt:
		return []model.Value{whole(0), whole(1), whole(-1), whole(9007199254740993), whole(-1 << 63), whole(1<<63 - 1), whole(32767), whole(-2147483648)}
	case model.KindNumber:
		return []model.Value{
			whole(0), rat("1.5"), rat("-0.000000000000000001"), whole(9007199254740993), rat("0.1"), rat("-1.50"), rat("0.333333333333333333"),
			rat("99999999999999999999999999999999999999"), rat("-99999999999999999999999999999999999999.999999999999999999"),
		}
	case model.KindString:
		out := []model.Value{}
		for _, s := range texts() {
			out = append(out, s)
		}
		return out
	case model.KindEnum:
		out := []model.Value{}
		for _, s := range t.Enum {
			out = append(out, s)
		}
		return out
	case model.KindUUID:
		return []model.Value{model.UUID{}, model.UUID{15: 1}, model.UUID{0: 0xab, 15: 0xcd}, model.UUID{0: 0xff, 15: 0xff}}
	case model.KindDate:
		return []model.Value{model.MinDate, model.MaxDate, model.Date(0), model.Date(-1), model.Date(19783), model.Date(20000)}
	case model.KindTimestamp:
		return []model.Value{model.MinTimestamp, model.MaxTimestamp, model.Timestamp(0), model.Timestamp(-1), model.Timestamp(1), model.Date(19783).Instant()}
	case model.KindIP:
		out := []model.Value{}
		for _, s := range []string{"10.1.2.3", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1", "::ffff", "::1.2.3.4", "fe80::1"} {
			out = append(out, netip.MustParseAddr(s))
		}
		return out
	case model.KindSet:
		elems := typical(*t.Elem)
		return []model.Value{
			model.NewSet(nil), model.NewSet(elems[:1]), model.NewSet(elems[:min(2, len(elems))]),
			model.NewSet(elems[len(elems)-1:]), model.NewSet(elems),
		}
	default:
		return nil
	}
}

// texts are strings that engines are known to treat differently.
func texts() []string {
	return []string{
		"", "a", "A", "ab", " ", "a ", "%", "_", `\`, `a\_%`, "a%", "a_b", "\u00e9", "e\u0301", "\u00c9", "\u212a", "k", "K", "\ufffd", "\U0010ffff", "\ue000",
		"\u0130", "\u0131", "\u00df", "'", `"`, "''", "a\nb", "\t", "null", "NULL", "true", "0", "-", "a.b", "a.b.c", "a/b", "\U0001f600", "{}", "$1", "\u007f", "\u200b",
	}
}

// neighbours are a value and what is next to it.
func neighbours(v model.Value) []model.Value {
	switch x := v.(type) {
	case bool:
		return []model.Value{true, false}
	case *big.Rat:
		out := []model.Value{x}
		for _, d := range []string{"1", "-1", "0.5", "0.000000000000000001", "-0.000000000000000001"} {
			out = append(out, new(big.Rat).Add(x, rat(d)))
		}
		return out
	case string:
		return textNeighbours(x)
	case model.UUID:
		next, before := x, x
		next[15]++
		before[15]--
		return []model.Value{x, next, before}
	case model.Date:
		return []model.Value{x, x + 1, x - 1}
	case model.Timestamp:
		return []model.Value{x, x + 1, x - 1, x + model.Timestamp(model.Day), x - model.Timestamp(model.Hour)}
	case netip.Addr:
		out := []model.Value{x}
		for _, a := range []netip.Addr{x.Next(), x.Prev()} {
			if a.IsValid() && !a.Is4In6() {
				out = append(out, a)
			}
		}
		return out
	case model.Set:
		out := []model.Value{x}
		if len(x) > 0 {
			out = append(out, model.NewSet(x[1:]), model.NewSet(append(neighbours(x[0])[1:], x...)), model.NewSet(x[:1]))
		}
		return out
	}
	return nil
}

func textNeighbours(s string) []model.Value {
	out := []model.Value{s, s + "a", "a" + s, s + " ", strings.ToUpper(s), strings.ToLower(s), s + "%", s + "\u0301"}
	if s == "" {
		return out
	}
	last, size := utf8.DecodeLastRuneInString(s)
	out = append(out, s[:len(s)-size], s+s)
	if last < utf8.MaxRune && last != 0xd7ff {
		out = append(out, s[:len(s)-size]+string(last+1))
	}
	if last > 1 && last != 0xe000 {
		out = append(out, s[:len(s)-size]+string(last-1))
	}
	_, first := utf8.DecodeRuneInString(s)
	return append(out, s[first:], "_"+s[first:], strings.ReplaceAll(s, "k", "\u212a"), strings.ReplaceAll(s, "i", "\u0131"))
}

// fit is a value as one of another type that can stand beside its own; false
// when it is none.
func fit(v model.Value, t model.Type) (model.Value, bool) {
	switch x := v.(type) {
	case bool:
		return x, t.Kind == model.KindBool
	case *big.Rat:
		if t.Kind == model.KindInt {
			return x, x.IsInt() && x.Num().IsInt64()
		}
		return x, t.Kind == model.KindNumber && representable(x)
	case string:
		if t.Kind == model.KindEnum {
			for _, e := range t.Enum {
				if e == x {
					return x, true
				}
			}
			return nil, false
		}
		return x, t.Kind == model.KindString && utf8.ValidString(x) && !strings.ContainsRune(x, 0)
	case model.UUID:
		return x, t.Kind == model.KindUUID
	case model.Date:
		if t.Kind == model.KindTimestamp {
			return fit(x.Instant(), t)
		}
		return x, t.Kind == model.KindDate && x >= model.MinDate && x <= model.MaxDate
	case model.Timestamp:
		if t.Kind == model.KindDate {
			day := model.Timestamp(model.Day)
			return fit(model.Date((x-((x%day)+day)%day)/day), t) // #nosec G115 -- days of a timestamp fit
		}
		return x, t.Kind == model.KindTimestamp && x >= model.MinTimestamp && x <= model.MaxTimestamp
	case netip.Addr:
		return x, t.Kind == model.KindIP && !x.Is4In6()
	case model.Set:
		if t.Kind != model.KindSet {
			return nil, false
		}
		var elems []model.Value
		for _, e := range x {
			if f, ok := fit(e, *t.Elem); ok {
				elems = append(elems, f)
			}
		}
		return model.NewSet(elems), true
	}
	return nil, false
}

func representable(n *big.Rat) bool {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil)
	return new(big.Rat).Abs(n).Cmp(new(big.Rat).SetInt(limit)) < 0 && new(big.Rat).Mul(n, new(big.Rat).SetInt(scale)).IsInt()
}

// wrong are JSON values that are none of a type, or only nearly.
func wrong(t model.Type) []any {
	out := []any{true, json.Number("0"), json.Number("1"), "", "a", []any{}, []any{nil}, map[string]any{}, map[string]any{"a": "b"}}
	switch t.Kind {
	case model.KindBool:
		return append(out, "true", "false", "t")
	case model.KindInt, model.KindNumber:
		return append(out, "5", json.Number("5.0"), json.Number("5e0"), json.Number("50e-1"), json.Number("5.5"), json.Number("-0"),
			json.Number("9223372036854775808"), json.Number("1e38"), json.Number("-1e38"), json.Number("1e99"), json.Number("1e-19"),
			json.Number("0.1000000000000000000"), json.Number("0.1000000000000000001"), json.Number("1E+2"), "NaN", "Infinity")
	case model.KindString:
		return append(out, "a\u0000b", []any{"a"})
	case model.KindEnum:
		return append(out, strings.ToUpper(t.Enum[0]), t.Enum[0]+" ", "other")
	case model.KindUUID:
		return append(out, "00000000000040008000000000000001", "{00000000-0000-0000-0000-000000000001}", "urn:uuid:00000000-0000-0000-0000-000000000001",
			"00000000-0000-0000-0000-00000000000g", "AB000000-0000-0000-0000-0000000000CD", " 00000000-0000-0000-0000-000000000001")
	case model.KindDate:
		return append(out, "2024-02-30", "2023-02-29", "2024-2-3", "0000-01-01", "10000-01-01", "infinity", "today", "2024-01-01T00:00:00Z", "2024-01-01 ", "-001-01-01")
	case model.KindTimestamp:
		return append(out, "2024-03-01T00:00:00", "2024-03-01", "2024-03-01 00:00:00Z", "2024-03-01t00:00:00z", "2024-03-01T24:00:00Z", "2024-03-01T23:59:60Z",
			"2024-03-01T00:00:00.1234567Z", "2024-03-01T00:00:00.Z", "2024-03-01T00:00:00+16:00", "2024-03-01T00:00:00+15:59", "2024-03-01T00:00:00-15:59",
			"0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00-01:00", "9999-12-31T23:59:59-00:01", "9999-12-31T23:59:59.999999Z", "infinity", "now", "2024-02-30T00:00:00Z")
	case model.KindIP:
		return append(out, "10.1.2.3/32", "10.1.2.0/24", "::ffff:10.1.2.3", "010.1.2.3", "10.1.2", "10.1.2.256", "fe80::1%eth0", "1:2:3:4:5:6:7::", "1::2::3",
			"::ffff:0:0", "::FFFF:1.2.3.4", "0:0:0:0:0:ffff:a01:203", "2001:DB8::1", "2001:0db8:0000::0001", "::1.2.3.4", " 10.1.2.3", "12345::")
	case model.KindSet:
		out = append(out, []any{[]any{}}, []any{map[string]any{}}, map[string]any{"0": "a"})
		for _, e := range wrong(*t.Elem) {
			out = append(out, []any{e}, []any{model.JSON(typical(*t.Elem)[0], *t.Elem, ""), e, nil})
		}
		return out
	default:
		return out
	}
}

// odd are what a column of Postgres can hold beside the values of its type: as
// text and as JSON.
func odd(t model.Type, native string) []Record {
	one := func(text string, v any) Record {
		return Record{Doc: model.Document{"": v}, Text: map[string]string{"": text}}
	}
	switch t.Kind {
	case model.KindNumber:
		if native != "" && native != "numeric" {
			if strings.HasPrefix(native, "numeric") {
				return []Record{one("NaN", "NaN")}
			}
			return nil
		}
		out := []Record{one("NaN", "NaN"), one("Infinity", "Infinity"), one("-Infinity", "-Infinity")}
		for _, s := range []string{"1" + strings.Repeat("0", 38), "-1" + strings.Repeat("0", 38), "0.1000000000000000001", "0.1000000000000000000", "1e200"} {
			out = append(out, one(s, json.Number(s)))
		}
		return out
	case model.KindDate:
		return []Record{one("infinity", "infinity"), one("-infinity", "-infinity"), one("0044-03-15 BC", "0044-03-15 BC"), one("10000-01-01", "10000-01-01"), one("5874897-12-31", "5874897-12-31")}
	case model.KindTimestamp:
		zone, shown := "+00", "+00:00"
		if native == "timestamp without time zone" {
			zone, shown = "", ""
		}
		return []Record{
			one("infinity", "infinity"), one("-infinity", "-infinity"), one("0044-03-15 00:00:00"+zone+" BC", "0044-03-15T00:00:00"+shown+" BC"),
			one("10000-01-01 00:00:00"+zone, "10000-01-01T00:00:00"+shown), one("0001-12-31 23:59:59.999999"+zone+" BC", "0001-12-31T23:59:59.999999"+shown+" BC"),
		}
	case model.KindIP:
		return []Record{one("10.1.2.3/8", "10.1.2.3/8"), one("10.0.0.0/8", "10.0.0.0/8"), one("10.1.2.3/32", "10.1.2.3"), one("::ffff:10.1.2.3", "::ffff:10.1.2.3"), one("2001:db8::/32", "2001:db8::/32"), one("0.0.0.0/0", "0.0.0.0/0")}
	case model.KindEnum:
		return []Record{one("another label", "another label")} // that a database may have by now
	case model.KindSet:
		elem := model.JSON(typical(*t.Elem)[0], *t.Elem, "")
		text := strings.Trim(arrayText([]any{elem}), "{}")
		out := []Record{
			one("{NULL}", []any{nil}), one("{"+text+",NULL,"+text+"}", []any{elem, nil, elem}), one("{{"+text+"},{"+text+"}}", []any{[]any{elem}, []any{elem}}),
			one("[2:3]={"+text+","+text+"}", []any{elem, elem}), one("{{"+text+",NULL}}", []any{[]any{elem, nil}}),
		}
		elemNative := strings.TrimSuffix(native, "[]")
		for _, o := range odd(*t.Elem, elemNative) {
			out = append(out, one(`{"`+o.Text[""]+`"}`, []any{o.Doc[""]}), one(`{`+text+`,"`+o.Text[""]+`"}`, []any{elem, o.Doc[""]}))
		}
		return out
	default:
	}
	return nil
}

// Text is a JSON value as Postgres reads it in for a column; false for null.
func Text(v any) (string, bool) {
	switch x := v.(type) {
	case nil:
		return "", false
	case bool:
		if x {
			return "true", true
		}
		return "false", true
	case json.Number:
		return x.String(), true
	case string:
		return x, true
	case []any:
		return arrayText(x), true
	}
	return "", false
}

// arrayText is an array in Postgres' own text form ("Array Input and Output
// Syntax"), every element quoted.
func arrayText(list []any) string {
	parts := make([]string, len(list))
	for i, e := range list {
		if inner, ok := e.([]any); ok {
			parts[i] = arrayText(inner)
			continue
		}
		s, ok := Text(e)
		if !ok {
			parts[i] = "NULL"
			continue
		}
		parts[i] = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
	}
	return "{" + strings.Join(parts, ",") + "}"
}

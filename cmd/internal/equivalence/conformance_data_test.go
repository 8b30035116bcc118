package equivalence_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strconv"
	"strings"
)

// hostileColumns are the columns of every condition's table, with values in the
// text form of Postgres; "\x00" stands for null.
var hostileColumns = []struct {
	name, typ, native string
	values            []string
}{
	{"id", "int", "integer", nil},
	{"s", "string", "", hostileTexts},
	{"s2", "string", "", hostileTexts},
	{"v", "string", "character varying(40)", hostileTexts},
	{"ch", "string", "character(5)", []string{null, "", "a", "a ", "ab", "abc", "é", "\U0001F600", "a%", "a.b", "K", "\u212a", " a", "a\u00a0"}},
	{"dm", "string", "public.conformance_text", hostileTexts},
	{"i", "int", "integer", []string{null, "0", "1", "-1", "7", "3", "2147483647", "-2147483648", "5", "2"}},
	{"i2", "int", "smallint", []string{null, "0", "1", "-1", "7", "32767", "-32768"}},
	{"i8", "int", "", []string{null, "0", "7", "-1", "1", "3", "9007199254740992", "9007199254740993", "9223372036854775807", "-9223372036854775808", "2147483648", "3037000500"}},
	{"n", "number", "", []string{
		null, "0", "0.1", "0.3", "0.30", "1", "1.0", "-0.1", "NaN", "1234567890123456789012345678.0000000001", "0.2", "9007199254740993", "9223372036854775807",
		"9223372036854775808", "-9223372036854775809", "2.5", "7", "7.5", "0.000000000000000001", "0.0000000000000000001", "99999999999999999999999999999999999999", "100000000000000000000000000000000000000", "Infinity", "-Infinity",
	}},
	{"d", "date", "", []string{null, "2024-03-10", "2024-03-11", "2024-03-12", "2024-02-10", "2024-02-29", "0001-01-01", "9999-12-31", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "5000000-01-01", "1600-02-29", "1969-12-31"}},
	{"ts", "timestamp", "", hostileTimes},
	{"tsn", "timestamp", "timestamp without time zone", hostileTimes},
	{"u", "uuid", "", []string{null, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12}", "00000000-0000-0000-0000-000000000000"}},
	{"b", "bool", "", []string{null, "t", "f"}},
	{"e", `enum("open", "closed", "zed")`, "public.conformance_state", []string{null, "open", "closed", "zed"}},
	{"ip", "ip", "", []string{
		null, "10.1.2.3", "10.1.2.3/8", "10.0.0.0", "10.255.255.255", "11.0.0.0", "9.255.255.255", "::ffff:10.1.2.3", "::1", "2001:db8::1", "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db9::", "::10.1.2.3", "::", "0.0.0.0", "255.255.255.255", "2001:db8::/32", "10.0.0.0/8", "::ffff:0:0/96", "0.0.0.0/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::fffe:10.1.2.3", "64:ff9b::10.1.2.3",
	}},
	{"tags", "set(string)", "", []string{null, "{}", "{a}", "{a,a}", "{a,b}", "{NULL}", "{a,NULL}", "{b,NULL,NULL}", "{{a,b},{c,d}}", "[0:1]={a,b}", `{"",a}`, "{é}", "{A}", "{{a}}", "[5:5]={a}"}},
	{"nums", "set(int)", "", []string{null, "{}", "{1}", "{7,NULL}", "{NULL}", "{{1,7}}", "{9007199254740993}", "{9007199254740992,9223372036854775807}"}},
}

const null = "\x00"

var hostileTexts = []string{
	null, "", "a", "A", "b", "ab", "abc", "aB", "é", "e\u0301", "\ufffd", "\U00010000", "\U0001F600", "a%", "a_", `a\`, "a.b", "a.", "a/", "a.b.c", "a.bx", "a\u00e9.x", ".", "none", "never2",
	"K", "\u212A", "k", "\u0130", "I", "ı", "i", "Ä", "ä", "Σ", "ς", "a b", "a ", " ", "\u00a0", "a\u200b", "a\n", "p:7", "p:-1", "p:9007199254740993", "p:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
	"open", "OPEN", "zed", "null", "<undefined>", "10", "9", "zz", "ß", "ss", "a-b", "a+", "\t", "\u0001", "\U0010FFFF", "a\U0010FFFFb", "ab\U0010FFFF", "'", `"`, "$1", "${x}", "{a}",
}

var hostileTimes = []string{
	null, "2024-03-10 05:30:00.123456Z", "2024-03-10 05:30:00.123455Z", "2024-03-11 05:30:00.123456Z", "2024-03-11 05:30:00.123457Z", "2024-03-10 00:00Z", "0001-01-01 00:00Z",
	"9999-12-31 23:59:59.999999Z", "10000-01-01 00:00Z", "infinity", "-infinity", "0044-03-15 00:00:00Z BC", "1600-02-29 12:00Z", "1677-01-01 00:00Z", "2262-12-31 00:00Z", "2400-02-29 23:59:59.5Z",
	"294276-12-30 23:59:59Z", "1969-12-31 23:59:59.999999Z", "2024-02-10 05:30:00.123456Z", "2024-03-11 06:30:00.123456+01:00",
}

// hostileRows are n records, and those of the membership table. Each column goes
// through its values from a random one on.
func hostileRows(random *rand.Rand, n int) (rows, members []map[string]string) {
	from := make([]int, len(hostileColumns))
	for i := range from {
		from[i] = random.IntN(1000)
	}
	for id := 1; id <= n; id++ {
		row := map[string]string{"id": strconv.Itoa(id)}
		for i, c := range hostileColumns[1:] {
			v := c.values[(from[i]+id)%len(c.values)]
			if id > len(hostileTexts) {
				v = c.values[random.IntN(len(c.values))]
			}
			if c.name == "tsn" {
				v = strings.Replace(strings.Replace(v, "+01:00", "", 1), "Z", "", 1)
			}
			if v != null {
				row[c.name] = v
			}
		}
		rows = append(rows, row)
		for k := range random.IntN(4) {
			m := map[string]string{"rid": strconv.Itoa(id)}
			if u := hostileTexts[random.IntN(8)]; u != null {
				m["u"] = u
			}
			if k != 1 {
				m["k"] = strconv.Itoa(random.IntN(4) - 1)
			}
			members = append(members, m)
		}
	}
	return rows, members
}

// hostileClaims are raw JSON values of the user's attributes.
var hostileClaims = map[string][]string{
	"i": {
		"1e1", "10e-1", "30e-1", "0.7e1", "7.00", "9223372036854775807.0", "9223372036854775806.25", "9.223372036854775807e18", "-0.0", "0", "1", "-1", "7", "3", "2147483648", "9007199254740993",
		"9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "7.5", `"7"`, "-0", "9223372036854775814",
	},
	"n": {
		"1e-18", "10e-19", "1e-19", "3e-1", "0.30000000000000000000000", "1e37", "1e38", "-1e38", "0e5", "33e-1", "1e+0", "0.25e+1", "75E-1", "0", "0.1", "0.3", "0.30000000000000001", "0.2", "-0.1",
		"9223372036854775807", "9223372036854775807.5", "9223372036854775808", "-9223372036854775808.5", "9007199254740993", "9007199254740992.5", "123456789012345678901234567890123456789", "0.0000000000000000001", "-0.0", `"0.1"`, "7", "-7.5",
	},
	"d": {`"2024-03-10"`, `"2024-02-30"`, `"2023-02-29"`, `"2024-02-29"`, `"infinity"`, `"0000-01-01"`, `"0001-01-01"`, `"9999-12-31"`, `"10000-01-01"`, `"2024-3-1"`, `"20240310"`, `"today"`, `"2024-03-10T00:00:00Z"`, `"0044-03-15 BC"`, `"1700-02-29"`},
	"t": {
		`"2024-03-10T05:30:00.123456Z"`, `"2024-03-10T06:30:00.123456+01:00"`, `"2024-03-10T05:30:00.1234560Z"`, `"2024-03-10T05:30:00,123456Z"`, `"2016-12-31T23:59:60Z"`, `"2024-03-10T24:00:00Z"`, `"2024-03-10t05:30:00z"`, `"2024-03-10 05:30:00Z"`,
		`"2024-03-10"`, `"now"`, `"infinity"`, `"2024-03-10T05:30:00"`, `"2024-03-10T05:30:00+24:00"`, `"2024-03-10T05:30:00+15:59"`, `"2024-03-10T05:30:00+16:00"`, `"0001-01-01T00:00:00Z"`, `"0001-01-01T00:00:00+05:00"`, `"9999-12-31T23:59:59.999999Z"`,
		`"9999-12-31T23:59:59-05:00"`, `"1600-02-29T12:00:00Z"`, `"1700-02-29T12:00:00Z"`, `"2400-02-29T23:59:59.5Z"`, `"0000-01-01T00:00:00Z"`, `"2024-03-10T5:30:00Z"`, `"2024-03-10T05:30:00-00:00"`, `"2024-03-10T05:30:00.Z"`,
	},
	"u":  {`"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`, `"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12"`, `"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"`, `"a0eebc999c0b4ef8bb6d6bb9bd380a11"`, `"urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"`, `""`},
	"b":  {"true", "false", `"true"`, `"yes"`, "1"},
	"ip": {`"10.1.2.3"`, `"010.1.2.3"`, `"10.1"`, `"10.1.2.3/8"`, `"10.1.2.3/32"`, `"::ffff:10.1.2.3"`, `"::FFFF:a01:203"`, `"::1"`, `"0:0:0:0:0:0:0:1"`, `"2001:DB8::1"`, `"fe80::1%eth0"`, `"::10.1.2.3"`, `"::10.1.2.03"`, `" 10.1.2.3"`, `"10.1.2.3\n"`, `"256.1.1.1"`, `"1::2::3"`, `":::"`, `"12345::"`, `"::00001"`, `""`, `"1:2:3:4:5:6:7::"`, `"::2:3:4:5:6:7:8"`, `"1:2:3:4:5:6:7::8"`},
	"ss": {`[]`, `["a"]`, `["a","b",null]`, `["a",1]`, `[null]`, `["A","é"]`, `[["a"]]`, `"a"`, `{"a":1}`, `["",null,""]`},
}

// hostileUsers are claims documents: the first show values in turn, the others
// leave some out and have wrong types; the last knows nothing.
func hostileUsers(random *rand.Rand, n int) []string {
	pool := map[string][]string{}
	for name, values := range hostileClaims {
		pool[name] = values
	}
	for _, s := range hostileTexts[1:] {
		pool["s"] = append(pool["s"], encoded(s))
	}
	pool["s"] = append(pool["s"], `"\u212a"`, `"\ud83d\ude00"`)
	names := make([]string, 0, len(pool))
	for name := range pool {
		names = append(names, name)
	}
	sort.Strings(names)
	wrong := []string{"5", "true", `["a"]`, `{"a":1}`, "null"}
	var out []string
	for i := range n {
		parts := []string{`"key":"me"`}
		for _, name := range names {
			values := pool[name]
			v := values[random.IntN(len(values))]
			if i%3 == 2 {
				switch random.IntN(8) {
				case 0:
					continue
				case 1:
					v = wrong[random.IntN(len(wrong))]
				}
			}
			parts = append(parts, fmt.Sprintf("%q:%s", name, v))
		}
		out = append(out, "{"+strings.Join(parts, ",")+"}")
	}
	return append(out, `{"key":"me"}`, "{}")
}

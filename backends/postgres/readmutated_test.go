package postgres

import (
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/readback"
	"github.com/postern-dev/postern/compiler/eval"
)

// handwritten is SQL as people write it into policies.
var handwritten = []string{
	"true", "false", "NULL", "b", "NOT b", "b IS TRUE", "b IS NOT TRUE", "b IS NOT FALSE", "b IS UNKNOWN", "b = false", "b <> true",
	"s = 'a'", "v = 'a'", "ch = 'ab'", "dm = 'a'", "s <> v", "s = ch", "ch <> 'ab  '", "s IN ('a', 'ab')", "v NOT IN ('a', 'z')", "ch IN ('ab', 'a')",
	"s IN ('a', NULL)", "s NOT IN ('a', NULL)", "s = ANY ('{a,z}'::text[])", "s LIKE 'a%'", "s LIKE '%a'", "s LIKE '%e%'", "s NOT LIKE 'a%'", "s LIKE '%'",
	"s LIKE 'a_b'", "s LIKE 'a'", "v LIKE 'a%'", "ch LIKE 'a%'", "s ILIKE 'a%'", "s ~ '^a'", "s < 'b'", `s < 'b' COLLATE "C"`, `v >= 'a' COLLATE "C"`,
	"i = 5", "i <> 5", "i > 4.5", "i BETWEEN 0 AND 5", "i4 NOT BETWEEN 0 AND 5", "i = i4", "i < n", "i IS NULL", "i IS NOT NULL", "i IN (5, 6)", "i4 = 5::bigint",
	"i + 1 > 5", "i::numeric * 2 = n", "n = 1.5", "n > 5", "n < 5", "n <= 1e38", "n <> 'NaN'", "n = 'NaN'", "n >= 'Infinity'", "np > 1", "np < 1", "n = np", "n >= np", "n > 0.1234567890123456789",
	"n BETWEEN 0 AND 10", "n NOT IN (1.5, 5)", "round(n, 2) = 1.5", "n = round(n, 18)", "n::float8 > 1", "abs(i4) = 1",
	"d = '2024-03-11'", "d > '2024-03-10'", "d < 'infinity'", "d <= '-infinity'", "d IS DISTINCT FROM '2024-03-11'", "t > '2024-03-11 00:00:00+00'", "t < 'infinity'",
	"t = '-infinity'", "tl >= '2024-03-11'", "tl = t", "d < t", "t BETWEEN '2024-01-01Z' AND '2025-01-01Z'", "t > statement_timestamp()", "tl > now()",
	"t > statement_timestamp() - '01:00:00'::interval", "t > now() - interval '7 days'", "d = CURRENT_DATE",
	"u = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "u IN ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11')", "u > '00000000-0000-0000-0000-000000000000'",
	"ip = '10.1.2.3'", "ip <> '10.1.2.3'", "ip < '10.2.0.0'", "ip <<= '10.0.0.0/8'", "NOT (ip <<= '10.0.0.0/8')", "ip << '10.0.0.0/8'", "ip = '10.1.2.3/8'", "family(ip) = 4", "masklen(ip) = 32", "ip <<= '2001:db8::/32'",
	"e = 'open'", "e <> 'open'", "e = 'other'", "e IN ('open', 'closed')", "e NOT IN ('open')", "e > 'closed'", "e::text = 'other'", "e::text LIKE 'o%'", "e IS NOT DISTINCT FROM 'open'",
	"ss @> '{a}'", "ss @> ARRAY['a']", "NOT (ss @> ARRAY['a'])", "'a' = ANY (ss)", "ss && '{a}'", "is_ok", "cardinality(ss) = 1", "ss = '{a}'", `"is" @> ARRAY[5]`, "ns @> ARRAY[1.5]",
	"COALESCE(b, false)", "COALESCE(b, true)", "NOT COALESCE(b, false)", "COALESCE(s, 'a') = 'a'", "COALESCE(i, 5) > 4", "COALESCE(e, 'open') = 'open'", "s || 'x' = 'ax'", "length(s) = 1", "lower(s) = 'a'",
	`lower(s COLLATE "C") = 'a'`, "CASE WHEN b THEN s = 'a' ELSE false END", "CASE WHEN b THEN i END = 5", "CASE WHEN b THEN i ELSE 6 END = 6", "CASE s WHEN 'a' THEN true END",
	"s = CURRENT_USER", "s = current_setting('postern.claims', true)::json ->> 's'", "EXISTS (SELECT 1 FROM public.r x WHERE x.id = r.id)", "i IN (SELECT 5)", "i = (SELECT 5)",
	"s = postern.user_s()", "s = (SELECT postern.user_s())", "postern.user_s() IS NULL", "s IS DISTINCT FROM postern.user_s()", "s IS NOT DISTINCT FROM postern.user_s()", "i > postern.user_i()", "n >= postern.user_n()", "n <> postern.user_n()",
	"e::text = postern.user_e()", "s = ANY (postern.user_groups())", "s <> ALL (postern.user_groups())", "'g' = ANY (postern.user_groups())", "NOT ('g' = ANY (postern.user_groups()))", "e::text = ANY (postern.user_ss())",
	"n = ANY (postern.user_ns())", "NOT (n = ANY (postern.user_ns()))", "t > postern.user_t() - '48:00:00'::interval", "ip = postern.user_ip()", "postern.user_b()", "NOT postern.user_b()", "postern.user_b() IS NOT TRUE",
	"b AND postern.user_b()", "b OR postern.user_b()", "(b OR s = 'a') IS TRUE", "(b AND s = 'a') IS NOT TRUE", "(b AND s = 'a') IS NULL", "NOT (b AND NOT (s = 'a' OR i = 5))",
}

var (
	textConstant   = regexp.MustCompile(`'[^']*'::text`)
	numberConstant = regexp.MustCompile(`\b[0-9]+\b`)
	operators      = [][2]string{{" = ", " <> "}, {" < ", " >= "}, {" > ", " <= "}, {" AND ", " OR "}, {" OR ", " AND "}, {" IS NULL", " IS NOT NULL"}, {" IS NOT NULL", " IS NULL"}, {" ANY ", " ALL "}}
)

// mutated is an expression changed as a hand would change it, or joined with
// another. What is no SQL any more is left out later.
func mutated(rng *rand.Rand, list []string) string {
	x, y := list[rng.IntN(len(list))], list[rng.IntN(len(list))]
	switch rng.IntN(10) {
	case 0:
		return "NOT (" + x + ")"
	case 1:
		return "(" + x + ") AND (" + y + ")"
	case 2:
		return "(" + x + ") OR (" + y + ")"
	case 3:
		return "(" + x + ") IS " + []string{"TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"}[rng.IntN(6)]
	case 4:
		return textConstant.ReplaceAllString(x, []string{"'z'::text", "''::text", "'A'::text", "'dept.eng'::text"}[rng.IntN(4)])
	case 5:
		return numberConstant.ReplaceAllString(x, []string{"0", "6", "2147483647"}[rng.IntN(3)])
	case 6, 7:
		op := operators[rng.IntN(len(operators))]
		return strings.Replace(x, op[0], op[1], 1+rng.IntN(2))
	case 8: // one arm less
		if i := strings.LastIndex(x, " AND "); i > 0 && strings.HasPrefix(x, "(") && strings.HasSuffix(x, ")") {
			return x[:i] + ")"
		}
		return x
	default:
		return "CASE WHEN (" + x + ") THEN (" + y + ") END"
	}
}

// TestHandwrittenIsReadSoundly holds what is read of SQL written by hand, and of
// generated conditions changed by hand, to Postgres' answers. READBACK_MUTATIONS
// and READBACK_SEED ask for more.
func TestHandwrittenIsReadSoundly(t *testing.T) {
	t.Parallel()
	number := func(name string, n int) int {
		if v, err := strconv.Atoi(os.Getenv(name)); err == nil {
			return v
		}
		return n
	}
	const few = 80
	users := someUsers
	if number("READBACK_MUTATIONS", few) > few {
		users = hostileUsers
	}
	p := conditionProgram(t, "handwritten")
	now, _ := eval.ParseTimestamp(testNow)
	_, sql := conditionSQL(t, p, instantConst(now))
	conn := conditionDatabase(t, p)
	list := slices.Clone(handwritten)
	for _, s := range sql {
		list = append(list, string(s))
	}
	rng := rand.New(rand.NewPCG(uint64(number("READBACK_SEED", 1)), 7)) // #nosec G404 G115 -- the test's own choice
	texts := slices.Clone(handwritten)
	for range number("READBACK_MUTATIONS", few) {
		texts = append(texts, mutated(rng, list))
		if rng.IntN(3) == 0 {
			list = append(list, texts[len(texts)-1])
		}
	}
	execute(t, conn, "BEGIN")
	written := readPolicies(t, conn, texts)
	var read []string
	whole := 0
	names := readback.Names{Table: p.Tables[0], SQLName: "r", Functions: requestFunctions(p)}
	for i, s := range written {
		if s == "" {
			continue
		}
		read = append(read, s)
		c := readback.Read(s, names)
		if c.Exact() {
			whole++
		} else if i < len(handwritten) && os.Getenv("READBACK_SHOW") != "" {
			t.Logf("%s: %s", texts[i], strings.Join(c.Reasons, "; "))
		}
	}
	compared := 0
	const batch = 200
	for len(read) > 0 {
		n := min(batch, len(read))
		compared += readSoundly(t, p, conn, read[:n], users, now)
		read = read[n:]
	}
	if compared < 50_000 {
		t.Errorf("only %d results were compared", compared)
	}
	t.Logf("%d of %d read whole, %d results compared", whole, len(texts), compared)
}

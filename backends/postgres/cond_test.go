package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// compileText compiles one file of HCL.
func compileText(t testing.TB, hcl string) *model.Program {
	t.Helper()
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(hcl)}}}
	p, diags := compiler.Compile(context.Background(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags.Err())
	}
	return p
}

const everyType = `
postern { project = "conds" }
identity {
  attribute "id"   { type = string }
  attribute "s"    { type = string }
  attribute "i"    { type = int }
  attribute "n"    { type = number }
  attribute "b"    { type = bool }
  attribute "u"    { type = uuid }
  attribute "d"    { type = date }
  attribute "t"    { type = timestamp }
  attribute "ip"   { type = ip }
  attribute "e"    { type = enum("open", "closed") }
  attribute "ss"   { type = set(string) }
  attribute "is"   { type = set(int) }
  attribute "ns"   { type = set(number) }
  attribute "us"   { type = set(uuid) }
}
request {
  attribute "ip" { type = ip }
}
group "g" { description = "d" }
user "dir" {
  groups     = [group.g]
  attributes = {
    id = "dir", s = "a", i = 5, n = 1.5, b = true, u = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", d = "2024-03-11", t = "2024-03-11T05:30:00.123456Z"
    ip = "10.1.2.3", e = "open", ss = ["a", "open"], is = [5, 6], ns = [1.5], us = ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]
  }
}
user "none" {
  groups       = []
  access_level = access_level.superuser
  attributes   = { id = "none", s = null, i = null }
}
datasource "db" {
  type     = "postgres"
  identity = "setting"
  owner    = "exempt"
}
service_account "a" {
  datasource  = datasource.db
  role        = "conds_account"
  description = "d"
}
table "db" "r" {
  column "id" { type = int }
  COLUMNS
  primary_key = ["id"]
}
`

var typedColumns = []struct{ name, typ, native string }{
	{"s", "string", ""},
	{"v", "string", "character varying(40)"},
	{"ch", "string", "character(5)"},
	{"dm", "string", "public.dm"},
	{"i", "int", ""},
	{"i4", "int", "integer"},
	{"n", "number", ""},
	{"np", "number", "numeric(12,2)"},
	{"b", "bool", ""},
	{"u", "uuid", ""},
	{"d", "date", ""},
	{"t", "timestamp", ""},
	{"tl", "timestamp", "timestamp without time zone"},
	{"ip", "ip", ""},
	{"e", `enum("open", "closed")`, "public.st"},
	{"ss", "set(string)", ""},
	{"vs", "set(string)", "character varying(9)[]"},
	{"is", "set(int)", "integer[]"},
	{"ns", "set(number)", ""},
	{"us", "set(uuid)", ""},
}

const everyTypeSQL = `
CREATE TYPE st AS ENUM ('closed', 'open', 'other');
CREATE DOMAIN dm AS text CHECK (value <> 'never');
CREATE TABLE r (id bigint PRIMARY KEY, s text, v varchar(40), ch char(5), dm dm, i bigint, i4 integer, n numeric, np numeric(12,2),
	b boolean, u uuid, d date, t timestamptz, tl timestamp, ip inet, e st, ss text[], vs varchar(9)[], "is" integer[], ns numeric[], us uuid[]);
INSERT INTO r (id) VALUES (0);
`

// hostile values of each column; every row takes one of each, shifted.
var hostile = map[string][]string{
	"s": {"''", "'a'", "'A'", "'ab'", "'%'", `'a\b'`, "'dept.eng'", "'dept.eng.x'", "'dept.engx'", "'dept.eng/'", "'é'", "U&'\\212A'", "'EMEA'", "'z'", "'p:5'"},
	"i": {"0", "5", "-1", "6", "9223372036854775807", "-9223372036854775808", "9007199254740993"},
	"n": {"0", "1.5", "1.50", "'NaN'", "'Infinity'", "'-Infinity'", "1e38", "-1e37", "0.1234567890123456789", "5", "9007199254740993"},
	"b": {"true", "false"},
	"u": {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"},
	"d": {"'2024-03-10'", "'2024-03-11'", "'2024-03-12'", "'infinity'", "'-infinity'", "'0001-01-01'", "'9999-12-31'", "'5874897-12-31'", "'0044-03-15 BC'"},
	"t": {
		"'2024-03-11 05:30:00.123456+00'", "'2024-03-11 00:00:00+00'", "'2024-03-10 05:30:00.123456+00'", "'infinity'", "'-infinity'",
		"'0001-01-01 00:00:00+00'", "'9999-12-31 23:59:59.999999+00'", "'10000-01-01 00:00:00+00'", "'294276-12-31 23:59:59+00'", "'0044-03-15 BC'",
	},
	"ip": {"'10.1.2.3'", "'10.1.2.3/8'", "'11.0.0.0'", "'::ffff:10.1.2.3'", "'2001:db8::1'", "'2001:db8::/32'", "'9.255.255.255'"},
	"e":  {"'open'", "'closed'", "'other'"},
	"ss": {"'{}'", "'{a}'", "'{a,NULL}'", "'{NULL}'", "'{a,b,a}'", "'{{a},{b}}'", "'{A,é}'"},
	"is": {"'{}'", "'{5}'", "'{5,NULL,6,5}'", "'{{5},{6}}'", "'{0}'"},
	"ns": {"'{}'", "'{1.5}'", "'{1.5,NaN}'", "'{5,1e40}'", "'{5.0}'"},
	"us": {"'{}'", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'"},
}

var conditions = []string{
	`record.s == "a"`, `record.s != "a"`, `record.s == user.s`, `record.s != user.s`, `record.s < "ab"`, `record.s >= user.s`,
	`record.v == user.s`, `record.v < user.s`, `record.ch == "ab"`, `record.ch == user.s`, `record.dm == user.s`, `record.s == record.v`,
	`lower(record.s) == "a"`, `lower(record.s) == user.s`, `length(record.s) >= 2`, `length(record.ch) < 3`, `length(user.s) == 2`,
	`contains(record.s, "a")`, `contains(record.s, user.s)`, `starts_with(record.s, "a")`, `starts_with(record.v, user.s)`,
	`ends_with(record.s, "b")`, `ends_with(record.ch, user.s)`, `is_under(record.s, "dept.eng", ".")`, `is_under(record.s, user.s, ".")`,
	`is_under(user.s, record.s, ".")`, `record.s == null`, `is_empty(record.s)`, `is_empty(record.i)`, `is_empty(record.ch)`,
	`coalesce(record.s, "a") == user.s`, `contains(["a", "z"], record.s)`, `contains(["open"], user.e)`,
	`record.i == 5`, `record.i != 5`, `record.i < 5`, `record.i == user.i`, `record.i > user.i`, `record.i4 <= user.i`, `record.i == user.n`,
	`record.i < user.n`, `record.i >= 4.5`, `record.i + 1 > 5`, `record.i - record.i4 == 0`, `record.i * 2 != user.i`, `-record.i == 1`,
	`record.i == record.n`, `contains([5, 6], record.i)`, `contains([5, 6.5], record.n)`, `between(record.i, 0, 5)`,
	`record.n == 1.5`, `record.n != 1.5`, `record.n < 2`, `record.n > user.n`, `record.n <= user.i`, `record.np == 1.5`, `record.np > user.n`, `record.np != user.i`,
	`record.n == record.np`, `record.n < record.np`, `record.b`, `!record.b`, `user.b`, `record.b == user.b`, `record.b != user.b`,
	`record.u == user.u`, `record.u != user.u`, `record.u == record.u`,
	`record.d == "2024-03-11"`, `record.d < "2024-03-11"`, `record.d != user.d`, `record.d >= user.d`, `record.d < user.t`, `record.d <= user.t`,
	`record.d > user.t`, `record.d >= user.t`, `record.d == user.t`, `record.d != user.t`, `record.d < record.t`, `record.d == record.tl`,
	`in_last(record.d, days(1))`, `in_next(record.d, days(1))`, `record.t < "2024-03-11T05:30:00Z"`, `record.t == user.t`, `record.t != user.t`,
	`record.t >= user.d`, `in_last(record.t, days(1))`, `in_next(record.t, hours(2))`, `record.t < now()`, `record.tl <= user.t`, `record.tl > now()`,
	`record.tl == record.t`, `record.tl < user.d`, `in_last(record.tl, weeks(1))`, `record.t + days(1) > user.t`, `record.tl - hours(1) < now()`,
	`user.t + days(1) > now()`, `user.d < user.t`, `record.e == "open"`, `record.e != "open"`, `record.e == user.e`, `record.e != user.e`, `contains(["open"], record.e)`,
	`!contains(["open"], record.e)`, `contains(user.ss, record.e)`, `record.ip == user.ip`, `record.ip != user.ip`, `record.ip != request.ip`,
	`cidr_contains("10.0.0.0/8", record.ip)`, `!cidr_contains("10.0.0.0/8", record.ip)`, `cidr_contains("2001:db8::/32", record.ip)`,
	`!cidr_contains("2001:db8::/32", user.ip)`, `cidr_contains("10.0.0.0/8", request.ip)`, `cidr_contains("0.0.0.0/0", record.ip)`, `cidr_contains("::/0", record.ip)`,
	`contains(record.ss, "a")`, `!contains(record.ss, "a")`, `contains(record.ss, user.s)`, `contains(record.vs, record.s)`, `contains(record.is, 5)`,
	`contains(record.is, user.i)`, `contains(record.is, record.i)`, `contains(record.ns, user.n)`, `contains(record.ns, 1.5)`, `contains(record.us, user.u)`,
	`contains(user.ss, record.s)`, `!contains(user.ss, record.s)`, `contains(user.is, record.i4)`, `contains(user.ns, record.n)`, `!contains(user.ns, record.np)`,
	`contains(user.us, record.u)`, `contains(user.groups, record.s)`, `member_of(group.g)`, `!member_of(group.g)`, `is_empty(record.ss)`, `!is_empty(record.ns)`,
	`length(record.ss) == 1`, `length(record.ns) >= 1`, `length(user.ss) == 2`, `known(user.s)`, `!known(user.groups)`, `known(request.ip)`,
	`"p:${record.i}" == record.s`, `"p:${user.s}" == record.s`, `"u:${record.u}" != user.s`, `user.access_level == "user"`,
	`record.b ? record.s == "a" : record.i == 5`, `user.b ? record.s == "a" : known(user.s)`, `record.s == "a" || user.s == "a" && record.i == 5`,
	`(user.b || record.b) && (member_of(group.g) || record.s == user.s)`,
}

var hostileUsers = []string{
	``, `{}`, `{"id": "x"}`,
	`{"id": "x", "s": "a", "i": 5, "n": 1.5, "b": true, "u": "A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11", "d": "2024-03-11", "t": "2024-03-11T05:30:00.123456Z",
	  "ip": "10.1.2.3", "e": "open", "ss": ["a", "open"], "is": [5, 6], "ns": [1.5], "us": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"], "groups": ["g", "a"]}`,
	`{"id": "x", "s": "", "i": 5.0, "n": 5, "b": false, "u": "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "d": "2024-02-30", "t": "2024-03-11T00:00:00Z",
	  "ip": "::ffff:10.1.2.3", "e": "other", "ss": [], "is": [], "ns": [], "us": [], "groups": []}`,
	`{"id": "x", "s": "dept.eng", "i": 9223372036854775807, "n": 9007199254740993, "b": "true", "u": 5, "d": "0001-01-01", "t": "9999-12-31T23:59:59.999999Z",
	  "ip": "2001:db8::1", "e": 1, "ss": ["a", null, "z"], "is": [5, null], "ns": [1.50, 5.0], "groups": ["a", 1]}`,
	`{"id": "x", "s": 5, "i": 9223372036854775808, "n": 1e40, "b": 1, "d": "9999-12-31", "t": "2024-03-11T05:30:60Z", "ip": "10.1.2.3/8",
	  "ss": ["a", 1], "is": [5.5], "ns": ["1.5"], "us": ["x"], "groups": "g"}`,
	`{"id": "x", "s": "ab", "i": 5.5, "n": -1e37, "t": "2024-03-11T24:00:00Z", "ip": "010.1.2.3", "ss": "a", "is": 5, "access_level": "superuser"}`,
	`{"id": "x", "s": "p:5", "i": 1e2, "n": 0.1234567890123456789, "t": "0001-01-01T00:00:00+01:00", "d": "2024-3-11", "ip": "::1.2.3.4", "ss": [["a"]], "access_level": "nope"}`,
	`{"id": "x", "s": "A", "t": "2024-03-11T07:00:00.123456+01:30", "ip": "1:2:3:4:5:6:7::", "access_level": "anonymous"}`,
	`{"id": "dir"}`, `{"id": "dir", "s": "z", "i": 9, "groups": ["a"], "access_level": "nope"}`, `{"id": "none", "s": "a", "i": 5, "n": 1.5, "groups": ["g"]}`,
	`{"id": "x", "s": "EMEA", "i": "5", "n": "1.5", "t": "2024-03-11 05:30:00Z", "ip": "fe80::1%eth0", "access_level": "user"}`,
}

const testNow = "2024-03-11T05:30:00.123456Z"

// conditionProgram has one policy for each condition that Postgres can hold.
func conditionProgram(t testing.TB, project string) *model.Program {
	t.Helper()
	var columns, policies strings.Builder
	for _, c := range typedColumns {
		native := ""
		if c.native != "" {
			native = "\n    native = \"" + c.native + "\""
		}
		fmt.Fprintf(&columns, "column %q {\n    type = %s\n    null = true%s\n  }\n  ", c.name, c.typ, native)
	}
	for i, c := range conditions {
		fmt.Fprintf(&policies, "policy \"c%03d\" {\n  description = \"d\"\n  on = [table.db.r]\n  to = [everyone]\n  allow = [view]\n  when = %s\n}\n", i, c)
	}
	return compileText(t, strings.NewReplacer("COLUMNS", columns.String(), "conds", project).Replace(everyType)+policies.String())
}

// conditionSQL renders the surely-true and surely-false form of every condition.
func conditionSQL(t testing.TB, p *model.Program, now sqltext.Expr) (forms []model.Cond, sql []sqltext.SQL) {
	t.Helper()
	table := p.Tables[0]
	r := &renderer{runtime: newAccessors(p), entry: table.Datasource.Entries()[0], table: table, now: now, used: map[ObjectID]struct{}{}, related: newRelatedSet()}
	for _, target := range table.Policies {
		for _, c := range []model.Cond{target.When.Holds, target.When.Fails} {
			s, err := r.print(c)
			if err != nil {
				t.Fatalf("%s: %v", target.Policy.Name, err)
			}
			forms, sql = append(forms, c), append(sql, s)
		}
	}
	return forms, sql
}

// conditionDatabase has the table, filled, and the identity runtime.
func conditionDatabase(t *testing.T, p *model.Program) *pgx.Conn {
	t.Helper()
	conn := connect(t, pgtest.Database(t))
	execute(t, conn, everyTypeSQL)
	state, diags := Desired(p, p.Datasources[0])
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	script, err := Script(state, "db", "")
	if err != nil {
		t.Fatal(err)
	}
	var db string
	if err := conn.QueryRow(t.Context(), "SELECT current_database()").Scan(&db); err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(`\set ON_ERROR_STOP on`, "", `:"DBNAME"`, db, `:'password_`+p.Project+`_account_a'`, "'x'").Replace(string(script))
	execute(t, conn, text)
	like := map[string]string{"v": "s", "ch": "s", "dm": "s", "i4": "i", "np": "n", "tl": "t", "vs": "ss"}
	for row := 1; row <= 120; row++ {
		var names, values []string
		for i, c := range typedColumns {
			from := hostile[c.name]
			if from == nil {
				from = hostile[like[c.name]]
			}
			v := from[(row*(i+1)+row/7)%len(from)]
			switch {
			case (row+i)%13 == 0,
				c.name == "i4" && len(v) > 9,
				c.name == "ch" && len(v) > 7,
				c.name == "np" && (strings.Contains(v, "Inf") || strings.Contains(v, "e3") || len(v) > 12):
				v = "NULL"
			}
			names, values = append(names, `"`+c.name+`"`), append(values, v)
		}
		execute(t, conn, fmt.Sprintf("INSERT INTO public.r (id, %s) VALUES (%d, %s)", strings.Join(names, ", "), row, strings.Join(values, ", ")))
	}
	execute(t, conn, "SET jit = off")
	return conn
}

func decode(t testing.TB, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var out map[string]any
	if err := dec.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestConditionsAsTheEvaluator asks Postgres and the reference evaluator about
// every condition, record and user.
func TestConditionsAsTheEvaluator(t *testing.T) {
	t.Parallel()
	p := conditionProgram(t, "conds")
	now, _ := eval.ParseTimestamp(testNow)
	forms, sql := conditionSQL(t, p, instantConst(now))
	conn := conditionDatabase(t, p)
	var query strings.Builder
	query.WriteString("SELECT to_jsonb(r)::text, ARRAY[")
	for i, s := range sql {
		if i > 0 {
			query.WriteString(", ")
		}
		query.WriteString("(" + string(s) + ") IS TRUE")
	}
	query.WriteString("] FROM public.r ORDER BY id")
	compared, wrong := 0, 0
	for _, claims := range hostileUsers {
		context := `{"ip": "10.9.9.9"}`
		if _, err := conn.Exec(t.Context(), "SELECT set_config('postern.claims', $1, false), set_config('postern.request', $2, false)", claims, context); err != nil {
			t.Fatal(err)
		}
		rows, err := conn.Query(t.Context(), query.String())
		if err != nil {
			t.Fatal(err)
		}
		env := eval.NewEnv(p, model.Request{User: decode(t, claims), Context: decode(t, context), Now: now}, p.Datasources[0].Entries()[0])
		for rows.Next() {
			var doc string
			var got []bool
			if err := rows.Scan(&doc, &got); err != nil {
				t.Fatal(err)
			}
			on := env.On(decode(t, doc))
			for i, c := range forms {
				compared++
				if want := on.Holds(c); want != got[i] && wrong < 40 {
					wrong++
					t.Errorf("%s (fails: %v): Postgres says %v, the evaluator %v\nclaims %s\nrecord %s\nSQL %s",
						conditions[i/2], i%2 == 1, got[i], want, claims, doc, sql[i])
				}
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if compared < 100_000 {
		t.Errorf("only %d results were compared", compared)
	}
}

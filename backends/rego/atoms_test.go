package rego

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	reference "github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/lower"
	"github.com/postern-dev/postern/compiler/model"
)

// fixture is a service with one resource, "r", on which each condition is a
// policy of its own.
type fixture struct {
	program *model.Program
	row     *model.Row
	kids    *model.Relation
	kid     *model.Row
	names   []string
	conds   []model.Cond
}

// newFixture has the columns x and y, and the attributes x and y, of one type,
// a parent with the same columns, and kids.
func newFixture(project string, t model.Type, native string) *fixture {
	ds := &model.Datasource{Name: "svc", Type: model.Service}
	key := &model.Attribute{Name: "id", Scope: model.ScopeUser, Type: model.String, Claim: []string{"id"}}
	p := &model.Program{
		Project: project, Identity: model.Identity{Key: key, Attributes: []*model.Attribute{key}},
		Levels: builtInLevels(), Datasources: []*model.Datasource{ds},
	}
	for _, n := range []string{"x", "y"} {
		p.Identity.Attributes = append(p.Identity.Attributes,
			&model.Attribute{Name: n, Scope: model.ScopeUser, Type: t, Claim: []string{"meta", n}})
	}
	p.Request = []*model.Attribute{{Name: "x", Scope: model.ScopeRequest, Type: t, Claim: []string{"x"}}}
	columns := func() []*model.Column {
		return []*model.Column{{Name: "x", Type: t, Native: native, Null: true}, {Name: "y", Type: t, Native: native, Null: true}}
	}
	parent := &model.Table{Datasource: ds, Name: "parent", Columns: columns(), Actions: []model.Action{model.View}}
	kid := &model.Table{Datasource: ds, Name: "kid", Columns: columns(), Actions: []model.Action{model.View}}
	r := &model.Table{Datasource: ds, Name: "r", Columns: columns(), Actions: []model.Action{model.View}}
	up := &model.Relation{Name: "up", From: r, Table: parent}
	kids := &model.Relation{Name: "kids", From: r, Table: kid, Many: true}
	r.Relations = []*model.Relation{kids, up}
	ds.Tables = []*model.Table{kid, parent, r}
	p.Tables = ds.Tables
	return &fixture{program: p, row: &model.Row{Name: "record", Table: r}, kids: kids, kid: &model.Row{Name: "m", Table: kid}}
}

func builtInLevels() []*model.Level {
	super := &model.Level{Name: model.LevelSuperuser}
	user := &model.Level{Name: model.LevelUser}
	anonymous := &model.Level{Name: model.LevelAnonymous}
	super.AtLeast = []*model.Level{super}
	user.AtLeast = []*model.Level{super, user}
	anonymous.AtLeast = []*model.Level{anonymous, super, user}
	return []*model.Level{anonymous, user, super}
}

func (f *fixture) table() *model.Table { return f.row.Table }

func (f *fixture) column(n string, path ...string) model.Expr {
	t := f.row.Table
	var via []*model.Relation
	for _, p := range path {
		via = append(via, t.Relation(p))
		t = t.Relation(p).Table
	}
	c := t.Column(n)
	return &model.ColumnRef{Node: model.Node{Type: c.Type}, Row: f.row, Path: via, Column: c}
}

func (f *fixture) kidColumn(n string) model.Expr {
	c := f.kid.Table.Column(n)
	return &model.ColumnRef{Node: model.Node{Type: c.Type}, Row: f.kid, Column: c}
}

func (f *fixture) attribute(n string) model.Expr {
	for _, a := range f.program.Identity.Attributes {
		if a.Name == n {
			return &model.AttrRef{Node: model.Node{Type: a.Type}, Attribute: a}
		}
	}
	return nil
}

func (f *fixture) request() model.Expr {
	return &model.AttrRef{Node: model.Node{Type: f.program.Request[0].Type}, Attribute: f.program.Request[0]}
}

func literal(t model.Type, v model.Value) model.Expr {
	return &model.Literal{Node: model.Node{Type: t}, Value: v}
}

func apply(fn model.Fn, t model.Type, args ...model.Expr) model.Expr {
	return &model.Call{Node: model.Node{Type: t}, Fn: fn, Args: args}
}

func is(fn model.Fn, args ...model.Expr) model.Expr { return apply(fn, model.Bool, args...) }

// add makes policies of a condition and of its opposite.
func (f *fixture) add(t *testing.T, label string, x model.Expr) {
	t.Helper()
	c, err := lower.Condition(x)
	if err != nil {
		t.Fatal(err)
	}
	f.policy(label, c.Holds)
	f.policy("not "+label, c.Fails)
}

func (f *fixture) policy(label string, c model.Cond) {
	n := fmt.Sprintf("%03d %s", len(f.names), label)
	f.names = append(f.names, n)
	f.conds = append(f.conds, c)
	p := &model.Policy{Name: n, To: []model.Subject{model.Everyone{}}}
	target := &model.PolicyTarget{
		Policy: p, Table: f.table(), Allow: []model.Action{model.View},
		When: model.Condition{Holds: c}, Check: model.Condition{Holds: c},
	}
	f.program.Policies = append(f.program.Policies, p)
	f.table().Policies = append(f.table().Policies, target)
}

// compare evaluates every condition on every record for every user, with the
// reference evaluator and with OPA.
func (f *fixture) compare(t *testing.T, users []map[string]any, records []model.Document) {
	t.Helper()
	c, err := newContent(context.Background(), f.program)
	if err != nil {
		t.Fatal(err)
	}
	checkFormat(t, c)
	compiler, store, err := c.load()
	if err != nil {
		t.Fatal(err)
	}
	pkg := "data.postern[" + strconv.Quote(f.program.Project) + "].svc"
	q, err := rego.New(
		rego.Query("x := {concat(\":\", [format_int(i, 10), p]) | some i, r in input.records; some p in input.policies; "+
			pkg+".when(\"r\", p, r)}"),
		rego.Compiler(compiler), rego.Store(store), rego.StrictBuiltinErrors(true),
	).PrepareForEval(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	decided := 0
	for i, user := range users {
		records := sample(records, i)
		req := model.Request{User: user, Context: map[string]any{"x": member1(user)}, Now: 1710135000123456}
		got := f.opa(t, q, req, records)
		want := f.reference(req, records)
		decided += len(records) * len(f.conds)
		if diff := cmp.Diff(want, got); diff != "" {
			text, _ := json.Marshal(user)
			docs, _ := json.Marshal(records)
			t.Fatalf("user %s\nrecords %s\n(-evaluator +rego)\n%s", text, docs, diff)
		}
	}
	t.Logf("%d conditions, %d results", len(f.conds), decided)
}

// sample is every seventh record and the one made of the same values as the
// user: all pairs would take minutes.
func sample(records []model.Document, user int) []model.Document {
	var out []model.Document
	for i, r := range records {
		if (i+user)%7 == 0 || i+specialUsers == user {
			out = append(out, r)
		}
	}
	return out
}

// specialUsers is how many users hostile puts before those of the values.
const specialUsers = 5

func member1(user map[string]any) any {
	meta, _ := user["meta"].(map[string]any)
	return meta["x"]
}

func (f *fixture) opa(t *testing.T, q rego.PreparedEvalQuery, req model.Request, records []model.Document) map[string]bool {
	t.Helper()
	in := requestInput(req, f.table(), model.View)
	list := make([]any, len(records))
	for i, r := range records {
		list[i] = r
	}
	in.set("records", value(list))
	names := make([]any, len(f.names))
	for i, n := range f.names {
		names[i] = n
	}
	in.set("policies", value(names))
	rs, err := q.Eval(context.Background(), rego.EvalParsedInput(ast.NewObject(in...)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, v := range rs[0].Bindings["x"].([]any) {
		out[v.(string)] = true
	}
	return out
}

func (f *fixture) reference(req model.Request, records []model.Document) map[string]bool {
	out := map[string]bool{}
	env := reference.NewEnv(f.program, req, model.Entry{Datasource: f.table().Datasource})
	for i, r := range records {
		on := env.On(r)
		for j, c := range f.conds {
			if on.Holds(c) {
				out[strconv.Itoa(i)+":"+f.names[j]] = true
			}
		}
	}
	return out
}

// wrong is values of other JSON types, and null.
const wrong = `null, true, false, "", "x", 5, -1.5, [], ["x"], {}, {"x": 1}, [[1]], "true", "0"`

var pools = map[string]string{
	"text": `"", "a", "A", "ab", "b", "é", "é", "ß", "K", "k", "a%", "a_b", "a.b", "a.b.c", "a/", "�", "😀", "\u0000", "a\u0000",
		"10", "9", " a", "a ", "a  ", "\\", "\"", "\n", "null", "true", "none", "p:1"`,
	"int": `0, -0, 1, 1.0, 1e0, 2, 10, 1e1, 5.5, 9007199254740991, 9007199254740992, 9007199254740993, 9.007199254740993e15,
		9223372036854775807, 9223372036854775808, -9223372036854775808, -9223372036854775809, 1e18, 1e19, 1e99, 1e100, "1", 3.0000000000000000001`,
	"number": `0, 0.0, 0e-50, 1, 1.0, 1.1, 2.2, 3.3, 3.30, 0.1, 0.10000000000000001, 1e-18, 1e-19, 10e-19, 0.000000000000000001, 0.0000000000000000001,
		1e37, 1e38, -1e38, 99999999999999999999999999999999999999, 12345678901234567890123456789012345678,
		12345678901234567890123456789012345679, 9007199254740993, 9007199254740993.5, 1e400, 1.50, 150e-2, 15E-1, 123.456e+2, -7.5`,
	"uuid": `"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12",
		"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "urn:uuid:a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
		"00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\n"`,
	"date": `"2024-03-10", "2024-03-11", "2024-02-30", "2023-02-29", "2024-02-29", "1900-02-29", "2000-02-29", "infinity", "0000-01-01",
		"0001-01-01", "9999-12-31", "10000-01-01", "2024-3-1", "20240310", "today", "2024-03-10T00:00:00Z", "1600-02-29", "2024-04-31", "2024-03-10\n"`,
	"instant": `"2024-03-11T05:30:00.123456Z", "2024-03-11T06:30:00.123456+01:00", "2024-03-11T05:30:00.12345Z", "2024-03-11T05:30:00.1234567Z",
		"2024-03-11T05:30:00,5Z", "2016-12-31T23:59:60Z", "2024-03-10T24:00:00Z", "2024-03-10t05:30:00z", "2024-03-10 05:30:00Z",
		"2024-03-10T05:30:00", "2024-03-10T05:30:00.5", "2024-03-10T05:30:00+15:59", "2024-03-10T05:30:00+16:00", "2024-03-10T05:30:00-00:00",
		"0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00-05:00", "9999-12-31T23:59:59.999999Z",
		"9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59+05:00", "1600-02-29T12:00:00Z", "1677-01-01T00:00:00Z", "2262-12-31T00:00:00Z",
		"2400-02-29T23:59:59.5Z", "0000-01-01T00:00:00Z", "2023-02-29T00:00:00Z", "2024-02-10T05:30:00.123456Z", "2024-02-10T05:30:00.123455Z",
		"infinity", "now", "1700-02-29T12:00:00Z", "1969-12-31T23:59:59.999999Z"`,
	"ip": `"10.1.2.3", "010.1.2.3", "10.1", "10.1.2.3/8", "10.1.2.3/32", "::ffff:10.1.2.3", "::FFFF:a01:203", "::1", "0:0:0:0:0:0:0:1",
		"2001:DB8::1", "2001:db8::1", "fe80::1%eth0", "::10.1.2.3", "::a01:203", " 10.1.2.3", "10.1.2.3\n", "256.1.1.1", "1::2::3", ":::",
		"0.0.0.0", "255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::", "64:ff9b::10.1.2.3", "1:2:3:4:5:6:7::", "11.0.0.0", "10.255.255.255"`,
	"enum":     `"open", "closed", "Open", "lost", "open "`,
	"bool":     `"yes", 1, 0`,
	"text set": `["a"], ["a", "b", null], ["a", 1], [null], ["b", "b"], ["A", "é"], [["a"]], "a", {"a": 1}, ["", null, ""], ["a\u0000"]`,
	"int set":  `[1], [1.0, 1], [1, null, 2], [1, "1"], [9007199254740993], [9007199254740992, 9007199254740993], [[1]], [1.5], [null]`,
}

func pool(t *testing.T, name string) []any {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader("[" + wrong + ", " + pools[name] + "]"))
	dec.UseNumber()
	var out []any
	if err := dec.Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// hostile is a user and a record for each value; a record's y, its parent and
// its kids hold other values of the pool.
func hostile(t *testing.T, name string) ([]map[string]any, []model.Document) {
	t.Helper()
	values := pool(t, name)
	users := []map[string]any{nil, {}, {"id": "u"}, {"id": "u", "meta": "x"}, {"meta": map[string]any{"x": values[1]}}}
	var records []model.Document
	for i, v := range values {
		w := values[(i*7+3)%len(values)]
		users = append(users, map[string]any{"id": "u", "meta": map[string]any{"x": v, "y": w}})
		r := model.Document{"x": v, "y": w}
		switch i % 5 {
		case 0:
			r["up"] = model.Document{"x": w}
			r["kids"] = []any{model.Document{"x": v}, model.Document{"x": w, "y": v}}
		case 1:
			r["up"] = nil
			r["kids"] = []any{}
		case 2:
			r["up"] = []any{model.Document{"x": w}}
			r["kids"] = []any{model.Document{"x": v}, nil}
		case 3:
			r["up"] = model.Document{"x": v}
			r["kids"] = model.Document{"x": v}
		case 4:
			r["kids"] = []any{model.Document{"x": v}, model.Document{"x": v}, model.Document{}}
		}
		records = append(records, r)
	}
	return users, append(records, model.Document{})
}

func rat(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

var comparisons = []model.Fn{model.FnEqual, model.FnNotEqual, model.FnLess, model.FnLessEqual, model.FnGreater, model.FnGreaterEqual}

// everything adds the conditions that all types have.
func (f *fixture) everything(t *testing.T, fns []model.Fn, constant model.Value) {
	t.Helper()
	x, user := f.column("x"), f.attribute("x")
	for _, fn := range fns {
		f.add(t, "x"+fn.String()+"user", is(fn, x, user))
		f.add(t, "x"+fn.String()+"y", is(fn, x, f.column("y")))
		f.add(t, "x"+fn.String()+"constant", is(fn, x, literal(x.ResultType(), constant)))
		f.add(t, "up.x"+fn.String()+"request", is(fn, f.column("x", "up"), f.request()))
	}
	for _, path := range [][]string{nil, {"up"}} {
		c := f.column("x", path...)
		f.add(t, "null", is(model.FnIsNull, c))
		f.add(t, "empty", is(model.FnIsEmpty, c))
		if c.ResultType().Kind != model.KindSet {
			f.add(t, "coalesce", is(model.FnEqual, apply(model.FnCoalesce, c.ResultType(), c, literal(c.ResultType(), constant)), user))
		}
	}
	f.add(t, "known user", is(model.FnKnown, user))
	f.add(t, "known request", is(model.FnKnown, f.request()))
	if len(fns) == 0 {
		return
	}
	body := is(model.FnEqual, f.kidColumn("x"), user)
	related := func(q model.Quantifier, typ model.Type, body model.Expr) model.Expr {
		return &model.Related{Node: model.Node{Type: typ}, Quantifier: q, Row: f.row, Relation: f.kids, Each: f.kid, Body: body}
	}
	either := is(model.FnOr, body, is(model.FnEqual, f.kidColumn("y"), f.column("x")))
	for label, b := range map[string]model.Expr{"simple": body, "either": either} {
		f.add(t, "any "+label, related(model.AnyTrue, model.Bool, b))
		f.add(t, "all "+label, related(model.AllTrue, model.Bool, b))
		for _, fn := range comparisons {
			f.add(t, "count "+label, is(fn, related(model.CountTrue, model.Int, b), literal(model.Int, rat("1"))))
		}
	}
	f.add(t, "if", is(model.FnIf, body0(f), is(model.FnEqual, x, user), is(model.FnNotEqual, f.column("y"), user)))
	f.add(t, "nested", is(model.FnAnd, is(model.FnOr, body0(f), related(model.AnyTrue, model.Bool, either)), is(model.FnNot, is(model.FnIsNull, f.column("y")))))
}

func body0(f *fixture) model.Expr { return is(model.FnEqual, f.column("x"), f.column("y")) }

func TestAtomsAgainstEvaluator(t *testing.T) {
	t.Parallel()
	equality := comparisons[:2]
	instant := func(s string) model.Value { ts, _ := reference.ParseTimestamp(s); return ts }
	date, _ := reference.ParseDate("2024-03-10")
	uuid, _ := reference.ParseUUID("A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")
	days30 := literal(model.Interval, 30*model.Day)
	now := &model.NowRef{Node: model.Node{Type: model.TimeType}}
	times := func(t *testing.T, f *fixture) {
		f.add(t, "in_last", is(model.FnInLast, f.column("x"), days30))
		f.add(t, "in_next", is(model.FnInNext, f.column("x"), days30))
		f.add(t, "between", is(model.FnBetween, f.column("x"), f.attribute("x"), f.attribute("y")))
		f.add(t, "now", is(model.FnLess, f.column("x"), now))
	}
	cases := []struct {
		name, pool, native string
		typ                model.Type
		fns                []model.Fn
		constant           model.Value
		more               func(*testing.T, *fixture)
	}{
		{"text", "text", "", model.String, comparisons, "é", func(t *testing.T, f *fixture) { texts(t, f) }},
		{"char", "text", "character(3)", model.String, comparisons, "a", func(t *testing.T, f *fixture) { texts(t, f) }},
		{"int", "int", "", model.Int, comparisons, rat("9007199254740993"), ints},
		{"number", "number", "", model.Number, comparisons, rat("3.3"), nil},
		{"uuid", "uuid", "", model.UUIDType, equality, uuid, func(t *testing.T, f *fixture) {
			f.add(t, "template", is(model.FnEqual, apply(model.FnTemplate, model.String, literal(model.String, "p:"), f.column("x")), f.attribute("id")))
		}},
		{"date", "date", "", model.DateType, comparisons, date, times},
		{"instant", "instant", "", model.TimeType, comparisons, instant("2024-03-11T05:30:00.123456Z"), func(t *testing.T, f *fixture) {
			times(t, f)
			f.add(t, "plus", is(model.FnLess, apply(model.FnAdd, model.TimeType, f.column("x"), days30), now))
			f.add(t, "minus", is(model.FnLess, apply(model.FnSubtract, model.TimeType, f.column("x"), days30), f.attribute("x")))
		}},
		{"local instant", "instant", "timestamp without time zone", model.TimeType, comparisons, instant("2024-03-10T05:30:00Z"), times},
		{"ip", "ip", "", model.IP, equality, netip.MustParseAddr("2001:db8::1"), networks},
		{"enum", "enum", "", model.EnumOf("open", "closed"), equality, "open", nil},
		{"bool", "bool", "", model.Bool, equality, true, func(t *testing.T, f *fixture) { f.add(t, "bare", f.column("x")) }},
		{"text set", "text set", "", model.StringSet, nil, nil, func(t *testing.T, f *fixture) { sets(t, f, literal(model.String, "a")) }},
		{"int set", "int set", "", model.SetOf(model.Int), nil, nil, func(t *testing.T, f *fixture) { sets(t, f, literal(model.Int, rat("9007199254740993"))) }},
		{"enum set", "text set", "", model.SetOf(model.EnumOf("a", "b")), nil, nil, func(t *testing.T, f *fixture) { sets(t, f, literal(model.String, "a")) }},
		{"number set", "int set", "", model.SetOf(model.Number), nil, nil, func(t *testing.T, f *fixture) { sets(t, f, literal(model.Number, rat("1.5"))) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture("atoms", c.typ, c.native)
			f.everything(t, c.fns, c.constant)
			if c.more != nil {
				c.more(t, f)
			}
			users, records := hostile(t, c.pool)
			f.compare(t, users, records)
		})
	}
}

func texts(t *testing.T, f *fixture) {
	t.Helper()
	x, user := f.column("x"), f.attribute("x")
	for _, fn := range []model.Fn{model.FnContains, model.FnStartsWith, model.FnEndsWith} {
		f.add(t, fn.String(), is(fn, x, user))
		f.add(t, fn.String()+" constant", is(fn, x, literal(model.String, "a.")))
	}
	f.add(t, "under", is(model.FnIsUnder, x, user, literal(model.String, ".")))
	lower := apply(model.FnLower, model.String, x)
	f.add(t, "lower", is(model.FnEqual, lower, apply(model.FnLower, model.String, user)))
	f.add(t, "length", is(model.FnGreaterEqual, apply(model.FnLength, model.Int, x), literal(model.Int, rat("2"))))
	f.add(t, "template", is(model.FnEqual, apply(model.FnTemplate, model.String, x, literal(model.String, "."), f.column("y")), user))
	f.add(t, "in", is(model.FnIn, x, literal(model.StringSet, model.NewSet([]model.Value{"a", "é", "\""}))))
	f.add(t, "in none", is(model.FnIn, x, literal(model.StringSet, model.Set{})))
	f.add(t, "in groups", is(model.FnIn, x, &model.GroupsRef{Node: model.Node{Type: model.StringSet}}))
	f.add(t, "level", is(model.FnEqual, &model.LevelRef{Node: model.Node{Type: model.String}}, literal(model.String, "user")))
	f.add(t, "known level", is(model.FnKnown, &model.LevelRef{Node: model.Node{Type: model.String}}))
	f.add(t, "known groups", is(model.FnKnown, &model.GroupsRef{Node: model.Node{Type: model.StringSet}}))
	f.add(t, "app", is(model.FnEqual, x, &model.AppRef{Node: model.Node{Type: model.String}}))
	f.add(t, "known app", is(model.FnKnown, &model.AppRef{Node: model.Node{Type: model.String}}))
}

func ints(t *testing.T, f *fixture) {
	t.Helper()
	x, user := f.column("x"), f.attribute("x")
	for _, fn := range []model.Fn{model.FnAdd, model.FnSubtract, model.FnMultiply} {
		f.add(t, fn.String(), is(model.FnGreater, apply(fn, model.Int, x, f.column("y")), user))
		f.add(t, fn.String(), is(model.FnEqual, apply(fn, model.Int, apply(fn, model.Int, x, user), user), f.column("y")))
	}
	f.add(t, "negative", is(model.FnLess, apply(model.FnNegate, model.Int, x), user))
	f.add(t, "against decimals", is(model.FnLess, x, literal(model.Number, rat("5.5"))))
	f.add(t, "template", is(model.FnEqual, apply(model.FnTemplate, model.String, literal(model.String, "u"), x), literal(model.String, "u1")))
	f.add(t, "in", is(model.FnIn, x, literal(model.SetOf(model.Int), model.NewSet([]model.Value{rat("1"), rat("9007199254740993")}))))
}

func networks(t *testing.T, f *fixture) {
	t.Helper()
	for _, n := range []string{"10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "::1/128", "::ffff:0:0/96", "::ffff:10.0.0.0/104"} {
		for _, x := range []model.Expr{f.column("x"), f.attribute("x")} {
			f.add(t, n, &model.Network{Node: model.Node{Type: model.Bool}, Net: netip.MustParsePrefix(n), X: x})
		}
	}
}

func sets(t *testing.T, f *fixture, needle model.Expr) {
	t.Helper()
	x, user := f.column("x"), f.attribute("x")
	f.add(t, "column has", is(model.FnIn, needle, x))
	f.add(t, "user has", is(model.FnIn, needle, user))
	f.add(t, "length", is(model.FnGreaterEqual, apply(model.FnLength, model.Int, x), literal(model.Int, rat("2"))))
	f.add(t, "user length", is(model.FnEqual, apply(model.FnLength, model.Int, user), literal(model.Int, rat("1"))))
}

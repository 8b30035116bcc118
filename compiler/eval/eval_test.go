package eval_test

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

func rat(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func TestParse(t *testing.T) {
	t.Parallel()
	enum, ints := model.EnumOf("open", "closed"), model.SetOf(model.Int)
	number := func(s string) any { return json.Number(s) }
	cases := map[string]struct {
		raw    any
		typ    model.Type
		native string
		want   model.Value
	}{
		"null":                   {nil, model.Int, "", nil},
		"bool":                   {true, model.Bool, "", true},
		"bool as text":           {"true", model.Bool, "", model.Unknown{}},
		"int":                    {number("9007199254740993"), model.Int, "", rat("9007199254740993")},
		"int with exponent":      {number("1.0e1"), model.Int, "", rat("10")},
		"int past int64":         {number("9223372036854775808"), model.Int, "", model.Unknown{}},
		"int as text":            {"7", model.Int, "", model.Unknown{}},
		"fraction as int":        {number("7.5"), model.Int, "", model.Unknown{}},
		"number":                 {number("0.30"), model.Number, "", rat("3/10")},
		"number of 19 decimals":  {number("0.0000000000000000001"), model.Number, "", model.Unknown{}},
		"number too large":       {number("1e38"), model.Number, "", model.Unknown{}},
		"NaN":                    {"NaN", model.Number, "", model.Unknown{}},
		"text":                   {"a ", model.String, "", "a "},
		"padded text":            {"a ", model.String, "character(5)", "a"},
		"text with NUL":          {"a\x00", model.String, "", model.Unknown{}},
		"text of broken UTF-8":   {"\xff", model.String, "", model.Unknown{}},
		"enum":                   {"open", enum, "", "open"},
		"enum value unheard of":  {"OPEN", enum, "", model.Unknown{}},
		"uuid in capitals":       {"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", model.UUIDType, "", model.UUID{0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11}},
		"uuid in braces":         {"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", model.UUIDType, "", model.Unknown{}},
		"date":                   {"1970-01-02", model.DateType, "", model.Date(1)},
		"day that is none":       {"2023-02-29", model.DateType, "", model.Unknown{}},
		"year 0":                 {"0000-01-01", model.DateType, "", model.Unknown{}},
		"timestamp":              {"1970-01-01T01:00:00.000001+01:00", model.TimeType, "", model.Timestamp(1)},
		"leap second":            {"2016-12-31T23:59:60Z", model.TimeType, "", model.Unknown{}},
		"nanoseconds":            {"2016-12-31T23:59:59.1234567Z", model.TimeType, "", model.Unknown{}},
		"no offset":              {"1970-01-01T00:00:00", model.TimeType, "", model.Unknown{}},
		"local time":             {"1970-01-01T00:00:01", model.TimeType, "timestamp(3) without time zone", model.Timestamp(1_000_000)},
		"instant before year 1":  {"0001-01-01T00:00:00+05:00", model.TimeType, "", model.Unknown{}},
		"infinity":               {"infinity", model.TimeType, "", model.Unknown{}},
		"ip":                     {"10.1.2.3", model.IP, "", netip.MustParseAddr("10.1.2.3")},
		"ip with a mask":         {"10.1.2.3/8", model.IP, "", model.Unknown{}},
		"mapped ip":              {"::ffff:10.1.2.3", model.IP, "", model.Unknown{}},
		"ip with a zone":         {"fe80::1%eth0", model.IP, "", model.Unknown{}},
		"set":                    {[]any{"b", nil, "a", "b"}, model.StringSet, "", model.Set{"a", "b"}},
		"set with another type":  {[]any{"a", number("1")}, model.StringSet, "", model.Unknown{}},
		"nested set":             {[]any{[]any{"a"}}, model.StringSet, "", model.Unknown{}},
		"set of ints":            {[]any{number("2"), number("1")}, ints, "", model.Set{rat("1"), rat("2")}},
		"object in place of set": {map[string]any{}, model.StringSet, "", model.Unknown{}},
	}
	exact := []cmp.Option{
		cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 }),
		cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, eval.Parse(c.raw, c.typ, c.native), exact...); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestWho asks one policy for staff and one guard for auditors who the user
// is, whatever the claims are.
func TestWho(t *testing.T) {
	t.Parallel()
	key := &model.Attribute{Name: "id", Scope: model.ScopeUser, Type: model.String, Claim: []string{"sub"}}
	anonymous := &model.Level{Name: model.LevelAnonymous}
	user := &model.Level{Name: model.LevelUser}
	anonymous.AtLeast, user.AtLeast = []*model.Level{anonymous, user}, []*model.Level{user}
	staff := &model.Group{Name: "staff", Closure: []string{"staff"}}
	leads := &model.Group{Name: "leads", MemberOf: []*model.Group{staff}, Closure: []string{"leads", "staff"}}
	p := &model.Program{
		Identity: model.Identity{Key: key, Attributes: []*model.Attribute{key}},
		Levels:   []*model.Level{anonymous, user}, Groups: []*model.Group{leads, staff},
		Users: []*model.User{{Name: "pinned", Key: "p", Level: anonymous}, {Name: "lead", Key: "l", Groups: []*model.Group{leads}}},
	}
	ds := &model.Datasource{Name: "d", Type: model.Service}
	always := model.Condition{Source: &model.Literal{Node: model.Node{Type: model.Bool}, Value: true}, Holds: model.True{}}
	table := func(name string, to ...model.Subject) *model.Table {
		tb := &model.Table{Datasource: ds, Name: name, Actions: []model.Action{model.View}}
		pol := &model.Policy{Name: name, To: to}
		tb.Policies = []*model.PolicyTarget{{Policy: pol, Table: tb, Allow: tb.Actions, When: always, Check: always}}
		return tb
	}
	forStaff, forUsers := table("staff", model.GroupSubject{Group: staff}), table("users", model.LevelSubject{Level: user})
	cases := map[string]struct {
		claims       map[string]any
		staff, users bool
	}{
		"no claims":                  {nil, false, false},
		"claims that name nobody":    {map[string]any{"groups": []any{"staff"}}, false, false},
		"a user":                     {map[string]any{"sub": "x", "groups": []any{"staff"}}, true, true},
		"a lead is staff":            {map[string]any{"sub": "x", "groups": []any{"leads"}}, true, true},
		"no groups stated":           {map[string]any{"sub": "x"}, false, true},
		"groups of the wrong type":   {map[string]any{"sub": "x", "groups": "staff"}, false, true},
		"an element of a wrong type": {map[string]any{"sub": "x", "groups": []any{"staff", true}}, false, true},
		"a level unheard of":         {map[string]any{"sub": "x", "groups": []any{"staff"}, "access_level": "root"}, true, false},
		"anonymous as stated":        {map[string]any{"sub": "x", "groups": []any{"staff"}, "access_level": "anonymous"}, false, false},
		"pinned to anonymous":        {map[string]any{"sub": "p", "groups": []any{"staff"}, "access_level": "user"}, false, false},
		"the directory's groups":     {map[string]any{"sub": "l", "groups": []any{}}, true, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ask := func(tb *model.Table) bool {
				return eval.Decide(p, eval.Query{Request: model.Request{User: c.claims}, Table: tb, Action: model.View, Old: model.Document{}}).Allowed
			}
			if got := [2]bool{ask(forStaff), ask(forUsers)}; got != [2]bool{c.staff, c.users} {
				t.Errorf("staff and users: got %v, want %v", got, [2]bool{c.staff, c.users})
			}
		})
	}
}

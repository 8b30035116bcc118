package jsondoc_test

import (
	"encoding/json"
	"math/big"
	"net/netip"

	"github.com/postern-dev/postern/compiler/model"
)

// fixture is a program with a column and an attribute of every type, to-one
// and to-many relations, apps of both kinds and a directory.
type fixture struct {
	program         *model.Program
	docs            *model.Table // of datasource "open", which no app connects to
	notes           *model.Table // related to docs
	files           *model.Table // of datasource "apps"
	record          *model.Row
	desk, kiosk     *model.App
	staff, managers *model.Group
	alice           *model.User
}

var allTypes = []struct {
	name   string
	typ    model.Type
	native string
}{
	{"b", model.Bool, ""},
	{"i", model.Int, ""},
	{"j", model.Int, "integer"},
	{"n", model.Number, ""},
	{"s", model.String, ""},
	{"s2", model.String, ""},
	{"ch", model.String, "character(5)"},
	{"u", model.UUIDType, ""},
	{"d", model.DateType, ""},
	{"t", model.TimeType, ""},
	{"tn", model.TimeType, "timestamp without time zone"},
	{"ip", model.IP, ""},
	{"e", model.EnumOf("open", "closed", "k"), "st"},
	{"ss", model.StringSet, ""},
	{"si", model.SetOf(model.Int), ""},
	{"sn", model.SetOf(model.Number), ""},
	{"su", model.SetOf(model.UUIDType), ""},
	{"sd", model.SetOf(model.DateType), ""},
	{"st", model.SetOf(model.TimeType), ""},
	{"sip", model.SetOf(model.IP), ""},
	{"sb", model.SetOf(model.Bool), ""},
	{"se", model.SetOf(model.EnumOf("open", "closed")), ""},
}

func columns() []*model.Column {
	var out []*model.Column
	for _, c := range allTypes {
		out = append(out, &model.Column{Name: c.name, Type: c.typ, Native: c.native, Null: true})
	}
	return out
}

func attributes(scope model.Scope, prefix string) []*model.Attribute {
	out := []*model.Attribute{}
	for _, c := range allTypes {
		claim := []string{c.name}
		if prefix != "" && c.name != "s" {
			claim = []string{prefix, c.name}
		}
		out = append(out, &model.Attribute{Name: c.name, Scope: scope, Type: c.typ, Claim: claim})
	}
	return out
}

func newFixture() *fixture {
	f := &fixture{}
	open := &model.Datasource{Name: "open", Type: model.Service}
	apps := &model.Datasource{Name: "apps", Type: model.Postgres, Identity: model.IdentitySigned}
	actions := []model.Action{model.View, model.Create, model.Edit, model.Delete}
	f.notes = &model.Table{Datasource: open, Name: "notes", Columns: columns(), Actions: actions}
	f.docs = &model.Table{Datasource: open, Name: "docs", Columns: columns(), Actions: append(actions, "ban")}
	f.files = &model.Table{Datasource: apps, Name: "files", Schema: "public", SQLName: "files", Columns: columns(), Actions: actions}
	join := []model.JoinPair{{From: f.docs.Column("u"), To: f.notes.Column("u")}}
	f.docs.Relations = []*model.Relation{
		{Name: "many", From: f.docs, Table: f.notes, On: join, Many: true},
		{Name: "one", From: f.docs, Table: f.notes, On: join},
	}
	f.notes.Relations = []*model.Relation{
		{Name: "back", From: f.notes, Table: f.docs, On: join},
		{Name: "more", From: f.notes, Table: f.docs, On: join, Many: true},
	}
	open.Tables, apps.Tables = []*model.Table{f.docs, f.notes}, []*model.Table{f.files}
	f.record = &model.Row{Name: "record", Table: f.docs}

	f.staff = &model.Group{Name: "staff", Closure: []string{"staff"}}
	f.managers = &model.Group{Name: "managers", MemberOf: []*model.Group{f.staff}, Closure: []string{"managers", "staff"}}
	anonymous, user, super := &model.Level{Name: "anonymous"}, &model.Level{Name: "user"}, &model.Level{Name: "superuser"}
	anonymous.AtLeast, user.AtLeast, super.AtLeast = []*model.Level{anonymous, user, super}, []*model.Level{user, super}, []*model.Level{super}
	attrs := attributes(model.ScopeUser, "meta")
	byName := map[string]*model.Attribute{}
	for _, a := range attrs {
		byName[a.Name] = a
	}
	f.alice = &model.User{
		Name: "alice", Key: "alice", Groups: []*model.Group{f.managers}, Level: super,
		Attributes: []model.UserValue{
			{Attribute: byName["i"], Value: rat("7")},
			{Attribute: byName["u"]},
			{Attribute: byName["ss"], Value: model.NewSet([]model.Value{"a", "b"})},
		},
	}
	pinned := &model.User{Name: "pinned", Key: "pinned", Level: anonymous}
	outcast := &model.User{Name: "outcast", Key: "outcast", Groups: []*model.Group{}}
	f.desk = &model.App{Name: "desk", Users: []model.Subject{model.GroupSubject{Group: f.staff}, model.LevelSubject{Level: super}}}
	f.kiosk = &model.App{Name: "kiosk", Users: []model.Subject{model.Everyone{}}}
	f.desk.Connects = []*model.Connect{{App: f.desk, Datasource: apps, AsUser: true}}
	f.kiosk.Connects = []*model.Connect{{App: f.kiosk, Datasource: apps}}
	apps.Apps = []*model.App{f.desk, f.kiosk}
	f.program = &model.Program{
		Project: "fixture", Identity: model.Identity{Key: byName["s"], Attributes: attrs},
		Request: attributes(model.ScopeRequest, ""), Levels: []*model.Level{anonymous, user, super},
		Groups: []*model.Group{f.managers, f.staff}, Users: []*model.User{f.alice, outcast, pinned},
		Datasources: []*model.Datasource{apps, open}, Tables: []*model.Table{f.files, f.docs, f.notes},
		Apps: []*model.App{f.desk, f.kiosk},
	}
	return f
}

// grant adds a policy on a table.
func (f *fixture) grant(name string, t *model.Table, when, check model.Cond, to []model.Subject, via []*model.App, allow ...model.Action) {
	p := &model.Policy{Name: name, To: to, Via: via, Allow: allow}
	target := &model.PolicyTarget{
		Policy: p, Table: t, Allow: allow, Columns: t.Columns,
		When: model.Condition{Holds: when}, Check: model.Condition{Holds: check},
	}
	p.On = []*model.PolicyTarget{target}
	t.Policies = append(t.Policies, target)
	f.program.Policies = append(f.program.Policies, p)
}

// guard adds a guard on a table.
func (f *fixture) guard(name string, t *model.Table, require model.Cond, to ...model.Subject) {
	g := &model.Guard{Name: name, To: to}
	target := &model.GuardTarget{Guard: g, Table: t, Require: model.Condition{Holds: require}}
	g.On = []*model.GuardTarget{target}
	t.Guards = append(t.Guards, target)
	f.program.Guards = append(f.program.Guards, g)
}

func everyone() []model.Subject { return []model.Subject{model.Everyone{}} }

func rat(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		panic("not a number: " + s)
	}
	return r
}

func uuidOf(last byte) model.UUID { return model.UUID{0xab, 15: last} }

// constants are values of the language by type, edges included.
func constants(t model.Type) []model.Value {
	switch t.Kind {
	case model.KindBool:
		return []model.Value{true, false}
	case model.KindInt:
		return []model.Value{rat("0"), rat("1"), rat("-1"), rat("5"), rat("9223372036854775807"), rat("-9223372036854775808"), rat("9007199254740993")}
	case model.KindNumber:
		return []model.Value{rat("0"), rat("0.3"), rat("5"), rat("-1.5"), rat("99999999999999999999999999999999999999"), rat("0.000000000000000001")}
	case model.KindString:
		return []model.Value{"", "a", "A", "a.b", "\u00e9", "e\u0301", "k", "open", "ab", "managers", "desk", "superuser", "5", "a%\u2028<&>"}
	case model.KindEnum:
		out := []model.Value{}
		for _, v := range t.Enum {
			out = append(out, v)
		}
		return out
	case model.KindUUID:
		return []model.Value{uuidOf(1), uuidOf(2)}
	case model.KindDate:
		return []model.Value{model.Date(0), model.Date(19793), model.MinDate, model.MaxDate}
	case model.KindTimestamp:
		return []model.Value{model.Timestamp(0), model.Timestamp(1710135000123456), model.MinTimestamp, model.MaxTimestamp, model.Date(19793).Instant()}
	case model.KindIP:
		return []model.Value{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("::")}
	case model.KindSet:
		c := constants(*t.Elem)
		return []model.Value{model.NewSet(nil), model.NewSet(c[:1]), model.NewSet(c)}
	case model.KindDuration:
		return []model.Value{model.Day, model.Duration(0), -model.Day, 20000 * 366 * model.Day}
	}
	return nil
}

// hostile are JSON values of every kind, most of them wrong for any type.
func hostile() []any {
	var out []any
	for _, s := range []string{
		"", "a", "A", "a.b", "a.bc", "ab   ", "   ", "\u00e9", "e\u0301", "\u212a", "k", "open", "closed", "OPEN", "nul\x00", "bad\xff",
		"staff", "managers", "alice", "pinned", "outcast", "desk", "true", "5", "NaN", "Infinity",
		"ab000000-0000-0000-0000-000000000001", "AB000000-0000-0000-0000-000000000001", "ab000000-0000-0000-0000-000000000002",
		"{ab000000-0000-0000-0000-000000000001}", "ab0000000000000000000000000000000001", "ab000000-0000-0000-0000-00000000000g",
		"1970-01-01", "2024-03-11", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2023-02-29", "2024-02-29", "1900-02-29", "2000-02-29",
		"2024-3-11", "2024-03-11 ", "infinity", "2024-03-11T05:30:00.123456+00:00", "2024-03-11T05:30:00.123456Z", "2024-03-11T05:30:00.123456",
		"2024-03-11T05:30:00", "2024-03-11T05:30:00Z", "2024-03-11t05:30:00z", "2024-03-11T05:30:60Z", "2024-03-11T24:00:00Z",
		"2024-03-11T05:30:00.1234567Z", "2024-03-11T05:30:00,5Z", "2024-03-11T05:30:00.5+15:59", "2024-03-11T05:30:00+16:00",
		"2024-03-11T05:30:00+05", "0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-01:00",
		"1970-01-01T00:00:00Z", "2024-03-11T00:00:00Z", "2024-03-11T00:00:00", "0044-03-15T12:00:00+00:00 BC", "2024-03-11T05:30:00.Z", "2024-03-11T05:30:00.-1Z",
		"10.1.2.3", "10.1.2.3/32", "10.1.2.3/8", "::ffff:10.1.2.3", "2001:db8::1", "2001:DB8:0::1", "fe80::1%eth0", "::", "010.1.2.3", "10.1.2",
	} {
		out = append(out, s)
	}
	for _, n := range []string{
		"0", "-0", "1", "-1", "5", "5.0", "5e0", "50e-1", "0.5e1", "0.3", "0.30", "3e-1", "-1.5", "9223372036854775807", "9223372036854775808",
		"-9223372036854775808", "-9223372036854775809", "9007199254740993", "9007199254740992", "1e38", "99999999999999999999999999999999999999",
		"0.000000000000000001", "0.0000000000000000001", "1e-18", "1e-19", "1e400", "0e999", "0e99", "0.0", "00", "01", "+1", "1.", ".5", "1e", "1e+2", "1E2",
		"NaN", "Infinity", "0x10", "1_0", "1/2", "", "-", "7", "7.000000000000000000000", "123456789012345678", "1234567890123456789",
		"0.123456789012345678", "100000000000000000000e-20", "2", "3",
	} {
		out = append(out, json.Number(n))
	}
	out = append(out, nil, true, false, 5, 5.0, int64(5), map[string]any{}, map[string]any{"s": "a"},
		[]any{}, []any{nil}, []any{"a"}, []any{"a", "a", nil}, []any{"a", "b", "k"}, []any{"a", json.Number("1")}, []any{[]any{"a"}}, []any{"bad\xff"},
		[]any{"staff"}, []any{"managers", "other", "other"}, []any{json.Number("1"), json.Number("1.0"), json.Number("5")}, []any{json.Number("0.3")},
		[]any{"AB000000-0000-0000-0000-000000000001", "ab000000-0000-0000-0000-000000000001"}, []any{"2024-03-11"}, []any{"2024-03-11T00:00:00Z", nil},
		[]any{"10.1.2.3"}, []any{"10.1.2.3/8"}, []any{true, false, true}, []any{"open", "closed"}, []any{"open", "nope"}, []string{"a"})
	return out
}

package engine

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

func TestDecodeNumbers(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 38)
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "5": "5", "5.0": "5", "5e0": "5", "50e-1": "5", "0.30": "3/10", "-1.5": "-3/2", "1e2": "100",
		"9223372036854775807": "9223372036854775807", "9223372036854775808": "9223372036854775808", "0e99": "0",
		long: long, "1e37": "1" + strings.Repeat("0", 37), "1e38": "", "1e-18": "1/1000000000000000000", "1e-19": "", "0e100": "",
		"00": "", "01": "", "+1": "", "1.": "", ".5": "", "-": "", "": "", "NaN": "", "0x1": "", "1_0": "", "1/2": "", "1e": "", " 1": "",
		strings.Repeat("1", 101): "", "0." + strings.Repeat("0", 98) + "0": "0", "0." + strings.Repeat("0", 100): "",
	} {
		n, ok := decodeNumber(json.Number(text))
		if ok != (want != "") {
			t.Errorf("%q: known %v", text, ok)
			continue
		}
		if ok && new(big.Rat).SetFrac(n.scaled(), bigUnit).RatString() != want {
			t.Errorf("%q is %v, want %s", text, n, want)
		}
	}
	for _, raw := range []any{5, 5.0, int64(5), "5", true, nil} {
		if _, ok := decodeNumber(raw); ok {
			t.Errorf("%T counts as a number", raw)
		}
	}
}

func TestArithmeticIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		edge := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, 1 << 62, -1 << 63, 1<<63 - 1, 1 << 31}))
		a, b, c := edge.Draw(rt, "a"), edge.Draw(rt, "b"), edge.Draw(rt, "c")
		got := subtract(multiply(add(whole(a), whole(b)), whole(c)), whole(a))
		want := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		want.Mul(want, big.NewInt(c)).Sub(want, big.NewInt(a))
		if wholeText(got) != want.String() {
			rt.Fatalf("(%d + %d) * %d - %d = %s, want %s", a, b, c, a, wholeText(got), want)
		}
		sa, sb := rapid.Uint8Range(0, 18).Draw(rt, "sa"), rapid.Uint8Range(0, 18).Draw(rt, "sb")
		x, y := num{i: a, scale: sa}, num{i: b, scale: sb}
		if compareNum(x, y) != x.scaled().Cmp(y.scaled()) {
			rt.Fatalf("%v against %v is %d", x, y, compareNum(x, y))
		}
	})
}

func TestDecodeTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		micros := rapid.Int64Range(minTime, maxTime).Draw(rt, "t")
		zone := time.FixedZone("", 60*rapid.IntRange(-959, 959).Draw(rt, "zone"))
		at := time.UnixMicro(micros).In(zone)
		text := at.Format("2006-01-02T15:04:05.999999-07:00")
		got, ok := decodeTime(text)
		inside := at.Year() >= 1 && at.Year() <= 9999
		if ok != inside || ok && got != micros {
			rt.Fatalf("%s is %d (%v), want %d", text, got, ok, micros)
		}
	})
	for _, text := range []string{
		"", "2024-03-11", "2024-03-11T05:30:00", "2024-03-11t05:30:00Z", "2024-03-11T05:30:00z", "2024-03-11T05:30:60Z", "2024-03-11T24:00:00Z",
		"2024-03-11T05:30:00.1234567Z", "2024-03-11T05:30:00,5Z", "2024-03-11T05:30:00.Z", "2024-03-11T05:30:00+16:00", "2024-03-11T05:30:00+05",
		"0000-12-31T23:00:00-02:00", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2023-02-29T00:00:00Z", "infinity", "+024-03-11T05:30:00Z",
	} {
		if v, ok := decodeTime(text); ok {
			t.Errorf("%q is known: %d", text, v)
		}
	}
	if _, ok := decodeLocalTime("2024-03-11T05:30:00Z"); ok {
		t.Error("a timestamp without time zone with an offset is known")
	}
	if d, ok := decodeDate("1969-12-31"); !ok || d != -day {
		t.Errorf("1969-12-31 is %d", d)
	}
}

func ptr[T any](v T) *T { return &v }

func columnOf(name string) *document.Expr {
	return &document.Expr{Kind: document.ColumnExpr, Column: name}
}

func literalOf(kind document.Kind, text string) *document.Expr {
	return &document.Expr{Kind: document.Literal, Type: &document.Type{Kind: kind}, Value: &document.Value{Text: &text}}
}

// base is a document with one service, one table and no policy.
func base() *document.Document {
	return &document.Document{
		SchemaVersion: document.SchemaVersion, Project: "p",
		Identity: document.Identity{Key: "id", Attributes: []document.Attribute{
			{Name: "id", Type: document.Type{Kind: document.UUID}, Claim: []string{"sub"}},
			{Name: "region", Type: document.Type{Kind: document.String}, Claim: []string{"meta", "region"}},
		}},
		Request: []document.Attribute{{Name: "ip", Type: document.Type{Kind: document.IP}, Claim: []string{"ip"}}},
		Levels: []document.Level{
			{Name: "anonymous", AtLeast: []string{"anonymous", "user"}}, {Name: "user", AtLeast: []string{"user"}},
		},
		Groups: []document.Group{{Name: "staff", Closure: []string{"staff"}}}, Directory: []document.User{}, Apps: []document.App{},
		Datasources: []document.Datasource{{Name: "crm", Type: "service"}},
		Tables: []document.Table{{
			Datasource: "crm", Name: "deals", Actions: []string{"view", "create", "edit", "delete"},
			Columns: []document.Column{
				{Name: "owner", Type: document.Type{Kind: document.UUID}},
				{Name: "region", Type: document.Type{Kind: document.String}},
				{Name: "amount", Type: document.Type{Kind: document.Number}},
				{Name: "ssn", Type: document.Type{Kind: document.String}},
			},
		}},
		Policies: []document.Policy{}, Guards: []document.Guard{}, Masks: []document.Mask{},
	}
}

var deals = []document.TableRef{{Datasource: "crm", Table: "deals"}}

func policy(name string, to document.Subject, when *document.Cond, columns []string, allow ...string) document.Policy {
	target := document.PolicyTarget{Allow: allow, Tables: deals, When: when}
	if columns != nil {
		target.Columns = &columns
	}
	return document.Policy{Name: name, To: []document.Subject{to}, Targets: []document.PolicyTarget{target}}
}

// five is a document with five policies and a guard.
func five() *document.Document {
	d := base()
	own := &document.Cond{Op: document.Equal, X: columnOf("owner"), Y: &document.Expr{Kind: document.UserAttr, Name: "id"}}
	regional := &document.Cond{Op: document.Equal, X: columnOf("region"), Y: &document.Expr{Kind: document.UserAttr, Name: "region"}}
	small := &document.Cond{Op: document.Less, X: columnOf("amount"), Y: literalOf(document.Number, "1000.5")}
	staff := document.Subject{Kind: document.GroupSubject, Name: "staff"}
	users := document.Subject{Kind: document.LevelSubject, Name: "user"}
	d.Policies = []document.Policy{
		policy("a", staff, &document.Cond{Op: document.And, Terms: []*document.Cond{regional, small}}, []string{"owner", "region", "amount"}, "view"),
		policy("b", staff, own, []string{"amount"}, "edit"),
		policy("c", users, own, nil, "view", "delete"),
		policy("d", document.Subject{Kind: document.Everyone}, own, nil, "create"),
		policy("e", staff, &document.Cond{Op: document.StartsWith, X: columnOf("region"), Y: literalOf(document.String, "X-")}, nil, "view"),
	}
	d.Guards = []document.Guard{{
		Name: "positive", To: []document.Subject{{Kind: document.Everyone}},
		Targets: []document.GuardTarget{{Tables: deals, Require: &document.Cond{Op: document.Greater, X: columnOf("amount"), Y: literalOf(document.Number, "0")}}},
	}}
	return d
}

func load(t testing.TB, d *document.Document) *Engine {
	t.Helper()
	data, err := document.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const (
	me    = "7b0e1f2a-0000-4000-8000-000000000001"
	other = "7b0e1f2a-0000-4000-8000-000000000002"
)

func rep() *Request {
	return &Request{
		User: map[string]any{"sub": me, "meta": map[string]any{"region": "EMEA"}, "groups": []any{"staff"}},
		Now:  time.Unix(0, 0),
	}
}

func deal(owner, region, amount string) map[string]any {
	return map[string]any{"owner": owner, "region": region, "amount": json.Number(amount), "ssn": "1"}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	e := load(t, five())
	mine, theirs := deal(me, "APAC", "5000"), deal(other, "EMEA", "10")
	nobody := &Request{}
	for name, c := range map[string]struct {
		r    *Request
		q    Question
		want bool
	}{
		"own":                         {rep(), Question{Action: "view", Old: mine}, true},
		"regional":                    {rep(), Question{Action: "view", Old: theirs}, true},
		"too large":                   {rep(), Question{Action: "view", Old: deal(other, "EMEA", "1000.5")}, false},
		"guarded":                     {rep(), Question{Action: "view", Old: deal(me, "EMEA", "0")}, false},
		"unknown passes no guard":     {rep(), Question{Action: "view", Old: map[string]any{"owner": me}}, false},
		"anonymous":                   {nobody, Question{Action: "view", Old: mine}, false},
		"no record":                   {rep(), Question{Action: "view"}, false},
		"unknown action":              {rep(), Question{Action: "ban", Old: mine}, false},
		"edit own":                    {rep(), Question{Action: "edit", Old: mine}, true},
		"edit theirs":                 {rep(), Question{Action: "edit", Old: theirs}, false},
		"give away":                   {rep(), Question{Action: "edit", Old: mine, New: theirs}, false},
		"edit amount":                 {rep(), Question{Action: "edit", Old: mine, New: deal(me, "APAC", "6"), Set: []string{"amount"}}, true},
		"edit unlisted column":        {rep(), Question{Action: "edit", Old: mine, New: deal(me, "X", "6"), Set: []string{"region"}}, false},
		"edit column not there":       {rep(), Question{Action: "edit", Old: mine, New: mine, Set: []string{"nope"}}, false},
		"edit past the guard":         {rep(), Question{Action: "edit", Old: mine, New: deal(me, "APAC", "-1")}, false},
		"create own":                  {rep(), Question{Action: "create", New: mine}, true},
		"create for another":          {rep(), Question{Action: "create", New: theirs}, false},
		"create without record":       {rep(), Question{Action: "create", Old: mine}, false},
		"delete own":                  {rep(), Question{Action: "delete", Old: mine}, true},
		"delete theirs":               {rep(), Question{Action: "delete", Old: theirs}, false},
		"float64 is not exact":        {rep(), Question{Action: "view", Old: map[string]any{"owner": me, "amount": 5.0}}, false},
		"upper-case uuid is the same": {rep(), Question{Action: "view", Old: deal(strings.ToUpper(me), "APAC", "1")}, true},
	} {
		c.q.Datasource, c.q.Table = "crm", "deals"
		if got := e.Decide(c.r, &c.q); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if e.Decide(rep(), &Question{Datasource: "crm", Table: "nope", Action: "view", Old: mine}) {
		t.Error("a table that is not there is open")
	}
	s := e.Session(rep())
	if got := s.Filter("crm", "deals", "view", []map[string]any{mine, deal(other, "APAC", "1"), nil, theirs}); len(got) != 2 || got[0] != 0 || got[1] != 3 {
		t.Errorf("filter: %v", got)
	}
	if got := strings.Join(s.Columns("crm", "deals", mine), " "); got != "owner region amount ssn" {
		t.Errorf("columns of an own record: %s", got)
	}
	if got := strings.Join(s.Columns("crm", "deals", theirs), " "); got != "owner region amount" {
		t.Errorf("columns of a regional record: %s", got)
	}
	if got := s.Columns("crm", "deals", deal(me, "EMEA", "0")); got != nil {
		t.Errorf("columns of a guarded record: %v", got)
	}
}

func TestMayUse(t *testing.T) {
	t.Parallel()
	d := base()
	d.Apps = []document.App{{
		Name: "desk", Users: []document.Subject{{Kind: document.GroupSubject, Name: "staff"}},
		Connects: []document.Connect{{Datasource: "crm", As: document.AsApp}},
	}}
	e := load(t, d)
	r := rep()
	if e.MayUse(r) {
		t.Error("no app is open to all")
	}
	r.App = "desk"
	if !e.MayUse(r) {
		t.Error("staff may not use their app")
	}
	delete(r.User, "groups")
	if e.MayUse(r) {
		t.Error("a user with unknown groups may use the app")
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	deep := &document.Cond{Op: document.True}
	for range document.MaxDepth + 1 {
		deep = &document.Cond{Op: document.And, Terms: []*document.Cond{deep, {Op: document.True}}}
	}
	with := func(c *document.Cond) func(*document.Document) {
		return func(d *document.Document) { d.Policies[0].Targets[0].When = c }
	}
	for name, change := range map[string]func(*document.Document){
		"version":    func(d *document.Document) { d.SchemaVersion = 1 },
		"no project": func(d *document.Document) { d.Project = "" },
		"key":        func(d *document.Document) { d.Identity.Key = "nope" },
		"set as key": func(d *document.Document) {
			d.Identity.Attributes[0].Type = document.Type{Kind: document.Set, Elem: &document.Type{Kind: document.Int}}
		},
		"level":          func(d *document.Document) { d.Levels = d.Levels[:1] },
		"group":          func(d *document.Document) { d.Groups[0].Closure = []string{"nope"} },
		"group subject":  func(d *document.Document) { d.Policies[0].To[0].Name = "nope" },
		"subject kind":   func(d *document.Document) { d.Policies[0].To[0].Kind = "robot" },
		"everyone named": func(d *document.Document) { d.Policies[0].To[0] = document.Subject{Kind: document.Everyone, Name: "x"} },
		"via":            func(d *document.Document) { d.Policies[0].Via = ptr([]string{"nope"}) },
		"table": func(d *document.Document) {
			d.Policies[0].Targets[0].Tables = []document.TableRef{{Datasource: "crm", Table: "x"}}
		},
		"no table":       func(d *document.Document) { d.Policies[0].Targets[0].Tables = nil },
		"action":         func(d *document.Document) { d.Policies[0].Targets[0].Allow = []string{"ban"} },
		"columns":        func(d *document.Document) { d.Policies[0].Targets[0].Columns = ptr([]string{"nope"}) },
		"twice":          func(d *document.Document) { d.Policies[1].Name = d.Policies[0].Name },
		"no condition":   with(nil),
		"deep":           with(deep),
		"column":         with(&document.Cond{Op: document.Null, X: columnOf("nope")}),
		"row":            with(&document.Cond{Op: document.Null, X: &document.Expr{Kind: document.ColumnExpr, Column: "owner", Row: 1}}),
		"negative row":   with(&document.Cond{Op: document.Null, X: &document.Expr{Kind: document.ColumnExpr, Column: "owner", Row: -1}}),
		"types":          with(&document.Cond{Op: document.Equal, X: columnOf("owner"), Y: columnOf("region")}),
		"order of uuids": with(&document.Cond{Op: document.Less, X: columnOf("owner"), Y: columnOf("owner")}),
		"constant":       with(&document.Cond{Op: document.Equal, X: columnOf("amount"), Y: literalOf(document.Number, "1e99")}),
		"one term":       with(&document.Cond{Op: document.And, Terms: []*document.Cond{{Op: document.True}}}),
		"op":             with(&document.Cond{Op: "maybe"}),
		"too many parts": with(&document.Cond{Op: document.True, X: columnOf("owner")}),
		"function":       with(&document.Cond{Op: document.IsTrue, X: &document.Expr{Kind: document.Call, Fn: "eval", Args: []*document.Expr{columnOf("region")}}}),
		"arguments":      with(&document.Cond{Op: document.Equal, X: columnOf("region"), Y: &document.Expr{Kind: document.Call, Fn: document.Lower, Args: []*document.Expr{columnOf("region"), columnOf("region")}}}),
		"duration alone": with(&document.Cond{Op: document.Equal, X: literalOf(document.Duration, "1"), Y: literalOf(document.Duration, "1")}),
		"known column":   with(&document.Cond{Op: document.Known, X: columnOf("owner")}),
		"null attribute": with(&document.Cond{Op: document.Null, X: &document.Expr{Kind: document.UserAttr, Name: "id"}}),
		"attribute":      with(&document.Cond{Op: document.Known, X: &document.Expr{Kind: document.UserAttr, Name: "nope"}}),
		"relation":       with(&document.Cond{Op: document.Some, Rows: &document.Rows{Relation: "nope"}, Where: &document.Cond{Op: document.True}}),
		"delimiter":      with(&document.Cond{Op: document.Under, X: columnOf("region"), Y: columnOf("region"), Delimiter: ".."}),
		"network":        with(&document.Cond{Op: document.InNetwork, X: &document.Expr{Kind: document.RequestAttr, Name: "ip"}, Network: "10.0.0.0"}),
		"set":            with(&document.Cond{Op: document.In, X: columnOf("region"), Y: columnOf("region")}),
		"directory key": func(d *document.Document) {
			d.Directory = []document.User{{Name: "a", Key: document.Value{Text: ptr("x")}}}
		},
		"directory key twice": func(d *document.Document) {
			d.Directory = []document.User{{Name: "a", Key: document.Value{Text: ptr(me)}}, {Name: "b", Key: document.Value{Text: ptr(strings.ToUpper(me))}}}
		},
	} {
		refuses(t, name, change)
	}
}

// refuses reports a changed document that is loaded.
func refuses(t *testing.T, name string, change func(*document.Document)) {
	t.Helper()
	d := five()
	change(d)
	data, err := document.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Load(data); err == nil {
		t.Errorf("%s: a wrong document is loaded", name)
	}
}

func TestLoadRefusesMasks(t *testing.T) {
	t.Parallel()
	mask := func(w document.MaskWith, columns ...string) func(*document.Document) {
		return func(d *document.Document) {
			d.Masks = []document.Mask{{
				Name: "m", Unless: []document.Subject{}, With: w, Targets: []document.MaskTarget{{Tables: deals, Columns: columns}},
			}}
		}
	}
	text := func(s string) *document.Value { return &document.Value{Text: &s} }
	null := document.MaskWith{Fn: document.MaskNull}
	for name, change := range map[string]func(*document.Document){
		"mask of no column": mask(null),
		"mask of no table": func(d *document.Document) {
			mask(null, "ssn")(d)
			d.Masks[0].Targets[0].Tables = nil
		},
		"mask of a stranger":   mask(null, "nope"),
		"mask unknown":         mask(document.MaskWith{Fn: "blur"}, "ssn"),
		"mask keeps none":      mask(document.MaskWith{Fn: document.MaskLast}, "ssn"),
		"mask keeps less":      mask(document.MaskWith{Fn: document.MaskLast, N: -1}, "ssn"),
		"mask of a number":     mask(document.MaskWith{Fn: document.MaskFirst, N: 1}, "amount"),
		"mask without value":   mask(document.MaskWith{Fn: document.MaskConstant}, "ssn"),
		"mask with a number":   mask(document.MaskWith{Fn: document.MaskNull, N: 1}, "ssn"),
		"mask with a value":    mask(document.MaskWith{Fn: document.MaskNull, Value: text("x")}, "ssn"),
		"mask of another type": mask(document.MaskWith{Fn: document.MaskConstant, Value: text("x")}, "ssn", "amount"),
		"mask of a set":        mask(document.MaskWith{Fn: document.MaskConstant, Value: &document.Value{Elems: &[]string{"x"}}}, "ssn"),
		"mask unless nobody": func(d *document.Document) {
			mask(null, "ssn")(d)
			d.Masks[0].Unless = []document.Subject{{Kind: document.GroupSubject, Name: "nope"}}
		},
		"mask twice": func(d *document.Document) {
			mask(null, "ssn")(d)
			d.Masks = append(d.Masks, d.Masks[0])
		},
	} {
		refuses(t, name, change)
	}
	d := five()
	mask(document.MaskWith{Fn: document.MaskLast, N: 1}, "ssn")(d)
	load(t, d)
}

func TestLoadRefusesBytes(t *testing.T) {
	t.Parallel()
	data, err := document.Marshal(five())
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, bad := range map[string]string{
		"empty": "", "null": "null", "white space": text + " ", "two documents": text + text, "cut": text[:len(text)/2],
		"unknown member":  strings.Replace(text, `{"apps"`, `{"aaa":1,"apps"`, 1),
		"repeated member": strings.Replace(text, `"project":"p"`, `"project":"p","project":"p"`, 1),
		"misspelt member": strings.Replace(text, `"guards"`, `"Guards"`, 1),
		"missing guards":  strings.Replace(text, `"guards"`, `"groups"`, 1),
		"not JSON":        strings.Replace(text, `"key":"id"`, ``, 1),
		"deep":            strings.Repeat("[", 1_000_000),
		"not UTF-8":       strings.Replace(text, `"project":"p"`, "\"project\":\"\xff\"", 1),
		"null list":       strings.Replace(text, `"apps":[]`, `"apps":[{}]`, 1),
	} {
		if bad == text {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := Load([]byte(bad)); err == nil {
			t.Errorf("%s: wrong bytes are loaded", name)
		}
	}
}

func FuzzLoad(f *testing.F) {
	data, err := document.Marshal(five())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"schema_version":2}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		e, err := Load(data)
		if err != nil {
			return
		}
		e.Decide(rep(), &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(me, "EMEA", "1")})
	})
}

func FuzzDecide(f *testing.F) {
	e := load(f, five())
	f.Add(`{"sub":"`+me+`","groups":["staff"],"meta":{"region":"EMEA"}}`, `{"owner":"`+me+`","amount":1.5,"region":"EMEA"}`, "desk")
	f.Add(`{"groups":[null,{}],"meta":5,"access_level":[]}`, `{"amount":1e99,"owner":[]}`, "")
	f.Fuzz(func(t *testing.T, user, record, app string) {
		decode := func(text string) map[string]any {
			dec := json.NewDecoder(strings.NewReader(text))
			dec.UseNumber()
			var doc map[string]any
			if err := dec.Decode(&doc); err != nil {
				return nil
			}
			return doc
		}
		r := &Request{User: decode(user), App: app}
		q := &Question{Datasource: "crm", Table: "deals", Action: "view", Old: decode(record)}
		if first := e.Decide(r, q); first != e.Decide(r, q) {
			t.Error("two decisions differ")
		}
	})
}

func BenchmarkDecide(b *testing.B) {
	e := load(b, five())
	r := rep()
	q := &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "EMEA", "10")}
	b.ReportAllocs()
	for b.Loop() {
		if !e.Decide(r, q) {
			b.Fatal("denied")
		}
	}
}

// BenchmarkDecideLast is of a decision that the last of the policies grants.
func BenchmarkDecideLast(b *testing.B) {
	d := five()
	d.Policies[0].Name = "z"
	d.Policies = append(d.Policies[1:], d.Policies[0])
	e := load(b, d)
	r := rep()
	q := &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "EMEA", "10")}
	b.ReportAllocs()
	for b.Loop() {
		if !e.Decide(r, q) {
			b.Fatal("denied")
		}
	}
}

func BenchmarkSession(b *testing.B) {
	e := load(b, five())
	s := e.Session(rep())
	q := &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "EMEA", "10")}
	b.ReportAllocs()
	for b.Loop() {
		if !s.Decide(q) {
			b.Fatal("denied")
		}
	}
}

// BenchmarkLoad is of 1000 tables with four policies each.
func BenchmarkLoad(b *testing.B) {
	d := five()
	d.Policies, d.Guards = d.Policies[:4], nil
	one := d.Tables[0]
	d.Tables = nil
	small := d.Policies
	d.Policies = nil
	for i := range 1000 {
		name := "deals" + string(rune('a'+i/26/26)) + string(rune('a'+i/26%26)) + string(rune('a'+i%26))
		one.Name = name
		d.Tables = append(d.Tables, one)
		for _, p := range small {
			target := p.Targets[0]
			target.Tables = []document.TableRef{{Datasource: "crm", Table: name}}
			p.Name, p.Targets = p.Name+name, []document.PolicyTarget{target}
			d.Policies = append(d.Policies, p)
		}
	}
	d.Guards = []document.Guard{}
	data, err := document.Marshal(d)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(data); err != nil {
			b.Fatal(err)
		}
	}
}

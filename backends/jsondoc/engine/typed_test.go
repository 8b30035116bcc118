package engine

import (
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// must is the value of a call that cannot fail here.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// typedDeal is another's deal in EMEA as a record of typed values.
func typedDeal(e *Engine) (view *Action, r *Record) {
	t := must(e.Table("crm", "deals"))
	r = t.NewRecord()
	owner, _ := decodeUUID(other)
	must(ColumnOf[UUID](t, "owner")).Set(r, owner)
	must(ColumnOf[string](t, "region")).Set(r, "EMEA")
	must(ColumnOf[Decimal](t, "amount")).Set(r, NewDecimal(1050, 2))
	return must(t.Action("view")), r
}

func TestTypedHandles(t *testing.T) {
	t.Parallel()
	e := load(t, five())
	view, r := typedDeal(e)
	table := must(e.Table("crm", "deals"))
	region := must(ColumnOf[string](table, "region"))
	if !e.Session(rep()).Allows(view, r) {
		t.Error("a regional record is denied")
	}
	region.Set(r, "EM\xffEA")
	if e.Session(rep()).Allows(view, r) {
		t.Error("text that is not UTF-8 counts")
	}
	region.SetNull(r)
	if e.Session(rep()).Allows(view, r) {
		t.Error("null counts")
	}
	for name, err := range map[string]error{
		"table": failure(e.Table("crm", "nope")), "datasource": failure(e.Table("nope", "deals")), "action": failure(table.Action("ban")),
		"column": failure(ColumnOf[string](table, "nope")), "type": failure(ColumnOf[int64](table, "amount")),
		"one": failure(table.One("nope")), "many": failure(table.Many("nope")),
	} {
		if err == nil {
			t.Errorf("%s: found", name)
		}
	}
	if _, ok := ParseDecimal("1e99"); ok {
		t.Error("1e99 is a number")
	}
}

func failure[T any](_ T, err error) error { return err }

// TestTypedStrangers holds that records and actions of another engine or table
// open nothing.
func TestTypedStrangers(t *testing.T) {
	t.Parallel()
	d := five()
	notes := d.Tables[0]
	notes.Name = "notes"
	d.Tables = append(d.Tables, notes)
	e, again := load(t, d), load(t, d)
	view, r := typedDeal(e)
	if again.Session(rep()).Allows(view, r) || len(again.Session(rep()).FilterRecords(view, []*Record{r}, nil)) > 0 {
		t.Error("an action of another engine counts")
	}
	foreign := must(must(e.Table("crm", "notes")).Action("view"))
	_, theirs := typedDeal(again)
	s := e.Session(rep())
	if s.Allows(foreign, r) || s.Allows(view, theirs) || s.Allows(view, r, theirs) || len(s.FilterRecords(view, []*Record{theirs, nil}, nil)) > 0 {
		t.Error("a record of another table or engine counts")
	}
	region := must(ColumnOf[string](must(e.Table("crm", "notes")), "region"))
	for name, set := range map[string]func(*Record){
		"set": func(r *Record) { region.Set(r, "EMEA") }, "null": region.SetNull,
		"one":  func(r *Record) { One{relationHandle{schema: foreign.table.schema}}.Set(r, nil) },
		"many": func(r *Record) { Many{relationHandle{schema: foreign.table.schema}}.Set(r, nil) },
	} {
		_, r := typedDeal(e)
		set(r)
		must(ColumnOf[string](must(e.Table("crm", "deals")), "region")).Set(r, "EMEA")
		if s.Allows(view, r) || len(s.FilterRecords(view, []*Record{r}, nil)) > 0 {
			t.Errorf("%s: a record counts that a handle of another table was used on", name)
		}
	}
}

// A record that leads to one of another table, or to one that is refused, is
// not decided on; neither ends the program.
func TestTypedStrangersAsRelated(t *testing.T) {
	t.Parallel()
	deals, notes := &schema{columns: make([]column, 1)}, &schema{columns: make([]column, 1)}
	deals.relations = []related{{name: "note", to: notes}, {name: "notes", many: true, to: notes}}
	one, many := One{relationHandle{deals, 0}}, Many{relationHandle{deals, 1}}
	stranger := newRecord(deals)
	for name, set := range map[string]func(*Record){
		"one":  func(r *Record) { one.Set(r, stranger) },
		"many": func(r *Record) { many.Set(r, []*Record{newRecord(notes), nil, stranger}) },
	} {
		r := newRecord(deals)
		many.Set(r, []*Record{newRecord(notes)})
		set(r)
		if rows, told := r.many(1); r.schema == deals || told || rows.len() > 0 || r.one(0) != nil || r.column(0).state != odd {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	late := time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	mapped := netip.MustParseAddr("::ffff:10.1.2.3")
	enum := document.Type{Kind: document.Enum, Values: []string{"open"}}
	set := func(elem document.Type) *column { return &column{typ: document.Type{Kind: document.Set, Elem: &elem}} }
	of := func(k document.Kind) document.Type { return document.Type{Kind: k} }
	for name, ok := range map[string]bool{
		"late":          put(&column{typ: of(document.Timestamp)}, late),
		"late day":      put(&column{typ: of(document.Date)}, late),
		"late element":  put(set(of(document.Timestamp)), []time.Time{late}),
		"mapped":        put(&column{typ: of(document.IP)}, mapped),
		"no address":    put(&column{typ: of(document.IP)}, netip.Addr{}),
		"mapped inside": put(set(of(document.IP)), []netip.Addr{mapped}),
		"enum":          put(&column{typ: enum}, "closed"),
		"enum inside":   put(set(enum), []string{"open", "closed"}),
		"nul":           put(&column{typ: of(document.String)}, "a\x00"),
		"scale":         put(&column{typ: of(document.Number)}, NewDecimal(1, 19)),
		"scale inside":  put(set(of(document.Number)), []Decimal{NewDecimal(1, 19)}),
	} {
		if ok {
			t.Errorf("%s: it is a value", name)
		}
	}
	if !put(&column{typ: of(document.String), native: "character(5)"}, "a  ") || !put(&column{typ: enum}, "open") {
		t.Error("a value is refused")
	}
}

// put reports whether the column has the value.
func put[T Value](c *column, v T) bool {
	var s slot
	return putter(c).(func(*slot, T) bool)(&s, v)
}

func TestExplain(t *testing.T) {
	t.Parallel()
	d := five()
	d.Policies[0].Source = "policies.hcl:3"
	e := load(t, d)
	mine, theirs := deal(me, "APAC", "5000"), deal(other, "EMEA", "10")
	for want, q := range map[string]Question{
		`The policy "a" grants it.`:                        {Action: "view", Old: theirs},
		`The policy "c" grants it.`:                        {Action: "delete", Old: mine},
		`No policy grants edit on the old record.`:         {Action: "edit", Old: theirs},
		`No policy grants edit on the new record.`:         {Action: "edit", Old: mine, New: deal(other, "APAC", "1")},
		`The guard "positive" refuses the old record.`:     {Action: "view", Old: deal(me, "EMEA", "0")},
		`The guard "positive" refuses the new record.`:     {Action: "create", New: deal(me, "EMEA", "0")},
		`The column "region" may not be set.`:              {Action: "edit", Old: mine, Set: []string{"amount", "region"}},
		`The column "nope" may not be set.`:                {Action: "edit", Old: mine, Set: []string{"nope"}},
		`The table "deals" has no action "ban".`:           {Action: "ban", Old: mine},
		`The question has no record.`:                      {Action: "view"},
		`The document has no table "x" of datasource "y".`: {Datasource: "y", Table: "x", Action: "view", Old: mine},
	} {
		if q.Table == "" {
			q.Datasource, q.Table = "crm", "deals"
		}
		x := e.Explain(rep(), &q)
		if x.Reason != want || x.Allowed != e.Decide(rep(), &q) {
			t.Errorf("%v %s, want %s", x.Allowed, x.Reason, want)
		}
	}
	x := e.Explain(rep(), &Question{Datasource: "crm", Table: "deals", Action: "view", Old: theirs})
	want := []PolicyCheck{
		{Name: "a", Source: "policies.hcl:3", For: true, Holds: true, Grants: true}, {Name: "c", For: true}, {Name: "e", For: true},
	}
	if got := x.Checks[0].Policies; len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("policies: %+v", got)
	}
}

func TestExplainTheWayIn(t *testing.T) {
	t.Parallel()
	d := five()
	d.Apps = []document.App{{
		Name: "desk", Users: []document.Subject{{Kind: document.LevelSubject, Name: "user"}},
		Connects: []document.Connect{{Datasource: "crm", As: document.AsUser}},
	}}
	e := load(t, d)
	for app, want := range map[string]string{
		"": "names none", "shop": `"shop" does not connect`, "desk": `may not use the app "desk"`,
	} {
		x := e.Explain(&Request{App: app}, &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(me, "EMEA", "1")})
		if x.Allowed || !strings.Contains(x.Reason, want) {
			t.Errorf("%q: %s", app, x.Reason)
		}
	}
}

// TestHolder reloads while decisions are made; each is by one engine or the
// other.
func TestHolder(t *testing.T) {
	t.Parallel()
	var h Holder
	q := &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "EMEA", "10")}
	if h.Decide(rep(), q) {
		t.Error("no engine allows something")
	}
	open := must(document.Marshal(five()))
	if err := h.Load(open); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 200 {
				if !h.Decide(rep(), q) {
					t.Error("denied while reloading")
				}
			}
		})
	}
	for range 20 {
		if err := h.Load(open); err != nil {
			t.Error(err)
		}
		if err := h.Load([]byte("{}")); err == nil {
			t.Error("a wrong document is loaded")
		}
	}
	wait.Wait()
}

// TestNothingIsAllocated holds decisions to no garbage.
func TestNothingIsAllocated(t *testing.T) {
	t.Parallel()
	e := load(t, five())
	view, r := typedDeal(e)
	s, records, into := e.Session(rep()), []*Record{r, r}, make([]int, 0, 2)
	request, q := rep(), &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "EMEA", "10")}
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Allows(view, r)
			into = s.FilterRecords(view, records, into[:0])
			s.Decide(q)
			e.Decide(request, q)
		}
	})
	if n := result.AllocsPerOp(); n > 0 {
		t.Errorf("four decisions make %d allocations", n)
	}
}

func BenchmarkTyped(b *testing.B) {
	e := load(b, five())
	view, r := typedDeal(e)
	s := e.Session(rep())
	b.ReportAllocs()
	for b.Loop() {
		if !s.Allows(view, r) {
			b.Fatal("denied")
		}
	}
}

package equivalence_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/source"
)

// TestConformance holds the evaluator and all engines to a second meaning of
// the conditions, written for this test alone and sharing no code with the
// compiler: each condition, and each with a `!` before it, over records and
// claims that have been trouble somewhere. Every CONFORMANCE_SHARE-th condition
// is asked about, for CONFORMANCE_USERS users and as many records as
// CONFORMANCE_RECORDS says, drawn from CONFORMANCE_SEED.
func TestConformance(t *testing.T) {
	t.Parallel()
	seed := setting(t, "CONFORMANCE_SEED", 1)
	random := rand.New(rand.NewPCG(uint64(seed), 7)) // #nosec G404 G115 -- a reproducible draw, no secret
	all := conformanceConditions()
	for range 60 {
		all = append(all, combined(random, all, 3))
	}
	var list []condition
	share := setting(t, "CONFORMANCE_SHARE", 6)
	for i := seed % share; i < len(all); i += share {
		list = append(list, all[i])
	}
	set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(conformanceProject(list))}}}
	p, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags)
	}
	fleet := targets.NewFleet(targets.Names())
	crew, err := fleet.Start(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := crew.Close(); err != nil {
			t.Error(err)
		}
		if err := fleet.Close(); err != nil {
			t.Error(err)
		}
	})
	for name, why := range crew.LeftOut {
		t.Errorf("%s is left out: %v", name, why)
	}
	c := &conformance{program: p, crew: crew, list: list, random: random}
	c.world(t, setting(t, "CONFORMANCE_RECORDS", 30))
	for _, user := range hostileUsers(random, setting(t, "CONFORMANCE_USERS", 3)) {
		c.ask(t, user)
	}
	t.Logf("%d conditions, %d decisions: %v", len(list), c.decisions, c.values)
}

type conformance struct {
	program   *model.Program
	crew      *targets.Crew
	list      []condition
	random    *rand.Rand
	records   map[*model.Table][]model.Document
	decisions int
	failures  int
	values    [3]int // answers by their value, as the second meaning has them
}

const conformanceNow = 1710135000_123456 // 2024-03-11T05:30:00.123456Z

// world gives every condition's table the same records.
func (c *conformance) world(t *testing.T, n int) {
	t.Helper()
	rows, members := hostileRows(c.random, n)
	w := &verify.World{Now: conformanceNow, Records: map[*model.Table][]*verify.Record{}}
	for _, table := range c.program.Tables {
		from := rows
		if table.Name == "m" {
			from = members
		}
		for _, row := range from {
			w.Records[table] = append(w.Records[table], &verify.Record{Doc: model.Document{}, Text: row})
		}
	}
	for _, e := range c.crew.All {
		if k, ok := e.(verify.Keeper); ok {
			if err := k.Keep(t.Context(), w); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.records = map[*model.Table][]model.Document{}
	related := map[string][]any{}
	for _, r := range w.Records[c.table("m")] {
		id := fmt.Sprint(r.Doc["rid"])
		related[id] = append(related[id], r.Doc)
	}
	for _, table := range c.program.Tables {
		if table.Name == "m" {
			continue
		}
		if len(w.Records[table]) != len(rows) {
			t.Fatalf("Postgres took %d of %d rows", len(w.Records[table]), len(rows))
		}
		for i, r := range w.Records[table] {
			r.Doc["m"] = related[fmt.Sprint(r.Doc["id"])]
			if related[fmt.Sprint(r.Doc["id"])] == nil {
				r.Doc["m"] = []any{}
			}
			for name, v := range r.Doc {
				if v == nil && i%3 == 0 { // missing is null
					delete(r.Doc, name)
				}
			}
			c.records[table] = append(c.records[table], r.Doc)
		}
	}
}

func (c *conformance) table(name string) *model.Table {
	for _, t := range c.program.Tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// ask asks all engines of one user, about every condition and record.
func (c *conformance) ask(t *testing.T, text string) {
	t.Helper()
	var user map[string]any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&user); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	request := model.Request{User: user, Now: conformanceNow}
	entry := c.program.Datasources[0].Entries()[0]
	for i, cond := range c.list {
		table := c.table(fmt.Sprintf("t%d", i))
		records := c.records[table]
		want := make([]kleene, len(records))
		env := eval.NewEnv(c.program, request, entry)
		for j, r := range records {
			want[j] = cond.mean(&asked{record: r, user: user})
			c.values[want[j]]++
			old := env.On(r).Holds(c.program.Old(entry, table, model.View))
			opposite := env.On(r).Holds(c.program.New(entry, table, model.Create))
			c.compare(t, "evaluator", cond, want[j], old, opposite, r, text)
		}
		for _, e := range c.crew.All {
			if !e.Covers(table) {
				continue // data filters, which these tables do not ask for
			}
			got, err := e.Ask(t.Context(), &verify.Query{Request: request, Table: table, Records: records})
			if err != nil {
				t.Fatalf("%s: %s: %v\n%s", e.Name(), cond.text, err, text)
			}
			for j, r := range records {
				c.compare(t, e.Name(), cond, want[j], got.Allowed[model.View][j], got.Allowed[model.Create][j], r, text)
			}
		}
	}
}

func (c *conformance) compare(t *testing.T, engine string, cond condition, want kleene, holds, fails bool, record model.Document, user string) {
	t.Helper()
	c.decisions += 2
	if holds == (want == yes) && fails == (want == no) {
		return
	}
	t.Errorf("%s: %s: true %v, false %v, want %v\n  record %s\n  user %s", engine, cond.text, holds, fails, want, encoded(record), user)
	if c.failures++; c.failures == 20 {
		t.Fatal("and more")
	}
}

func encoded(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(b.String())
}

// combined is a random tree of conditions.
func combined(random *rand.Rand, list []condition, depth int) condition {
	if depth == 0 || random.IntN(5) == 0 {
		return list[random.IntN(len(list))]
	}
	a, b := combined(random, list, depth-1), combined(random, list, depth-1)
	switch random.IntN(4) {
	case 0:
		return condition{"!(" + a.text + ")", func(e *asked) kleene { return yes - a.mean(e) }}
	case 1:
		return condition{"(" + a.text + ") && (" + b.text + ")", func(e *asked) kleene { return min(a.mean(e), b.mean(e)) }}
	case 2:
		return condition{"(" + a.text + ") || (" + b.text + ")", func(e *asked) kleene { return max(a.mean(e), b.mean(e)) }}
	}
	c := combined(random, list, depth-1)
	return condition{"(" + a.text + ") ? (" + b.text + ") : (" + c.text + ")", func(e *asked) kleene {
		switch a.mean(e) {
		case yes:
			return b.mean(e)
		case no:
			return c.mean(e)
		default:
			return unknown
		}
	}}
}

// conformanceProject has a table for each condition, on which view is given by
// the condition, and create by its opposite.
func conformanceProject(list []condition) string {
	var b strings.Builder
	b.WriteString(`
postern { project = "conformance" }
identity {
  key = "key"
  attribute "key" { type = string }
  attribute "s"   { type = string }
  attribute "i"   { type = int }
  attribute "n"   { type = number }
  attribute "d"   { type = date }
  attribute "t"   { type = timestamp }
  attribute "u"   { type = uuid }
  attribute "b"   { type = bool }
  attribute "ip"  { type = ip }
  attribute "ss"  { type = set(string) }
}
datasource "d" {
  type     = "postgres"
  url      = env("URL")
  identity = "setting"
  owner    = "bound"
}
service_account "conformance" {
  datasource  = datasource.d
  description = "Tests"
  password    = env("PASSWORD")
}
table "d" "m" {
  column "rid" { type = int }
  column "u" {
    type = string
    null = true
  }
  column "k" {
    type = int
    null = true
  }
}
`)
	for i, c := range list {
		fmt.Fprintf(&b, "table \"d\" \"t%d\" {\n", i)
		for _, col := range hostileColumns {
			fmt.Fprintf(&b, "  column %q {\n    type = %s\n    null = %v\n", col.name, col.typ, col.name != "id")
			if col.native != "" {
				fmt.Fprintf(&b, "    native = %q\n", col.native)
			}
			b.WriteString("  }\n")
		}
		b.WriteString("  relation \"m\" {\n    table = table.d.m\n    on    = { id = \"rid\" }\n    many  = true\n  }\n  primary_key = [\"id\"]\n}\n")
		fmt.Fprintf(&b, "policy \"p%d\" {\n  description = \"holds\"\n  on    = [table.d.t%d]\n  to    = [everyone]\n  allow = [view]\n  when  = %s\n}\n", i, i, c.text)
		fmt.Fprintf(&b, "policy \"q%d\" {\n  description = \"fails\"\n  on    = [table.d.t%d]\n  to    = [everyone]\n  allow = [create]\n  when  = !(%s)\n}\n", i, i, c.text)
	}
	return b.String()
}

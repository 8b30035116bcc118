package engine

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// crowd is the document of five with many policies for staff on its table
// instead, each with another condition.
func crowd(n int, when func(i int) *document.Cond, check func(i int) *document.Cond) *document.Document {
	d := five()
	columns := d.Policies[0].Targets[0].Columns
	d.Policies = nil
	for i := range n {
		target := document.PolicyTarget{
			Tables: []document.TableRef{{Datasource: "crm", Table: "deals"}}, Allow: []string{"create", "edit", "view"}, Columns: columns, When: when(i),
		}
		if check != nil {
			target.Check = check(i)
		}
		d.Policies = append(d.Policies, document.Policy{
			Name: fmt.Sprintf("p%05d", i), To: []document.Subject{{Kind: document.Everyone}}, Targets: []document.PolicyTarget{target},
		})
	}
	return d
}

func regionIs(text string) *document.Cond {
	return &document.Cond{Op: document.Equal, X: columnOf("region"), Y: literalOf(document.String, text)}
}

// randomCond is a condition of the forms that are indexed and of others.
func randomCond(r *rand.Rand, depth int) *document.Cond {
	region := func() string { return []string{"EMEA", "APAC", "AMER", "LATAM"}[r.IntN(4)] }
	amount := func() string { return []string{"10", "10.0", "11", "12.5", "100000000000000000000"}[r.IntN(5)] }
	if depth > 0 && r.IntN(2) == 0 {
		op := []document.Op{document.And, document.Or}[r.IntN(2)]
		return &document.Cond{Op: op, Terms: []*document.Cond{randomCond(r, depth-1), randomCond(r, depth-1)}}
	}
	switch r.IntN(6) {
	case 0:
		return &document.Cond{Op: document.Equal, X: literalOf(document.String, region()), Y: columnOf("region")}
	case 1:
		text := document.Type{Kind: document.String}
		return &document.Cond{Op: document.In, X: columnOf("region"), Y: &document.Expr{
			Kind: document.Literal, Type: &document.Type{Kind: document.Set, Elem: &text}, Value: &document.Value{Elems: &[]string{region(), region()}},
		}}
	case 2:
		return &document.Cond{Op: document.Equal, X: columnOf("amount"), Y: literalOf(document.Number, amount())}
	case 3:
		return &document.Cond{Op: document.Equal, X: columnOf("owner"), Y: literalOf(document.UUID, []string{me, other}[r.IntN(2)])}
	case 4:
		return &document.Cond{Op: document.NotEqual, X: columnOf("region"), Y: literalOf(document.String, region())}
	}
	return &document.Cond{Op: document.Greater, X: columnOf("amount"), Y: literalOf(document.Number, amount())}
}

// Many policies on one table grant what each of them grants that is asked
// alone, on records as they stand and on new ones, hostile ones included.
func TestManyPoliciesOnOneTable(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same conditions each time
	var records []map[string]any
	for _, owner := range []any{me, other, "nobody", nil} {
		for _, region := range []any{"EMEA", "APAC", "", nil, json.Number("5")} {
			for _, amount := range []any{json.Number("10"), json.Number("10.00"), json.Number("1e1"), json.Number("12.5"), json.Number("1e20"), "10", nil} {
				records = append(records, map[string]any{"owner": owner, "region": region, "amount": amount})
			}
		}
	}
	found := 0
	for round := range 60 {
		n := fewArms + 1 + r.IntN(20)
		whens, checks := make([]*document.Cond, n), make([]*document.Cond, n)
		for i := range n {
			whens[i], checks[i] = randomCond(r, 2), randomCond(r, 2)
		}
		var check func(int) *document.Cond
		if round%2 == 0 {
			check = func(i int) *document.Cond { return checks[i] }
		}
		d := crowd(n, func(i int) *document.Cond { return whens[i] }, check)
		e := load(t, d)
		if list := e.tables[document.TableRef{Datasource: "crm", Table: "deals"}].view.index.everyone; list.found != nil {
			found++
		}
		alone := make([]*Engine, n)
		for i := range n {
			one := *d
			one.Policies = d.Policies[i : i+1]
			alone[i] = load(t, &one)
		}
		s := e.Session(rep())
		for _, rec := range records {
			for _, q := range []*Question{
				{Datasource: "crm", Table: "deals", Action: "view", Old: rec},
				{Datasource: "crm", Table: "deals", Action: "create", New: rec},
			} {
				want := false
				for _, one := range alone {
					want = want || one.Decide(rep(), q)
				}
				if got := e.Decide(rep(), q); got != want || s.Decide(q) != want || e.Explain(rep(), q).Allowed != want {
					t.Fatalf("round %d: %s of %v: %v, want %v", round, q.Action, rec, got, want)
				}
				if q.Action == "view" && len(s.Filter("crm", "deals", "view", []map[string]any{rec})) == 1 != want {
					t.Fatalf("round %d: filter of %v, want %v", round, rec, want)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d of 60 projects have an index", found)
	}
}

// A decision among 10,000 policies for the same users on one table costs what
// one among ten does.
func TestManyPoliciesCostNothing(t *testing.T) {
	t.Parallel()
	decide := func(n int) func() bool {
		e := load(t, crowd(n, func(i int) *document.Cond { return regionIs(fmt.Sprintf("region %d", i)) }, nil))
		request, q := rep(), &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "region 7", "10")}
		return func() bool { return e.Decide(request, q) }
	}
	few, many := decide(10), decide(10_000)
	if !few() || !many() {
		t.Error("denied")
	}
	cost := func(f func() bool) testing.BenchmarkResult {
		return testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f()
			}
		})
	}
	a, b := cost(few), cost(many)
	if b.NsPerOp() > 20*a.NsPerOp() || b.AllocsPerOp() > 0 {
		t.Errorf("among 10: %s, among 10,000: %s", a, b)
	}
}

func BenchmarkCrowd(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		e := load(b, crowd(n, func(i int) *document.Cond { return regionIs(fmt.Sprintf("region %d", i)) }, nil))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			request, q := rep(), &Question{Datasource: "crm", Table: "deals", Action: "view", Old: deal(other, "region 7", "10")}
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(request, q)
			}
		})
	}
}

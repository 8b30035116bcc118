// Command engines measures the JSON engine beside OPA, cedar-go and cel-go on
// the same policies, and "postern serve" beside an empty handler, in one run.
// docs/benchmarks.md records the figures.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/compiler/model"
)

func main() {
	policies := flag.Int("policies", 10_000, "policies of the large project")
	requests := flag.Int("requests", 20_000, "requests to each server")
	flag.Parse()
	if err := bench(context.Background(), os.Stdout, *policies/perTable, *requests); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "engines:", err)
		os.Exit(1)
	}
}

func bench(ctx context.Context, w io.Writer, tables, requests int) error {
	_, _ = fmt.Fprintf(w, "%-34s %12s %12s %8s  %s\n", "one decision over five policies", "5", fmt.Sprint(tables*perTable), "allocs", "limit")
	small, err := program(ctx, 1)
	if err != nil {
		return err
	}
	large, err := program(ctx, tables)
	if err != nil {
		return err
	}
	if err := decisions(ctx, w, small, large, tables); err != nil {
		return err
	}
	if err := crowd(ctx, w, tables*perTable); err != nil {
		return err
	}
	if err := bulk(ctx, w, large); err != nil {
		return err
	}
	return serving(ctx, w, large, requests)
}

// decisions measures one decision, with few and with many policies around it.
func decisions(ctx context.Context, w io.Writer, small, large *model.Program, tables int) error {
	row := func(what string, limit time.Duration, ready func(*model.Program, int) (question, error)) error {
		few, err := ready(small, 1)
		if err != nil {
			return err
		}
		many, err := ready(large, tables)
		if err != nil {
			return err
		}
		at5, allocs, err := perCall(few)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		atAll, _, err := perCall(many)
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		_, _ = fmt.Fprintf(w, "%-34s %12s %12s %8.0f  %s\n", what, shown(at5), shown(atAll), allocs, verdict(max(at5, atAll), limit))
		return nil
	}
	for _, r := range []struct {
		what  string
		limit time.Duration
		make  func(*model.Program, int) (question, error)
	}{
		{"JSON engine, typed records", 100, func(p *model.Program, n int) (question, error) { return typed(ctx, p, n) }},
		{"JSON engine, maps, user resolved", 0, func(p *model.Program, n int) (question, error) { return maps(ctx, p, n, true) }},
		{"JSON engine, maps, all of it", 300, func(p *model.Program, n int) (question, error) { return maps(ctx, p, n, false) }},
		{"cel-go, the conditions alone", 0, func(*model.Program, int) (question, error) { return celGo() }},
		{"cedar-go", 0, func(_ *model.Program, n int) (question, error) { return cedarGo(n) }},
		{"OPA, the library", 0, func(p *model.Program, _ int) (question, error) { return opa(ctx, p) }},
	} {
		if err := row(r.what, r.limit, r.make); err != nil {
			return err
		}
	}
	return nil
}

// crowd measures one decision among few and many policies for the same users on
// one table.
func crowd(ctx context.Context, w io.Writer, policies int) error {
	few, err := crowded(ctx, perTable)
	if err != nil {
		return err
	}
	many, err := crowded(ctx, policies)
	if err != nil {
		return err
	}
	for _, r := range []struct {
		what  string
		limit time.Duration
		make  func(*model.Program) (question, error)
	}{
		{"one table, typed records", 100, func(p *model.Program) (question, error) { return typed(ctx, p, 1) }},
		{"one table, maps, all of it", 300, func(p *model.Program) (question, error) { return maps(ctx, p, 1, false) }},
	} {
		var took [2]time.Duration
		for i, p := range []*model.Program{few, many} {
			ask, err := r.make(p)
			if err != nil {
				return err
			}
			if took[i], _, err = perCall(ask); err != nil {
				return fmt.Errorf("%s: %w", r.what, err)
			}
		}
		_, _ = fmt.Fprintf(w, "%-34s %12s %12s %8s  %s\n", r.what, shown(took[0]), shown(took[1]), "", verdict(max(took[0], took[1]), r.limit))
	}
	return nil
}

func load(ctx context.Context, p *model.Program) (*engine.Engine, []byte, error) {
	artifacts, err := jsondoc.Emitter{}.Emit(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	for _, a := range artifacts {
		if a.Path == jsondoc.DocumentPath {
			e, err := engine.Load(a.Data)
			return e, a.Data, err
		}
	}
	return nil, nil, fmt.Errorf("no %s was written", jsondoc.DocumentPath)
}

func request() *engine.Request {
	return &engine.Request{User: map[string]any{"id": me, "region": region, "groups": []any{"staff"}}, Now: time.Unix(0, 0)}
}

func record(owner string) map[string]any {
	return map[string]any{"owner": owner, "region": region, "amount": json.Number("10")}
}

// typedRecords makes n records of typed values, every second one of them the
// user's.
func typedRecords(e *engine.Engine, table string, n int) (*engine.Action, []*engine.Record, error) {
	t, err := e.Table("crm", table)
	if err != nil {
		return nil, nil, err
	}
	view, err := t.Action("view")
	if err != nil {
		return nil, nil, err
	}
	owner, err := engine.ColumnOf[engine.UUID](t, "owner")
	if err != nil {
		return nil, nil, err
	}
	where, err := engine.ColumnOf[string](t, "region")
	if err != nil {
		return nil, nil, err
	}
	sum, err := engine.ColumnOf[int64](t, "amount")
	if err != nil {
		return nil, nil, err
	}
	out := t.NewRecords(n)
	for i := range out {
		owner.Set(out[i], engine.UUID{0: byte(i % 2), 15: 9})
		where.Set(out[i], region)
		sum.Set(out[i], int64(amount+i%2*2000))
	}
	return view, out, nil
}

func typed(ctx context.Context, p *model.Program, tables int) (question, error) {
	e, _, err := load(ctx, p)
	if err != nil {
		return nil, err
	}
	view, records, err := typedRecords(e, tableName(tables/2), 1)
	if err != nil {
		return nil, err
	}
	s := e.Session(request())
	return func() error {
		if !s.Allows(view, records[0]) {
			return errDenied
		}
		return nil
	}, nil
}

func maps(ctx context.Context, p *model.Program, tables int, resolved bool) (question, error) {
	e, _, err := load(ctx, p)
	if err != nil {
		return nil, err
	}
	r, q := request(), &engine.Question{Datasource: "crm", Table: tableName(tables / 2), Action: "view", Old: record(other)}
	s := e.Session(r)
	return func() error {
		allowed := false
		if resolved {
			allowed = s.Decide(q)
		} else {
			allowed = e.Decide(r, q)
		}
		if !allowed {
			return errDenied
		}
		return nil
	}, nil
}

// bulk measures filtering and loading.
func bulk(ctx context.Context, w io.Writer, p *model.Program) error {
	const n = 100_000
	e, data, err := load(ctx, p)
	if err != nil {
		return err
	}
	view, records, err := typedRecords(e, p.Tables[0].Name, n)
	if err != nil {
		return err
	}
	documents := make([]map[string]any, n)
	for i := range documents {
		documents[i] = record(other)
	}
	s, into := e.Session(request()), make([]int, 0, n)
	_, _ = fmt.Fprintf(w, "\n%-34s %12s\n", "", "CPU time")
	for _, m := range []struct {
		what  string
		limit time.Duration
		do    func() error
	}{
		{"filter of 100,000 typed records", 10 * time.Millisecond, func() error {
			if into = s.FilterRecords(view, records, into[:0]); len(into) != n/2 {
				return errDenied
			}
			return nil
		}},
		{"filter of 100,000 maps", 0, func() error {
			if len(s.Filter("crm", p.Tables[0].Name, "view", documents)) != n {
				return errDenied
			}
			return nil
		}},
		{fmt.Sprintf("load of %d policies", len(p.Policies)), 300 * time.Millisecond, func() error {
			_, err := engine.Load(data)
			return err
		}},
	} {
		took, err := leastCPU(7, m.do)
		if err != nil {
			return fmt.Errorf("%s: %w", m.what, err)
		}
		_, _ = fmt.Fprintf(w, "%-34s %12s %22s  %s\n", m.what, shown(took), "", verdict(took, m.limit))
	}
	return nil
}

// perCall is the least time of a call among many short rounds, which other work
// of the machine does not reach, and its allocations.
func perCall(ask question) (time.Duration, float64, error) {
	if err := ask(); err != nil {
		return 0, 0, err
	}
	start := time.Now()
	if err := ask(); err != nil {
		return 0, 0, err
	}
	calls := max(1, int(500*time.Microsecond/max(time.Since(start), 50)))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rounds := 100
	least, err := best(rounds, func() error {
		for range calls {
			if err := ask(); err != nil {
				return err
			}
		}
		return nil
	})
	runtime.ReadMemStats(&after)
	return least / time.Duration(calls), float64(after.Mallocs-before.Mallocs) / float64(rounds*calls), err
}

func best(rounds int, do func() error) (time.Duration, error) {
	var least time.Duration
	for i := range rounds {
		start := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		if took := time.Since(start); i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

// leastCPU is the least CPU time of several rounds, all threads together.
func leastCPU(rounds int, do func() error) (time.Duration, error) {
	var least time.Duration
	for i := range rounds {
		runtime.GC() // what earlier rounds left is not this one's to collect
		before := cpu()
		if err := do(); err != nil {
			return 0, err
		}
		if took := cpu() - before; i == 0 || took < least {
			least = took
		}
	}
	return least, nil
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func shown(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	}
	return fmt.Sprintf("%.1f ms", float64(d)/1e6)
}

func verdict(took, limit time.Duration) string {
	if limit == 0 {
		return ""
	}
	if took > limit {
		return shown(limit) + " OVER"
	}
	return shown(limit)
}

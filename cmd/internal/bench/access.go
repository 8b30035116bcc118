package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

const accessSubjects = 20

// accessDiff measures the access diff in this process: of a project of which
// every changed-th table has another condition, of three sizes, and of single
// hard pairs.
func accessDiff(ctx context.Context, w io.Writer, tables, runs int) error {
	_, _ = fmt.Fprintf(w, "N tables, %d subjects, 4 actions; the best of %d runs, without compiling.\n\n", accessSubjects, runs)
	_, _ = fmt.Fprintf(w, "%6s %9s %9s %9s %9s %9s %9s %10s\n", "N", "changed", "wall", "CPU", "memory", "changes", "same", "undecided")
	for _, n := range []int{tables / 4, tables / 2, tables} {
		for _, every := range []int{0, 100, 50} {
			if err := accessSize(ctx, w, max(n, 1), every, runs); err != nil {
				return err
			}
		}
	}
	return hardPairs(ctx, w)
}

func accessSize(ctx context.Context, w io.Writer, n, every, runs int) error {
	before, err := programOf(ctx, accessProject(n, 0))
	if err != nil {
		return err
	}
	after, err := programOf(ctx, accessProject(n, every))
	if err != nil {
		return err
	}
	best, cpu, memory := time.Duration(0), time.Duration(0), uint64(0)
	var d *access.Diff
	for range runs {
		runtime.GC()
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		start, busy := time.Now(), cpuTime()
		if d, err = access.Compare(ctx, before, after, access.Options{}); err != nil {
			return fmt.Errorf("comparing: %w", err)
		}
		wall, used := time.Since(start), cpuTime()-busy
		runtime.ReadMemStats(&m1)
		if best == 0 || wall < best {
			best, cpu, memory = wall, used, m1.TotalAlloc-m0.TotalAlloc
		}
	}
	changed := 0
	if every > 0 {
		changed = n / every
	}
	verdict := ""
	if n == 1000 && (best > 2*time.Second || memory > 500<<20) {
		verdict = "! beyond 2 s, 500 MB"
	}
	_, _ = fmt.Fprintf(w, "%6d %9d %7.2f s %7.2f s %6d MB %9d %9d %10d %s\n", n, changed, best.Seconds(), cpu.Seconds(), memory>>20, len(d.Changes), d.Same, d.Count(access.Undecided), verdict)
	return nil
}

func programOf(ctx context.Context, text string) (*model.Program, error) {
	p, diags := compiler.Compile(ctx, &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(text)}}}, compiler.Inputs{})
	if p == nil {
		return nil, fmt.Errorf("compiling: %w", diags.Err())
	}
	return p, nil
}

// accessProject is a project in which every every-th table (0: none) has a
// wider condition.
func accessProject(n, every int) string {
	var b strings.Builder
	b.WriteString("postern { project = \"bench\" }\nidentity {\n  attribute \"id\" { type = uuid }\n  attribute \"tenant_id\" { type = int }\n" +
		"  attribute \"region\" { type = string }\n}\ndatasource \"main\" { type = \"postgres\" }\n" +
		"guard \"tenant\" {\n  on = tables(datasource.main, \"tenant_id\")\n  require = record.tenant_id == user.tenant_id\n}\n")
	groups := make([]string, accessSubjects)
	for i := range groups {
		groups[i] = fmt.Sprintf("group.g%d", i)
		fmt.Fprintf(&b, "group \"g%d\" {}\n", i)
	}
	writeTables(&b, n)
	for i := range n {
		limit := "1000.50"
		if every > 0 && i%every == 0 {
			limit = "2000"
		}
		for _, action := range []string{"view", "create", "edit", "delete"} {
			fmt.Fprintf(&b, "policy \"%s_%s\" {\n  on = [table.main.%s]\n  to = [%s]\n  allow = [%s]\n"+
				"  when = record.owner_id == user.id || record.region == user.region && record.status != \"draft\" && record.amount < %s\n}\n",
				tableName(i), action, tableName(i), strings.Join(groups, ", "), action, limit)
		}
	}
	return b.String()
}

// hardPairs measures pairs of nested conditions.
func hardPairs(ctx context.Context, w io.Writer) error {
	list := hardPrograms(ctx, hardAtoms)
	_, _ = fmt.Fprintf(w, "\n%d pairs of nested conditions of %d comparisons:\n", len(list), hardAtoms)
	var total, worst time.Duration
	undecided := 0
	for _, p := range list {
		busy := cpuTime()
		d, err := access.Compare(ctx, p.before, p.after, access.Options{})
		if err != nil {
			return fmt.Errorf("comparing: %w", err)
		}
		used := cpuTime() - busy
		total += used
		worst = max(worst, used)
		undecided += d.Count(access.Undecided)
	}
	verdict := ""
	if worst > 100*time.Millisecond {
		verdict = "! beyond 100 ms"
	}
	_, _ = fmt.Fprintf(w, "CPU mean %.1f ms, worst %.1f ms, %d of %d undecided %s\n",
		1e3*total.Seconds()/float64(len(list)), 1e3*worst.Seconds(), undecided, len(list), verdict)
	return nil
}

const hardAtoms = 30

// hardPair is two programs of which one condition means the same, or nearly.
type hardPair struct{ before, after *model.Program }

// hardPrograms makes up to 200 pairs of programs with a nested condition of so
// many comparisons. The compiler refuses some: one that can never hold.
func hardPrograms(ctx context.Context, atoms int) []hardPair {
	rng := rand.New(rand.NewPCG(1, 7)) // #nosec G404 -- repeatable on purpose
	var out []hardPair
	for range 200 {
		a := hardCondition(rng, atoms)
		b := "!(!(" + a + "))"
		switch rng.IntN(3) {
		case 0:
			b = strings.Replace(a, "<", "<=", 1)
		case 1:
			b = "(" + a + ") && !(" + hardCondition(rng, 1) + ") || (" + a + ") && (" + hardCondition(rng, 1) + ")"
		}
		before, errBefore := programOf(ctx, hardProject(a))
		after, errAfter := programOf(ctx, hardProject(b))
		if errBefore == nil && errAfter == nil {
			out = append(out, hardPair{before, after})
		}
	}
	return out
}

func hardCondition(rng *rand.Rand, atoms int) string {
	if atoms > 1 {
		k := 1 + rng.IntN(atoms-1)
		op := " && "
		if rng.IntN(2) == 0 {
			op = " || "
		}
		return "(" + hardCondition(rng, k) + op + hardCondition(rng, atoms-k) + ")"
	}
	letters := []string{"a", "b", "c", "d"}
	kinds := []string{
		fmt.Sprintf("record.amount < %d", rng.IntN(50)), fmt.Sprintf("record.tenant_id + user.tenant_id < %d", rng.IntN(20)),
		"record.owner_id == user.id", "record.region == user.region", fmt.Sprintf("starts_with(record.region, %q)", letters[rng.IntN(4)]),
		fmt.Sprintf("record.status != \"s%d\"", rng.IntN(5)), fmt.Sprintf("contains(record.status, %q)", letters[rng.IntN(4)]),
		"record.region == null", fmt.Sprintf("record.tenant_id < %d", rng.IntN(30)), "!(record.status < user.region)",
		fmt.Sprintf("member_of(group.g%d)", rng.IntN(4)),
	}
	return kinds[rng.IntN(len(kinds))]
}

func hardProject(when string) string {
	return accessProject(1, 0) + "policy \"hard\" {\n  on = [table.main.t00000]\n  to = [everyone]\n  allow = [view]\n  when = " + when + "\n}\n"
}

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// The sizes that Rego's figures are for, in tables of four policies each.
const (
	fewTables  = 3
	manyTables = 2500
	decisions  = 2000 // for each size and run
)

// opa measures the Rego target: a bundle of 10,000 policies, and what its
// decisions cost beside those of a dozen policies, in turns.
func opa(ctx context.Context, w io.Writer, program, dir string, runs int) error {
	var deciders []*rego.Decider
	var questions []backend.Question
	var emitted []time.Duration
	var built []cost
	var allocated uint64
	for _, n := range []int{fewTables, manyTables} {
		folder := filepath.Join(dir, fmt.Sprint("rego", n))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		if err := writeProject(folder, n, false); err != nil {
			return err
		}
		p, err := compiled(ctx, folder)
		if err != nil {
			return err
		}
		d, err := rego.NewDecider(ctx, p)
		if err != nil {
			return err
		}
		deciders, questions = append(deciders, d), append(questions, question(p))
		if n != manyTables {
			continue
		}
		for range runs {
			took, bytes, err := emit(ctx, p)
			if err != nil {
				return err
			}
			c, err := measure(ctx, nil, program, "-C", folder, "build", "--target", "rego", "-o", filepath.Join(folder, "dist"))
			if err != nil {
				return err
			}
			emitted, built, allocated = append(emitted, took), append(built, c), bytes
		}
	}
	slices.Sort(emitted)
	whole := median(built)
	_, _ = fmt.Fprintf(w, "\nOPA, %d policies on %d tables:\n", 4*manyTables, manyTables)
	_, _ = fmt.Fprintf(w, "        bundle made of a compiled project: CPU %.2f s (limit 1.5 s), %d MB allocated (limit 300 MB)\n",
		emitted[len(emitted)/2].Seconds(), allocated>>20)
	_, _ = fmt.Fprintf(w, "        build --target rego, compiling included: CPU %.2f s, %d MB resident\n", whole.cpu.Seconds(), whole.memory>>20)
	few, many, err := decide(ctx, deciders, questions, runs)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(w, "        a decision: %d µs at %d policies, %d µs at %d: ratio %.2f (limit 2)\n",
		few.Microseconds(), 4*fewTables, many.Microseconds(), 4*manyTables, many.Seconds()/few.Seconds())
	return nil
}

func compiled(ctx context.Context, dir string) (*model.Program, error) {
	set, err := source.FromDir(dir)
	if err != nil {
		return nil, err
	}
	p, list := compiler.Compile(ctx, set, compiler.Inputs{})
	if list.HasErrors() {
		return nil, list
	}
	return p, nil
}

// emit is the CPU time of making the bundle, and all that it allocates.
func emit(ctx context.Context, p *model.Program) (took time.Duration, bytes uint64, err error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	_, err = rego.Emitter{}.Emit(ctx, p)
	took = cpuTime() - start
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc, err
}

// cpuTime is what this process has used on all cores.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// question is one that a policy grants.
func question(p *model.Program) backend.Question {
	const id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
	return backend.Question{
		Request: model.Request{User: map[string]any{"id": id, "tenant_id": json.Number("1"), "groups": []any{"g1", "g3"}}, Now: model.Timestamp(time.Now().UnixMicro())},
		Table:   p.Tables[len(p.Tables)/2], Action: model.View,
		Old: model.Document{"tenant_id": json.Number("1"), "owner_id": id, "status": "open", "amount": json.Number("12.50"), "region": "EMEA"},
	}
}

// decide is the median time of a decision at both sizes, asked in turns.
func decide(ctx context.Context, deciders []*rego.Decider, questions []backend.Question, runs int) (few, many time.Duration, err error) {
	took := make([][]time.Duration, len(deciders))
	for range runs {
		for range decisions {
			for i, d := range deciders {
				start := time.Now()
				allowed, err := d.Decide(ctx, questions[i])
				took[i] = append(took[i], time.Since(start))
				if err != nil || !allowed {
					return 0, 0, fmt.Errorf("a question that a policy grants was answered %t: %w", allowed, err)
				}
			}
		}
	}
	for _, t := range took {
		slices.Sort(t)
	}
	return took[0][len(took[0])/2], took[1][len(took[1])/2], nil
}

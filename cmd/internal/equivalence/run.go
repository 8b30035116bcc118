package equivalence

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/source"
)

// Total is what a run over many programs did.
type Total struct {
	Programs            int
	Decisions           int
	Allowed             int
	Targets             map[string]int
	LeftOut             map[string]int // programs that a target cannot express
	Conditions, Dropped int            // conditions made, and those of them that the compiler refused
	Elapsed             time.Duration
}

// Source draws the program of a seed and leaves out the policies and guards
// that the compiler refuses. Made and dropped count those blocks.
func Source(seed int) (p *model.Program, text string, made, dropped int, err error) {
	return draw(seed, false)
}

// draw draws the program of a seed; with filters, all tables ask for all of them,
// and the policies and guards that no filter carries are left out as well.
func draw(seed int, filters bool) (p *model.Program, text string, made, dropped int, err error) {
	blocks := Program(fmt.Sprintf("fuzz_%d", seed)).Example(seed)
	for i, b := range blocks {
		if conditional(b) {
			made++
		}
		if filters {
			blocks[i] = filtered(b)
		}
	}
	for {
		text = strings.Join(blocks, "")
		set := &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(text)}}}
		p, diags := compiler.Compile(context.Background(), set, compiler.Inputs{})
		if p != nil && filters {
			diags = rego.Emitter{}.Audit(p)
		}
		if p != nil && (!filters || !diags.HasErrors()) {
			return p, text, made, dropped, nil
		}
		bad := map[int]bool{}
		for _, d := range diags {
			line := 1
			for i, b := range blocks {
				next := line + strings.Count(b, "\n")
				if d.Span.Start.Line >= line && d.Span.Start.Line < next && conditional(b) {
					bad[i] = true
				}
				line = next
			}
		}
		if len(bad) == 0 {
			return nil, text, made, dropped, fmt.Errorf("the program of seed %d does not compile: %w", seed, diags.Err())
		}
		dropped += len(bad)
		var kept []string
		for i, b := range blocks {
			if !bad[i] {
				kept = append(kept, b)
			}
		}
		blocks = kept
	}
}

func conditional(block string) bool {
	return strings.HasPrefix(block, "policy") || strings.HasPrefix(block, "guard") || strings.HasPrefix(block, "mask")
}

// filtered is a table or resource that asks for all filters.
func filtered(block string) string {
	if !strings.HasPrefix(block, "table") && !strings.HasPrefix(block, "resource") {
		return block
	}
	head, rest, _ := strings.Cut(block, "\n")
	return head + "\n  filters = [all]\n" + rest
}

// Options say how much is asked.
type Options struct {
	Seed       int // of the first program
	Budget     int // decisions
	PerProgram int // decisions of each program, at least
	Names      []string
	Filters    bool // all tables ask for filters, and no policy is one that they cannot carry
}

// Found is a disagreement, and the program it was found in.
type Found struct {
	Seed   int
	Source string
	*verify.Disagreement
}

// Shrunk is the disagreement as a small case, in the form of a file of
// testdata/equivalence; "" when it is gone in the program as it is printed.
func (f *Found) Shrunk(ctx context.Context) (string, error) {
	fleet := targets.NewFleet([]string{f.Target})
	small, err := verify.Shrink(ctx, f.Disagreement, fleet.Starter())
	if err = errors.Join(err, fleet.Close()); err != nil || small == nil {
		return "", err
	}
	return small.Txtar(f.String())
}

// Run makes programs until the budget is spent or two engines differ.
func Run(ctx context.Context, o Options) (*Total, *Found, error) {
	fleet := targets.NewFleet(o.Names)
	total, found, err := run(ctx, fleet, o)
	return total, found, errors.Join(err, fleet.Close())
}

func run(ctx context.Context, fleet *targets.Fleet, o Options) (*Total, *Found, error) {
	total := &Total{Targets: map[string]int{}, LeftOut: map[string]int{}}
	start := time.Now()
	defer func() { total.Elapsed = time.Since(start) }()
	for seed := o.Seed; total.Decisions < o.Budget; seed++ {
		p, text, made, dropped, err := draw(seed, o.Filters)
		total.Conditions += made
		total.Dropped += dropped
		if err != nil {
			return total, nil, err
		}
		crew, err := fleet.Start(ctx, p)
		if err != nil {
			return total, nil, fmt.Errorf("seed %d: %w\n%s", seed, err, text)
		}
		report, err := verify.Run(ctx, p, crew.All, verify.Options{Seed: uint64(seed), Budget: o.PerProgram}) // #nosec G115 -- any seed will do
		err = errors.Join(err, crew.Close())
		if err != nil {
			return total, nil, fmt.Errorf("seed %d: %w\n%s", seed, err, text)
		}
		total.Programs++
		total.Decisions += report.Decisions
		total.Allowed += report.Allowed
		for name, n := range report.Targets {
			total.Targets[name] += n
		}
		for name := range crew.LeftOut {
			total.LeftOut[name]++
		}
		if report.Found != nil {
			return total, &Found{Seed: seed, Source: text, Disagreement: report.Found}, nil
		}
	}
	return total, nil, nil
}

// Command bench measures what the project promises of its speed: whole runs of
// the built program on a generated project, side by side with psql doing the
// same work on the same server in the same run. docs/benchmarks.md records
// the figures.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	tables := flag.Int("tables", 1000, "tables of the generated project")
	runs := flag.Int("runs", 3, "runs of each command; the median is shown")
	rows := flag.Int("rows", 1_000_000, "rows of the table that policies are measured on")
	pairs := flag.Int("pairs", 31, "pairs of queries for each policy; the median is shown")
	what := flag.String("what", "all", "commands, access, policies or all")
	only := flag.String("policy", "", "only policies whose name holds this text")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *what == "all" || *what == "commands" {
		err = bench(ctx, os.Stdout, *tables, *runs)
	}
	if (*what == "all" || *what == "access") && err == nil {
		err = accessDiff(ctx, os.Stdout, *tables, *runs)
	}
	if (*what == "all" || *what == "policies") && err == nil {
		err = policies(ctx, os.Stdout, *rows, *pairs, *only)
	}
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench measures three sizes, so that the growth of the cost shows.
func bench(ctx context.Context, w io.Writer, tables, runs int) error {
	dir, err := os.MkdirTemp("", "postern-bench-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "postern")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/postern").CombinedOutput(); err != nil {
		return fmt.Errorf("building: %w: %s", err, out)
	}
	_, _ = fmt.Fprintf(w, "N tables, 4 policies each, 1 guard, 5 subjects, 5 accounts; median of %d runs.\n", runs)
	_, _ = fmt.Fprintf(w, "Limits of time and memory are for N = 1000. The ratio is our wall time to psql's, run by run.\n\n")
	_, _ = fmt.Fprintf(w, "%6s  %-34s %9s %9s %8s %9s %6s  %s\n", "N", "what", "wall", "CPU", "memory", "psql", "ratio", "limits")
	growth := map[string][]time.Duration{}
	for _, n := range []int{tables / 4, tables / 2, tables} {
		b := &size{
			ctx: ctx, w: w, program: program, n: max(n, 1), runs: runs, dir: filepath.Join(dir, fmt.Sprint(n)), growth: growth,
		}
		if err := b.measure(); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(w, "\nGrowth of the CPU time from N/4 to N/2 and to N; linear is at most 2 and 4:\n")
	for _, what := range slices.Sorted(maps.Keys(growth)) {
		cpu := growth[what]
		_, _ = fmt.Fprintf(w, "        %-34s %9.2f %9.2f\n", what, cpu[1].Seconds()/cpu[0].Seconds(), cpu[2].Seconds()/cpu[0].Seconds())
	}
	return opa(ctx, w, program, dir, runs)
}

// size measures one size of project.
type size struct {
	ctx     context.Context //nolint:containedctx // lives for one run
	w       io.Writer
	program string
	dir     string
	n, runs int
	env     []string
	growth  map[string][]time.Duration // CPU time of each command, by size
}

func (b *size) measure() error {
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if err := writeProject(b.dir, b.n, false); err != nil {
		return err
	}
	if err := b.compiling(); err != nil {
		return err
	}
	return b.database()
}

func (b *size) compiling() error {
	out, other := filepath.Join(b.dir, "dist"), b.dir+"-unlike"
	if err := os.MkdirAll(other, 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if err := writeProject(other, b.n, true); err != nil {
		return err
	}
	var validated, linted, unlike, built []cost
	for range b.runs {
		v, err := b.postern("validate")
		if err != nil {
			return err
		}
		l, err := b.postern("lint")
		if err != nil {
			return err
		}
		u, err := measure(b.ctx, b.env, b.program, "-C", other, "lint")
		if err != nil {
			return err
		}
		c, err := b.postern("build", "-o", out)
		if err != nil {
			return err
		}
		validated, linted, unlike, built = append(validated, v), append(linted, l), append(unlike, u), append(built, c)
	}
	b.row("validate", &pairs{ours: validated}, limit{cpu: 700 * time.Millisecond})
	b.row("lint", &pairs{ours: linted}, limit{cpu: 2 * time.Second})
	b.row("lint, no two tables' policies alike", &pairs{ours: unlike}, limit{cpu: 2 * time.Second})
	b.row("build, all targets", &pairs{ours: built}, limit{wall: 2 * time.Second, memory: 400 << 20})
	return nil
}

func (b *size) row(what string, p *pairs, l limit) {
	c, reference, ratio := median(p.ours), "", 0.0
	if len(p.reference) > 0 {
		ratio = p.ratio()
		reference = fmt.Sprintf("%7.2f s %6.2f", median(p.reference).wall.Seconds(), ratio)
	}
	if b.n != 1000 {
		l = limit{ratio: l.ratio}
	}
	if c.cpu > 0 {
		b.growth[what] = append(b.growth[what], c.cpu)
	}
	_, _ = fmt.Fprintf(b.w, "%6d  %-34s %7.2f s %7.2f s %5d MB %16s  %s\n",
		b.n, what, c.wall.Seconds(), c.cpu.Seconds(), c.memory>>20, reference, l.verdict(c, ratio))
}

// postern runs the program on the generated project.
func (b *size) postern(args ...string) (cost, error) {
	return measure(b.ctx, b.env, b.program, append([]string{"-C", b.dir}, args...)...)
}

// measure runs a command as a whole process.
func measure(ctx context.Context, env []string, name string, args ...string) (cost, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	err := cmd.Run()
	c := cost{wall: time.Since(start)}
	if err != nil {
		text := output.String()
		return c, fmt.Errorf("%s %s: %w: %s", filepath.Base(name), strings.Join(args, " "), err, text[max(0, len(text)-2000):])
	}
	c.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	c.memory = maxMemory(cmd.ProcessState)
	return c, nil
}

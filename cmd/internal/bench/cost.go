package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// cost is what one run of a command took.
type cost struct {
	wall, cpu time.Duration
	memory    int64 // largest resident size in bytes
}

// maxMemory is the process's largest resident size; Linux counts it in
// kilobytes (getrusage(2)).
func maxMemory(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss << 10
	}
	return 0
}

// median is the cost with the median of each measure.
func median(costs []cost) cost {
	pick := func(of func(cost) int64) int64 {
		values := make([]int64, len(costs))
		for i, c := range costs {
			values[i] = of(c)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return cost{
		wall:   time.Duration(pick(func(c cost) int64 { return int64(c.wall) })),
		cpu:    time.Duration(pick(func(c cost) int64 { return int64(c.cpu) })),
		memory: pick(func(c cost) int64 { return c.memory }),
	}
}

// pairs are runs of ours, each with the reference's run right beside it, so
// that both met the machine in the same state.
type pairs struct{ ours, reference []cost }

func (p *pairs) add(ours, reference cost) {
	p.ours, p.reference = append(p.ours, ours), append(p.reference, reference)
}

// ratio is the median of how many times the reference's wall time ours took.
func (p *pairs) ratio() float64 {
	ratios := make([]float64, len(p.ours))
	for i := range p.ours {
		ratios[i] = p.ours[i].wall.Seconds() / p.reference[i].wall.Seconds()
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2]
}

// limit is what a figure may be at 1000 tables; zero values are no limits. A
// ratio's limit holds for any size.
type limit struct {
	wall, cpu time.Duration
	memory    int64 // bytes
	ratio     float64
}

// verdict shows the limits, and says where a cost is over one.
func (l limit) verdict(c cost, ratio float64) string {
	var out []string
	say := func(over bool, format string, args ...any) {
		text := fmt.Sprintf(format, args...)
		if over {
			text += " OVER"
		}
		out = append(out, text)
	}
	if l.wall > 0 {
		say(c.wall > l.wall, "wall %.1f s", l.wall.Seconds())
	}
	if l.cpu > 0 {
		say(c.cpu > l.cpu, "CPU %.1f s", l.cpu.Seconds())
	}
	if l.memory > 0 {
		say(c.memory > l.memory, "%d MB", l.memory>>20)
	}
	if l.ratio > 0 {
		say(ratio > l.ratio, "ratio %.1f", l.ratio)
	}
	return strings.Join(out, ", ")
}

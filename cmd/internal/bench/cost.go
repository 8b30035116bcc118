package main

import (
	"fmt"
	"os"
	"slices"
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

func repeat(n int, run func() (cost, error)) ([]cost, error) {
	out := make([]cost, 0, n)
	for range n {
		c, err := run()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
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

// beside is a reference's time and how much longer ours took.
func beside(what string, reference, ours cost) string {
	return fmt.Sprintf("%s %.2f s, ratio %.2f", what, reference.wall.Seconds(), ours.wall.Seconds()/reference.wall.Seconds())
}

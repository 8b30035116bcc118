package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/postern-dev/postern/compiler/access"
)

// BenchmarkHardPairs compares pairs of nested conditions; cpu-ms is the mean of
// a pair and worst-ms that of the slowest one, both in CPU time.
func BenchmarkHardPairs(b *testing.B) {
	for _, atoms := range []int{hardAtoms, 100} {
		b.Run(fmt.Sprint(atoms), func(b *testing.B) {
			list := hardPrograms(b.Context(), atoms)
			if len(list) < 100 {
				b.Fatalf("only %d pairs compile", len(list))
			}
			least := make([]time.Duration, len(list))
			for b.Loop() {
				for i, p := range list {
					busy := cpuTime()
					if _, err := access.Compare(b.Context(), p.before, p.after, access.Options{}); err != nil {
						b.Fatal(err)
					}
					if used := cpuTime() - busy; least[i] == 0 || used < least[i] {
						least[i] = used
					}
				}
			}
			var total, worst time.Duration
			for _, d := range least {
				total += d
				worst = max(worst, d)
			}
			b.ReportMetric(1e3*total.Seconds()/float64(len(list)), "cpu-ms")
			b.ReportMetric(1e3*worst.Seconds(), "worst-ms")
		})
	}
}

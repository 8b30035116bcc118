package main

import (
	"sync"
	"testing"
)

// TestInParallel: no more than the limit at a time, each of them once.
func TestInParallel(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, 1, 3, 20} {
		bound := max(limit, 1)
		var mu sync.Mutex
		now, most := 0, 0
		done := make([]int, 12)
		together := make(chan struct{})
		inParallel(len(done), limit, func(i int) {
			mu.Lock()
			now++
			most = max(most, now)
			done[i]++
			if now == min(bound, len(done)) && i < bound {
				close(together) // as many as may are under way
			}
			mu.Unlock()
			<-together
			mu.Lock()
			now--
			mu.Unlock()
		})
		if most > bound {
			t.Errorf("%d at a time, %d were", limit, most)
		}
		for i, n := range done {
			if n != 1 {
				t.Errorf("limit %d: %d was done %d times", limit, i, n)
			}
		}
	}
}

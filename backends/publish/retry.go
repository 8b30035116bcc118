package publish

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// attempts is how often something is tried that fails for a reason which may
// pass; the waits between are firstWait and twice as long each.
const (
	attempts  = 4
	firstWait = 100 * time.Millisecond
)

// final is an error that trying again does not mend.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// retried does something until it succeeds, fails for good, or was tried often
// enough.
func retried[T any](ctx context.Context, do func() (T, error)) (T, error) {
	wait := firstWait
	for n := 1; ; n++ {
		out, err := do()
		var last final
		if err == nil || n == attempts || errors.As(err, &last) || errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil {
			return out, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return out, ctx.Err()
		case <-timer.C:
		}
		wait *= 2
	}
}

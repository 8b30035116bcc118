package access

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// CompareTables compares the tables one after the other in order of their
// addresses, or the other way round. Answers are remembered from one to the next
// unless each is asked about alone.
func CompareTables(ctx context.Context, before, after *model.Program, reversed, alone bool) []Diff {
	list := newComparer(before, after, Options{}).tables()
	if reversed {
		slices.Reverse(list)
	}
	var out []Diff
	c := newComparer(before, after, Options{})
	for _, p := range list {
		if alone {
			c = newComparer(before, after, Options{})
		}
		out = append(out, c.table(ctx, p))
	}
	if reversed {
		slices.Reverse(out)
	}
	return out
}

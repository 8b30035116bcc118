package lint

import (
	"cmp"
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// block is what one block of the source stands for: one rule, or one for each
// element of a for_each. Advice is on the block, so that it holds for all of
// them.
type block[T any] struct {
	span  source.Span
	label string
	of    []T
}

// blocks groups rules by their blocks, in order of place.
func blocks[T any](list []T, where func(T) (source.Span, string)) []block[T] {
	bySpan := map[source.Span]*block[T]{}
	for _, x := range list {
		span, label := where(x)
		b := bySpan[span]
		if b == nil {
			b = &block[T]{span: span, label: label}
			bySpan[span] = b
		}
		b.of = append(b.of, x)
	}
	out := slices.SortedFunc(maps.Values(bySpan), func(a, b *block[T]) int { return cmp.Or(a.span.Compare(b.span), cmp.Compare(a.label, b.label)) })
	values := make([]block[T], len(out))
	for i, b := range out {
		values[i] = *b
	}
	return values
}

func policyBlock(p *model.Policy) (source.Span, string) { return p.Span, "policy." + p.Label }

func guardBlock(g *model.Guard) (source.Span, string) { return g.Span, "guard." + g.Label }

func accountBlock(a *model.ServiceAccount) (source.Span, string) {
	return a.Span, "service_account." + a.Label
}

// descriptions finds blocks that say nothing of what they are for.
func (l *linter) descriptions() {
	undescribed(l, l.program.Policies, policyBlock, func(p *model.Policy) string { return p.Description }, "policy")
	undescribed(l, l.program.Guards, guardBlock, func(g *model.Guard) string { return g.Description }, "guard")
	undescribed(l, l.program.Accounts, accountBlock, func(a *model.ServiceAccount) string { return a.Description }, "service account")
}

func undescribed[T any](l *linter, list []T, where func(T) (source.Span, string), description func(T) string, what string) {
	for _, b := range blocks(list, where) {
		if !slices.ContainsFunc(b.of, func(x T) bool { return description(x) != "" }) {
			l.add(Finding{Rule: DescriptionMissing, Object: b.label, Span: b.span, Message: "The " + what + " has no description."})
		}
	}
}

package resolve

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/syntax"
)

// filters reads `filters`: the actions whose records a table gives as a
// condition for its database; `all` means all of them but create.
func (r *resolver) filters(t *model.Table, b *syntax.Table, round repeat) []*model.Filter {
	if b.Filters == nil {
		return nil
	}
	items, ok := r.actions(b.Filters, round)
	if ok && len(items) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(b.Filters), "The list of filters is empty", "Name an action, such as \"view\", or remove `filters`.")
		return nil
	}
	var out []*model.Filter
	for _, a := range r.allowed(items, t) {
		at := slices.IndexFunc(items, func(i item) bool { return i.text == string(a) })
		if at < 0 {
			at = slices.IndexFunc(items, func(i item) bool { return i.text == everyAction })
			if a == model.Create {
				continue
			}
		}
		if a == model.Create {
			r.diags.Fail(CodeAction, items[at].span, fmt.Sprintf("%s cannot filter by create", t.Address()),
				"A filter chooses among the records that there are, and a create makes a new one. Remove it from `filters`.")
			continue
		}
		out = append(out, &model.Filter{Action: a, Span: items[at].span})
	}
	return out
}

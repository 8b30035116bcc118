package access

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// whyTogether tells that no policy grants the edit by itself.
const whyTogether = "one subject's policies let the record be edited, another's accept the result"

// together compares the edits for which a user needs policies for two subjects
// at once: when and check add up separately.
func (c *cell) together(ctx context.Context, subjects []string) []Change {
	if c.action != model.Edit || len(subjects) < 2 {
		return nil
	}
	if c.sameContext && formulaKey(c.old.records(c.action, "")) == formulaKey(c.new.records(c.action, "")) {
		return nil
	}
	var out []Change
	gained, lost := c.mixed(c.new, subjects), c.mixed(c.old, subjects)
	if c.ask(ctx, &question{cell: c, gain: true, part: gained, whole: c.old.records(c.action, "")}).outcome == none &&
		c.ask(ctx, &question{cell: c, part: lost, whole: c.new.records(c.action, "")}).outcome == none {
		return nil
	}
	for _, s := range subjects {
		g := c.ask(ctx, &question{cell: c, via: s, gain: true, part: slices.Concat(c.accepts(c.new, s), gained), whole: c.old.records(c.action, "")})
		l := c.ask(ctx, &question{cell: c, via: s, part: slices.Concat(c.accepts(c.old, s), lost), whole: c.new.records(c.action, "")})
		if ch, differs := c.change(s, nil, g, l); differs {
			if ch.Reason == "" {
				ch.Reason = whyTogether
			}
			out = append(out, ch)
		}
	}
	return out
}

// mixed is the formula of edits that no subject is granted alone.
func (c *cell) mixed(s *side, subjects []string) allOf {
	out := allOf{s.records(c.action, "")}
	for _, name := range subjects {
		out = append(out, not{s.records(c.action, name)})
	}
	return out
}

// accepts is that a subject's policies accept the new record.
func (c *cell) accepts(s *side, subject string) allOf {
	if !s.ok {
		return allOf{never}
	}
	return allOf{s.holds(s.program.Granted(s.entry, s.table, c.action, true, subject), newRecord)}
}

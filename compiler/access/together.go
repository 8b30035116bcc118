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
	if c.alike() && c.forms.key(c.old.records(c.action, "")) == c.forms.key(c.new.records(c.action, "")) {
		return nil
	}
	var out []Change
	gained, lost := c.mixedNobody(ctx, true, subjects), c.mixedNobody(ctx, false, subjects)
	if gained && lost {
		return nil
	}
	for _, s := range subjects {
		var g, l answer
		part := func(of *side) formula { return slices.Concat(c.accepts(of, s), c.mixed(of, subjects)) }
		if !gained {
			g = c.reached(ctx, s, true, part)
		}
		if !lost {
			l = c.reached(ctx, s, false, part)
		}
		if ch, differs := c.change(s, nil, g, l); differs {
			if ch.Reason == "" {
				ch.Reason = whyTogether
			}
			out = append(out, ch)
		}
	}
	return out
}

// mixedNobody reports whether it is proven that nobody gains, or loses, an edit
// that no subject is granted alone.
func (c *cell) mixedNobody(ctx context.Context, gain bool, subjects []string) bool {
	return c.between(gain, func(c *cell) answer {
		if c.nobody(ctx, gain) {
			return answer{}
		}
		return c.ask(ctx, &question{cell: c, gain: gain, part: c.mixed(c.having(gain), subjects), whole: c.lacking(gain).records(c.action, "")})
	}).outcome == none
}

// mixed is the formula of edits that no subject is granted alone: none is both
// let edit the record and has the result accepted. What is asked of all of them
// need not be asked of each.
func (c *cell) mixed(s *side, subjects []string) allOf {
	out := allOf{s.records(c.action, "")}
	if s.live[c.action] != nil {
		return allOf{never} // the parts of what was found are all of it
	}
	if !s.ok {
		return out
	}
	for _, name := range subjects {
		out = append(out, not{allOf{s.granted(c.action, oldRecord, name), s.granted(c.action, newRecord, name)}})
	}
	return out
}

// accepts is that a subject's policies accept the new record.
func (c *cell) accepts(s *side, subject string) allOf {
	if !s.ok || s.live[c.action] != nil {
		return allOf{never}
	}
	return allOf{s.granted(c.action, newRecord, subject)}
}

package access

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// cell is one action on one table through one app, in both programs.
type cell struct {
	*comparer
	action   model.Action
	app      string
	address  string
	old, new *side
	forms    *forms
	// whether it is proven that nobody at all gains, or loses, a record; nil:
	// not asked yet
	settled map[bool]bool
}

// question asks for a request and records that one side allows through a
// subject, and the other does not allow at all.
type question struct {
	cell   *cell
	gain   bool   // the new side allows
	via    string // the subject
	column string
	seen   sight
	part   formula // what the allowing side grants through the subject
	whole  formula // what the other side allows
	within formula // for columns: the other side allows the record
	// check, where the question is none of two programs, confirms a witness.
	check func(*Witness) bool
}

// answer is how a question ended.
type answer struct {
	outcome outcome
	witness *Witness
	reason  string
}

type outcome int

const (
	none    outcome = iota // proven: there is nobody
	found                  // with a witness
	unknown                // with a reason
)

// compare compares what each subject is granted; same is the number of those
// for whom nothing differs.
func (c *cell) compare(ctx context.Context, subjects []string) (changes []Change, same int) {
	for _, s := range subjects {
		list := c.subject(ctx, s)
		if len(list) == 0 {
			same++
		}
		changes = append(changes, list...)
	}
	return append(changes, c.together(ctx, subjects)...), same
}

func (c *cell) subject(ctx context.Context, s string) []Change {
	var out []Change
	if ch, differs := c.rows(ctx, s); differs {
		out = append(out, ch)
	}
	return append(out, c.columns(ctx, s)...)
}

// rows compares which records a subject reaches.
func (c *cell) rows(ctx context.Context, s string) (Change, bool) {
	oldPart, newPart := c.old.records(c.action, s), c.new.records(c.action, s)
	if c.alike() && c.forms.key(oldPart) == c.forms.key(newPart) {
		return Change{}, false
	}
	part := func(of *side) formula { return of.records(c.action, s) }
	return c.change(s, nil, c.reached(ctx, s, true, part), c.reached(ctx, s, false, part))
}

// reached asks for records that one side grants through a subject, and the other
// one does not allow.
func (c *cell) reached(ctx context.Context, s string, gain bool, part func(having *side) formula) answer {
	return c.between(gain, func(c *cell) answer {
		of := part(c.having(gain))
		if impossible(of) || c.nobody(ctx, gain) {
			return answer{}
		}
		return c.ask(ctx, &question{cell: c, via: s, gain: gain, part: of, whole: c.lacking(gain).records(c.action, "")})
	})
}

// nobody reports whether it is proven that nobody gains, or loses, a record
// through any subject: one question then answers those of all of them.
func (c *cell) nobody(ctx context.Context, gain bool) bool {
	is, asked := c.settled[gain]
	if !asked {
		q := &question{cell: c, gain: gain, part: c.having(gain).records(c.action, ""), whole: c.lacking(gain).records(c.action, "")}
		is = c.ask(ctx, q).outcome == none
		if c.settled == nil {
			c.settled = map[bool]bool{}
		}
		c.settled[gain] = is
	}
	return is
}

// alike reports whether the same form means the same on both sides: users and
// where their attributes come from are the same.
func (c *cell) alike() bool { return c.sameContext && c.old.origins == c.new.origins }

// having is the side that allows what is gained, or lost; lacking the other.
func (c *cell) having(gain bool) *side {
	if gain {
		return c.new
	}
	return c.old
}

func (c *cell) lacking(gain bool) *side { return c.having(!gain) }

// change puts two answers together; false when nothing differs.
func (c *cell) change(subject string, columns []string, gained, lost answer) (Change, bool) {
	ch := Change{
		Subject: subject, Action: c.action, Table: c.address, Columns: columns,
		Gained: gained.witness, Lost: lost.witness,
	}
	switch {
	case gained.outcome == none && lost.outcome == none:
		return ch, false
	case gained.outcome == unknown || lost.outcome == unknown:
		ch.Verdict = Undecided
		ch.Reason = gained.reason
		if ch.Reason == "" {
			ch.Reason = lost.reason
		}
	case gained.outcome == found && lost.outcome == found:
		ch.Verdict = Both
	case gained.outcome == found:
		ch.Verdict = Wider
	default:
		ch.Verdict = Narrower
	}
	if gained.outcome != none {
		ch.Spans = spans(c.new, c.old, c.action, subject)
		ch.Removed = onlyOn(c.old, c.new, c.action, limits)
	}
	if lost.outcome != none {
		ch.Spans = append(ch.Spans, spans(c.old, c.new, c.action, subject)...)
		grants := func(t *model.Table) []Rule { return grants(t, c.action, subject) }
		ch.Removed = append(ch.Removed, onlyOn(c.old, c.new, c.action, grants)...)
		ch.Added = onlyOn(c.new, c.old, c.action, limits)
	}
	return ch, true
}

// columns compares which columns a subject sees, or may set, of records that
// both programs let it reach.
func (c *cell) columns(ctx context.Context, s string) []Change {
	if c.action != model.View && c.action != model.Edit && c.action != model.Create {
		return nil
	}
	var out []Change
	answers := map[string][2]answer{} // by the form of the question: columns are often alike
	for _, name := range c.columnNames() {
		if c.old.full(c.action, name) && c.new.full(c.action, name) {
			continue // what differs in it differs in the records
		}
		kinds := []sight{{""}}
		if c.action == model.View {
			kinds = sights(name, c.old, c.new)
		}
		var gained, lost answer
		for _, seen := range kinds {
			a := c.column(ctx, s, name, seen, answers)
			gained, lost = worse(gained, a[0]), worse(lost, a[1])
		}
		ch, differs := c.change(s, []string{name}, gained, lost)
		if !differs {
			continue
		}
		i := slices.IndexFunc(out, func(o Change) bool { return o.Verdict == ch.Verdict && o.Reason == ch.Reason })
		if i < 0 {
			out = append(out, ch)
			continue
		}
		out[i].Columns = append(out[i].Columns, name)
	}
	return out
}

func worse(a, b answer) answer {
	if b.outcome > a.outcome {
		return b
	}
	return a
}

// column asks about one column, or takes the answer of one that is alike.
func (c *cell) column(ctx context.Context, s, name string, seen sight, answers map[string][2]answer) [2]answer {
	oldPart, newPart := c.old.column(c.action, name, seen, s), c.new.column(c.action, name, seen, s)
	oldKey, newKey := c.forms.key(oldPart), c.forms.key(newPart)
	if c.alike() && oldKey == newKey {
		return [2]answer{}
	}
	oldAll, newAll := c.old.column(c.action, name, seen, ""), c.new.column(c.action, name, seen, "")
	key := oldKey + "\x00" + newKey + "\x00" + c.forms.key(oldAll) + "\x00" + c.forms.key(newAll)
	if a, ok := answers[key]; ok {
		return a
	}
	ask := func(gain bool) answer {
		return c.between(gain, func(c *cell) answer {
			has, lacks := c.having(gain), c.lacking(gain)
			return c.ask(ctx, &question{
				cell: c, via: s, gain: gain, column: name, seen: seen, part: has.column(c.action, name, seen, s),
				whole: lacks.column(c.action, name, seen, ""), within: lacks.records(c.action, ""),
			})
		})
	}
	a := [2]answer{ask(true), ask(false)}
	answers[key] = a
	return a
}

// columnNames lists the columns of both sides' tables.
func (c *cell) columnNames() []string {
	var out []string
	for _, s := range []*side{c.old, c.new} {
		if !s.ok {
			continue
		}
		for _, col := range s.table.Columns {
			if !slices.Contains(out, col.Name) {
				out = append(out, col.Name)
			}
		}
	}
	return out
}

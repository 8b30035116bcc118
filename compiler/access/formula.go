package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// which tells the two records of a write apart.
type which int

const (
	oldRecord which = iota // as it stands
	newRecord              // as a write makes it
)

// formula is a two-valued question over the conditions of one or two programs,
// with negation.
//
//sumtype:decl
type formula interface{ formula() }

type (
	// holds is satisfied when a program's condition is, of a record.
	holds struct {
		side *side
		at   which
		cond model.Cond
	}
	allOf []formula
	anyOf []formula
	not   struct{ of formula }
)

func (*holds) formula() {}
func (allOf) formula()  {}
func (anyOf) formula()  {}
func (not) formula()    {}

var (
	always = allOf{}
	never  = anyOf{}
)

// side is one program seen through one way into the datasource of a table. A
// program without the table, or without that way, allows nothing.
type side struct {
	program *model.Program
	table   *model.Table
	entry   model.Entry
	ok      bool
	origins string                // where its datasource reads attributes, see origins
	made    map[string]formula    // by what they are about
	conds   map[string]model.Cond // likewise
	live    map[model.Action]*liveSide
}

// once is the condition of that name, made once: what is the same to the eye is
// then the same in memory, and looked at once.
func (s *side) once(name string, of func() model.Cond) model.Cond {
	c, ok := s.conds[name]
	if !ok {
		c = of()
		if s.conds == nil {
			s.conds = map[string]model.Cond{}
		}
		s.conds[name] = c
	}
	return c
}

// entrance is what the way in and the guards ask, of one of a write's records.
func (s *side) entrance(at which) formula {
	return s.holds(s.once("entrance", func() model.Cond { return s.program.Entrance(s.entry, s.table) }), at)
}

// granted is what policies for a subject ("" is any) ask for an action, of one
// of a write's records; of the new one, their checks.
func (s *side) granted(a model.Action, at which, subject string) formula {
	check := at == newRecord && a != model.View
	name := fmt.Sprintf("%s %t %s", a, check, subject)
	return s.holds(s.once(name, func() model.Cond { return s.program.Granted(s.entry, s.table, a, check, subject) }), at)
}

func (s *side) holds(c model.Cond, at which) formula {
	if _, yes := c.(model.True); yes {
		return always
	}
	if _, no := c.(model.False); no {
		return never
	}
	return &holds{s, at, c}
}

// records is the formula that allows an action on a record, as far as it is
// granted to a subject ("" is to anybody).
func (s *side) records(a model.Action, subject string) formula {
	key := string(a) + "\x00" + subject
	f, ok := s.made[key]
	if !ok {
		f = s.makeRecords(a, subject)
		if s.made == nil {
			s.made = map[string]formula{}
		}
		s.made[key] = f
	}
	return f
}

func (s *side) makeRecords(a model.Action, subject string) formula {
	if l := s.live[a]; l != nil {
		return l.records(s, subject)
	}
	if !s.ok || !s.table.HasAction(a) {
		return never
	}
	switch a {
	case model.Create:
		return allOf{s.entrance(newRecord), s.granted(a, newRecord, subject)}
	case model.Edit:
		return allOf{
			s.entrance(oldRecord), s.granted(a, oldRecord, subject), s.granted(model.View, oldRecord, ""),
			s.entrance(newRecord), s.granted(a, newRecord, subject), s.granted(model.View, newRecord, ""),
		}
	case model.Delete:
		return allOf{s.entrance(oldRecord), s.granted(a, oldRecord, subject), s.granted(model.View, oldRecord, "")}
	default:
		return allOf{s.entrance(oldRecord), s.granted(a, oldRecord, subject)}
	}
}

// sight is how much of a column is asked about.
type sight struct {
	// mask is the kind of mask through which at least that much is seen; "" is
	// any, rawSight is none.
	mask string
}

const rawSight = "raw"

// column is the formula that lets a column of a record be seen (view) or set
// (create, edit), as far as it is granted to a subject.
func (s *side) column(a model.Action, name string, seen sight, subject string) formula {
	if l := s.live[a]; l != nil {
		return l.column(s, name, seen, subject)
	}
	if !s.ok {
		return never
	}
	c := s.table.Column(name)
	if c == nil {
		return never
	}
	switch a {
	case model.View:
		return allOf{
			s.entrance(oldRecord),
			s.holds(s.program.Shown(s.entry, s.table, c, subject), oldRecord),
			s.unmasked(c, seen),
		}
	case model.Edit:
		// Whoever lets the record be written, the subject's policies list the
		// column: the evaluator asks the two apart.
		return allOf{
			s.records(a, ""),
			s.holds(s.program.Listed(s.entry, s.table, a, c, subject), oldRecord),
			s.holds(s.program.Shown(s.entry, s.table, c, ""), oldRecord),
			s.unmasked(c, sight{rawSight}),
		}
	case model.Create:
		return allOf{
			s.records(a, ""),
			s.holds(s.program.Listed(s.entry, s.table, a, c, subject), newRecord),
			s.unmasked(c, sight{rawSight}),
		}
	default:
		return never
	}
}

// full reports whether a column comes with every record that the action
// reaches: all policies list it, and no mask is on it.
func (s *side) full(a model.Action, name string) bool {
	if l := s.live[a]; l != nil {
		return l.full(name)
	}
	if !s.ok {
		return true // there are no records
	}
	c := s.table.Column(name)
	if c == nil || len(s.table.ColumnMasks(c)) > 0 {
		return false
	}
	for _, t := range s.table.Policies {
		asked := t.Allows(a) || a == model.Edit && t.Allows(model.View)
		if asked && !slices.Contains(t.Columns, c) {
			return false
		}
	}
	return true
}

// unmasked is the formula that no mask hides more of a column than is asked for.
func (s *side) unmasked(c *model.Column, seen sight) formula {
	if seen.mask == "" {
		return always
	}
	var arms anyOf
	var exempt allOf
	for _, m := range s.table.ColumnMasks(c) {
		except := s.holds(s.program.Exempt(s.entry, m), oldRecord)
		if maskKind(m.With) == seen.mask {
			arms = append(arms, append(allOf{not{except}}, exempt...))
		}
		exempt = append(exempt[:len(exempt):len(exempt)], except)
	}
	return append(arms, exempt)
}

// maskKind names what a mask lets be known of a value: "" for nothing.
func maskKind(fn model.MaskFn) string {
	switch f := fn.(type) {
	case model.MaskNull, *model.MaskConstant:
		return ""
	case model.MaskLast:
		return "last " + decimal(f.N)
	case model.MaskFirst:
		return "first " + decimal(f.N)
	case model.MaskHash:
		return "hash" // tells equal values from others
	}
	return ""
}

// sights lists how much of a column the masks on both sides tell apart.
func sights(name string, sides ...*side) []sight {
	out := []sight{{""}}
	masked := false
	seen := map[string]bool{"": true}
	for _, s := range sides {
		if !s.ok {
			continue
		}
		c := s.table.Column(name)
		if c == nil {
			continue
		}
		for _, m := range s.table.ColumnMasks(c) {
			masked = true
			if k := maskKind(m.With); !seen[k] {
				seen[k] = true
				out = append(out, sight{k})
			}
		}
	}
	if masked {
		out = append(out, sight{rawSight})
	}
	return out
}

func joined(names []string) string { return strings.Join(names, ", ") }

package engine

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// Many policies for the same users on one table mostly ask each for another
// value of a column: record.region == "EMEA". They are found by what the record
// holds there; the others are looked at one by one.

// bucket is the arms for one subject, when there are many.
type bucket struct {
	all         []*arm
	when, check *finder // by the conditions on records as they stand, and on new ones
}

// newBucket is nil where the arms are as well looked at one by one.
func newBucket(all []*arm) *bucket {
	if len(all) <= fewArms {
		return nil
	}
	b := &bucket{all: all}
	b.when = newFinder(all, func(a *arm) *document.Cond { return a.target.When })
	if b.check = b.when; slices.ContainsFunc(all, func(a *arm) bool { return a.target.Check != nil }) {
		b.check = newFinder(all, func(a *arm) *document.Cond {
			if a.target.Check != nil {
				return a.target.Check
			}
			return a.target.When
		})
	}
	if b.when.columns == nil && b.check.columns == nil {
		return nil
	}
	return b
}

// grants reports whether one of the arms grants the call's record.
func (b *bucket) grants(c *call, check bool) bool {
	f := b.when
	if check {
		f = b.check
	}
	if anyGrants(f.rest, c, check) {
		return true
	}
	for i := range f.columns {
		x := &f.columns[i]
		if anyGrants(x.find(c.rows[0].column(x.number)), c, check) {
			return true
		}
	}
	return false
}

func anyGrants(list []*arm, c *call, check bool) bool {
	for _, a := range list {
		if a.gate.through(c) && a.grants(c, check) {
			return true
		}
	}
	return false
}

// finder finds the arms whose condition may hold.
type finder struct {
	rest    []*arm
	columns []byValue
}

// byValue finds the arms whose condition needs that a column has a certain value.
type byValue struct {
	number int
	family family
	texts  map[string][]*arm
	uuids  map[uuid][]*arm
	wholes map[int64][]*arm
	all    []*arm
}

func (x *byValue) find(s *slot) []*arm {
	switch {
	case s.state != known:
		return nil // a comparison with what is unknown never holds
	case x.family == famText:
		return x.texts[s.text]
	case x.family == famUUID:
		return x.uuids[s.bytes]
	case s.more != nil || s.scale != 0: // perhaps a whole number, in another form
		return x.all
	}
	return x.wholes[s.int()]
}

func (x *byValue) add(a *arm, values []any) {
	x.all = append(x.all, a)
	for _, v := range values {
		switch v := v.(type) {
		case string:
			x.texts[v] = append(x.texts[v], a)
		case uuid:
			x.uuids[v] = append(x.uuids[v], a)
		case int64:
			x.wholes[v] = append(x.wholes[v], a)
		}
	}
}

func newFinder(all []*arm, of func(*arm) *document.Cond) *finder {
	type place struct {
		column int
		value  any
	}
	needs := make([]map[int][]any, len(all))
	count := map[place]int{} // arms that need the value in the column
	for i, a := range all {
		needs[i] = needed(a.schema, of(a))
		for column, values := range needs[i] {
			for _, v := range values {
				count[place{column, v}]++
			}
		}
	}
	out, columns := &finder{}, map[int]*byValue{}
	for i, a := range all {
		best, least := -1, fewArms+len(all)/4 // what saves less is not worth a lookup
		for column, values := range needs[i] {
			most := 0
			for _, v := range values {
				most = max(most, count[place{column, v}])
			}
			if most < least || most == least && best >= 0 && column < best {
				best, least = column, most
			}
		}
		if best < 0 {
			out.rest = append(out.rest, a)
			continue
		}
		x := columns[best]
		if x == nil {
			x = &byValue{
				number: best, family: familyOf(a.schema.columns[best].typ.Kind),
				texts: map[string][]*arm{}, uuids: map[uuid][]*arm{}, wholes: map[int64][]*arm{},
			}
			columns[best] = x
		}
		x.add(a, needs[i][best])
	}
	for _, number := range slices.Sorted(maps.Keys(columns)) {
		out.columns = append(out.columns, *columns[number])
	}
	return out
}

// needed is by number of column the values of which the record must have one,
// for the condition to hold; of columns that are not there nothing is known.
func needed(s *schema, x *document.Cond) map[int][]any {
	switch x.Op {
	case document.Equal:
		for _, side := range [][2]*document.Expr{{x.X, x.Y}, {x.Y, x.X}} {
			if out := oneOf(s, side[0], side[1]); out != nil {
				return out
			}
		}
	case document.In:
		return oneOf(s, x.X, x.Y)
	case document.And:
		out := map[int][]any{}
		for _, term := range x.Terms {
			for column, values := range needed(s, term) {
				if have, there := out[column]; !there || len(values) < len(have) {
					out[column] = values
				}
			}
		}
		return out
	case document.Or:
		out := needed(s, x.Terms[0])
		for _, term := range x.Terms[1:] {
			other := needed(s, term)
			for column := range out {
				values, there := other[column]
				if !there {
					delete(out, column)
					continue
				}
				out[column] = union(out[column], values)
			}
		}
		return out
	default: // says nothing of a single value
	}
	return nil
}

func union(a, b []any) []any {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// oneOf is that a column of the record is a constant, or one of a constant set;
// nil where it is something else.
func oneOf(s *schema, column, constant *document.Expr) map[int][]any {
	if column.Kind != document.ColumnExpr || column.Row != 0 || len(column.Path) > 0 || constant.Kind != document.Literal {
		return nil
	}
	number := s.columnNumber(column.Column)
	typ, texts := *constant.Type, []string{}
	switch {
	case number < 0:
		return nil
	case constant.Value.Text != nil:
		texts = append(texts, *constant.Value.Text)
	case constant.Value.Elems != nil && typ.Elem != nil:
		typ, texts = *typ.Elem, *constant.Value.Elems
	}
	fam := familyOf(typ.Kind)
	if fam != familyOf(s.columns[number].typ.Kind) || fam != famText && fam != famUUID && fam != famNum {
		return nil
	}
	values := []any{}
	for _, text := range texts {
		o, err := literal(typ, &document.Value{Text: &text})
		if err != nil {
			return nil
		}
		v := o.constant
		if n, ok := v.(num); ok {
			if n.big != nil || n.scale != 0 {
				return nil
			}
			v = n.i
		}
		values = append(values, v)
	}
	return map[int][]any{number: union(nil, values)}
}

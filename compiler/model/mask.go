package model

import (
	"slices"

	"github.com/postern-dev/postern/lang/source"
)

// Mask narrows columns that policies include: whoever is not surely among
// Unless sees With in their place and cannot set them. Name is its address:
// label, or label["key"] with for_each.
type Mask struct {
	Name        string
	Label, Key  string
	Description string
	Unless      []Subject // nil: nobody is exempt
	With        MaskFn
	On          []*MaskTarget
	Span        source.Span
}

// MaskTarget is a mask's part in one table; Columns is in the table's order.
type MaskTarget struct {
	Mask    *Mask
	Table   *Table
	Columns []*Column
	Span    source.Span
}

// MaskFn is what a mask shows for a stored value.
//
//sumtype:decl
type MaskFn interface{ maskFn() }

type (
	// MaskNull shows null.
	MaskNull struct{}
	// MaskConstant shows Value, of the columns' one type, whatever is stored,
	// null too. redact("…") is the constant of a string column.
	MaskConstant struct {
		Type  Type
		Value Value
	}
	// MaskLast shows Ellipsis and the last N characters (code points) of a
	// string column. A string of no more than N shows Ellipsis alone, and null,
	// or what is no string, shows null.
	MaskLast struct{ N int }
	// MaskFirst shows the first N characters and Ellipsis, by the same rules.
	MaskFirst struct{ N int }
	// MaskHash shows the HMAC-SHA256 of a string column's UTF-8 text, under the
	// project's hash key, as 64 small hexadecimal digits. Null, or what is no
	// string, shows null; so does everything where there is no key.
	MaskHash struct{}
)

func (MaskNull) maskFn()      {}
func (*MaskConstant) maskFn() {}
func (MaskLast) maskFn()      {}
func (MaskFirst) maskFn()     {}
func (MaskHash) maskFn()      {}

// Ellipsis stands for the characters that MaskLast and MaskFirst hide, however
// many they are.
const Ellipsis = "…"

// SameMask reports whether two functions show the same for every value.
func SameMask(a, b MaskFn) bool {
	x, okX := a.(*MaskConstant)
	y, okY := b.(*MaskConstant)
	if okX != okY {
		return false
	}
	if !okX {
		return a == b
	}
	return x.Type.Equal(y.Type) && sameValue(x.Value, y.Value)
}

func sameValue(a, b Value) bool {
	x, ok := a.(Set)
	if !ok {
		c, fits := CompareValues(a, b)
		return fits && c == 0
	}
	y, ok := b.(Set)
	return ok && slices.EqualFunc(x, y, sameValue)
}

// ColumnMasks lists the masks on a column: those that show null first, then
// by name. The first that applies to a request is the one that is seen;
// other than by null no two differ (the compiler refuses that).
func (t *Table) ColumnMasks(c *Column) []*Mask {
	var null, rest []*Mask
	for _, m := range t.Masks {
		if !slices.Contains(m.Columns, c) {
			continue
		}
		if _, ok := m.Mask.With.(MaskNull); ok {
			null = append(null, m.Mask)
			continue
		}
		rest = append(rest, m.Mask)
	}
	return append(null, rest...)
}

// Exempt is the condition under which a mask does not apply to a request
// through the entry: its user is surely among those that the mask leaves out.
func (p *Program) Exempt(e Entry, m *Mask) Cond { return p.specialize(e, p.Within(m.Unless)) }

// alwaysMasked reports whether some mask on the column applies to every request
// through the entry.
func (p *Program) alwaysMasked(e Entry, t *Table, c *Column) bool {
	return slices.ContainsFunc(t.ColumnMasks(c), func(m *Mask) bool {
		_, never := p.Exempt(e, m).(False)
		return never
	})
}

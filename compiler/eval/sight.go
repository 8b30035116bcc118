package eval

import (
	"encoding/json"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
)

// SightOf is what a decision shows of a record.
func SightOf(d Decision) model.Sight {
	out := model.Sight{Masked: d.Masked}
	for _, c := range d.Columns {
		if _, masked := d.Masked[c.Name]; !masked {
			out.Visible = append(out.Visible, c.Name)
		}
	}
	return out
}

// Seen is what a sight shows in each column of a record: the stored value, what
// a mask shows, and null where the column is hidden.
func Seen(t *model.Table, s model.Sight, doc model.Document) map[string]any {
	if s.Values != nil {
		return s.Values
	}
	out := map[string]any{}
	for _, c := range t.Columns {
		switch masked, ok := s.Masked[c.Name]; {
		case ok:
			out[c.Name] = masked
		case slices.Contains(s.Visible, c.Name):
			out[c.Name] = doc[c.Name]
		default:
			out[c.Name] = nil
		}
	}
	return out
}

// SameSeen reports whether two values of a column, in the form of Document, are
// the same to whoever sees them.
func SameSeen(c *model.Column, a, b any) bool {
	x, y := Parse(a, c.Type, c.Native), Parse(b, c.Type, c.Native)
	return sameJSON(readable(x, a, c), readable(y, b, c))
}

// readable is a value in one form, or what was given where it is none.
func readable(v model.Value, given any, c *model.Column) any {
	if _, unknown := v.(model.Unknown); unknown {
		return given
	}
	return model.JSON(v, c.Type, c.Native)
}

func sameJSON(a, b any) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y)
}

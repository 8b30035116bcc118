package eval

import (
	"github.com/postern-dev/postern/compiler/model"
)

// mask is the mask through which the request's user sees a column, or nil: a
// mask applies unless the user is surely among those it leaves out.
func (d *decider) mask(c *model.Column) *model.Mask {
	for _, m := range d.query.Table.ColumnMasks(c) {
		if d.env.among(m.Unless) != true {
			return m
		}
	}
	return nil
}

// masked are the values that the masked ones of the visible columns show of
// a record.
func (d *decider) masked(visible []*model.Column, doc model.Document) map[string]any {
	out := map[string]any{}
	for _, c := range visible {
		if m := d.mask(c); m != nil {
			out[c.Name] = MaskValue(m.With, c, doc[c.Name], d.query.HashKey)
		}
	}
	return out
}

// MaskValue is what a mask shows, in the form of Document, for the raw value
// of a column. Without a key a hash shows null.
func MaskValue(fn model.MaskFn, c *model.Column, raw any, key model.HashKey) any {
	switch f := fn.(type) {
	case model.MaskNull:
		return nil
	case *model.MaskConstant:
		return model.JSON(f.Value, c.Type, c.Native)
	case model.MaskLast:
		return kept(c, raw, f.N, func(s []rune) string { return model.Ellipsis + string(s[len(s)-f.N:]) })
	case model.MaskFirst:
		return kept(c, raw, f.N, func(s []rune) string { return string(s[:f.N]) + model.Ellipsis })
	case model.MaskHash:
		if s, ok := Parse(raw, c.Type, c.Native).(string); ok && key.Check() == nil {
			return key.Hash(s)
		}
	}
	return nil
}

// kept shows a part of a string that has more than n characters, and nothing
// of a shorter one, which the part would be all of.
func kept(c *model.Column, raw any, n int, part func([]rune) string) any {
	s, ok := Parse(raw, c.Type, c.Native).(string)
	if !ok {
		return nil
	}
	if r := []rune(s); len(r) > n {
		return part(r)
	}
	return model.Ellipsis
}

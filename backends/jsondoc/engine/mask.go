package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// mask is what one mask makes of one column.
type mask struct {
	unless []subject
	show   func(raw any) any
}

// ellipsis stands for the hidden characters of a string.
const ellipsis = "\u2026"

func (e *Engine) loadMasks(d *document.Document) error {
	for i := range d.Masks {
		m := &d.Masks[i]
		unless, err := e.subjects(m.Unless)
		if err != nil {
			return fmt.Errorf("mask %q: %w", m.Name, err)
		}
		for _, t := range m.Targets {
			for _, ref := range t.Tables {
				if err := e.loadMask(m, unless, ref, t.Columns); err != nil {
					return fmt.Errorf("mask %q: %w", m.Name, err)
				}
			}
		}
	}
	return nil
}

func (e *Engine) loadMask(m *document.Mask, unless []subject, ref document.TableRef, names []string) error {
	t := e.tables[ref]
	if t.masks == nil {
		t.masks = make([][]*mask, len(t.schema.columns))
	}
	for number := range t.schema.columns {
		c := &t.schema.source.Columns[number]
		if !slices.Contains(names, c.Name) {
			continue
		}
		show, err := e.maskFn(&m.With, c)
		if err != nil {
			return fmt.Errorf("column %q: %w", c.Name, err)
		}
		at := len(t.masks[number])
		if m.With.Fn == document.MaskNull {
			at = 0
		}
		t.masks[number] = slices.Insert(t.masks[number], at, &mask{unless: unless, show: show})
	}
	return nil
}

// maskFn is what a mask shows for the raw value of a column.
func (e *Engine) maskFn(w *document.MaskWith, c *document.Column) (func(any) any, error) {
	switch w.Fn {
	case document.MaskNull:
		return func(any) any { return nil }, nil
	case document.MaskConstant:
		v, err := rawValue(c.Type, w.Value)
		if s, ok := v.(string); ok && c.Type.Kind == document.Timestamp && localTime(c.Native) {
			v = strings.TrimSuffix(s, "Z")
		}
		return func(any) any { return v }, err
	case document.MaskLast:
		return kept(c, w.N, func(s []rune) string { return ellipsis + string(s[len(s)-w.N:]) }), nil
	case document.MaskFirst:
		return kept(c, w.N, func(s []rune) string { return string(s[:w.N]) + ellipsis }), nil
	case document.MaskHash:
		if e.hashKey == "" {
			return nil, ErrHashKey
		}
		return hashed(c, []byte(e.hashKey)), nil
	}
	return nil, fmt.Errorf("the way of masking %q is not known", w.Fn)
}

// kept shows a part of a string that has more than n characters, and nothing of
// a shorter one, which the part would be all of.
func kept(c *document.Column, n int, part func([]rune) string) func(any) any {
	decode := textDecoder(c.Type, c.Native)
	return func(raw any) any {
		s, ok := decode(raw)
		if !ok {
			return nil
		}
		if r := []rune(s); len(r) > n {
			return part(r)
		}
		return ellipsis
	}
}

// mask is the mask through which the session's user sees a column, or nil: a
// mask applies unless the user is surely among those it leaves out.
func (s *Session) mask(t *table, column int) *mask {
	if t.masks == nil {
		return nil
	}
	for _, m := range t.masks[column] {
		if among(m.unless, &s.call) != yes {
			return m
		}
	}
	return nil
}

// Project is a record as the user sees it: the columns that are shown, and in
// place of the masked ones what their masks show; masked names those. It is
// nil when the record may not be viewed. Related records are left out. Values
// are those of the record's own document.
func (s *Session) Project(datasource, tableName string, doc map[string]any) (seen map[string]any, masked []string) {
	names := s.Columns(datasource, tableName, doc)
	if names == nil {
		return nil, nil
	}
	t := s.table(datasource, tableName)
	seen = make(map[string]any, len(names))
	for number := range t.schema.columns {
		if !s.shown[number] {
			continue
		}
		name := t.schema.columns[number].name
		if m := s.mask(t, number); m != nil {
			seen[name] = m.show(doc[name])
			masked = append(masked, name)
			continue
		}
		seen[name] = doc[name]
	}
	return seen, masked
}

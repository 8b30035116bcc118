package jsondoc

import (
	"fmt"

	"github.com/postern-dev/postern/backends/jsondoc/document"
	"github.com/postern-dev/postern/compiler/model"
)

func masks(p *model.Program, d *document.Document) error {
	d.Masks = make([]document.Mask, 0, len(p.Masks))
	for _, m := range p.Masks {
		with, err := maskWith(m.With)
		if err != nil {
			return fmt.Errorf("mask %q: %w", m.Name, err)
		}
		out := document.Mask{
			Name: m.Name, Description: m.Description, Source: m.Span.String(), Unless: convert(m.Unless, subject),
			With: with, Targets: []document.MaskTarget{},
		}
		same := grouping[document.MaskTarget]{}
		for _, t := range m.On {
			if err := same.add(document.MaskTarget{Columns: convert(t.Columns, columnName)}, tableRef(t.Table)); err != nil {
				return err
			}
		}
		for _, x := range same.groups {
			x.target.Tables = x.tables()
			out.Targets = append(out.Targets, x.target)
		}
		d.Masks = append(d.Masks, out)
	}
	return nil
}

func maskWith(fn model.MaskFn) (document.MaskWith, error) {
	switch f := fn.(type) {
	case model.MaskNull:
		return document.MaskWith{Fn: document.MaskNull}, nil
	case *model.MaskConstant:
		v, err := valueOf(f.Type, f.Value)
		return document.MaskWith{Fn: document.MaskConstant, Value: v}, err
	case model.MaskLast:
		return document.MaskWith{Fn: document.MaskLast, N: f.N}, nil
	case model.MaskFirst:
		return document.MaskWith{Fn: document.MaskFirst, N: f.N}, nil
	case model.MaskHash:
		return document.MaskWith{Fn: document.MaskHash}, nil
	}
	return document.MaskWith{}, fmt.Errorf("a mask of type %T has no form in the document", fn)
}

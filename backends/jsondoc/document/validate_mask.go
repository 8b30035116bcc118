package document

import (
	"errors"
	"fmt"
)

func (v *validator) masks(d *Document) error {
	declared := newNames("mask")
	for _, m := range d.Masks {
		errs := []error{declared.declare(m.Name), v.subjects(m.Unless), m.With.validate()}
		for _, t := range m.Targets {
			errs = append(errs, v.maskTarget(t, m.With))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("mask %q: %w", m.Name, err)
		}
	}
	return nil
}

// maskTarget checks that the columns are there and can show what the mask
// makes of them.
func (v *validator) maskTarget(t MaskTarget, with MaskWith) error {
	if err := v.targets(t.Tables); err != nil {
		return err
	}
	if len(t.Columns) == 0 {
		return errors.New("a target names no column")
	}
	for _, ref := range t.Tables {
		for _, name := range t.Columns {
			c := v.tables[ref].column(name)
			if c == nil {
				return fmt.Errorf("there is no column %q", name)
			}
			if (with.Fn == MaskLast || with.Fn == MaskFirst || with.Fn == MaskHash) && c.Type.Kind != String {
				return fmt.Errorf("the column %q is no string", name)
			}
		}
	}
	return nil
}

// validate checks that what a mask shows is complete.
func (w MaskWith) validate() error {
	kept := w.Fn == MaskLast || w.Fn == MaskFirst
	constant := w.Fn == MaskConstant
	switch {
	case !kept && !constant && w.Fn != MaskNull && w.Fn != MaskHash:
		return fmt.Errorf("the way of masking %q is not known", w.Fn)
	case kept != (w.N > 0), w.N < 0, constant != (w.Value != nil):
		return fmt.Errorf("the way of masking %q is not complete", w.Fn)
	}
	return nil
}

package rego

import (
	"context"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
)

// maskData is one mask on one column: Fn is constant (value is shown,
// null too), last or first (n characters of a string are kept), or hash (the
// engine's environment holds the key).
type maskData struct {
	Mask   string   `json:"mask"`
	Unless []string `json:"unless"`
	Fn     string   `json:"fn"`
	Value  any      `json:"value"`
	N      int      `json:"n,omitempty"`
	// Padded says that the trailing spaces of the stored string do not count.
	Padded bool `json:"padded,omitempty"`
}

// HashKeyVariable names the variable of OPA's environment that holds the key of
// masks by hash(): the one that the project names, or POSTERN_HASH_KEY where
// the project keeps the key elsewhere.
func HashKeyVariable(p *model.Program) string {
	if p.HashKey != nil && p.HashKey.Kind == model.SecretEnv {
		return p.HashKey.Name
	}
	return "POSTERN_HASH_KEY"
}

func tableMasks(t *model.Table) (map[string][]maskData, error) {
	var out map[string][]maskData
	for _, c := range t.Columns {
		for _, m := range t.ColumnMasks(c) {
			if slices.Contains(m.Unless, model.Subject(model.Everyone{})) {
				continue // hides nothing
			}
			data, err := newMaskData(m, c)
			if err != nil {
				return nil, fmt.Errorf("mask %s: %w", m.Name, err)
			}
			if out == nil {
				out = map[string][]maskData{}
			}
			out[c.Name] = append(out[c.Name], data)
		}
	}
	return out, nil
}

func newMaskData(m *model.Mask, c *model.Column) (maskData, error) {
	out := maskData{Mask: m.Name, Unless: subjectNames(m.Unless)}
	switch f := m.With.(type) {
	case model.MaskNull:
		out.Fn = "constant"
	case *model.MaskConstant:
		out.Fn, out.Value = "constant", model.JSON(f.Value, c.Type, c.Native)
	case model.MaskLast:
		out.Fn, out.N = "last", f.N
	case model.MaskFirst:
		out.Fn, out.N = "first", f.N
	case model.MaskHash:
		out.Fn = "hash"
	default:
		return out, fmt.Errorf("a mask of type %T has no form", m.With)
	}
	fn, _ := reader(c.Type, c.Native)
	out.Padded = fn == "padded" && out.Fn != "constant"
	return out, nil
}

// See evaluates `columns` and `mask`: what the question's user sees of its old
// record.
func (d *Decider) See(ctx context.Context, q backend.Question) (model.Sight, error) {
	columns, err := d.Columns(ctx, q.Request, q.Table, q.Old)
	if err != nil {
		return model.Sight{}, err
	}
	in := requestInput(q.Request, q.Table, model.View)
	in.set("record", value(q.Old))
	got, err := eval(ctx, d.queries[q.Table.Datasource].mask, in)
	if err != nil {
		return model.Sight{}, err
	}
	masked, ok := got.(map[string]any)
	if !ok {
		return model.Sight{}, fmt.Errorf("mask of %s is %T and not an object", q.Table.Address(), got)
	}
	out := model.Sight{Masked: masked}
	for _, c := range q.Table.Columns {
		if _, is := masked[c.Name]; !is && slices.Contains(columns, c.Name) {
			out.Visible = append(out.Visible, c.Name)
		}
	}
	return out, nil
}

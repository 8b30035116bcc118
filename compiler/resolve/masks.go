package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// masks makes the masks, in order of name.
func (r *resolver) masks() {
	blocks, taken := map[string]source.Span{}, map[string]source.Span{}
	for _, b := range r.syntax.Masks {
		if !r.once("mask", &b.Header, blocks) {
			continue
		}
		for _, round := range r.repeats(&b.Header) {
			m := &model.Mask{
				Name: r.address(b.Label(0), round.key, round.keyed), Label: b.Label(0), Key: round.key,
				Description: r.description(b.Description, round.ctx), Span: b.Span,
			}
			if first, ok := taken[m.Name]; ok {
				r.duplicate(b.Span, first, fmt.Sprintf("A second mask with the address %s", m.Name))
				continue
			}
			taken[m.Name] = b.Span
			if r.mask(m, b, round) {
				r.program.Masks = append(r.program.Masks, m)
			}
		}
	}
	slices.SortFunc(r.program.Masks, func(a, b *model.Mask) int { return strings.Compare(a.Name, b.Name) })
}

// finishMasks hangs the masks on their tables.
func (r *resolver) finishMasks() {
	for _, m := range r.program.Masks {
		for _, t := range m.On {
			t.Table.Masks = append(t.Table.Masks, t)
		}
	}
	for _, t := range r.program.Tables {
		for _, c := range t.Columns {
			r.oneMask(t, c)
		}
	}
}

// mask reads one mask, and reports whether all of it is there.
func (r *resolver) mask(m *model.Mask, b *syntax.Mask, round repeat) bool {
	if b.Unless != nil {
		m.Unless, _ = r.subjects(b.Unless, round.ctx, true)
		if slices.Contains(m.Unless, model.Subject(model.Everyone{})) {
			r.diags.Fail(CodeMask, syntaxSpan(b.Unless), "The mask leaves everyone out, so it hides nothing",
				"Name groups, users, apps or access levels, or remove the mask.")
		}
	}
	if b.On == nil || b.Columns == nil || b.With == nil {
		return false
	}
	on, ok := r.tableRefs(b.On, round.ctx)
	if ok && len(on) == 0 {
		r.diags.Fail(CodeEmpty, syntaxSpan(b.On), "The mask is on no table", "Name tables or resources.")
	}
	var columns []*model.Column
	for _, at := range on {
		t := &model.MaskTarget{Mask: m, Table: at.table, Span: at.span, Columns: r.columns(b.Columns, "mask", at.table, round)}
		m.On = append(m.On, t)
		columns = append(columns, t.Columns...)
	}
	if len(columns) == 0 {
		return false
	}
	m.With, ok = r.maskFn(b.With, columns, round)
	return ok
}

// maskFn reads what a mask shows: null, a function of the stored string, or a
// constant.
func (r *resolver) maskFn(expr hcl.Expression, columns []*model.Column, round repeat) (model.MaskFn, bool) {
	if call, diags := hcl.ExprCall(bare(syntax.Native(expr))); !diags.HasErrors() {
		switch call.Name {
		case "last", "first", "redact", "hash":
			return r.maskCall(call, syntaxSpan(expr), columns, round)
		}
	}
	v, ok := r.public(expr, round.ctx)
	if !ok {
		return nil, false
	}
	if v.IsNull() {
		return model.MaskNull{}, true
	}
	if !r.oneType(columns, syntaxSpan(expr)) {
		return nil, false
	}
	return r.maskConstant(v, columns[0].Type, syntaxSpan(expr))
}

func (r *resolver) maskConstant(v cty.Value, t model.Type, span source.Span) (model.MaskFn, bool) {
	c, ok := r.constant(v, t, span)
	if !ok || c == nil {
		return nil, false
	}
	return &model.MaskConstant{Type: t, Value: c}, true
}

// oneType reports columns of different types behind one constant, which could
// not be a value of both.
func (r *resolver) oneType(columns []*model.Column, span source.Span) bool {
	for _, c := range columns[1:] {
		if !c.Type.Equal(columns[0].Type) {
			r.diags.Fail(CodeMask, span, fmt.Sprintf("One constant stands for columns of the types %s and %s", columns[0].Type, c.Type),
				fmt.Sprintf("Write a mask for %q and another for %q.", columns[0].Name, c.Name))
			return false
		}
	}
	return true
}

// maxKept is how many characters last() and first() may keep.
const maxKept = 1_000_000

// maskCall reads last(n), first(n) and redact("text").
func (r *resolver) maskCall(call *hcl.StaticCall, span source.Span, columns []*model.Column, round repeat) (model.MaskFn, bool) {
	for _, c := range columns {
		if c.Type.Kind != model.KindString {
			r.diags.Fail(CodeMask, span, fmt.Sprintf("%s() is for strings, and the column %q is of type %s", call.Name, c.Name, c.Type),
				"Use null, or a constant of that type.")
			return nil, false
		}
	}
	if call.Name == "hash" {
		return r.maskHash(call, span)
	}
	if len(call.Arguments) != 1 {
		r.diags.Fail(CodeMask, span, call.Name+"() takes one argument", "Write last(4), first(1) or redact(\"***\").")
		return nil, false
	}
	arg := call.Arguments[0]
	if call.Name == "redact" {
		v, ok := r.typed(arg, round.ctx, cty.String)
		if !ok {
			return nil, false
		}
		return r.maskConstant(v, model.String, syntaxSpan(arg))
	}
	v, ok := r.typed(arg, round.ctx, cty.Number)
	if !ok {
		return nil, false
	}
	n, exact := v.AsBigFloat().Int64()
	if exact != 0 || n < 1 || n > maxKept {
		r.diags.Fail(CodeMask, syntaxSpan(arg), fmt.Sprintf("%s() keeps a whole number of characters from 1 to %d", call.Name, maxKept),
			"Write redact(\"***\") to keep none.")
		return nil, false
	}
	if call.Name == "last" {
		return model.MaskLast{N: int(n)}, true
	}
	return model.MaskFirst{N: int(n)}, true
}

// maskHash reads hash(), which needs the project's key.
func (r *resolver) maskHash(call *hcl.StaticCall, span source.Span) (model.MaskFn, bool) {
	switch {
	case len(call.Arguments) != 0:
		r.diags.Fail(CodeMask, span, "hash() takes no argument", "Write hash(). Its key is the postern block's `hash_key`.")
		return nil, false
	case r.keylessHash():
		r.diags.Fail(CodeMask, span, "hash() needs a key, and the project states none",
			"Add `hash_key = env(\"NAME\")` to the postern block: whoever has the key can find out what was hashed by trying.")
		return nil, false
	}
	return model.MaskHash{}, true
}

// keylessHash reports whether the project states no key for hash().
func (r *resolver) keylessHash() bool {
	settings := r.modules[0].syntax.Settings
	return len(settings) > 0 && settings[0].HashKey == nil
}

// oneMask reports two masks on a column that show different things. Whoever
// neither leaves out would be shown either, so that no target could tell
// which; null shows nothing and goes before.
func (r *resolver) oneMask(t *model.Table, c *model.Column) {
	var first *model.Mask
	for _, m := range t.ColumnMasks(c) {
		if _, ok := m.With.(model.MaskNull); ok {
			continue
		}
		if first == nil {
			first = m
			continue
		}
		if !model.SameMask(first.With, m.With) {
			r.diags.Add(diag.Diagnostic{
				Code: CodeMaskConflict, Span: m.Span,
				Summary: fmt.Sprintf("The masks %q and %q show different values of the column %q of %s", first.Name, m.Name, c.Name, t.Address()),
				Detail:  "Both apply to whoever neither leaves out. Give both the same `with`, or let one of them show null, which goes before.",
				Related: []diag.Related{{Span: first.Span, Message: "the other mask"}},
			})
		}
	}
}

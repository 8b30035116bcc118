package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// sight reads what a test expects to be seen of a record.
func (t *testBuilder) sight(b *syntax.Sight, seen map[string]source.Span) {
	name := b.Label(0)
	if first, ok := seen[name]; ok {
		t.duplicate(b.Span, first, fmt.Sprintf("A second expectation for the columns of %q", name))
		return
	}
	seen[name] = b.Span
	f, ok := t.byName[name]
	if !ok {
		t.unknown(b.LabelSpan(0), "record", name, sortedKeys(t.byName), "")
		return
	}
	if f.Table == nil || b.Visible == nil {
		return
	}
	if !f.Table.HasAction(model.View) {
		t.diags.Fail(CodeTest, b.Span, f.Table.Address()+" has no action \"view\"", "Remove the block.")
		return
	}
	e := &model.ExpectSight{Fixture: f, Span: b.Span, Sight: model.Sight{Masked: t.maskedValues(b, f.Table)}}
	names, _ := t.texts(b.Visible, t.eval)
	for _, n := range names {
		_, masked := e.Sight.Masked[n.text]
		switch {
		case f.Table.Column(n.text) == nil:
			t.unknownColumn(f.Table, n)
		case masked:
			t.diags.Fail(CodeTest, n.span, fmt.Sprintf("The column %q is expected both as it is stored and masked", n.text),
				"Remove it from `visible` or from `masked`.")
		case slices.Contains(e.Sight.Visible, n.text):
			t.repeated(n.span, fmt.Sprintf("the column %q", n.text))
		default:
			e.Sight.Visible = append(e.Sight.Visible, n.text)
		}
	}
	index := func(name string) int {
		return slices.IndexFunc(f.Table.Columns, func(c *model.Column) bool { return c.Name == name })
	}
	slices.SortFunc(e.Sight.Visible, func(a, b string) int {
		if i, j := index(a), index(b); i != j {
			return i - j
		}
		return strings.Compare(a, b)
	})
	t.test.Sights = append(t.test.Sights, e)
}

// maskedValues are the values that masked columns show; null is one as well.
func (t *testBuilder) maskedValues(b *syntax.Sight, table *model.Table) map[string]any {
	out := map[string]any{}
	if b.Masked == nil {
		return out
	}
	ctx := t.eval.NewChild()
	ctx.Functions = map[string]function.Function{"hash": testHash()}
	fields, _ := t.fields(b.Masked, ctx)
	for _, f := range fields {
		c := table.Column(f.text)
		if c == nil {
			t.unknownColumn(table, f.item)
			continue
		}
		if len(table.ColumnMasks(c)) == 0 {
			t.diags.Fail(CodeTest, f.span, fmt.Sprintf("No mask is on the column %q", c.Name), "Move it to `visible`, or remove it.")
			continue
		}
		if v, ok := t.constant(f.value, c.Type, f.valueSpan); ok {
			out[c.Name] = model.JSON(v, c.Type, c.Native)
		}
	}
	return out
}

// testHash is hash("text") of an expectation: what hash() shows of the text
// under the key of all tests.
func testHash() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(model.TestHashKey.Hash(args[0].AsString())), nil
		},
	})
}

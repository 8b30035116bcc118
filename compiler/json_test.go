package compiler_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// TestJSONIsTheSame writes the projects of all cases and examples in HCL's
// JSON syntax and holds that they mean the same.
func TestJSONIsTheSame(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"../testdata/compile/*.txtar", "../testdata/equivalence/*.txtar"} {
		for _, path := range cases(t, pattern) {
			t.Run(filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				_, set, in := readCase(t, path)
				sameInJSON(t, set, in)
			})
		}
	}
	for _, dir := range cases(t, "../examples/*/README.md") {
		t.Run(filepath.Base(filepath.Dir(dir)), func(t *testing.T) {
			t.Parallel()
			set, err := source.FromDir(filepath.Dir(dir))
			if err != nil {
				t.Fatal(err)
			}
			sameInJSON(t, set, compiler.Inputs{})
		})
	}
}

func sameInJSON(t *testing.T, set *source.Set, in compiler.Inputs) {
	t.Helper()
	converted := &source.Set{}
	for _, f := range set.Files {
		if strings.HasSuffix(f.Name, ".hcl") && !strings.HasSuffix(f.Name, "ignored.test.hcl") {
			f = inJSON(t, f)
		}
		converted.Files = append(converted.Files, f)
	}
	first, tests, diags := compiler.CompileTests(t.Context(), set, in)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	second, again, diags := compiler.CompileTests(t.Context(), converted, in)
	if diags.HasErrors() {
		for _, f := range converted.Files {
			t.Logf("%s\n%s", f.Name, f.Data)
		}
		t.Fatal(diags)
	}
	if d := cmp.Diff(meaning(first, tests), meaning(second, again)); d != "" {
		t.Errorf("-HCL +JSON:\n%s", d)
	}
}

// meaning is all of a program and its tests but their places.
func meaning(p *model.Program, tests []*model.Test) string {
	d := &dump{}
	d.program(p)
	for _, t := range tests {
		d.test(t)
	}
	return d.String() + print.Project(p)
}

// inJSON writes a file of the native syntax in the JSON syntax.
func inJSON(t *testing.T, f source.File) source.File {
	t.Helper()
	file, diags := hclsyntax.ParseConfig(f.Data, f.Name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		t.Fatalf("%s has no native body", f.Name)
	}
	data, err := json.MarshalIndent(jsonBody(f.Data, body, ""), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return source.File{Name: f.Name + ".json", Data: data}
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for i, m := range o {
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	return []byte("{" + out.String() + "}"), nil
}

func jsonBody(src []byte, body *hclsyntax.Body, kind string) object {
	out := object{}
	attrs := slices.SortedFunc(maps.Values(body.Attributes), func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	blocks := map[string]bool{}
	for _, b := range body.Blocks {
		blocks[b.Type] = true
	}
	for _, a := range attrs {
		if blocks[a.Name] {
			continue // below, as the block's mode
		}
		out = append(out, member{a.Name, jsonValue(src, a.Expr, kind == "variable" && a.Name == "type")})
	}
	at := map[string]int{}
	for _, b := range body.Blocks {
		inner := jsonBody(src, b.Body, b.Type)
		if a, both := body.Attributes[b.Type]; both {
			inner = append(object{{"mode", jsonValue(src, a.Expr, false)}}, inner...)
		}
		var v any = inner
		for i := len(b.Labels) - 1; i >= 0; i-- {
			v = object{{b.Labels[i], v}}
		}
		i, ok := at[b.Type]
		if !ok {
			i, at[b.Type] = len(out), len(out)
			out = append(out, member{b.Type, []any{}})
		}
		list, _ := out[i].value.([]any)
		out[i].value = append(list, v)
	}
	return out
}

// jsonValue is an expression in JSON: lists and constants are JSON's own, and
// the rest stands in a string.
func jsonValue(src []byte, e hclsyntax.Expression, bare bool) any {
	if x, ok := e.(*hclsyntax.TupleConsExpr); ok {
		list := []any{}
		for _, el := range x.Exprs {
			list = append(list, jsonValue(src, el, bare))
		}
		return list
	}
	if lit, ok := e.(*hclsyntax.LiteralValueExpr); ok {
		return json.RawMessage(lit.Range().SliceBytes(src))
	}
	text := string(e.Range().SliceBytes(src))
	if bare {
		return text
	}
	return "${" + text + "}"
}

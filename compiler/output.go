package compiler

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// Output is a value that a project offers. A sensitive one has neither a value
// nor a text.
type Output struct {
	Name      string          `json:"name"`
	Sensitive bool            `json:"sensitive"`
	Value     json.RawMessage `json:"value,omitempty"`
	// Text is the value in HCL.
	Text string `json:"-"`
}

// Outputs compiles a project for its output values, in order of their names.
// References are lists of texts such as "group.sales".
func Outputs(ctx context.Context, set *source.Set, in Inputs) ([]Output, diag.List) {
	res, diags := run(ctx, set, in, false)
	if diags.HasErrors() {
		return nil, diags
	}
	var out []Output
	for name, v := range res.Outputs {
		o := Output{Name: name, Sensitive: v.ContainsMarked()}
		if !o.Sensitive {
			data, err := json.Marshal(ctyjson.SimpleJSONValue{Value: v})
			if err != nil {
				diags.Fail("value-invalid", source.Span{}, fmt.Sprintf("The output %q cannot be shown", name), err.Error())
				continue
			}
			o.Value, o.Text = data, strings.TrimSpace(string(hclwrite.Format(hclwrite.TokensForValue(v).Bytes())))
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b Output) int { return strings.Compare(a.Name, b.Name) })
	return out, diags
}

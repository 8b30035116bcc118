package syntax_test

import (
	"strings"
	"testing"

	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// TestDeepFiles holds that nesting is refused before it exhausts the stack.
func TestDeepFiles(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	for name, text := range map[string]string{
		"parentheses": "locals { a = " + strings.Repeat("(", n) + "1" + strings.Repeat(")", n) + " }\n",
		"lists":       "locals { a = " + strings.Repeat("[", n),
		"templates":   "locals { a = " + strings.Repeat(`"${`, n),
		"not":         "locals { a = " + strings.Repeat("!", n) + "true }\n",
		"minus":       "locals { a = " + strings.Repeat("- ", n) + "1 }\n",
		"conditions":  "locals { a = " + strings.Repeat("true ? 1 : ", n) + "1 }\n",
		"sum":         "locals { a = 1" + strings.Repeat(" + 1", n) + " }\n",
		"lines":       "locals { a = (1" + strings.Repeat("\n+ 1", n) + ") }\n",
		"or":          "locals { a = true" + strings.Repeat(" || true", n) + " }\n",
		"indexes":     "locals { a = b" + strings.Repeat("[0]", n) + " }\n",
		"names":       "locals { a = b" + strings.Repeat(".c", n) + " }\n",
		"splats":      "locals { a = b" + strings.Repeat("[*]", n) + " }\n",
		"blocks":      strings.Repeat("a {\n", n),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := &source.Set{Files: []source.File{{Name: "a.hcl", Data: []byte(text)}}}
			_, diags := syntax.Parse(set, syntax.Options{})
			if len(diags) != 1 || diags[0].Summary != "The file nests too deep" {
				t.Errorf("got %v", diags[:min(len(diags), 3)])
			}
		})
	}
}

// TestNestingThatIsFine holds that what people write is not refused.
func TestNestingThatIsFine(t *testing.T) {
	t.Parallel()
	uuids := "b = [" + strings.Repeat(`"7b0e1f2a-0000-4000-8000-000000000001", `, 2000) + "]\n"
	long := "locals { a = 1" + strings.Repeat(" + 1", 15_000) + " }\n"
	text := "locals { a = " + strings.Repeat("(", 500) + "1" + strings.Repeat(")", 500) + " }\n# " + strings.Repeat("-", 200) + "\n"
	set := &source.Set{Files: []source.File{{Name: "a.hcl", Data: []byte("locals {\n" + uuids + "}\n" + long + strings.Repeat(text, 20))}}}
	if m, diags := syntax.Parse(set, syntax.Options{}); len(diags) > 0 || len(m.Locals) != 22 {
		t.Errorf("got %v", diags)
	}
}

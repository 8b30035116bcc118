package compiler_test

import (
	"strings"
	"testing"
)

// TestLongExpressions holds that the longest expressions that are read can be
// worked with as well.
func TestLongExpressions(t *testing.T) {
	t.Parallel()
	long := "1" + strings.Repeat(" + 1", 19_000)
	for name, text := range map[string]string{
		"local":     "locals { a = " + long + " }\n",
		"for_each":  "datasource \"d\" {\n  type = \"service\"\n  for_each = toset([\"${" + long + "}\"])\n}\n",
		"condition": "datasource \"d\" { type = \"service\" }\nresource \"d\" \"r\" {\n  attribute \"n\" { type = int }\n}\npolicy \"p\" {\n  on = [resource.d.r]\n  to = [everyone]\n  allow = [view]\n  when = record.n == " + long + "\n}\n",
		"reference": "group \"g\" {}\ngroup \"h\" { member_of = group.g" + strings.Repeat(".x", 19_000) + " }\n",
		"indexes":   "locals {\n  b = []\n  a = local.b" + strings.Repeat("[0]", 19_000) + "\n}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, diags := compileText(t, text)
			if refused := name != "local"; diags.HasErrors() != refused {
				t.Errorf("got %.300s", diags.Error())
			}
		})
	}
}

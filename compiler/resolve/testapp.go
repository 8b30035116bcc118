package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/syntax"
)

// onlyApp takes, for a test that names no app, the one app through which the
// datasources of its records are reached.
func (t *testBuilder) onlyApp(b *syntax.Test) {
	if b.App != nil {
		return
	}
	var apps []*model.App
	add := func(table *model.Table) {
		if table == nil {
			return
		}
		for _, a := range table.Datasource.Apps {
			if !slices.Contains(apps, a) {
				apps = append(apps, a)
			}
		}
	}
	for _, f := range t.test.Fixtures {
		add(f.Table)
	}
	for _, w := range t.test.Writes {
		add(w.Table)
	}
	switch len(apps) {
	case 0: // services are asked without an app
	case 1:
		t.test.App, t.test.Request.App = apps[0], apps[0].Name
	default:
		names := make([]string, len(apps))
		for i, a := range apps {
			names[i] = "app." + a.Name
		}
		slices.Sort(names)
		t.diags.Fail(CodeTest, b.Span, "The test does not say through which app its records are reached",
			fmt.Sprintf("Add `app = %s`; there are %s.", names[0], strings.Join(names, ", ")))
	}
}

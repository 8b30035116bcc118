package rego

import (
	"context"
	"path/filepath"
	"testing"
)

// Projects with data filters are formatted and pass strict checking and the
// linter's rules as all others do.
func TestFilterFiles(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("../../testdata/filters/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range cases {
		p, _ := compileFiles(t, archive(t, path)...)
		if diags := (Emitter{}).Audit(p); diags.HasErrors() {
			t.Fatal(diags.Error())
		}
		c, err := newContent(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		checkFormat(t, c)
		checkStrict(t, c)
	}
}

package rego

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/format"
)

// checkFormat requires every file to be as `opa fmt` would write it.
func checkFormat(t *testing.T, c *content) {
	t.Helper()
	for _, f := range c.files {
		want, err := format.Source(f.path, f.text)
		if err != nil {
			t.Fatalf("%s: %v\n%s", f.path, err, f.text)
		}
		if !bytes.Equal(want, f.text) {
			t.Errorf("%s is not formatted (-opa fmt +ours)\n%s", f.path, cmp.Diff(string(want), string(f.text)))
		}
	}
}

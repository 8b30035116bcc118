package compiler_test

import (
	"slices"
	"testing"

	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// compileText compiles one file, whose first line names the project.
func compileText(t *testing.T, text string) (*model.Program, diag.List) {
	t.Helper()
	set := &source.Set{Files: []source.File{{Name: "a.hcl", Data: []byte("postern { project = \"a\" }\n" + text)}}}
	return compiler.Compile(t.Context(), set, compiler.Inputs{})
}

func TestDynamicLimits(t *testing.T) {
	t.Parallel()
	p, diags := compileText(t, `
datasource "d" { type = "postgres" }
service_account "s" {
  datasource = datasource.d
  dynamic "limits" {
    for_each = [20]
    content {
      connections = limits.value
    }
  }
}
`)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if n := p.Accounts[0].Limits.Connections; n == nil || *n != 20 {
		t.Errorf("the account may have %v connections", n)
	}
}

// TestDynamicRefused pins that a dynamic block where none is unfolded is an
// error: dropped, a validation would never be asked.
func TestDynamicRefused(t *testing.T) {
	t.Parallel()
	_, diags := compileText(t, `
variable "v" {
  default = 1
  dynamic "validation" {
    for_each = [1]
    content {
      condition     = false
      error_message = "no"
    }
  }
}
`)
	if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == syntax.CodeUnknownBlock && d.Span.Start.Line == 5 }) {
		t.Errorf("got %s", diags)
	}
}

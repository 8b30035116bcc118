// Package compiler turns the files of a project into its model.
package compiler

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/resolve"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// Inputs are what a run is given besides the files.
type Inputs = resolve.Inputs

// Assignment is one -var or -var-file flag.
type Assignment = resolve.Assignment

// Compile compiles a project without its tests. The program is nil when the
// list, which is sorted, has errors.
func Compile(ctx context.Context, set *source.Set, in Inputs) (*model.Program, diag.List) {
	res, diags := run(ctx, set, in, false)
	if diags.HasErrors() {
		return nil, diags
	}
	return res.Program, diags
}

// Suite is what a project's *.test.hcl files say, in order of file and place.
type Suite struct {
	Tests   []*model.Test
	Asserts []*model.Assert
}

// CompileSuite compiles a project with its tests and asserts. The program is nil
// when the list has errors, and the suite is then empty.
func CompileSuite(ctx context.Context, set *source.Set, in Inputs) (*model.Program, Suite, diag.List) {
	res, diags := run(ctx, set, in, true)
	if diags.HasErrors() {
		return nil, Suite{}, diags
	}
	return res.Program, Suite{res.Tests, res.Asserts}, diags
}

// CompileTests is CompileSuite without the asserts.
func CompileTests(ctx context.Context, set *source.Set, in Inputs) (*model.Program, []*model.Test, diag.List) {
	p, suite, diags := CompileSuite(ctx, set, in)
	return p, suite.Tests, diags
}

func run(ctx context.Context, set *source.Set, in Inputs, tests bool) (*resolve.Result, diag.List) {
	module, diags := syntax.Parse(set, syntax.Options{Tests: tests})
	if slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == syntax.CodeInvalid }) {
		return nil, diags.Sorted() // a file that was not read would make every name in it unknown
	}
	res, more := resolve.Resolve(ctx, set, module, in)
	return res, append(diags, more...).Sorted()
}

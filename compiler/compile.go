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

// CompileTests compiles a project with its tests, in order of file and place.
// Both results are nil when the list has errors.
func CompileTests(ctx context.Context, set *source.Set, in Inputs) (*model.Program, []*model.Test, diag.List) {
	res, diags := run(ctx, set, in, true)
	if diags.HasErrors() {
		return nil, nil, diags
	}
	return res.Program, res.Tests, diags
}

func run(ctx context.Context, set *source.Set, in Inputs, tests bool) (*resolve.Result, diag.List) {
	module, diags := syntax.Parse(set, syntax.Options{Tests: tests})
	if slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == syntax.CodeInvalid }) {
		return nil, diags.Sorted() // a file that was not read would make every name in it unknown
	}
	res, more := resolve.Resolve(ctx, set, module, in)
	return res, append(diags, more...).Sorted()
}

package resolve

import (
	"context"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// Inputs are what a run is given besides the files.
type Inputs struct {
	// Env holds the environment; only POSTERN_VAR_name is looked at.
	Env map[string]string
	// Assignments are the -var and -var-file flags, in the order they stand.
	Assignments []Assignment
	// Version is the version that required_version is compared with; "" skips
	// the comparison (a build without a version).
	Version string
	// Now is the time of tests that state none; zero is 2026-01-01T00:00:00Z.
	Now time.Time
}

// Assignment is one -var (Name and Value) or one -var-file (File).
type Assignment struct {
	Name, Value string
	File        *source.File
}

// Result is what a project means.
type Result struct {
	Program *model.Program
	Tests   []*model.Test
	Outputs map[string]cty.Value
}

// Resolve runs all phases. The result is not to be used when the list has
// errors.
func Resolve(ctx context.Context, set *source.Set, m *syntax.Module, in Inputs) (*Result, diag.List) {
	r := &resolver{
		syntax:  m,
		in:      in,
		program: &model.Program{Revision: set.Revision},
		names:   newNames(),
		eval:    &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions()},
	}
	res := &Result{Program: r.program}
	steps := []func(){
		r.unsupported, r.settings,
		func() { r.variables(set) }, r.locals, func() { res.Outputs = r.outputs() },
		r.levels, r.groups, r.identity, r.users,
		r.datasources, r.tables, r.relations,
		r.accounts, r.apps,
		r.policies, r.guards, r.finish, r.check,
		func() { res.Tests = r.tests() },
	}
	for _, step := range steps {
		if err := ctx.Err(); err != nil {
			r.diags.Fail(CodeValue, source.Span{}, "The run was stopped", err.Error())
			break
		}
		step()
	}
	return res, r.diags
}

// resolver is the state that the phases hand on.
type resolver struct {
	syntax  *syntax.Module
	in      Inputs
	program *model.Program
	names   *names
	eval    *hcl.EvalContext // var, local, functions
	diags   diag.List
	// tableBlocks wait for their relations.
	tableBlocks []tableBlock
	// keyless is set when the identity has an error, so that what depends on
	// its key is not reported as well.
	keyless bool
}

// scope is what conditions on the table may speak of.
func (r *resolver) scope(t *model.Table, ctx *hcl.EvalContext) *condition.Scope {
	return &condition.Scope{
		Row:      &model.Row{Name: "record", Table: t},
		Identity: &r.program.Identity,
		Request:  r.program.Request,
		Groups:   r.names.groups,
		Levels:   r.names.levels,
		Eval:     ctx,
	}
}

// unsupported reports the blocks whose effect does not exist yet.
func (r *resolver) unsupported() {
	report := func(h *syntax.Header, instead string) {
		r.diags.Fail(CodeUnsupported, h.Span, "This version of Postern does not support "+h.Type+" blocks", instead)
	}
	for _, b := range r.syntax.Masks {
		report(&b.Header, "Remove the block. To hide the column, leave it out of the `columns` of the policies that grant view.")
	}
	for _, b := range r.syntax.Reports {
		report(&b.Header, "Remove the block, and let the report read the table itself through an app of its own.")
	}
	for _, b := range r.syntax.Notifies {
		report(&b.Header, "Remove the block, and notify from the pipeline that runs plan and apply.")
	}
	for _, b := range r.syntax.Modules {
		report(&b.Header, "Remove the block, and put the module's files into this folder.")
	}
}

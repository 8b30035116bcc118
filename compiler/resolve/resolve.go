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
	Asserts []*model.Assert
	// Outputs are the values that the project itself offers; a reference is its
	// text. Sensitive values are marked.
	Outputs map[string]cty.Value
}

// Resolve runs all phases. The result is not to be used when the list has
// errors.
func Resolve(ctx context.Context, set *source.Set, m *syntax.Module, in Inputs) (*Result, diag.List) {
	r := &resolver{
		shared: &shared{
			in:      in,
			program: &model.Program{Revision: set.Revision},
			loader:  newLoader(ctx, set),
			stored:  map[[3]string]*model.Table{},
			roles:   map[[2]string]*model.ServiceAccount{},
			keys:    map[string]*model.User{},
		},
		syntax: m,
		names:  newNames(),
		folder: set.Home(),
		eval:   &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: functions()},
	}
	r.modules = []*resolver{r}
	res := &Result{Program: r.program}
	steps := []func(){
		r.settings,
		func() { r.variables(set) }, r.constants, func() { r.outputs = r.outputValues() },
		r.levels, r.groups, r.identity, r.each((*resolver).users),
		r.each((*resolver).datasources), r.each((*resolver).aliases),
		r.each((*resolver).tables), r.each((*resolver).relations), r.each((*resolver).lookups),
		r.each((*resolver).accounts), r.each((*resolver).apps), r.connections,
		r.each((*resolver).policies), r.each((*resolver).guards), r.each((*resolver).masks), r.each((*resolver).reports), r.notifies, r.publishes,
		r.finish, r.check,
		r.checkPassed, r.unique,
		func() { res.Tests, res.Asserts, res.Outputs = r.tests(), r.asserts(), r.offered() },
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

// each runs a phase for the project and then for every module, those that
// hold others first.
func (r *resolver) each(phase func(*resolver)) func() {
	return func() {
		for _, m := range r.modules {
			phase(m)
		}
	}
}

// shared is what the project and its modules have in common.
type shared struct {
	in      Inputs
	program *model.Program
	loader  *loader
	modules []*resolver // the project first, then the modules, outer ones first
	diags   diag.List
	stored  map[[3]string]*model.Table // by datasource, schema and name in the database
	roles   map[[2]string]*model.ServiceAccount
	keys    map[string]*model.User // by what a request is matched with
	// keyless is set when the identity has an error, so that what depends on
	// its key is not reported as well.
	keyless bool
}

// resolver is the state that the phases hand on: of the project, or of one
// instance of a module.
type resolver struct {
	*shared
	syntax  *syntax.Module
	folder  *source.Folder
	parent  *resolver // nil for the project
	path    string    // before the names of its objects: "" or "module.", nested ones joined
	prefix  string    // before the names of its roles: "" or "module_"
	names   *names
	eval    *hcl.EvalContext // var, local, module, functions
	refs    map[string]*variable
	outputs map[string]cty.Value
	// identityBlocks wait for the tables of their datasources.
	identityBlocks []identityBlock
	// tableBlocks wait for their relations.
	tableBlocks []tableBlock
}

// address is the name of an object: its label and key, after the modules that
// it stands in.
func (r *resolver) address(label, key string, keyed bool) string {
	return r.path + address(label, key, keyed)
}

// scope is what conditions on the table may speak of.
func (r *resolver) scope(t *model.Table, ctx *hcl.EvalContext) *condition.Scope {
	return &condition.Scope{
		Row:      &model.Row{Name: "record", Table: t},
		Identity: &r.program.Identity,
		Request:  r.program.Request,
		Groups:   r.names.groups,
		Group:    func(e hcl.Expression) (*model.Group, bool) { return r.groupOf(e, ctx) },
		Declared: r.program.Groups,
		Levels:   r.names.levels,
		Eval:     ctx,
	}
}

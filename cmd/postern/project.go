package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// inputFlags are the flags of all commands that compile a project.
type inputFlags struct {
	vars     []string
	varFiles []string
	rev      string
}

func (f *inputFlags) add(cmd *cobra.Command) {
	f.addVars(cmd)
	cmd.Flags().StringVar(&f.rev, "rev", "", "read the project at git `REVISION` instead of from the folder")
}

// addVars adds the flags that set variables.
func (f *inputFlags) addVars(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.vars, "var", nil, "set a variable: `NAME=VALUE`; may be repeated")
	cmd.Flags().StringArrayVar(&f.varFiles, "var-file", nil, "set variables from `FILE`; may be repeated")
}

// project is a compiled project with the text it came from.
type project struct {
	set     *source.Set
	program *model.Program
	tests   []*model.Test
	asserts []*model.Assert
	// publications are planned by plans, and read with a saved plan.
	publications []*plan.Publication
	// wants is what the databases that were planned should hold, by datasource.
	wants map[string]*postgres.State
}

// load compiles the project and prints its diagnostics; errShown when there
// are errors.
func (s *session) load(ctx context.Context, f *inputFlags, withTests bool) (*project, error) {
	set, err := s.sources(ctx, f)
	if err != nil {
		return nil, err
	}
	in, err := s.inputs(f)
	if err != nil {
		return nil, err
	}
	p := &project{set: set}
	s.told.project = p
	var list diag.List
	if withTests {
		var suite compiler.Suite
		p.program, suite, list = compiler.CompileSuite(ctx, set, in)
		p.tests, p.asserts = suite.Tests, suite.Asserts
	} else {
		p.program, list = compiler.Compile(ctx, set, in)
	}
	return p, s.report(list, set)
}

// report prints diagnostics with their source; errShown when one is an error.
func (s *session) report(list diag.List, set *source.Set) error {
	for i := range list {
		list[i].Summary = sentence(list[i].Summary)
	}
	s.told.found = append(s.told.found, list...)
	if len(list) > 0 {
		to := s.output(s.err)
		if s.json && list.HasErrors() {
			to = s.output(s.out) // the command ends here: this is its result
		}
		if err := view.Diagnostics(to, list, set); err != nil {
			return err
		}
	}
	if list.HasErrors() {
		return errShown
	}
	return nil
}

func (s *session) sources(ctx context.Context, f *inputFlags) (*source.Set, error) {
	var set *source.Set
	var err error
	if f.rev != "" {
		set, err = s.fromGit(ctx, f.rev)
	} else if set, err = source.FromDir(s.dir); err == nil {
		set.Revision = source.Revision(s.dir)
	}
	if err != nil {
		return nil, err
	}
	if !holdsProject(set) {
		return nil, diag.Diagnostic{
			Code: CodeProjectEmpty, Severity: diag.Error,
			Summary: fmt.Sprintf("There is no project in %s", s.dir),
			Detail:  "A project is a folder of .hcl files with a postern block. Name its folder with -C.",
		}
	}
	return set, nil
}

// fromGit reads the project's folder as it was at a revision.
func (s *session) fromGit(ctx context.Context, rev string) (*source.Set, error) {
	sub, err := source.Subfolder(s.dir)
	if err != nil {
		return nil, err
	}
	return source.FromGit(ctx, s.dir, rev, sub)
}

func holdsProject(set *source.Set) bool {
	for _, f := range set.Files {
		if strings.HasSuffix(f.Name, ".hcl") || strings.HasSuffix(f.Name, ".hcl.json") {
			return true
		}
	}
	return false
}

// inputs reads what the flags and the environment set.
func (s *session) inputs(f *inputFlags) (compiler.Inputs, error) {
	in := compiler.Inputs{Env: map[string]string{}, Version: strings.TrimPrefix(version(), "v")}
	for _, kv := range s.environ() {
		if name, value, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(name, "POSTERN_VAR_") {
			in.Env[name] = value
		}
	}
	for _, name := range f.varFiles {
		data, err := os.ReadFile(filepath.Clean(name))
		if err != nil {
			return in, fmt.Errorf("reading the variables file: %w", err)
		}
		in.Assignments = append(in.Assignments, compiler.Assignment{File: &source.File{Name: name, Data: data}})
	}
	for _, kv := range f.vars {
		name, value, ok := strings.Cut(kv, "=")
		if !ok || name == "" {
			return in, fmt.Errorf("-var %q is not of the form NAME=VALUE", kv)
		}
		in.Assignments = append(in.Assignments, compiler.Assignment{Name: name, Value: value})
	}
	return in, nil
}

// results is where a command's result goes.
func (s *session) results() view.Output { return s.output(s.out) }

// diagnostics is where findings go: with the results when those are JSON, so
// that a program reads one stream, else to standard error.
func (s *session) diagnostics() view.Output {
	if s.json {
		return s.output(s.out)
	}
	return s.output(s.err)
}

func (s *session) output(w io.Writer) view.Output {
	return view.Output{W: w, JSON: s.json, Color: s.color(w), Width: s.width(w), Verbose: s.verbose}
}

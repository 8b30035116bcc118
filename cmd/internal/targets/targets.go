package targets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/testdb"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/diag"
)

// target is one row of the table.
type target struct {
	emitter backend.Emitter
	// engine starts the target's engine for a program; close ends it.
	engine func(context.Context, *model.Program) (engine testrun.Engine, end func() error, err error)
}

// table lists all targets, in the order in which they are shown.
func table() []target {
	return []target{
		{emitter: postgres.Emitter{}, engine: postgresEngine},
		{emitter: rego.Emitter{}, engine: regoEngine},
		{emitter: jsondoc.Emitter{}, engine: jsonEngine},
	}
}

// Names lists the targets.
func Names() []string {
	var out []string
	for _, t := range table() {
		out = append(out, t.emitter.Name())
	}
	return out
}

// Check refuses names that are no targets.
func Check(names []string) error {
	for _, n := range names {
		if !slices.Contains(Names(), n) {
			return fmt.Errorf("there is no target %q: the targets are %s", n, strings.Join(Names(), ", "))
		}
	}
	return nil
}

func chosen(names []string) []target {
	var out []target
	for _, t := range table() {
		if slices.Contains(names, t.emitter.Name()) {
			out = append(out, t)
		}
	}
	return out
}

// Audit lists what the named targets cannot express.
func Audit(p *model.Program, names []string) diag.List {
	var list diag.List
	for _, t := range chosen(names) {
		list = append(list, t.emitter.Audit(p)...)
	}
	return list.Sorted()
}

// Emit writes the artifacts of the named targets.
func Emit(ctx context.Context, p *model.Program, names []string) ([]backend.Artifact, error) {
	var out []backend.Artifact
	for _, t := range chosen(names) {
		artifacts, err := t.emitter.Emit(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", t.emitter.Name(), err)
		}
		out = append(out, artifacts...)
	}
	return out, nil
}

// Running are engines that wait for questions.
type Running struct {
	All  []testrun.Engine
	ends []func() error
}

// Engines starts the engines of the named targets.
func Engines(ctx context.Context, p *model.Program, names []string) (*Running, error) {
	r := &Running{}
	for _, t := range chosen(names) {
		e, end, err := t.engine(ctx, p)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("starting %s: %w", t.emitter.Name(), err), r.Close())
		}
		r.All = append(r.All, e)
		r.ends = append(r.ends, end)
	}
	return r, nil
}

// Close ends all engines.
func (r *Running) Close() error {
	var errs []error
	for _, end := range r.ends {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

func nothing() error { return nil }

func jsonEngine(ctx context.Context, p *model.Program) (testrun.Engine, func() error, error) {
	d, err := jsondoc.NewDecider(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return &documentEngine{name: "json", program: p, decider: d}, nothing, nil
}

func regoEngine(ctx context.Context, p *model.Program) (testrun.Engine, func() error, error) {
	d, err := rego.NewDecider(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return &documentEngine{name: "rego", program: p, decider: d}, nothing, nil
}

func postgresEngine(ctx context.Context, p *model.Program) (testrun.Engine, func() error, error) {
	db, err := testdb.Start(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return db, db.Close, nil
}

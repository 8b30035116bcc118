package targets

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/testdb"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/diag"
)

// Fleet starts the engines of program after program, for questions in bulk. It
// has one Postgres server, started with the first program that needs one. It is
// not safe for concurrent use.
type Fleet struct {
	names  []string
	server *throwaway.Server
	count  int // programs started; numbers their databases
}

// NewFleet makes a fleet of the named targets, or of those that the engine of that
// name needs.
func NewFleet(names []string) *Fleet {
	if slices.Contains(names, filterEngine) {
		names = append(slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s == filterEngine }), filterTargets...)
	}
	return &Fleet{names: names}
}

// Close ends the server.
func (f *Fleet) Close() error {
	if f.server == nil {
		return nil
	}
	return f.server.Stop()
}

// Crew is the engines of one program.
type Crew struct {
	All []verify.Engine
	// LeftOut says of the targets that cannot express the program why.
	LeftOut map[string]diag.List
	ends    []func() error
}

// Close ends the engines, but not the server.
func (e *Crew) Close() error {
	var errs []error
	for _, end := range e.ends {
		errs = append(errs, end())
	}
	return errors.Join(errs...)
}

// Start starts the engines of a program, leaving out those whose target cannot
// express it.
func (f *Fleet) Start(ctx context.Context, p *model.Program) (*Crew, error) {
	out := &Crew{LeftOut: map[string]diag.List{}}
	for _, t := range chosen(f.names) {
		name := t.emitter.Name()
		if list := t.emitter.Audit(p); list.HasErrors() {
			out.LeftOut[name] = list
			continue
		}
		e, end, err := f.engine(ctx, p, name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("starting %s: %w", name, err), out.Close())
		}
		out.All = append(out.All, e)
		out.ends = append(out.ends, end)
	}
	out.addFilters()
	return out, nil
}

// addFilters adds the engine that asks OPA for filters, and Postgres for what
// they find, where there are both.
func (e *Crew) addFilters() {
	filters := &filterBulk{}
	for _, x := range e.All {
		switch x := x.(type) {
		case *regoBulk:
			filters.decider = x.decider
		case *postgresBulk:
			filters.postgres = x
		}
	}
	if filters.decider != nil && filters.postgres != nil {
		e.All = append(e.All, filters)
	}
}

func (f *Fleet) engine(ctx context.Context, p *model.Program, name string) (verify.Engine, func() error, error) {
	switch name {
	case "postgres":
		e, err := f.postgres(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		return e, e.db.Close, nil
	case "rego":
		e, err := newRegoBulk(ctx, p)
		return e, nothing, err
	default:
		e, err := newJSONBulk(ctx, p)
		return e, nothing, err
	}
}

func (f *Fleet) postgres(ctx context.Context, p *model.Program) (*postgresBulk, error) {
	if f.server == nil {
		server, err := throwaway.Start(ctx, throwaway.Options{Settings: map[string]string{"max_locks_per_transaction": "1024"}})
		if err != nil {
			return nil, err
		}
		f.server = server
	}
	f.count++
	db, err := testdb.Open(ctx, f.server, p, fmt.Sprintf("program_%d", f.count))
	if err != nil {
		return nil, err
	}
	return &postgresBulk{db: db}, nil
}

// Starter is the fleet as what shrinking and cases start engines with.
func (f *Fleet) Starter() verify.Starter {
	return func(ctx context.Context, p *model.Program) ([]verify.Engine, func() error, error) {
		crew, err := f.Start(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		return crew.All, crew.Close, nil
	}
}

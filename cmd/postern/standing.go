package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/audit"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// Apply looks for critical findings on declared tables and accounts in the
// transaction that it is about to commit. They do not keep a plan from being
// applied: it may be the one that narrows, and what stood before is not its
// doing.

// wanting gives what a datasource's database should hold.
type wanting func() (*postgres.State, diag.List, error)

// want works that out while the plan runs, where the plan was not made by this
// command. The indexes are read first: the connection is not free later.
func (p *project) want(ctx context.Context, conn *pgx.Conn, ds *model.Datasource) (wanting, error) {
	if state := p.wants[ds.Name]; state != nil {
		return func() (*postgres.State, diag.List, error) { return state, nil, nil }, nil
	}
	indexes, err := postgres.ReadIndexes(ctx, conn, ds)
	if err != nil {
		return nil, err
	}
	var state *postgres.State
	var list diag.List
	done := make(chan struct{})
	go func() {
		defer close(done)
		state, list = postgres.DesiredWith(p.program, ds, postgres.DesiredOptions{Indexes: indexes})
	}()
	return func() (*postgres.State, diag.List, error) {
		select {
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		case <-done:
			return state, list, nil
		}
	}, nil
}

// looker is what apply does before it commits a plan: it leaves what stands in
// found.
func (p *project) looker(ctx context.Context, conn *pgx.Conn, ds *model.Datasource, found *diag.List) (func(context.Context, *pgx.Conn, *postgres.Live) error, error) {
	want, err := p.want(ctx, conn, ds)
	if err != nil {
		return nil, lookingIn(ds, err)
	}
	return func(ctx context.Context, conn *pgx.Conn, before *postgres.Live) error {
		state, list, err := want()
		if *found = list; err != nil || list.HasErrors() {
			return err // errors are of a saved plan whose project has gone on
		}
		stands, err := audit.StandingAfter(ctx, conn, state, before)
		*found = standing(ds, stands)
		return lookingIn(ds, err)
	}, nil
}

// unchangedStanding finds what stands in a database for which there was nothing to do.
func (s *session) unchangedStanding(ctx context.Context, p *project, pl *plan.Plan) (out diag.List, err error) {
	ds := find(p.program, pl.Datasource)
	if ds == nil {
		return nil, nil
	}
	conn, err := s.connect(ctx, ds)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	want, err := p.want(ctx, conn, ds)
	if err != nil {
		return nil, lookingIn(ds, err)
	}
	state, list, err := want()
	if err != nil || list.HasErrors() {
		return list, err
	}
	stands, err := audit.Standing(ctx, conn, state)
	return standing(ds, stands), lookingIn(ds, err)
}

func lookingIn(ds *model.Datasource, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("looking for findings in datasource.%s: %w", ds.Name, err)
}

// standing are findings as the errors that end an apply.
func standing(ds *model.Datasource, found []audit.Finding) diag.List {
	var out diag.List
	for _, f := range found {
		detail := f.Effect
		if len(f.Who) > 0 {
			detail += " By " + strings.Join(f.Who, ", ") + "."
		}
		if len(f.Fix) > 0 {
			detail += " End it with " + strings.Join(f.Fix, " ")
		}
		out.Fail(CodeApplyFindings, f.Span, fmt.Sprintf("A critical finding stands in datasource.%s: %s (%s)", ds.Name, f.Object, f.Rule),
			detail+" What was applied stays applied; --allow-findings takes it for a success.")
	}
	return out
}

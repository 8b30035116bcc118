package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// applyFlags say how plans are applied.
type applyFlags struct {
	actor                      string
	approvals                  []review.Approval // that let its changes pass
	dryRun, endSessions, allow bool
	parallelism                int
	access                     map[*plan.Plan]*review.Report // who gains and loses, where it is known
}

// inParallel calls f for 0 to n-1, at most limit at a time, and waits for all.
func inParallel(n, limit int, f func(i int)) {
	var all sync.WaitGroup
	free := make(chan struct{}, max(limit, 1))
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			f(i)
		})
	}
	all.Wait()
}

// fleet is several plans being applied.
type fleet struct {
	*session
	p     *project
	flags *applyFlags
	plans []*plan.Plan // none of them empty
	// progress goes to a terminal, where there is one.
	progress sync.Mutex
}

// apply runs the plans, side by side, and reports which are done, also when one
// fails: then those under way go on, and no further one is begun.
func (s *session) apply(ctx context.Context, p *project, plans []*plan.Plan, flags *applyFlags) error {
	fl := &fleet{session: s, p: p, flags: flags}
	for _, pl := range plans {
		if !pl.Empty() {
			fl.plans = append(fl.plans, pl)
		}
	}
	var results []view.AppliedPlan
	var found, stands diag.List
	var failure error
	for i, o := range fl.run(ctx) {
		if d, ok := asDiagnostic(o.err); ok {
			found.Add(d)
		} else if o.err != nil && failure == nil {
			failure = o.err
		}
		if o.result.Status == view.StatusApplied {
			d, err := withAccess(about(fl.plans[i], flags.actor, fl.plans[i].Changes), flags.access[fl.plans[i]])
			if err != nil && failure == nil {
				failure = err
			}
			s.happened(model.OnApplied, d)
		}
		results, stands = append(results, o.result), append(stands, o.standing...)
	}
	ready := len(found) == 0 && failure == nil && !flags.dryRun
	published, err := s.publish(ctx, p, ready)
	results = append(results, published...)
	if d, ok := asDiagnostic(err); ok {
		found.Add(d)
	} else if err != nil {
		failure = err
	}
	if len(found) == 0 && failure == nil {
		found = stands
		for _, pl := range plans {
			if !pl.Empty() || flags.allow || flags.dryRun || failure != nil {
				continue
			}
			stands, failure = s.unchangedStanding(ctx, p, pl)
			found = append(found, stands...)
		}
	}
	if len(found) > 0 && s.json {
		// One JSON value says both what was done and what failed.
		if err := view.Applied(s.results(), results, flags.approvals, found...); err != nil {
			return err
		}
		return errShown
	}
	if err := view.Applied(s.results(), results, flags.approvals); err != nil {
		return err
	}
	if len(found) > 0 {
		return s.report(found, p.set)
	}
	return failure
}

// outcome is what came of applying one plan.
type outcome struct {
	result   view.AppliedPlan
	standing diag.List // critical findings that stand now
	err      error
}

func (f *fleet) run(ctx context.Context) []outcome {
	out := make([]outcome, len(f.plans))
	var failed atomic.Bool
	inParallel(len(f.plans), f.flags.parallelism, func(i int) {
		pl := f.plans[i]
		o := &out[i]
		r := &o.result
		*r = view.AppliedPlan{Datasource: pl.Datasource, Database: pl.Database, Statements: len(pl.Statements), Status: view.StatusNotStarted}
		if failed.Load() || ctx.Err() != nil {
			return
		}
		if o.err = f.one(ctx, pl, o); o.err != nil {
			o.standing = nil // rolled back
			failed.Store(true)
			r.Status = view.StatusFailed
			return
		}
		r.Status = view.StatusApplied
		if f.flags.dryRun {
			r.Status = view.StatusRolledBack
		}
		r.Applied = !f.flags.dryRun
		r.Logins = pl.Switches()
	})
	f.tell("\r\x1b[K")
	return out
}

// applyOne applies one plan, and looks for no findings.
func (s *session) applyOne(ctx context.Context, p *project, pl *plan.Plan, actor string) error {
	f := &fleet{session: s, p: p, flags: &applyFlags{actor: actor, allow: true}, plans: []*plan.Plan{pl}}
	return f.one(ctx, pl, &outcome{})
}

// tell writes to a terminal, and nowhere else.
func (f *fleet) tell(text string) {
	if f.terminal(f.err) {
		_, _ = fmt.Fprint(f.err, text)
	}
}

// one applies one plan. Databases of one cluster share roles: what another plan
// of the fleet has done to them in the meantime is left out of this one.
func (f *fleet) one(ctx context.Context, pl *plan.Plan, o *outcome) error {
	ds, err := f.target(f.p, pl)
	if err != nil {
		return err
	}
	conn, err := f.connect(ctx, ds)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	opts := postgres.ApplyOptions{
		Secrets: f.secrets(f.p.program, ds), Actor: f.flags.actor, DryRun: f.flags.dryRun, EndSessions: f.flags.endSessions,
		Kept: func(kept []postgres.Session) { o.result.Sessions = kept },
	}
	opts.Progress = func(done, total int) {
		f.progress.Lock()
		defer f.progress.Unlock()
		f.tell(fmt.Sprintf("\r%s: %d of %d statements\x1b[K", ds.Name, done, total))
	}
	if !f.flags.allow && !f.flags.dryRun {
		if opts.Check, err = f.p.looker(ctx, conn, ds, &o.standing); err != nil {
			return err
		}
	}
	err = postgres.Apply(ctx, conn, pl, opts)
	for again := 0; again < len(f.plans) && len(f.plans) > 1 && errors.Is(err, postgres.ErrStale); again++ {
		rest := f.planOne(ctx, f.p, ds, pl.EndsLogins(), notAsked)
		if rest.err != nil || rest.diags.HasErrors() || !pl.Covers(rest.plan) {
			break
		}
		o.result.Statements = len(rest.plan.Statements)
		err = postgres.Apply(ctx, conn, rest.plan, opts)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return refused(ds, err)
}

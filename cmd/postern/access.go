package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/notify"
	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/source"
)

// access says who gains and who loses by a plan, against what was applied to
// its database last. It speaks of the plan's own program, whatever the project
// says by now.
func (s *session) access(ctx context.Context, conn *pgx.Conn, p *project, ds *model.Datasource, pl *plan.Plan) (*review.Report, error) {
	last, err := postgres.LastApplied(ctx, conn)
	if err != nil {
		return nil, err
	}
	r, err := s.compared(ctx, p, ds, pl, last)
	if err != nil {
		return nil, err
	}
	if r.Before.Kind == "" {
		r.Before = appliedSide(last)
	}
	r.Datasource, r.After = pl.Datasource, review.Side{Kind: review.Planned, Revision: pl.Revision}
	r.AddByHand(pl.Changes)
	return r, nil
}

func (s *session) compared(ctx context.Context, p *project, ds *model.Datasource, pl *plan.Plan, last *postgres.Applied) (*review.Report, error) {
	if pl.Empty() {
		return review.Compare(ctx, nil, nil) // nothing runs, so nothing changes
	}
	after := review.Restrict(p.program, ds)
	if print.Datasource(p.program, ds) != pl.Program {
		if after = s.recompile(ctx, pl.Program); after == nil {
			return review.NotComparable("This version cannot read what the plan leads to", pl.Program), ctx.Err()
		}
	}
	var before *model.Program
	switch {
	case last == nil:
	case last.Unreadable:
		return review.NotComparable("What was applied last is in postern.history, which this connection may not read", pl.Program), nil
	case last.Program == "":
		return review.NotComparable("postern.history does not hold what was applied last", pl.Program), nil
	default:
		if before = s.recompile(ctx, last.Program); before == nil {
			return review.NotComparable("This version cannot read what postern.history holds of what was applied last", pl.Program), ctx.Err()
		}
	}
	return review.Compare(ctx, before, after)
}

// recompile reads a program that was written down; nil when this version does
// not take it.
func (s *session) recompile(ctx context.Context, program string) *model.Program {
	set := &source.Set{Files: []source.File{{Name: "applied.hcl", Data: []byte(program)}}}
	p, diags := compiler.Compile(ctx, set, compiler.Inputs{})
	if diags.HasErrors() {
		return nil
	}
	return p
}

func appliedSide(last *postgres.Applied) review.Side {
	if last == nil {
		return review.Side{Kind: review.Nothing}
	}
	return review.Side{Kind: review.Applied, Revision: last.Revision, By: last.Actor, At: &last.At}
}

// maxEventAccess bounds what an event says of access, in bytes.
const maxEventAccess = 32 << 10

// tellPlanned keeps an event for each plan by which somebody gains access, and
// one for each by which somebody loses it, or may.
func (s *session) tellPlanned(plans []*plan.Plan, reports []*review.Report) error {
	for i, r := range reports {
		open := r.Counts.Both + r.Counts.Undecided
		for _, on := range []struct {
			occasion model.Occasion
			changes  int
		}{{model.OnWider, r.Counts.Wider + open}, {model.OnNarrower, r.Counts.Narrower + open}} {
			if on.changes == 0 {
				continue
			}
			d, err := withAccess(about(plans[i], "", plans[i].Changes), r)
			if err != nil {
				return err
			}
			s.happened(on.occasion, d)
		}
	}
	return nil
}

// withAccess adds who gains and who loses to an event; of a long report the
// counts alone, and nothing where it is not known.
func withAccess(d notify.Data, r *review.Report) (notify.Data, error) {
	if r == nil {
		return d, nil
	}
	var err error
	if d.Access, err = json.Marshal(r); err == nil && len(d.Access) > maxEventAccess {
		d.Access, err = json.Marshal(map[string]any{"before": r.Before, "after": r.After, "counts": r.Counts})
	}
	if err != nil {
		return d, fmt.Errorf("an event: %w", err)
	}
	return d, nil
}

// toldAccess reports whether some notify block is told of an occasion, whose
// event says who gains and who loses.
func toldAccess(p *project, on model.Occasion) bool {
	return on != "" && slices.ContainsFunc(p.program.Notifies, func(n *model.Notify) bool { return n.Wants(on) })
}

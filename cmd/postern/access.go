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

// access says who gains and who loses by a plan, against what its database lets
// be done now: what was applied last, and what was changed by hand since. It
// speaks of the plan's own program, whatever the project says by now.
func (s *session) access(ctx context.Context, conn *pgx.Conn, p *project, ds *model.Datasource, pl *plan.Plan) (*review.Report, error) {
	r, compared, err := s.compared(ctx, conn, p, ds, pl)
	if err != nil {
		return nil, err
	}
	r.Datasource, r.After = pl.Datasource, review.Side{Kind: review.Planned, Revision: pl.Revision}
	r.AddByHand(pl.Changes, compared)
	return r, nil
}

// compared compares what is before a plan with what it leads to; compared says
// of a change whether it is part of that.
func (s *session) compared(ctx context.Context, conn *pgx.Conn, p *project, ds *model.Datasource, pl *plan.Plan) (r *review.Report, compared func(plan.Change) bool, err error) {
	if pl.Empty() { // nothing runs, so nothing changes, and nothing is read for it
		last, err := postgres.LastApplied(ctx, conn)
		if err != nil {
			return nil, nil, err
		}
		if r, err = review.Compare(ctx, nil, nil); r != nil {
			r.Before = appliedSide(last)
		}
		return r, nil, err
	}
	last, err := s.lastApplied(ctx, conn, p, ds)
	if err != nil {
		return nil, nil, err
	}
	after := review.Restrict(p.program, ds)
	if print.Datasource(p.program, ds) != pl.Program {
		if after = s.recompile(ctx, pl.Program, review.Restrict(p.program, ds)); after == nil {
			return review.NotComparable("This version cannot read what the plan leads to", pl.Program), nil, ctx.Err()
		}
	}
	if last.why != "" {
		return review.NotComparable(last.why, pl.Program), nil, nil
	}
	if r, err = review.CompareLive(ctx, last.program, last.found, after); err != nil {
		return nil, nil, err
	}
	r.Before = last.side
	if last.program == nil {
		return r, nil, nil
	}
	return r, postgres.AboutRows(last.datasource), nil
}

// before is what a database lets be done.
type before struct {
	program    *model.Program    // that was applied last; nil: none was
	datasource *model.Datasource // of program
	found      []*model.LiveCell // what is otherwise than it says
	side       review.Side
	why        string // nothing of it is known
}

// lastApplied reads what was applied to a database last, and what of it was
// changed by hand.
func (s *session) lastApplied(ctx context.Context, conn *pgx.Conn, p *project, ds *model.Datasource) (before, error) {
	last, err := postgres.LastApplied(ctx, conn)
	if err != nil {
		return before{}, err
	}
	out := before{side: appliedSide(last)}
	switch {
	case last == nil:
		return out, nil
	case last.Unreadable:
		out.why = "What was applied last is in postern.history, which this connection may not read"
		return out, nil
	case last.Program == "":
		out.why = "postern.history does not hold what was applied last"
		return out, nil
	}
	out.program = s.recompile(ctx, last.Program, review.Restrict(p.program, ds))
	if out.program != nil {
		out.datasource = find(out.program, ds.Name)
	}
	if out.datasource == nil {
		out.why = "This version cannot read what postern.history holds of what was applied last"
		return out, ctx.Err()
	}
	out.found, err = postgres.ReadAccess(ctx, conn, out.program, out.datasource)
	out.side.ByHand = len(out.found) > 0
	return out, err
}

// drifted says who gained and who lost by what was changed by hand; nil where
// nothing was applied.
func (s *session) drifted(ctx context.Context, conn *pgx.Conn, p *project, ds *model.Datasource) (*review.Report, error) {
	last, err := s.lastApplied(ctx, conn, p, ds)
	if err != nil || last.side.Kind == review.Nothing {
		return nil, err
	}
	r := review.NotComparable(last.why, "")
	if last.why == "" {
		if r, err = review.Drifted(ctx, last.program, last.found); err != nil {
			return nil, err
		}
	}
	r.Datasource, r.Before, r.After = ds.Name, last.side, review.Side{Kind: review.Live}
	r.Before.ByHand = false
	return r, nil
}

// recompile reads a program that was written down, with the names that its
// objects have now; nil when this version does not take it.
func (s *session) recompile(ctx context.Context, program string, now *model.Program) *model.Program {
	set := &source.Set{Files: []source.File{{Name: "applied.hcl", Data: []byte(program)}}}
	p, diags := compiler.Compile(ctx, set, compiler.Inputs{})
	if diags.HasErrors() {
		return nil
	}
	print.Named(p, now)
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
func (s *session) tellPlanned(p *project, plans []*plan.Plan, reports []*review.Report) error {
	for i, r := range reports {
		open := r.Counts.Both + r.Counts.Undecided
		for _, on := range []struct {
			occasion model.Occasion
			changes  int
		}{{model.OnWider, r.Counts.Wider + open}, {model.OnNarrower, r.Counts.Narrower + open}} {
			if on.changes == 0 {
				continue
			}
			var d notify.Data
			if at := slices.IndexFunc(p.publications, func(pub *plan.Publication) bool { return pub.Publish == r.Publish }); at >= 0 {
				d = aboutPlace(p.publications[at])
			} else {
				d = about(plans[i], "", plans[i].Changes)
			}
			d, err := withAccess(d, r)
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

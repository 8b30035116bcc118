package main

import (
	"context"
	"slices"

	"github.com/postern-dev/postern/backends/notify"
	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/diag"
)

// publishedAccess says who gains and who loses by each publication that brings
// other rules or files, against what is published there now.
func (s *session) publishedAccess(ctx context.Context, p *project) ([]*review.Report, error) {
	var out []*review.Report
	for _, pub := range p.publications {
		if !slices.ContainsFunc(pub.Changes, func(c plan.Change) bool { return c.What().Object.Kind != "opa" && !c.What().Drift }) {
			continue
		}
		i := slices.IndexFunc(p.program.Publishes, func(b *model.Publish) bool { return b.Name == pub.Publish })
		if i < 0 {
			continue // of another project, which apply refuses
		}
		r, err := s.accessAt(ctx, p, p.program.Publishes[i])
		if err != nil {
			return nil, err
		}
		r.Publish, r.After = pub.Publish, review.Side{Kind: review.Planned, Revision: pub.Revision}
		out = append(out, r)
	}
	return out, nil
}

// accessAt compares what a place holds with the project. Engines there answer
// for all datasources, so all of the program counts.
func (s *session) accessAt(ctx context.Context, p *project, block *model.Publish) (*review.Report, error) {
	store, err := publish.Open(block, s.dir, s.read)
	if err != nil {
		return nil, unpublished(block, err)
	}
	live, err := publish.Live(ctx, store)
	if err != nil {
		return nil, unpublished(block, err)
	}
	var before *model.Program
	side := review.Side{Kind: review.Nothing}
	if live != nil && len(live.Files) > 0 {
		side = review.Side{Kind: review.Applied, Revision: live.Revision}
		text := publish.LiveProgram(ctx, store, live)
		if text == "" {
			return review.NotComparable("The place does not hold the "+publish.ProgramName+" that was published", print.Project(p.program)), ctx.Err()
		}
		if before = s.recompile(ctx, text, p.program); before == nil {
			return review.NotComparable("This version cannot read the "+publish.ProgramName+" that is published", print.Project(p.program)), ctx.Err()
		}
	}
	r, err := review.Compare(ctx, before, p.program)
	if err != nil {
		return nil, err
	}
	r.Before = side
	return r, nil
}

// aboutPlace is what an event says of a publication.
func aboutPlace(pub *plan.Publication) notify.Data {
	d := notify.Data{Revision: pub.Revision, Publish: pub.Publish}
	for _, c := range pub.Changes {
		d.Changes = append(d.Changes, notify.Change{Action: string(plan.ActionOf(c)), Object: c.What().Object.String()})
	}
	return d
}

// withPublished adds the reports of the publications to those of the plans.
func (s *session) withPublished(ctx context.Context, p *project, reports []*review.Report) ([]*review.Report, diag.List, error) {
	more, err := s.publishedAccess(ctx, p)
	if d, ok := asDiagnostic(err); ok {
		return reports, diag.List{d}, nil
	}
	return append(reports, more...), nil, err
}

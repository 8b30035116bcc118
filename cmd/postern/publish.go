package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// publications plans each publish block; what cannot be planned is a finding.
// With deep, files are read, and not the manifest alone.
func (s *session) publications(ctx context.Context, p *project, deep bool) ([]*plan.Publication, diag.List) {
	var out []*plan.Publication
	var found diag.List
	for _, block := range p.program.Publishes {
		if list := targets.Audit(p.program, block.Targets); list.HasErrors() {
			found = append(found, list...)
			continue
		}
		pub, err := s.publication(ctx, p, block, deep)
		if err != nil {
			found.Add(unpublished(block, err))
			continue
		}
		out = append(out, pub)
	}
	return out, found
}

func unpublished(block *model.Publish, err error) diag.Diagnostic {
	return diag.Diagnostic{
		Code: CodePublishFailed, Severity: diag.Error, Span: block.Span,
		Summary: fmt.Sprintf("publish.%s: nothing was published", block.Name), Detail: sentence(err.Error()) + ".",
	}
}

// release is what a block puts, with its place.
func (s *session) release(ctx context.Context, p *project, block *model.Publish) (publish.Store, *publish.Release, publish.Texts, error) {
	store, err := publish.Open(block, s.dir, s.read)
	if err != nil {
		return nil, nil, nil, err
	}
	var key *rego.SigningKey
	if block.Sign != nil && block.Sign.Key != nil {
		value, err := s.readKey(block.Sign.Key)
		if err != nil {
			return nil, nil, nil, err
		}
		key = &rego.SigningKey{ID: block.Sign.ID, Algorithm: block.Sign.Algorithm, Key: value}
	}
	release, texts, err := targets.Release(ctx, p.program, block, key)
	return store, release, texts, err
}

// publication compares what a place holds with what the project says.
func (s *session) publication(ctx context.Context, p *project, block *model.Publish, deep bool) (*plan.Publication, error) {
	store, want, texts, err := s.release(ctx, p, block)
	if err != nil {
		return nil, err
	}
	live, err := publish.Live(ctx, store)
	if err != nil {
		return nil, err
	}
	if live != nil && live.Project != p.program.Project {
		return nil, fmt.Errorf("the place holds the project %s: two projects cannot share it", live.Project)
	}
	out := &plan.Publication{
		Project: p.program.Project, Revision: p.set.Revision, Created: time.Now(), Publish: block.Name,
		Place: model.StoreString(block.Store), Files: map[string]string{},
		Changes: publish.Diff(live, &want.Manifest, publish.LiveTexts(ctx, store, live), texts, targets.RuleSpans(p.program)),
	}
	if out.Live, err = live.Fingerprint(); err != nil {
		return nil, err
	}
	for name, f := range want.Manifest.Files {
		out.Files[name] = f.Content
	}
	if live == nil {
		return out, nil
	}
	by, err := s.byHand(ctx, block, store, live, deep)
	out.Changes = append(out.Changes, by...)
	return out, err
}

// byHand is what is not as it was published: files, and OPAs that serve
// something else.
func (s *session) byHand(ctx context.Context, block *model.Publish, store publish.Store, live *publish.Manifest, deep bool) ([]plan.Change, error) {
	var out []plan.Change
	damage := map[string]string{}
	if begun := live.Publishing; begun != nil {
		about := plan.About{Object: plan.Object{Kind: "file", Name: publish.ManifestName}, Reason: "publishing did not end", Drift: true}
		out = append(out, plan.Modify{About: about, Before: "publishing began at " + begun.Since.Format(time.RFC3339), After: "what is published is whole"})
	}
	if deep || live.Publishing != nil {
		var err error
		if damage, err = publish.Damage(ctx, store, live); err != nil {
			return nil, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(damage)) {
		about := plan.About{Object: plan.Object{Kind: "file", Name: name}, Reason: damage[name] + " since it was published", Drift: true}
		out = append(out, plan.Modify{About: about, Before: damage[name], After: live.Files[name].String()})
	}
	for _, o := range block.OPAs {
		token, err := publish.Token(o, s.read)
		if err != nil {
			return nil, err
		}
		if err := publish.Serves(ctx, o, token, live.Project, live.Bundle); err != nil {
			about := plan.About{Object: plan.Object{Kind: "opa", Name: o.Name}, Span: o.Span, Reason: "serves something else", Drift: true}
			out = append(out, plan.Modify{About: about, Before: sentence(err.Error()), After: "the bundle that is published"})
		}
	}
	return out, nil
}

// publish brings what was planned to its places, one after the other; the first
// failure ends it. When it is not ready, for databases come first and a dry run
// publishes nothing, it only says what it would have brought.
func (s *session) publish(ctx context.Context, p *project, ready bool) ([]view.AppliedPlan, error) {
	var done []view.AppliedPlan
	var failure error
	for _, pub := range p.publications {
		if pub.Empty() {
			continue
		}
		r := view.AppliedPlan{Publish: pub.Publish, Place: pub.Place, Files: len(pub.Files), Status: view.StatusNotStarted}
		if ready && failure == nil {
			r.Served, failure = s.publishOne(ctx, p, pub)
			r.Applied, r.Status = failure == nil, view.StatusApplied
			if failure != nil {
				r.Status = view.StatusFailed
			} else {
				s.placesHappened(model.OnApplied, []*plan.Publication{pub})
			}
		}
		done = append(done, r)
	}
	return done, failure
}

func (s *session) publishOne(ctx context.Context, p *project, pub *plan.Publication) (served int, err error) {
	i := slices.IndexFunc(p.program.Publishes, func(b *model.Publish) bool { return b.Name == pub.Publish })
	if i < 0 || pub.Project != p.program.Project {
		return 0, fmt.Errorf("the plan is for publish.%s of the project %s, which this is not", pub.Publish, pub.Project)
	}
	block := p.program.Publishes[i]
	store, release, _, err := s.release(ctx, p, block)
	if err != nil {
		return 0, unpublished(block, err)
	}
	if err := same(release, pub, block); err != nil {
		return 0, err
	}
	live, err := publish.Live(ctx, store)
	if err != nil {
		return 0, unpublished(block, err)
	}
	fingerprint, err := live.Fingerprint()
	if err != nil {
		return 0, unpublished(block, err)
	}
	if fingerprint != pub.Live {
		return 0, stalePlace(block, "Somebody has published there since the plan was made. Make a new plan.")
	}
	if err := publish.Put(ctx, store, release); err != nil {
		if errors.Is(err, publish.ErrMoved) {
			return 0, stalePlace(block, "Somebody else publishes there at the same time. Make a new plan when they are done.")
		}
		d := unpublished(block, err)
		d.Summary = fmt.Sprintf("publish.%s: publishing did not end", block.Name)
		d.Detail += " The manifest there still says what was published before; a plan names files that are not as it says. Run apply again."
		return 0, d
	}
	return s.await(ctx, p, block, release)
}

func stalePlace(block *model.Publish, why string) error {
	return diag.Diagnostic{
		Code: CodePublishStale, Severity: diag.Error, Span: block.Span,
		Summary: fmt.Sprintf("publish.%s: nothing was published", block.Name), Detail: why,
	}
}

// await waits for the block's OPAs.
func (s *session) await(ctx context.Context, p *project, block *model.Publish, release *publish.Release) (int, error) {
	failed := publish.Await(ctx, block, s.read, p.program.Project, release.Manifest.Bundle)
	if len(failed) == 0 {
		return len(block.OPAs), nil
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	d := diag.Diagnostic{
		Code: CodePublishNotServed, Severity: diag.Error, Span: block.Span,
		Summary: fmt.Sprintf("publish.%s: published, and after %s not served by every OPA", block.Name, block.Wait),
	}
	for _, name := range slices.Sorted(maps.Keys(failed)) {
		d.Detail += fmt.Sprintf("opa %q: %s. ", name, failed[name])
	}
	d.Detail += "Each goes on with what it had."
	return len(block.OPAs) - len(failed), d
}

// same refuses a plan of other artifacts than the project builds now.
func same(release *publish.Release, pub *plan.Publication, block *model.Publish) error {
	now := map[string]string{}
	for name, f := range release.Manifest.Files {
		now[name] = f.Content
	}
	if maps.Equal(now, pub.Files) {
		return nil
	}
	return diag.Diagnostic{
		Code: CodePublishDiffers, Severity: diag.Error, Span: block.Span,
		Summary: fmt.Sprintf("publish.%s: nothing was published", block.Name),
		Detail:  "The project builds other artifacts than those that were planned. Make a new plan, or apply the plan at its revision with --rev.",
	}
}

func unchanged(list []*plan.Publication) bool {
	for _, p := range list {
		if !p.Empty() {
			return false
		}
	}
	return true
}

// placesHappened keeps an event for each place in which something changes.
func (s *session) placesHappened(on model.Occasion, list []*plan.Publication) {
	for _, pub := range list {
		if pub.Empty() {
			continue
		}
		s.happened(on, aboutPlace(pub))
	}
}

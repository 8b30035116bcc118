// Package serve is the decision point and bundle server: it holds the policies
// in force, takes others as they change, and answers over HTTP. docs/serve.md
// describes it.
package serve

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/serve/authzen"
)

// Policy is one state of a project, built.
type Policy struct {
	Document []byte          // the JSON document
	Bundle   []byte          // the Rego bundle; nil: none is served
	Records  authzen.Records // finds the project's records; nil: requests carry them
	HashKey  string          // of masks by hash; "": the project has none
}

// Source is where policies come from.
type Source struct {
	// Build compiles the project as it is now.
	Build func(context.Context) (*Policy, error)
	// State is a text that changes whenever Build may give something else. It
	// is asked often, and so must cost little.
	State func(context.Context) (string, error)
}

// policies holds what is in force.
type policies struct {
	source  Source
	log     *slog.Logger
	metrics *metrics
	force   atomic.Pointer[inForce]

	loading sync.Mutex // one reload at a time; readers take no part in it
	state   string     // of the source when it was loaded last

	mu      sync.Mutex
	bundle  bundle
	changed chan struct{} // closed when the bundle changes
}

// inForce is what decides, of one state of the project.
type inForce struct {
	engine  *engine.Engine
	records authzen.Records
}

// decider is what decides now.
func (p *policies) decider() (*engine.Engine, authzen.Records) {
	f := p.force.Load()
	return f.engine, f.records
}

// bundle is the served Rego bundle.
type bundle struct {
	data []byte
	etag string
}

func newPolicies(source Source, log *slog.Logger, m *metrics) *policies {
	return &policies{source: source, log: log, metrics: m, changed: make(chan struct{})}
}

// load builds the project and puts it in force. On an error what was in force
// stays.
func (p *policies) load(ctx context.Context) error {
	p.loading.Lock()
	defer p.loading.Unlock()
	state, err := p.source.State(ctx)
	if err == nil {
		p.state = state // what is wrong with this state is said once
		err = p.replace(ctx)
	}
	p.metrics.reloaded(err == nil)
	return err
}

func (p *policies) replace(ctx context.Context) error {
	built, err := p.source.Build(ctx)
	if err != nil {
		return err
	}
	var options []engine.Option
	if built.HashKey != "" {
		options = append(options, engine.WithHashKey(built.HashKey))
	}
	e, err := engine.Load(built.Document, options...)
	if err != nil {
		return fmt.Errorf("load the policies: %w", err)
	}
	p.force.Store(&inForce{e, built.Records})
	p.metrics.inForce(e, built.Document)
	p.publish(built.Bundle)
	return nil
}

// publish makes data the served bundle and wakes those that wait for another.
func (p *policies) publish(data []byte) {
	sum := sha256.Sum256(data)
	next := bundle{data: data, etag: `"` + hex.EncodeToString(sum[:]) + `"`}
	p.mu.Lock()
	defer p.mu.Unlock()
	if next.etag == p.bundle.etag {
		return
	}
	p.bundle = next
	close(p.changed)
	p.changed = make(chan struct{})
}

// current is the served bundle, and a channel that is closed when another
// takes its place.
func (p *policies) current() (bundle, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bundle, p.changed
}

// follow reloads when the source changes, and whenever now is sent to, until
// the context ends.
func (p *policies) follow(ctx context.Context, poll time.Duration, now <-chan struct{}) {
	var tick <-chan time.Time
	if poll > 0 {
		t := time.NewTicker(poll)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-now:
		case <-tick:
			if !p.stale(ctx) {
				continue
			}
		}
		if err := p.load(ctx); err != nil && ctx.Err() == nil {
			p.log.Error("the policies could not be reloaded; those in force stay", "error", err)
		} else if err == nil {
			p.log.Info("reloaded the policies", "revision", p.force.Load().engine.Revision())
		}
	}
}

// stale reports whether the source has changed since it was loaded.
func (p *policies) stale(ctx context.Context) bool {
	state, err := p.source.State(ctx)
	if err != nil {
		p.log.Error("the source of the policies cannot be read; those in force stay", "error", err)
		p.metrics.reloaded(false)
		return false
	}
	return state != p.state
}

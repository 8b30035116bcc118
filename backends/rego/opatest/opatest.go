// Package opatest gives tests a running OPA: the server of its library, on the
// loopback, which follows a bundle from a host that the test fills.
package opatest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/logging"
	"github.com/open-policy-agent/opa/v1/runtime"
)

// patience bounds every wait; a busy machine starts a server in a second or two.
const patience = time.Minute

// Status is what an OPA reports of a bundle: its revision, and a code when its
// last attempt failed.
type Status struct {
	Revision string `json:"active_revision"`
	Code     string `json:"code"`
	Message  string `json:"message"`
}

// Host serves bundles, and takes the reports of the servers that follow them.
type Host struct {
	URL string

	mu       sync.Mutex
	bundles  map[string][]byte
	statuses map[string]Status
	changed  chan struct{} // closed and replaced with every report
}

// NewHost starts a host that ends with the test.
func NewHost(t testing.TB) *Host {
	t.Helper()
	h := &Host{bundles: map[string][]byte{}, statuses: map[string]Status{}, changed: make(chan struct{})}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.URL = server.URL
	return h
}

// Set is what the host serves under the name from now on.
func (h *Host) Set(name string, data []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bundles[name] = data
}

// ServeHTTP answers GET /NAME with a bundle and its ETag, and takes reports.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		h.report(r.Body)
		return
	}
	h.mu.Lock()
	data, ok := h.bundles[strings.TrimPrefix(r.URL.Path, "/")]
	h.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	sum := sha256.Sum256(data)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

func (h *Host) report(body io.Reader) {
	var update struct {
		Bundles map[string]Status `json:"bundles"`
	}
	if err := json.NewDecoder(body).Decode(&update); err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, s := range update.Bundles {
		h.statuses[name] = s
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

// Await waits until the OPA that follows the bundle reports what is wanted.
func (h *Host) Await(t testing.TB, name string, want func(Status) bool) Status {
	t.Helper()
	deadline := time.After(patience)
	for {
		h.mu.Lock()
		s, changed := h.statuses[name], h.changed
		h.mu.Unlock()
		if want(s) {
			return s
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the OPA that follows %s reports %+v", name, s)
		}
	}
}

// Options of a server.
type Options struct {
	Host    *Host
	Bundles []string          // names at the host
	Keys    map[string]any    // OPA's `keys`: what signatures are verified with
	Signing map[string]string // a bundle's `signing`; nil: unsigned ones are taken
}

// Start starts an OPA that ends with the test, and gives its URL.
func Start(t testing.TB, o Options) string {
	t.Helper()
	bundles := map[string]any{}
	for _, b := range o.Bundles {
		one := map[string]any{"service": "host", "resource": b, "polling": map[string]any{"min_delay_seconds": 1, "max_delay_seconds": 1}}
		if o.Signing != nil {
			one["signing"] = o.Signing
		}
		bundles[b] = one
	}
	config := map[string]any{"bundles": bundles, "status": map[string]any{}}
	if o.Host != nil {
		config["services"] = map[string]any{"host": map[string]any{"url": o.Host.URL}}
		config["status"] = map[string]any{"service": "host"}
	}
	if o.Keys != nil {
		config["keys"] = o.Keys
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	params := runtime.NewParams()
	params.Addrs = &[]string{"127.0.0.1:0"}
	params.ConfigFile = file
	params.Logger = logging.NewNoOpLogger()
	params.Output = io.Discard
	server, err := runtime.NewRuntime(ctx, params)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	ready := time.NewTicker(5 * time.Millisecond)
	defer ready.Stop()
	deadline := time.After(patience)
	for server.ServerStatus() != runtime.ServerInitialized || len(server.Addrs()) == 0 {
		select {
		case <-ready.C:
		case <-deadline:
			t.Fatal("OPA does not start")
		}
	}
	return "http://" + server.Addrs()[0]
}

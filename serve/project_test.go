package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/serve"
	"github.com/postern-dev/postern/serve/authzen"
)

// project is a source of policies that a test may change.
type project struct {
	mu      sync.Mutex
	files   []source.File
	state   string
	records authzen.Records
	broken  error // of the source itself
}

// todo is the project of the AuthZEN Todo scenario.
func todo(tb testing.TB) *project {
	tb.Helper()
	set, err := source.FromDir(filepath.Join("..", "examples", "authzen-todo"))
	if err != nil {
		tb.Fatal(err)
	}
	return &project{files: set.Files, state: "1"}
}

func inline(text string) *project {
	return &project{files: []source.File{{Name: "main.hcl", Data: []byte(text)}}, state: "1"}
}

// change puts other text in the place of one.
func (p *project) change(state, from, to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
	files := make([]source.File, len(p.files))
	for i, f := range p.files {
		files[i] = source.File{Name: f.Name, Data: []byte(strings.ReplaceAll(string(f.Data), from, to))}
	}
	p.files = files
}

func (p *project) source() serve.Source {
	return serve.Source{
		State: func(context.Context) (string, error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.state, p.broken
		},
		Build: p.build,
	}
}

func (p *project) build(ctx context.Context) (*serve.Policy, error) {
	p.mu.Lock()
	set := &source.Set{Files: p.files}
	records := p.records
	p.mu.Unlock()
	program, list := compiler.Compile(ctx, set, compiler.Inputs{})
	if err := list.Err(); err != nil {
		return nil, err
	}
	out := &serve.Policy{Records: records}
	documents, err := jsondoc.Emitter{}.Emit(ctx, program)
	if err != nil {
		return nil, err
	}
	bundles, err := rego.Emitter{}.Emit(ctx, program)
	if err != nil {
		return nil, err
	}
	for _, a := range append(documents, bundles...) {
		switch a.Path {
		case jsondoc.DocumentPath:
			out.Document = a.Data
		case "rego/bundle.tar.gz":
			out.Bundle = a.Data
		}
	}
	return out, nil
}

// start makes a server of a project, and serves it for the test.
func start(tb testing.TB, p *project, o serve.Options) (*serve.Server, *httptest.Server) {
	tb.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := serve.New(tb.Context(), p.source(), o)
	if err != nil {
		tb.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	tb.Cleanup(h.Close)
	return s, h
}

// answer is what a server said.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) json(tb testing.TB) map[string]any {
	tb.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		tb.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return out
}

func send(tb testing.TB, c *http.Client, method, url, body string, header ...string) answer {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(data))}
}

func post(tb testing.TB, h *httptest.Server, path, body string, header ...string) answer {
	tb.Helper()
	return send(tb, h.Client(), http.MethodPost, h.URL+path, body, header...)
}

var errBroken = errors.New("the disk is gone")

// files writes files into a folder of the test's own.
func write(tb testing.TB, name string, data []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

// direct asks a handler without a connection.
func direct(h http.Handler, path, body string) answer {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{w.Code, w.Header(), strings.TrimSpace(w.Body.String())}
}

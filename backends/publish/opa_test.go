package publish_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/backends/rego/opatest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// bundle is a project's bundle and the hash of its content.
func bundle(t *testing.T, project, when string) (data []byte, content string) {
	t.Helper()
	text := `
postern { project = "` + project + `" }
identity {
  attribute "id" { type = string }
}
datasource "game" { type = "service" }
resource "game" "item" {
  attribute "owner" { type = string }
}
policy "mine" {
  on    = [resource.game.item]
  to    = [everyone]
  allow = [view]
  when  = ` + when + `
}
`
	p, list := compiler.Compile(context.Background(), &source.Set{Files: []source.File{{Name: "p.hcl", Data: []byte(text)}}}, compiler.Inputs{})
	if list.HasErrors() {
		t.Fatal(list)
	}
	artifacts, err := rego.Emitter{}.Emit(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range artifacts {
		if a.Path == "rego/bundle.tar.gz" {
			content, err := rego.ContentHash(a.Data)
			if err != nil {
				t.Fatal(err)
			}
			return a.Data, content
		}
	}
	t.Fatal("no bundle")
	return nil, ""
}

// await is what each OPA does instead of serving the bundle.
func await(t *testing.T, wait time.Duration, content string, urls ...string) map[string]error {
	t.Helper()
	p := &model.Publish{Name: "prod", Wait: wait}
	for i, u := range urls {
		p.OPAs = append(p.OPAs, &model.OPA{Name: string(rune('a' + i)), URL: u})
	}
	return publish.Await(context.Background(), p, secrets, "acme", content)
}

// A running OPA is waited for until it serves the new bundle, and what keeps it
// from that is said.
func TestAwait(t *testing.T) {
	t.Parallel()
	one, first := bundle(t, "acme", "record.owner == user.id")
	two, second := bundle(t, "acme", "true")
	other, _ := bundle(t, "other", "true")
	host := opatest.NewHost(t)
	host.Set("acme", one)
	host.Set("other", other)
	follows := opatest.Start(t, opatest.Options{Host: host, Bundles: []string{"acme", "other"}})
	serves := opatest.Start(t, opatest.Options{Host: host, Bundles: []string{"other"}})
	if failed := await(t, time.Minute, first, follows); len(failed) > 0 {
		t.Fatal(failed)
	}
	host.Set("acme", two)
	if failed := await(t, time.Minute, second, follows); len(failed) > 0 {
		t.Fatal(failed)
	}
	if failed := await(t, 600*time.Millisecond, first, follows); !says(failed["a"], "it serves another bundle of the project") {
		t.Errorf("%v", failed)
	}
	host.Set("acme", two[:len(two)/2])
	host.Await(t, "acme", func(s opatest.Status) bool { return s.Code != "" })
	if failed := await(t, 600*time.Millisecond, second, follows); !says(failed["a"], "it reports bundle_error of the bundle acme") {
		t.Errorf("%v", failed)
	}
	host.Set("acme", other) // with the roots of the other one
	host.Await(t, "acme", func(s opatest.Status) bool { return strings.Contains(s.Message, "overlapping roots") })
	if failed := await(t, 600*time.Millisecond, second, follows); !says(failed["a"], "overlapping roots") {
		t.Errorf("%v", failed)
	}
	if failed := await(t, 600*time.Millisecond, second, serves); !says(failed["a"], "it serves no bundle with the root postern/acme, but other (postern/other)") {
		t.Errorf("%v", failed)
	}
}

func says(err error, what string) bool { return err != nil && strings.Contains(err.Error(), what) }

func TestOPAThatIsDownSlowOrNoOPA(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	}))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(ended) })
	none := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(none.Close)
	garbled := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }))
	t.Cleanup(garbled.Close)
	start := time.Now()
	failed := await(t, time.Second, "x", down, slow.URL, none.URL, garbled.URL)
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
	for name, what := range map[string]string{
		"a": "it does not answer", "b": "it does not answer in time", "c": "it answers 404 Not Found", "d": "its answer cannot be read",
	} {
		if !says(failed[name], what) {
			t.Errorf("%s: %v", name, failed[name])
		}
	}
}

// An OPA that tells what it serves, and not whether it has complaints, does not
// count as one that has none; one whose status plugin is off does.
func TestOPAWithoutStatus(t *testing.T) {
	t.Parallel()
	const bundles = `{"result": {"acme": {"manifest": {"revision": "one", "roots": ["postern/acme"], "metadata": {"project": "acme", "content_sha256": "x"}}}}}`
	server := func(status http.HandlerFunc) string {
		mux := http.NewServeMux()
		mux.HandleFunc("GET /v1/data/system/bundles", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(bundles)) })
		mux.HandleFunc("GET /v1/status", status)
		s := httptest.NewServer(mux)
		t.Cleanup(s.Close)
		return s.URL
	}
	silent := server(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	garbled := server(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{")) })
	off := server(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	failed := await(t, time.Second, "x", silent, garbled, off)
	if !says(failed["a"], "it does not answer") || !says(failed["b"], "its answer cannot be read") || failed["c"] != nil {
		t.Errorf("%v", failed)
	}
}

package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/open-policy-agent/opa/v1/sdk"

	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/serve"
	"github.com/postern-dev/postern/serve/authzen"
)

// running runs a server on a port of its own until the test ends, or stop is
// called, which gives what Run gave.
func running(tb testing.TB, p *project, o serve.Options) (s *serve.Server, address string, stop func() error) {
	tb.Helper()
	o.Listen, o.Log = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	s, err := serve.New(tb.Context(), p.source(), o)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- s.Run(ctx, func(a net.Addr) { listening <- a }) }()
	stop = sync.OnceValue(func() error { cancel(); return <-ended })
	tb.Cleanup(func() { _ = stop() })
	select {
	case a := <-listening:
		return s, a.String(), stop
	case err := <-ended:
		ended <- err
		tb.Fatal(err)
		return nil, "", nil
	}
}

// eventually asks until something is so; each round waits for the server.
func eventually(tb testing.TB, what string, is func() bool) {
	tb.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		if is() {
			return
		}
	}
	tb.Errorf("%s did not come", what)
}

func TestReload(t *testing.T) {
	t.Parallel()
	p := todo(t)
	s, address, _ := running(t, p, serve.Options{Poll: time.Millisecond})
	url := "http://" + address
	allowed := func() bool {
		return send(t, http.DefaultClient, http.MethodPost, url+authzen.EvaluationPath, mortys(other)).body == `{"decision":true}`
	}
	metric := func(line string) bool {
		return strings.Contains(send(t, http.DefaultClient, http.MethodGet, url+"/metrics", "").body, line)
	}
	if allowed() || !metric("postern_policy_last_reload_successful 1") {
		t.Error("the first policies are not in force")
	}
	p.change("2", "record.ownerID == user.email", `record.ownerID != "nobody"`)
	eventually(t, "the change", allowed)

	p.change("3", `record.ownerID != "nobody"`, "record.nonsense")
	eventually(t, "the failed reload", func() bool { return metric("postern_policy_last_reload_successful 0") })
	if !allowed() {
		t.Error("the last good policies are gone")
	}
	p.change("4", "record.nonsense", "record.ownerID == user.email")
	eventually(t, "the repair", func() bool { return metric("postern_policy_last_reload_successful 1") && !allowed() })

	p.mu.Lock()
	p.broken = errBroken
	p.mu.Unlock()
	eventually(t, "the broken source", func() bool { return metric("postern_policy_last_reload_successful 0") })
	p.mu.Lock()
	p.broken = nil
	p.mu.Unlock()
	s.Reload()
	eventually(t, "the reload that was asked for", func() bool { return metric("postern_policy_last_reload_successful 1") })
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	bad, broken := todo(t), todo(t)
	bad.change("1", "record.ownerID", "record.nope")
	broken.broken = errBroken
	for name, c := range map[string]struct {
		p    *project
		o    serve.Options
		want string
	}{
		"errors":         {bad, serve.Options{}, "nope"},
		"source":         {broken, serve.Options{}, "the disk is gone"},
		"key alone":      {todo(t), serve.Options{KeyFile: "x"}, "TLS needs a certificate and its key"},
		"no certificate": {todo(t), serve.Options{KeyFile: "x", CertFile: "y"}, "read the server's certificate"},
		"clients":        {todo(t), serve.Options{ClientCAFile: "x"}, "client certificates need TLS"},
		"short token":    {todo(t), serve.Options{Token: "short"}, "less than 16 characters"},
		"no token":       {todo(t), serve.Options{TokenFile: write(t, "tokens", []byte("# none\n"))}, "there is no bearer token"},
		"no token file":  {todo(t), serve.Options{TokenFile: "nowhere"}, "read the bearer tokens"},
	} {
		if _, err := serve.New(t.Context(), c.p.source(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const first, second = "a-token-of-tests-1", "a-token-of-tests-2"
	file := write(t, "tokens", []byte("# those of today\n"+first+"\n\n"))
	s, address, _ := running(t, todo(t), serve.Options{TokenFile: file})
	url := "http://" + address
	ask := func(header string) int {
		got := send(t, http.DefaultClient, http.MethodPost, url+authzen.EvaluationPath, mortys(own), "Authorization", header)
		if got.status == http.StatusUnauthorized && got.header.Get("WWW-Authenticate") == "" {
			t.Error("nothing says how to authenticate")
		}
		return got.status
	}
	for header, want := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer " + second: 401, "Basic " + first: 401, first: 401, "Bearer " + first[:15]: 401,
		"Bearer # those of today": 401, "Bearer " + first: 200, "bearer " + first: 200,
	} {
		if got := ask(header); got != want {
			t.Errorf("%q: %d, want %d", header, got, want)
		}
	}
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 401, "/bundle.tar.gz": 401, "/openapi.json": 401, authzen.MetadataPath: 401, "/nope": 401,
	} {
		if got := send(t, http.DefaultClient, http.MethodGet, url+path, ""); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	if err := os.WriteFile(file, []byte(second+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Reload()
	eventually(t, "the new token", func() bool { return ask("Bearer "+second) == 200 && ask("Bearer "+first) == 401 })
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.Reload()
	s.Reload()
	if ask("") != 401 || ask("Bearer "+second) != 200 {
		t.Error("an empty file opened the server, or took the token that was good")
	}
}

func TestExposure(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue(t, "server")
	for name, c := range map[string]struct {
		o    serve.Options
		want string
	}{
		"bare":     {serve.Options{}, "lacks TLS (--tls-cert, --tls-key) and credentials of clients"},
		"no TLS":   {serve.Options{Token: "a-token-of-tests-1"}, "lacks TLS"},
		"no token": {serve.Options{CertFile: cert, KeyFile: key}, "lacks credentials"},
	} {
		c.o.Listen, c.o.Log = "0.0.0.0:0", slog.New(slog.DiscardHandler)
		s, err := serve.New(t.Context(), todo(t).source(), c.o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestShutdown ends a server while a client waits for a bundle: it gets its
// answer.
func TestShutdown(t *testing.T) {
	t.Parallel()
	_, address, stop := running(t, todo(t), serve.Options{})
	url := "http://" + address
	etag := send(t, http.DefaultClient, http.MethodGet, url+"/bundle.tar.gz", "").header.Get("ETag")
	got := make(chan answer, 1)
	go func() {
		got <- send(t, http.DefaultClient, http.MethodGet, url+"/bundle.tar.gz", "", "If-None-Match", etag, "Prefer", "modes=snapshot,delta;wait=60")
	}()
	eventually(t, "the waiting client", func() bool {
		return strings.Contains(send(t, http.DefaultClient, http.MethodGet, url+"/metrics", "").body, "postern_bundle_waiting 1")
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
	if a := <-got; a.status != http.StatusNotModified {
		t.Errorf("the waiting client got %d", a.status)
	}
}

func TestBundleTags(t *testing.T) {
	t.Parallel()
	_, h := start(t, todo(t), serve.Options{})
	first := send(t, h.Client(), http.MethodGet, h.URL+"/bundle.tar.gz", "")
	etag := first.header.Get("ETag")
	if first.status != http.StatusOK || len(etag) != 66 || first.header.Get("Content-Type") != "application/vnd.openpolicyagent.bundles" {
		t.Errorf("%d %v", first.status, first.header)
	}
	for tag, want := range map[string]int{etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, `"x"`: 200, "": 200} {
		if got := send(t, h.Client(), http.MethodGet, h.URL+"/bundle.tar.gz", "", "If-None-Match", tag, "Prefer", "wait=-1"); got.status != want {
			t.Errorf("%s: %d", tag, got.status)
		}
	}
}

// TestOPAFollows lets a real OPA follow the bundle by long polling.
func TestOPAFollows(t *testing.T) {
	t.Parallel()
	p := todo(t)
	_, address, _ := running(t, p, serve.Options{Poll: time.Millisecond, Token: "a-token-of-tests-1"})
	config, err := json.Marshal(map[string]any{
		"services": map[string]any{"postern": map[string]any{
			"url": "http://" + address, "credentials": map[string]any{"bearer": map[string]any{"token": "a-token-of-tests-1"}},
		}},
		"bundles": map[string]any{"todo": map[string]any{
			"service": "postern", "resource": "bundle.tar.gz",
			"polling": map[string]any{"long_polling_timeout_seconds": 60, "min_delay_seconds": 1, "max_delay_seconds": 1},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	opa, err := sdk.New(t.Context(), sdk.Options{Config: bytes.NewReader(config)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { opa.Stop(context.WithoutCancel(t.Context())) })
	allowed := func() bool {
		r, err := opa.Decision(t.Context(), sdk.DecisionOptions{Path: "/postern/todo/app/allow", Input: map[string]any{
			"user": map[string]any{"sub": subjects["morty"]}, "table": "todo", "action": "can_update_todo",
			"record": map[string]any{"id": "1", "ownerID": other}, "now": "2025-06-01T12:00:00Z",
		}})
		return err == nil && r.Result == true
	}
	if allowed() {
		t.Error("Morty updates what Rick owns")
	}
	// OPA waits for the next bundle by now or soon: it must come without a poll.
	p.change("2", "record.ownerID == user.email", `record.ownerID != "nobody"`)
	eventually(t, "OPA with the changed bundle", allowed)
}

func TestDecisionLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, h := start(t, inline(masked), serve.Options{Decision: &log})
	post(t, h, authzen.EvaluationPath, `{"subject":{"type":"user","id":"7","properties":{"secret":"hush"}},"action":{"name":"view"},`+
		`"resource":{"type":"card","id":"4111-1111","properties":{"number":"4111-1111","owner":"7"}},"context":{"app":"x"}}`, "X-Request-ID", "r1")
	post(t, h, authzen.EvaluationPath, `{"subject":{"type":"user","id":"7"},"action":{"name":"view"},"resource":{"type":"note","id":"n1"}}`)
	post(t, h, authzen.SearchSubjectPath, `{"subject":{"type":"user"},"action":{"name":"fly"},"resource":{"type":"note","id":"n1"}}`)
	post(t, h, authzen.EvaluationPath, `{"subject":{"type":"user","id":"7"},"action":{"name":"view"},"resource":{"type":"crm.nope","id":"n1"}}`)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 4 || strings.Contains(log.String(), "4111") || strings.Contains(log.String(), "hush") {
		t.Fatalf("the log:\n%s", log.String())
	}
	for i, want := range []string{
		`"request_id":"r1","endpoint":"evaluation","project":"masked","subject":{"type":"user","id":"7"},"app":"x","action":"view","resource":{"type":"card","id":"sha256:`,
		`"resource":{"type":"note","id":"n1"},"decision":false,`,
		`"endpoint":"search_subject","project":"masked","subject":{"type":"user"},"action":"fly","resource":{"type":"note","id":"n1"},"results":0,"error":"`,
		`"decision":false,"error":"resource.type: there is no resource type`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %s\nwant %s", i, lines[i], want)
		}
	}
}

func TestDecisionLogNamesWhoDecides(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	_, h := start(t, inline(desk), serve.Options{Decision: &log, Reasons: true})
	ask := func(action, owner, ip string) {
		t.Helper()
		got := post(t, h, authzen.EvaluationPath, `{"subject":{"type":"user","id":"7","properties":{"groups":["staff"]}},"action":{"name":"`+action+`"},`+
			`"resource":{"type":"deal","id":"1","properties":{"owner":`+owner+`}},"context":{"ip":"`+ip+`"}}`)
		if strings.Contains(got.body, "context") {
			t.Errorf("the answer tells reasons: %s", got.body)
		}
	}
	ask("edit", "7", "10.1.2.3")
	ask("view", "7", "192.0.2.1")
	ask("view", "8", "10.1.2.3")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("the log:\n%s", log.String())
	}
	for i, want := range []string{
		`"decision":true,"policies":["own"],"duration_us"`, `"decision":false,"guards":["inside"],"duration_us"`, `"decision":false,"duration_us"`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d: %s\nwant %s", i, lines[i], want)
		}
	}
}

// A key of several columns is an array of texts, and fills what the properties
// leave out.
func TestCompositeID(t *testing.T) {
	t.Parallel()
	_, h := start(t, inline(parts), serve.Options{})
	for id, want := range map[string]string{
		`"[\"acme\",\"7\"]"`: `{"decision":true}`, `"[\"acme\",\"8\"]"`: `{"decision":false}`, `"[\"acme\"]"`: `{"decision":false}`, `"acme"`: `{"decision":false}`,
		`"[\"acme\",\"7\"]","properties":{"no":7}`: `{"decision":true}`, `"[\"acme\",\"7\"]","properties":{"no":8}`: "resource.properties.no: is not what the id says",
	} {
		got := post(t, h, authzen.EvaluationPath, `{"subject":{"type":"user","id":"acme"},"action":{"name":"view"},"resource":{"type":"part","id":`+id+`}}`)
		if !strings.Contains(got.body, want) {
			t.Errorf("%s: %s, want %s", id, got.body, want)
		}
	}
}

const parts = `
postern { project = "parts" }
identity {
  attribute "id" { type = string }
}
datasource "crm" { type = "service" }
resource "crm" "part" {
  attribute "owner" { type = string }
  attribute "no" { type = int }
  primary_key = ["owner", "no"]
  actions     = ["view"]
}
policy "own" {
  on    = [resource.crm.part]
  to    = [access_level.user]
  allow = [view]
  when  = record.owner == user.id && record.no == 7
}
`

const masked = `
postern { project = "masked" }
identity {
  attribute "id" { type = string }
}
datasource "crm" { type = "service" }
resource "crm" "card" {
  attribute "number" { type = string }
  attribute "owner" { type = string }
  primary_key = ["number"]
  actions     = ["view"]
}
resource "crm" "note" {
  attribute "id" { type = string }
  actions = ["view"]
}
policy "own" {
  on    = [resource.crm.card]
  to    = [access_level.user]
  allow = [view]
  when  = record.owner == user.id
}
mask "numbers" {
  on      = [resource.crm.card]
  columns = ["number"]
  with    = last(4)
}
`

// slow finds a record once the request is over.
type slow struct{ shelf }

func (slow) Find(ctx context.Context, _ *engine.Table, _ string) (map[string]any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	p := todo(t)
	p.records = slow{}
	_, h := start(t, p, serve.Options{Timeout: time.Millisecond})
	got := post(t, h, authzen.EvaluationPath, `{"subject":{"type":"user","id":"x"},"action":{"name":"can_read_todos"},"resource":{"type":"todo","id":"1"}}`)
	if got.status != http.StatusServiceUnavailable || got.body != "the request took too long" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

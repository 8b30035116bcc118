package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/backends/rego/opatest"
)

// shelf is a server of files that an OPA follows, with ETags and preconditions.
type shelf struct {
	mu    sync.Mutex
	data  map[string][]byte
	takes int // writes that are still taken; -1: all
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, there := s.data[r.URL.Path]
	tag := strconv.Quote(publish.Sum(old))
	switch {
	case r.Method == http.MethodPost: // a report of OPA's
	case r.Method == http.MethodGet && !there:
		http.NotFound(w, r)
	case r.Method == http.MethodGet:
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = w.Write(old)
	case s.takes == 0:
		w.WriteHeader(http.StatusForbidden)
	case r.Header.Get("If-None-Match") == "*" && there, r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != tag:
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		s.takes--
		s.data[r.URL.Path], _ = io.ReadAll(r.Body)
	}
}

func (s *shelf) take(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.takes = n
}

// held is what the shelf holds, as text.
func (s *shelf) held() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%q", s.data)
}

// here is a project with a database, a place and an OPA that follows it.
type here struct {
	t     *testing.T
	dir   string
	shelf *shelf
	opa   string
}

func publishing(t *testing.T) *here {
	t.Helper()
	h := &here{t: t, dir: crm(t), shelf: &shelf{data: map[string][]byte{}, takes: -1}}
	server := httptest.NewServer(h.shelf)
	t.Cleanup(server.Close)
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("a password of tests"), 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(h.dir, "postern.hcl"), `env("REPS_PASSWORD")`, `file("`+password+`")`)
	h.publishTo(server.URL, "")
	h.wants(exitDone, "", "apply", "--auto-approve")
	h.opa = opatest.Start(t, opatest.Options{Host: &opatest.Host{URL: server.URL}, Bundles: []string{"bundle.tar.gz"}})
	h.publishTo(server.URL, `
  wait = "30s"
  opa "one" { url = "`+h.opa+`" }`)
	h.decides("own and region")
	return h
}

func (h *here) publishTo(url, more string) {
	h.t.Helper()
	text := `publish "prod" {
  targets = ["rego", "json"]
  http { url = "` + url + `" }` + more + `
}
`
	if err := os.WriteFile(filepath.Join(h.dir, "publish.hcl"), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// wants runs postern, and wants a status and a text in what it prints.
func (h *here) wants(status int, text string, args ...string) {
	h.t.Helper()
	var out buffer
	if got := run(h.t.Context(), append([]string{"-C", h.dir}, args...), strings.NewReader(""), &out, &out); got != status {
		h.t.Fatalf("%v: status %d: %s", args, got, out.String())
	}
	if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), text) {
		h.t.Errorf("%v: %s", args, out.String())
	}
}

// asks tells what OPA answers for deals of one's own and of one's region.
func (h *here) asks() string {
	h.t.Helper()
	var granted []string
	for _, deal := range []struct{ name, record string }{
		{"own", `{"id": 1, "owner_id": 1, "region": "APAC"}`}, {"region", `{"id": 2, "owner_id": 2, "region": "EMEA"}`},
	} {
		body := `{"input": {"user": {"id": 1, "region": "EMEA"}, "app": "desk", "table": "deals", "action": "view", "record": ` + deal.record + `}}`
		req, err := http.NewRequestWithContext(h.t.Context(), http.MethodPost, h.opa+"/v1/data/postern/crm/crm/allow", bytes.NewReader([]byte(body)))
		if err != nil {
			h.t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			h.t.Fatal(err)
		}
		var answer struct{ Result bool }
		err = json.NewDecoder(resp.Body).Decode(&answer)
		_ = resp.Body.Close()
		if err != nil {
			h.t.Fatal(err)
		}
		if answer.Result {
			granted = append(granted, deal.name)
		}
	}
	return strings.Join(granted, " and ")
}

func (h *here) decides(want string) {
	h.t.Helper()
	h.wants(exitDone, "", "apply", "--auto-approve") // waits for the OPA
	if got := h.asks(); got != want {
		h.t.Fatalf("OPA grants %q, want %q", got, want)
	}
}

func (h *here) sql(statement string) {
	h.t.Helper()
	execute(h.t, h.dir, statement)
}

// A database that fails leaves what is published as it was, whether the change
// narrows or widens; the next apply carries on.
func TestPublishAfterFailingDatabase(t *testing.T) {
	t.Parallel()
	h := publishing(t)
	for _, change := range []struct{ from, to, before, after, access string }{
		{"record.owner_id == user.id || ", "", "own and region", "region", "0 wider, 1 narrower"},
		{"record.region == user.region", "record.owner_id == user.id || record.region == user.region", "region", "own and region", "1 wider, 0 narrower"},
	} {
		edit(t, filepath.Join(h.dir, "deals.hcl"), change.from, change.to)
		saved := filepath.Join(t.TempDir(), "change.pplan")
		h.wants(exitDone, "~ policy own", "plan", "-o", saved)
		h.wants(exitDone, "Plan: 0 to add, 3 to change, 0 to remove. Access: "+change.access+", 0 undecided.", "plan")
		before := h.shelf.held()
		h.sql("GRANT SELECT ON deals TO PUBLIC") // so that the plan is stale
		h.wants(exitFailed, "Not started publish.prod", "apply", saved, "--auto-approve")
		if h.shelf.held() != before {
			t.Error("something was published after a database had failed")
		}
		if got := h.asks(); got != change.before {
			t.Errorf("OPA grants %q after a database had failed", got)
		}
		h.decides(change.after)
		h.wants(exitDone, "", "drift")
	}
}

// A place that fails half way leaves the databases applied and OPA with the last
// good bundle; a plan says so, and the next apply carries on.
func TestPublishThatFailsHalfway(t *testing.T) {
	t.Parallel()
	h := publishing(t)
	edit(t, filepath.Join(h.dir, "deals.hcl"), "record.owner_id == user.id || ", "")
	for takes := range 4 { // the mark, policy.json, rules.json, schema.json
		h.shelf.take(takes)
		status := "Not applied publish.prod"
		if takes == 0 {
			status = "Applied datasource.crm"
		}
		h.wants(exitFailed, status, "apply", "--auto-approve")
		if got := h.asks(); got != "own and region" {
			t.Errorf("after %d writes OPA grants %q", takes, got)
		}
		if takes > 0 {
			h.wants(exitDone, "publishing did not end", "plan")
		}
	}
	h.shelf.take(-1)
	h.decides("region")
	h.wants(exitDone, "", "drift")
}

// An OPA that is down does not keep a release from being published; apply says
// that it does not serve it, and so does each run until it does.
func TestPublishToOPAThatIsDown(t *testing.T) {
	t.Parallel()
	h := publishing(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(h.dir, "publish.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(h.dir, "publish.hcl"), `opa "one"`, `opa "down" { url = "http://`+l.Addr().String()+`" }
  opa "one"`)
	edit(t, filepath.Join(h.dir, "publish.hcl"), "30s", "3s")
	edit(t, filepath.Join(h.dir, "deals.hcl"), "record.owner_id == user.id || ", "")
	h.wants(exitFailed, `opa "down": it does not answer`, "apply", "--auto-approve")
	if got := h.asks(); got != "region" {
		t.Errorf("the OPA that is up grants %q", got)
	}
	h.wants(exitChanges, "opa down", "drift")
	h.wants(exitFailed, `opa "down": it does not answer`, "apply", "--auto-approve")
	if err := os.WriteFile(filepath.Join(h.dir, "publish.hcl"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	h.wants(exitDone, "", "drift")
}

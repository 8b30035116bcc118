package publish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	ociregistry "github.com/google/go-containerregistry/pkg/registry"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/postern-dev/postern/backends/publish"
	"github.com/postern-dev/postern/compiler/model"
)

// files is a server that takes files with PUT, with ETags and preconditions as
// RFC 9110 has them.
type files struct {
	mu   sync.Mutex
	data map[string][]byte
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer t0ken" {
		http.Error(w, "who are you", http.StatusUnauthorized)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	old, there := f.data[r.URL.Path]
	tag := strconv.Quote(publish.Sum(old))
	switch {
	case r.Method == http.MethodGet && there:
		w.Header().Set("ETag", tag)
		_, _ = w.Write(old)
	case r.Method == http.MethodGet:
		http.NotFound(w, r)
	case r.Header.Get("If-None-Match") == "*" && there, r.Header.Get("If-Match") != "" && r.Header.Get("If-Match") != tag:
		w.WriteHeader(http.StatusPreconditionFailed)
	default:
		data, _ := io.ReadAll(r.Body)
		f.data[r.URL.Path] = data
		w.WriteHeader(http.StatusNoContent)
	}
}

// gate lets requests through until it is told to fail those that write.
type gate struct {
	http.Handler
	mu     sync.Mutex
	fail   int // writes that are still let through; -1: all
	status int // what the others are answered
	writes int
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut || r.Method == http.MethodPost || r.Method == http.MethodPatch {
		g.mu.Lock()
		g.writes++
		refuse := g.fail == 0
		if g.fail > 0 {
			g.fail--
		}
		g.mu.Unlock()
		if refuse {
			w.WriteHeader(g.status)
			return
		}
	}
	g.Handler.ServeHTTP(w, r)
}

func serve(t *testing.T, h http.Handler) (*gate, *url.URL) {
	t.Helper()
	g := &gate{Handler: h, fail: -1}
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return g, u
}

func secrets(s *model.Secret) (string, error) {
	if s.Name == "" {
		return "", errors.New("no such secret")
	}
	return s.Name, nil
}

func secret(value string) *model.Secret { return &model.Secret{Kind: model.SecretEnv, Name: value} }

// places are one of each kind, with the gate before those that are servers.
func places(t *testing.T) map[string]struct {
	store model.Store
	gate  *gate
} {
	t.Helper()
	type place = struct {
		store model.Store
		gate  *gate
	}
	repo := filepath.Join(t.TempDir(), "policies.git")
	if _, err := git.PlainInit(repo, true); err != nil {
		t.Fatal(err)
	}
	webGate, web := serve(t, &files{data: map[string][]byte{}})
	ociGate, oci := serve(t, ociregistry.New(ociregistry.Logger(log.New(io.Discard, "", 0))))
	backend := s3mem.New()
	if err := backend.CreateBucket("policies"); err != nil {
		t.Fatal(err)
	}
	s3Gate, s3 := serve(t, gofakes3.New(backend).Server())
	return map[string]place{
		"folder": {store: &model.Folder{Path: t.TempDir()}},
		"git":    {store: &model.Git{URL: repo, Branch: "live", Path: "prod"}},
		"http":   {&model.HTTP{URL: web.String() + "/acme", Token: secret("t0ken")}, webGate},
		"oci":    {&model.OCI{Repository: oci.Host + "/acme/policies", Tag: "prod", PlainHTTP: true}, ociGate},
		"s3": {&model.S3{
			Endpoint: s3.Host, Region: "us-east-1", Bucket: "policies", Prefix: "prod",
			AccessKey: secret("access"), SecretKey: secret("secret"), PlainHTTP: true,
		}, s3Gate},
	}
}

func release(revision, content string) *publish.Release {
	file := func(s string) publish.FileState {
		return publish.FileState{SHA256: publish.Sum([]byte(s)), Content: publish.Sum([]byte(s))}
	}
	return &publish.Release{
		Files: []publish.File{{Path: "bundle.tar.gz", Data: []byte("bundle " + content)}, {Path: "policy.json", Data: []byte("policy " + content)}},
		Manifest: publish.Manifest{
			FormatVersion: publish.FormatVersion, Project: "acme", Revision: revision,
			Files: map[string]publish.FileState{"bundle.tar.gz": file("bundle " + content), "policy.json": file("policy " + content)},
			Rules: map[string]string{"policy p": publish.Sum([]byte(content))},
		},
	}
}

func live(t *testing.T, s publish.Store) *publish.Manifest {
	t.Helper()
	m, err := publish.Live(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, s model.Store) publish.Store {
	t.Helper()
	out, err := publish.Open(&model.Publish{Name: "prod", Store: s}, t.TempDir(), secrets)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStores(t *testing.T) {
	t.Parallel()
	for name, place := range places(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, place.store)
			if m := live(t, s); m != nil {
				t.Fatalf("an empty place holds %v", m)
			}
			for _, r := range []*publish.Release{release("one", "a"), release("two", "b"), release("two", "b")} {
				if err := publish.Put(context.Background(), s, r); err != nil {
					t.Fatal(err)
				}
				again := open(t, place.store)
				m := live(t, again)
				if diff := cmp.Diff(&r.Manifest, m); diff != "" {
					t.Fatalf("what is live (-want +got)\n%s", diff)
				}
				damage, err := publish.Damage(context.Background(), again, m)
				if err != nil || len(damage) > 0 {
					t.Fatalf("damage %v, %v", damage, err)
				}
				s = again
			}
			if _, err := s.Get(context.Background(), "no.such"); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file that is not there: %v", err)
			}
			if place.gate == nil {
				return
			}
			halfway(t, place.store, place.gate)
		})
	}
}

// halfway has the server fail after some writes: what is live stays what it was,
// and what did not end is told.
func halfway(t *testing.T, at model.Store, g *gate) {
	t.Helper()
	before := live(t, open(t, at))
	for _, allowed := range []int{0, 1, 2} {
		s := open(t, at)
		if got := live(t, s); got.Revision != before.Revision {
			t.Fatalf("revision %s is live", got.Revision)
		}
		g.mu.Lock()
		g.fail, g.status, g.writes = allowed, http.StatusForbidden, 0
		g.mu.Unlock()
		err := publish.Put(context.Background(), s, release("three", "c"+strconv.Itoa(allowed)))
		if err == nil || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("after %d writes: %v", allowed, err)
		}
		after := live(t, open(t, at))
		if diff := cmp.Diff(before, after, cmpopts.IgnoreFields(publish.Manifest{}, "Publishing")); diff != "" {
			t.Errorf("after %d writes, what is live changed (-was +is)\n%s", allowed, diff)
		}
		damage, err := publish.Damage(context.Background(), open(t, at), after)
		if err != nil || len(damage) > 0 && after.Publishing == nil {
			t.Errorf("after %d writes, nothing tells of the damage %v, %v", allowed, damage, err)
		}
	}
	// A failure that passes is tried again.
	g.mu.Lock()
	g.fail, g.writes = -1, 0
	g.mu.Unlock()
	if err := publish.Put(context.Background(), open(t, at), release("four", "d")); err != nil {
		t.Errorf("after the server is well again: %v", err)
	}
	if m := live(t, open(t, at)); m.Revision != "four" || m.Publishing != nil {
		t.Errorf("after the server is well again: %+v", m)
	}
}

func TestServerThatIsNeverWell(t *testing.T) {
	t.Parallel()
	g, u := serve(t, &files{data: map[string][]byte{}})
	g.fail, g.status = 0, http.StatusServiceUnavailable
	err := publish.Put(context.Background(), open(t, &model.HTTP{URL: u.String(), Token: secret("t0ken")}), release("one", "a"))
	if err == nil || !strings.Contains(err.Error(), "503") || g.writes != 4 {
		t.Errorf("%d writes, %v", g.writes, err)
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, &model.Folder{Path: dir})
	r := release("one", "a")
	if err := publish.Put(context.Background(), s, r); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "policy.json"), []byte("by hand"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "bundle.tar.gz")); err != nil {
		t.Fatal(err)
	}
	got, err := publish.Damage(context.Background(), s, &r.Manifest)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"bundle.tar.gz": "missing", "policy.json": "changed"}, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"", "{", `{"format_version": 2}`, `{"format_version": 1, "files": {"../x": {}}}`, `{"format_version": 1, "more": 1}`} {
		if err := os.WriteFile(filepath.Join(dir, publish.ManifestName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := publish.Live(context.Background(), s); !errors.Is(err, publish.ErrDamaged) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A place that cannot be written leaves nothing half done beside what is there.
func TestFolderIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, &model.Folder{Path: dir})
	r := release("one", "a")
	r.Files = append(r.Files, publish.File{Path: "bundle.tar.gz/inside", Data: []byte("x")})
	if err := os.WriteFile(filepath.Join(dir, "bundle.tar.gz"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := publish.Put(context.Background(), s, r); err == nil {
		t.Fatal("a file was made inside of a file")
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 1 {
		t.Errorf("%v, %v", list, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "bundle.tar.gz"))
	if err != nil || !bytes.Equal(data, []byte("old")) {
		t.Errorf("%s, %v", data, err)
	}
}

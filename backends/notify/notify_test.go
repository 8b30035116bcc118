package notify_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/google/go-cmp/cmp"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/postern-dev/postern/backends/notify"
	"github.com/postern-dev/postern/compiler/model"
)

func quick() *notify.Sender { return &notify.Sender{Wait: time.Millisecond} }

func TestEventIsACloudEvent(t *testing.T) {
	t.Parallel()
	changes := make([]notify.Change, 130)
	id, body, err := notify.New(model.OnDrift, notify.Data{Project: "a b/c", Datasource: "crm", Changes: changes}, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	var e event.Event
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatal(err)
	}
	if err := e.Validate(); err != nil {
		t.Error(err)
	}
	got := []string{e.ID(), e.Type(), e.Source(), e.Subject(), e.Time().Format(time.RFC3339), e.DataContentType()}
	want := []string{id, "com.github.postern-dev.postern.drift.v1", "/postern/projects/a%20b%2Fc", "datasource.crm", "1970-01-01T00:00:00Z", "application/json"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	var data notify.Data
	if err := e.DataAs(&data); err != nil || len(data.Changes) != 100 || data.MoreChanges != 30 || data.FormatVersion != notify.FormatVersion {
		t.Errorf("%v, %d changes and %d more", err, len(data.Changes), data.MoreChanges)
	}
}

func TestSendSignsAndTriesAgain(t *testing.T) {
	t.Parallel()
	hook, err := webhooks.NewWebhookRaw([]byte("a secret"))
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err = errors.Join(err, hook.Verify(body, r.Header)); err != nil {
			t.Error(err)
		}
		if string(body) != `{"a":1}` || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/cloudevents+json") || r.Header.Get("webhook-id") != "id" {
			t.Errorf("%s with %v", body, r.Header)
		}
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	if err := quick().Send(t.Context(), server.URL, "a secret", "id", []byte(`{"a":1}`)); err != nil {
		t.Error(err)
	}
	if asked.Load() != 3 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestSendGivesUp(t *testing.T) {
	t.Parallel()
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, c := range map[string]struct {
		status, asked int
		want          string
	}{
		"refuses":                {403, 1, "it answers with status 403"},
		"fails":                  {500, 4, "it answers with status 500"},
		"sends somewhere else":   {307, 1, "it answers with status 307"},
		"is not there":           {0, 0, "refused"},
		"is none":                {-1, 0, "its url is no address of http or https"},
		"is of another protocol": {-2, 0, "its url is no address of http or https"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
			}))
			t.Cleanup(server.Close)
			address := map[int]string{0: closed.URL + "/token", -1: "::token", -2: "file:///token"}[c.status]
			if address == "" {
				address = server.URL + "/token"
			}
			err := quick().Send(t.Context(), address, "", "id", []byte("{}"))
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "token") {
				t.Errorf("got %v", err)
			}
			if int(asked.Load()) != c.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), c.asked)
			}
		})
	}
}

func TestDeadLetters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "deep", "dead.jsonl")
	if sent, left, err := notify.Resend(path, nil); sent != 0 || left != 0 || err != nil {
		t.Errorf("no file: %d, %d, %v", sent, left, err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if err := notify.Bury(path, notify.Letter{Failed: time.Unix(0, 0).UTC(), Reason: "x", ID: id, Event: json.RawMessage(`{"a":1}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	only := func(bad string) func(notify.Letter) error {
		return func(l notify.Letter) error {
			if l.ID == bad {
				return errors.New("again")
			}
			return nil
		}
	}
	if sent, left, err := notify.Resend(path, only("2")); sent != 2 || left != 1 || err != nil {
		t.Errorf("%d, %d, %v", sent, left, err)
	}
	if sent, left, err := notify.Resend(path, only("")); sent != 1 || left != 0 || err != nil {
		t.Errorf("%d, %d, %v", sent, left, err)
	}
	if err := os.WriteFile(path, []byte("{\"id\":\"4\"}\nnot JSON\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := notify.Resend(path, only("")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a broken line: %v", err)
	}
	if _, _, err := notify.Resend(path, only("")); err == nil || !strings.Contains(err.Error(), "put its lines back") {
		t.Errorf("what is left of a broken file: %v", err)
	}
}

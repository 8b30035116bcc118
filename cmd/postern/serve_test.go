package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
)

// buffer is written by a command and read by its test.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var serving = regexp.MustCompile(`Serving at (http://[0-9.:]+)\n`)

// served is "postern serve" in a folder, until the test ends.
func served(t *testing.T, dir string, args ...string) (url string, log *buffer) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	log = &buffer{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"-C", dir, "serve", "--listen", "127.0.0.1:0"}, args...), strings.NewReader(""), io.Discard, log)
	}()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != exitDone {
			t.Errorf("serve ended with status %d: %s", status, log)
		}
	})
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if m := serving.FindStringSubmatch(log.String()); m != nil {
			return m[1], log
		}
		select {
		case status := <-ended:
			ended <- status
			t.Fatalf("serve ended with status %d: %s", status, log)
		default:
		}
	}
	t.Fatal("serve does not listen")
	return "", nil
}

func askServer(t *testing.T, url, path, body string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// crm is a copy of testdata/crm whose database is a live one.
func crm(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "crm"))); err != nil {
		t.Fatal(err)
	}
	server, err := throwaway.Start(t.Context(), throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := server.CreateDatabase(t.Context(), "crm"); err != nil {
		t.Fatal(err)
	}
	url := server.URL("crm")
	schema, err := os.ReadFile(filepath.Join(dir, "schema.sql"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), string(schema)); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(t.TempDir(), "url")
	if err := os.WriteFile(secret, []byte(url), 0o600); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "postern.hcl"), `env("DATABASE_URL")`, `file("`+secret+`")`)
	return dir
}

// execute runs a statement on the database of a copy of crm.
func execute(t *testing.T, dir, statement string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "postern.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), `file("`)
	file, _, _ := strings.Cut(rest, `"`)
	url, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := pgx.Connect(t.Context(), string(url))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func edit(t *testing.T, file, from, to string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(string(data), from, to, 1)
	if next == string(data) {
		t.Fatalf("%s does not hold %s", file, from)
	}
	if err := os.WriteFile(file, []byte(next), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestServeRecords looks records up in a live database, and reloads the folder.
func TestServeRecords(t *testing.T) {
	t.Parallel()
	dir := crm(t)
	execute(t, dir, `CREATE TABLE parts (shelf text, no int, owner_id int, PRIMARY KEY (shelf, no));
		INSERT INTO parts VALUES ('a', 1, 1), ('a', 2, 2), ('b,"', 1, 1)`)
	if err := os.WriteFile(filepath.Join(dir, "parts.hcl"), []byte(`table "crm" "parts" {
  column "shelf" { type = string }
  column "no" { type = int }
  column "owner_id" { type = int }
  primary_key = ["shelf", "no"]
}
policy "parts" {
  to    = [access_level.user]
  on    = [table.crm.parts]
  allow = [view]
  when  = record.owner_id == user.id
}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	url, log := served(t, dir, "--records", "crm", "--poll", "20ms")
	const evaluation = "/access/v1/evaluation"
	ask := func(id string) string {
		return `{"subject":{"type":"user","id":"1"},"action":{"name":"view"},"resource":{"type":"crm.deals","id":"` + id + `"},"context":{"app":"desk"}}`
	}
	for id, want := range map[string]string{
		"1": `{"decision":true}`, "2": `{"decision":true}`, "3": `{"decision":false}`,
		"4": "there is no such record", "one": "there is no such record", "1' OR true --": "there is no such record",
	} {
		if got := askServer(t, url, evaluation, ask(id)); !strings.Contains(got, want) {
			t.Errorf("deal %s: %s, want %s", id, got, want)
		}
	}
	if got := askServer(t, url, "/access/v1/search/resource", ask("x")); got != `{"results":[{"type":"crm.deals","id":"1"},{"type":"crm.deals","id":"2"}]}` {
		t.Errorf("search: %s", got)
	}
	// A primary key of several columns is an array of texts.
	part := func(id string) string {
		return strings.NewReplacer("crm.deals", "crm.parts", `"x"`, id).Replace(ask("x"))
	}
	for id, want := range map[string]string{
		`"[\"a\",\"1\"]"`: `{"decision":true}`, `"[\"a\", \"2\"]"`: `{"decision":false}`, `"[\"b,\\\"\",\"1\"]"`: `{"decision":true}`,
		`"[\"a\"]"`: "there is no such record", `"[\"a\",null]"`: "there is no such record", `"a"`: "there is no such record", `"[\"a\",\"x\"]"`: "there is no such record",
	} {
		if got := askServer(t, url, evaluation, part(id)); !strings.Contains(got, want) {
			t.Errorf("part %s: %s, want %s", id, got, want)
		}
	}
	page := strings.Replace(part(`"x"`), `"action"`, `"page":{"limit":1},"action"`, 1)
	first := askServer(t, url, "/access/v1/search/resource", page)
	next := regexp.MustCompile(`"next_token":"([^"]+)"`).FindStringSubmatch(first)
	if next == nil || !strings.Contains(first, `"results":[{"type":"crm.parts","id":"[\"a\",\"1\"]"}]`) {
		t.Fatalf("the first page: %s", first)
	}
	page = strings.Replace(page, `"limit":1`, `"limit":1,"token":"`+next[1]+`"`, 1)
	if got := askServer(t, url, "/access/v1/search/resource", page); !strings.Contains(got, `"id":"[\"b,\\\"\",\"1\"]"`) {
		t.Errorf("the second page: %s", got)
	}
	edit(t, filepath.Join(dir, "deals.hcl"), "record.owner_id == user.id || ", "")
	for end := time.Now().Add(30 * time.Second); askServer(t, url, evaluation, ask("1")) != `{"decision":false}`; {
		if time.Now().After(end) {
			t.Fatalf("the change does not come into force: %s", log)
		}
	}
	edit(t, filepath.Join(dir, "deals.hcl"), "record.region", "record.nonsense")
	for end := time.Now().Add(30 * time.Second); !strings.Contains(log.String(), "those in force stay"); {
		if time.Now().After(end) {
			t.Fatal("nothing is said of the errors")
		}
	}
	if got := askServer(t, url, evaluation, ask("2")); got != `{"decision":true}` {
		t.Errorf("after a change with errors: %s", got)
	}
	if strings.Contains(log.String(), "postgres://") {
		t.Errorf("the log holds the URL of the database: %s", log)
	}
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "crm"))); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"is not a loopback address":                   {"--listen", "0.0.0.0:0"},
		"there is no Postgres datasource":             {"--records", "nope"},
		"The environment variable NO_SUCH is not set": {"--token-env", "NO_SUCH"},
		"TLS needs a certificate and its key":         {"--tls-cert", "x"},
		"none of the others can be":                   {"--token-env", "A", "--token-file", "b"},
		"There is no project":                         {"-C", t.TempDir()},
		"Opening the decision log":                    {"--decision-log", filepath.Join(dir, "no", "such")},
	} {
		var log buffer
		if status := run(t.Context(), append([]string{"-C", dir, "serve"}, args...), strings.NewReader(""), io.Discard, &log); status != exitFailed {
			t.Errorf("%v: status %d", args, status)
		}
		if !strings.Contains(strings.ToLower(strings.Join(strings.Fields(log.String()), " ")), strings.ToLower(want)) {
			t.Errorf("%v: %s", args, log.String())
		}
	}
}

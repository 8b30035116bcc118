package docs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/backends/rego/opatest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// TestTargetsInput asks the question of targets.md about the example that it
// speaks of, whose moderators may ban that player.
func TestTargetsInput(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("targets.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```json\n")
	text, _, ends := strings.Cut(rest, "```")
	if !ok || !ends {
		t.Fatal("targets.md shows no input")
	}
	var input struct {
		User    map[string]any `json:"user"`
		App     *string        `json:"app"`
		Request map[string]any `json:"request"`
		Now     string         `json:"now"`
		Table   string         `json:"table"`
		Action  model.Action   `json:"action"`
		Record  map[string]any `json:"record"`
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	dec.DisallowUnknownFields()
	if err := dec.Decode(&input); err != nil {
		t.Fatal(err)
	}

	set, err := source.FromDir("../examples/game-backend")
	if err != nil {
		t.Fatal(err)
	}
	program, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	q := backend.Question{Request: model.Request{User: input.User, Context: input.Request}, Action: input.Action, Old: input.Record}
	for _, table := range program.Tables {
		if table.Resource() && table.Name == input.Table {
			q.Table = table
		}
	}
	if q.Table == nil {
		t.Fatalf("there is no resource %q", input.Table)
	}
	document, err := jsondoc.NewDecider(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := rego.NewDecider(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	anonymous := q
	anonymous.Request.User = nil
	for name, d := range map[string]backend.Decider{"json": document, "rego": bundle} {
		if allowed, err := d.Decide(t.Context(), q); err != nil || !allowed {
			t.Errorf("%s: allowed %v, error %v", name, allowed, err)
		}
		if allowed, err := d.Decide(t.Context(), anonymous); err != nil || allowed {
			t.Errorf("%s, anonymous: allowed %v, error %v", name, allowed, err)
		}
	}
}

// TestTargetsFilter sends the request for a data filter that targets.md shows to
// a running OPA, whose answer must be the one that stands there.
func TestTargetsFilter(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("targets.md")
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string) string {
		t.Helper()
		_, rest, ok := strings.Cut(string(page), "```json "+kind+"\n")
		text, _, ends := strings.Cut(rest, "```")
		if !ok || !ends {
			t.Fatalf("targets.md shows no %s", kind)
		}
		return text
	}
	_, rest, _ := strings.Cut(string(page), "curl -s localhost:8181")
	path, _, ok := strings.Cut(rest, " ")
	if !ok {
		t.Fatal("targets.md shows no curl")
	}
	set, err := source.FromDir("../examples/game-backend")
	if err != nil {
		t.Fatal(err)
	}
	program, diags := compiler.Compile(t.Context(), set, compiler.Inputs{})
	if err := diags.Err(); err != nil {
		t.Fatal(err)
	}
	artifacts, err := rego.Emitter{}.Emit(t.Context(), program)
	if err != nil {
		t.Fatal(err)
	}
	host := opatest.NewHost(t)
	for _, a := range artifacts {
		if a.Path == "rego/bundle.tar.gz" {
			host.Set("game", a.Data)
		}
	}
	url := opatest.Start(t, opatest.Options{Host: host, Bundles: []string{"game"}})
	host.Await(t, "game", func(s opatest.Status) bool { return s.Revision != "" && s.Code == "" })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(block("filter-request")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.opa.sql.postgresql+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var got, want any
	if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(block("filter-answer")), &want); err != nil {
		t.Fatal(err)
	}
	have, _ := json.Marshal(got)
	shown, _ := json.Marshal(want)
	if !bytes.Equal(have, shown) {
		t.Errorf("OPA answers %s, and the page says %s", have, shown)
	}
}

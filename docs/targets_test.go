package docs

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/rego"
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

package jsondoc_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/backends/jsondoc/engine"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
)

const hashProject = `
postern {
  project  = "hashes"
  hash_key = env("HASHES_KEY")
}
datasource "d" { type = "service" }
resource "d" "r" {
  attribute "name" { type = string }
}
policy "see" {
  description = "Everyone"
  on          = [resource.d.r]
  to          = [everyone]
  allow       = [view]
}
mask "name" {
  description = "A hash"
  on          = [resource.d.r]
  columns     = ["name"]
  with        = hash()
}
`

// TestHashKey: a document with masks by hash is loaded with a key or not at
// all, and the key makes the value.
func TestHashKey(t *testing.T) {
	t.Parallel()
	p, diags := compiler.Compile(t.Context(), &source.Set{Files: []source.File{{Name: "main.hcl", Data: []byte(hashProject)}}}, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags)
	}
	artifacts, err := jsondoc.Emitter{}.Emit(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	for _, a := range artifacts {
		if a.Path == jsondoc.DocumentPath {
			data = a.Data
		}
	}
	for _, options := range [][]engine.Option{nil, {engine.WithHashKey(strings.Repeat("k", 31))}} {
		if _, err := engine.Load(data, options...); !errors.Is(err, engine.ErrHashKey) {
			t.Errorf("loading with %d options: %v", len(options), err)
		}
	}
	e, err := engine.Load(data, engine.WithHashKey(strings.Repeat("é", 32)))
	if err != nil {
		t.Fatal(err)
	}
	other, err := engine.Load(data, engine.WithHashKey(strings.Repeat("k", 32)))
	if err != nil {
		t.Fatal(err)
	}
	record := map[string]any{"name": "Ada"}
	first, masked := e.Session(&engine.Request{}).Project("d", "r", record)
	second, _ := other.Session(&engine.Request{}).Project("d", "r", record)
	if len(masked) != 1 || first["name"] == second["name"] || len(first["name"].(string)) != 64 {
		t.Errorf("masked %v: %v and, with another key, %v", masked, first, second)
	}
}

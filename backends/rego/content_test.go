package rego

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/lang/source"
)

// Who is in which group is data: changing it leaves every line of Rego as it is.
func TestDirectoryIsData(t *testing.T) {
	t.Parallel()
	emit := func(extra string) map[string]string {
		files := append(archive(t, "../../testdata/equivalence/decision.txtar"), source.File{Name: "more.hcl", Data: []byte(extra)})
		p, _ := compileFiles(t, files...)
		artifacts, err := (Emitter{}).Emit(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, a := range artifacts {
			out[a.Path] = string(a.Data)
		}
		return out
	}
	before := emit("")
	for _, extra := range []string{
		`group "newcomers" { description = "New" }`,
		`user "zoe" {
		   groups     = []
		   attributes = { id = "00000000-0000-4000-8000-00000000beef" }
		 }`,
	} {
		after := emit(extra)
		var changed []string
		for path := range after {
			if before[path] != after[path] {
				changed = append(changed, path)
			}
		}
		if diff := cmp.Diff(map[any]bool{"rego/bundle.tar.gz": true, "rego/data.json": true}, sortedNames(changed)); diff != "" {
			t.Errorf("%s: what changed (-want +got)\n%s", extra, diff)
		}
	}
}

func sortedNames(names []string) map[any]bool {
	list := make([]any, len(names))
	for i, n := range names {
		list[i] = n
	}
	return sorted(list)
}

// The data and the inputs of all tests satisfy the schemas of the bundle.
func TestSchemas(t *testing.T) {
	t.Parallel()
	for _, example := range []string{"game-backend", "llm-apps", "low-code"} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			p, tests := compileFiles(t, folder(t, filepath.Join("../../examples", example))...)
			c, err := newContent(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			schemas := jsonschema.NewCompiler()
			for _, s := range c.schemas {
				doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(s.text))
				if err != nil {
					t.Fatal(err)
				}
				if err := schemas.AddResource("file:///"+s.path, doc); err != nil {
					t.Fatal(err)
				}
			}
			check := func(path string, v any) {
				t.Helper()
				s, err := schemas.Compile("file:///" + path)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.Validate(v); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
			data, err := jsonschema.UnmarshalJSON(bytes.NewReader(c.data))
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range modelPath(p.Project) {
				data = data.(map[string]any)[step]
			}
			check(schemaFile(modelSchemaPath(p.Project)), data)
			for _, test := range tests {
				for _, q := range ask(p, test) {
					path := schemaFile(inputSchemaPath(p.Project, q.Table.Datasource.Name))
					check(path, inputDocument(t, q))
					if q.Old != nil {
						check(path+"#/definitions/"+pointer(q.Table.Name), map[string]any(q.Old))
					}
				}
			}
		})
	}
}

// inputDocument is a question as an OPA is sent it.
func inputDocument(t *testing.T, q backend.Question) any {
	t.Helper()
	in := map[string]any{
		"app": q.Request.App, "table": q.Table.Name, "action": string(q.Action),
		"user": q.Request.User, "request": q.Request.Context, "record": q.Old, "new": q.New, "set": q.Set,
	}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

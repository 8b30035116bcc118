package serve_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/postern-dev/postern/serve"
	"github.com/postern-dev/postern/serve/authzen"
)

// description is the OpenAPI document as far as the tests read it.
type description struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		Security  *[]any `json:"security"`
		Responses map[string]struct {
			Content map[string]struct {
				Schema json.RawMessage `json:"schema"`
			} `json:"content"`
		} `json:"responses"`
		RequestBody *struct {
			Content map[string]json.RawMessage `json:"content"`
		} `json:"requestBody"`
	} `json:"paths"`
}

func described(t *testing.T) (description, *jsonschema.Compiler) {
	t.Helper()
	var d description
	if err := json.Unmarshal(serve.OpenAPI(), &d); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(serve.OpenAPI()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	return d, c
}

// TestOpenAPIPaths holds the description to the paths and statuses of the
// server: each described path answers, with no status that is not described,
// and asks for credentials unless it says that it does not.
func TestOpenAPIPaths(t *testing.T) {
	t.Parallel()
	d, _ := described(t)
	if !strings.HasPrefix(d.OpenAPI, "3.1.") || len(d.Paths) != 11 {
		t.Errorf("OpenAPI %s with %d paths", d.OpenAPI, len(d.Paths))
	}
	_, open := start(t, todo(t), serve.Options{})
	_, closed := start(t, todo(t), serve.Options{Token: "a-token-of-tests-1"})
	for path, methods := range d.Paths {
		for method, op := range methods {
			method = strings.ToUpper(method)
			for _, body := range []string{"", "{}", mortys(own), strings.Repeat(" ", serve.DefaultMaxBody+1)} {
				if method == http.MethodGet && body != "" {
					continue
				}
				got := send(t, open.Client(), method, open.URL+path, body)
				response, ok := op.Responses[strconv.Itoa(got.status)]
				if !ok {
					t.Errorf("%s %s answers %d %.100s, which is not described", method, path, got.status, got.body)
					continue
				}
				media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
				if _, ok := response.Content[media]; !ok {
					t.Errorf("%s %s answers %d with %q", method, path, got.status, media)
				}
			}
			want := http.StatusUnauthorized
			if op.Security != nil && len(*op.Security) == 0 {
				want = http.StatusOK
			}
			if got := send(t, closed.Client(), method, closed.URL+path, "{}"); got.status != want {
				t.Errorf("%s %s without a token: %d, want %d", method, path, got.status, want)
			}
		}
	}
	if got := send(t, open.Client(), http.MethodGet, open.URL+"/openapi.json", ""); got.body != strings.TrimSpace(string(serve.OpenAPI())) {
		t.Error("another description is served")
	}
	if got := send(t, open.Client(), http.MethodGet, open.URL+"/nope", ""); got.status != http.StatusNotFound {
		t.Errorf("/nope: %d", got.status)
	}
}

// TestOpenAPISchemas holds requests that are answered, and the answers, to the
// described schemas.
func TestOpenAPISchemas(t *testing.T) {
	t.Parallel()
	_, c := described(t)
	p := todo(t)
	p.records = shelf{}
	_, h := start(t, p, serve.Options{})
	schema := func(path, part string) *jsonschema.Schema {
		s, err := c.Compile("openapi.json#/paths/" + strings.ReplaceAll(path, "/", "~1") + part + "/content/application~1json/schema")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	fits := func(s *jsonschema.Schema, text string) error {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			return err
		}
		return s.Validate(v)
	}
	one := mortys(own)
	byType := strings.Replace(one, `,"id":"1"`, "", 1)
	for _, q := range []struct{ path, body string }{
		{authzen.EvaluationPath, one},
		{authzen.EvaluationPath, mortys(other)},
		{authzen.EvaluationPath, strings.Replace(one, "app.todo", "nope", 1)},
		{authzen.EvaluationPath + "?explain", one},
		{authzen.EvaluationsPath, one},
		{authzen.EvaluationsPath, `{"evaluations":[` + one + `,{},` + mortys(other) + `],"options":{"evaluations_semantic":"execute_all"}}`},
		{authzen.EvaluationsPath + "?explain", `{"evaluations":[` + one + `]}`},
		{authzen.SearchSubjectPath, one},
		{authzen.SearchSubjectPath, strings.Replace(one, `{"subject"`, `{"page":{"limit":1},"subject"`, 1)},
		{authzen.SearchResourcePath, byType},
		{authzen.SearchResourcePath, strings.Replace(byType, `{"subject"`, `{"page":{"limit":1},"subject"`, 1)},
		{authzen.SearchActionPath, one},
	} {
		path, _, _ := strings.Cut(q.path, "?")
		if err := fits(schema(path, "/post/requestBody"), q.body); err != nil {
			t.Errorf("%s: the request is not as described: %v", q.path, err)
		}
		got := post(t, h, q.path, q.body)
		if got.status != http.StatusOK {
			t.Errorf("%s: %d %s", q.path, got.status, got.body)
			continue
		}
		if err := fits(schema(path, "/post/responses/200"), got.body); err != nil {
			t.Errorf("%s: the answer %s is not as described: %v", q.path, got.body, err)
		}
	}
	meta := send(t, h.Client(), http.MethodGet, h.URL+authzen.MetadataPath, "")
	if err := fits(schema(authzen.MetadataPath, "/get/responses/200"), meta.body); err != nil || !strings.Contains(meta.body, "search_resource_endpoint") {
		t.Errorf("metadata %s: %v", meta.body, err)
	}
	for _, bad := range []string{`{}`, `{"subject":5}`, strings.Replace(one, `"user"`, `"robot"`, 1)} {
		if fits(schema(authzen.EvaluationPath, "/post/requestBody"), bad) == nil {
			t.Errorf("the description allows %s", bad)
		}
	}
}

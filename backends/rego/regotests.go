package rego

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// TestCase is one question of a project's test with its right answer.
type TestCase struct {
	Name     string // of the test and of the question
	Span     source.Span
	Question backend.Question
	Allowed  bool
	// Sight is what the user sees of the question's old record; nil: not asked.
	// Then Allowed is not asked.
	Sight *model.Sight
}

// casesPerFile keeps files of tests small enough to read.
const casesPerFile = 100

// EmitTests writes cases as tests that `opa test` runs, a file for every hundred
// of a datasource. They are no part of the bundle.
func EmitTests(p *model.Program, cases []TestCase) []backend.Artifact {
	var out []backend.Artifact
	for _, ds := range p.Datasources {
		pkg := datasourcePath(p.Project, ds.Name)
		var list []rule
		for _, c := range cases {
			if c.Question.Table.Datasource == ds {
				list = append(list, c.rules(len(list), runtimeTerm(p))...)
			}
		}
		n := 0
		for chunk := range slices.Chunk(list, casesPerFile) {
			n++
			test := slices.Clone(pkg)
			test[2] += "_test"
			f := &file{
				path: fmt.Sprintf("%scases_%03d_test.rego", folderOf(test), n), pkg: test,
				imports: []imported{{path: pkg, alias: "decisions"}}, rules: chunk,
			}
			out = append(out, backend.Artifact{Path: "rego-tests/" + f.path, Data: printFile(f)})
		}
	}
	slices.SortFunc(out, func(a, b backend.Artifact) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// runtimeTerm is the engine's runtime with the key under which the sources' tests
// state what hash() shows; nil where the program has no such mask.
func runtimeTerm(p *model.Program) term {
	if !p.Hashes() {
		return nil
	}
	return object{{"env", object{{HashKeyVariable(p), text(model.TestHashKey)}}}}
}

// rules are the tests of a case; n numbers the first.
func (c TestCase) rules(n int, runtime term) []rule {
	input := inputTerm(c.Question)
	test := func(what string, got, want term) rule {
		about := &note{title: c.Name, description: "What the source's test says of " + what + ".", source: c.Span.String()}
		named := fmt.Sprintf("test_%04d_%s", n, word(c.Name))
		n++
		return rule{note: about, name: named, body: body{test{term: infix{"==", got, want}, input: input, runtime: runtime}}}
	}
	member := func(rule string) term { return ref{"decisions", []string{rule}} }
	if c.Sight == nil {
		return []rule{test("the decision", member("allow"), boolean(c.Allowed))}
	}
	seen := slices.Concat(c.Sight.Visible, slices.Collect(maps.Keys(c.Sight.Masked)))
	slices.Sort(seen)
	columns := make(set, len(seen))
	for i, s := range seen {
		columns[i] = text(s)
	}
	return []rule{
		test("the columns that are seen", member("columns"), columns),
		test("what masks show", member("mask"), jsonTerm(c.Sight.Masked)),
	}
}

func inputTerm(q backend.Question) term {
	in := map[string]any{
		"table": q.Table.Name, "action": string(q.Action),
		"now": time.UnixMicro(int64(q.Request.Now)).UTC().Format("2006-01-02T15:04:05.999999Z"),
	}
	if q.Request.User != nil {
		in["user"] = q.Request.User
	}
	if q.Request.App != "" {
		in["app"] = q.Request.App
	}
	if q.Request.Context != nil {
		in["request"] = q.Request.Context
	}
	if q.Old != nil {
		in["record"] = q.Old
	}
	if q.New != nil {
		in["new"] = q.New
	}
	if q.Set != nil {
		columns := make([]any, len(q.Set))
		for i, c := range q.Set {
			columns[i] = c
		}
		in["set"] = columns
	}
	return jsonTerm(in)
}

// jsonTerm is a JSON value, as encoding/json decodes it with UseNumber, as a
// term; see value for what cannot be carried.
func jsonTerm(v any) term {
	switch x := v.(type) {
	case nil:
		return null{}
	case bool:
		return boolean(x)
	case string:
		return text(x)
	case json.Number:
		if numeral.MatchString(string(x)) {
			return decimal(x)
		}
	case []any:
		out := make(list, len(x))
		for i, e := range x {
			out[i] = jsonTerm(e)
		}
		return out
	case map[string]any:
		out := make(object, 0, len(x))
		for _, k := range slices.Sorted(maps.Keys(x)) {
			out = append(out, field{k, jsonTerm(x[k])})
		}
		return out
	}
	return text(unreadable)
}

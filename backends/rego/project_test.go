package rego

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/loader"
	"github.com/open-policy-agent/opa/v1/rego"
	"golang.org/x/tools/txtar"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler"
	reference "github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/source"
)

// compileFiles compiles a project with its tests.
func compileFiles(t *testing.T, files ...source.File) (*model.Program, []*model.Test) {
	t.Helper()
	p, tests, diags := compiler.CompileTests(context.Background(), &source.Set{Files: files}, compiler.Inputs{})
	if diags.HasErrors() {
		t.Fatal(diags.Error())
	}
	return p, tests
}

// archive reads the .hcl files of a txtar archive.
func archive(t *testing.T, path string) []source.File {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var files []source.File
	for _, f := range a.Files {
		if strings.HasSuffix(f.Name, ".hcl") {
			files = append(files, source.File{Name: f.Name, Data: f.Data})
		}
	}
	return files
}

// folder reads the .hcl files of an example.
func folder(t *testing.T, dir string) []source.File {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no project in %s: %v", dir, err)
	}
	var files []source.File
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, source.File{Name: filepath.Base(p), Data: data})
	}
	return files
}

// ask is every question of a test, with the documents that go with it.
func ask(p *model.Program, test *model.Test) []backend.Question {
	docs := testrun.NewDocuments(p, test)
	var out []backend.Question
	question := func(a model.Ask) {
		q := backend.Question{Request: docs.Request(a.Table().Datasource), Table: a.Table(), Action: a.Action}
		q.Old, q.New, q.Set = docs.Ask(a)
		out = append(out, q)
	}
	for _, f := range test.Fixtures {
		for _, action := range f.Table.Actions {
			if action != model.Create {
				question(model.Ask{Action: action, Old: f})
			}
		}
	}
	for _, w := range test.Writes {
		action := model.Edit
		if w.From == nil {
			action = model.Create
		}
		question(model.Ask{Action: action, Old: w.From, Write: w})
	}
	return out
}

func TestProjects(t *testing.T) {
	t.Parallel()
	projects := map[string][]source.File{}
	cases, err := filepath.Glob("../../testdata/equivalence/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, c := range cases {
		projects[filepath.Base(c)] = archive(t, c)
	}
	for _, e := range []string{"game-backend", "llm-apps", "low-code"} {
		projects[e] = folder(t, filepath.Join("../../examples", e))
	}
	for name, files := range projects {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, tests := compileFiles(t, files...)
			if diags := (Emitter{}).Audit(p); diags.HasErrors() {
				t.Fatal(diags.Error())
			}
			d, err := NewDecider(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			c, err := newContent(context.Background(), p)
			if err != nil {
				t.Fatal(err)
			}
			checkFormat(t, c)
			checkStrict(t, c)
			packed := bundleQuery(t, p)
			questions := 0
			for _, test := range tests {
				for _, q := range ask(p, test) {
					questions++
					checkQuestion(t, p, d, packed, q, test.Name)
				}
			}
			if questions == 0 {
				t.Fatal("the project asks nothing")
			}
			t.Logf("%d questions", questions)
		})
	}
}

// checkQuestion compares the decider, the filter and the packed bundle with the
// evaluator.
func checkQuestion(t *testing.T, p *model.Program, d *Decider, packed func(backend.Question) map[string]any, q backend.Question, test string) {
	t.Helper()
	want := reference.Decide(p, reference.Query{Request: q.Request, Table: q.Table, Action: q.Action, Old: q.Old, New: q.New, Set: q.Set, HashKey: model.TestHashKey})
	got, err := d.Decide(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	if got != want.Allowed {
		t.Errorf("%s: %s of %v: rego says %v, the evaluator %v", test, q.Action, q.Old, got, want.Allowed)
	}
	out := packed(q)
	if out["allow"] != want.Allowed {
		t.Errorf("%s: %s of %v: the bundle says %v, the evaluator %v", test, q.Action, q.Old, out["allow"], want.Allowed)
	}
	columns := []any{}
	for _, c := range want.Columns {
		columns = append(columns, c.Name)
	}
	if diff := cmp.Diff(sorted(columns), sorted(out["columns"].([]any))); diff != "" && q.Action != model.Create {
		t.Errorf("%s: columns (-evaluator +bundle)\n%s", test, diff)
	}
	if q.Action != model.Create {
		masked := meanings(q.Table, out["mask"].(map[string]any))
		if diff := cmp.Diff(meanings(q.Table, want.Masked), masked); diff != "" {
			t.Errorf("%s: masked values (-evaluator +bundle)\n%s", test, diff)
		}
		compareSight(t, p, d, q)
	}
	why := out["why"].(map[string]any)
	policies := []any{}
	for _, x := range want.Policies {
		policies = append(policies, x.Name)
	}
	if diff := cmp.Diff(sorted(policies), sorted(why["policies"].([]any))); diff != "" {
		t.Errorf("%s: policies (-evaluator +bundle)\n%s", test, diff)
	}
	if q.New == nil {
		many, err := d.DecideMany(context.Background(), q.Request, q.Table, q.Action, []model.Document{q.Old, {}, q.Old})
		if err != nil {
			t.Fatal(err)
		}
		if many[0] != want.Allowed || many[2] != want.Allowed {
			t.Errorf("%s: %s of %v: filter says %v, the evaluator %v", test, q.Action, q.Old, many, want.Allowed)
		}
	}
}

func sorted(list []any) map[any]bool {
	out := map[any]bool{}
	for _, x := range list {
		out[x] = true
	}
	return out
}

// bundleQuery reads what Emit packed with OPA's own loader, and answers with
// the whole document of a datasource's package.
func bundleQuery(t *testing.T, p *model.Program) func(backend.Question) map[string]any {
	t.Helper()
	artifacts, err := (Emitter{}).Emit(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bundle.tar.gz")
	for _, a := range artifacts {
		if a.Path == "rego/bundle.tar.gz" {
			if err := os.WriteFile(path, a.Data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	b, err := loader.NewFileLoader().WithProcessAnnotation(true).AsBundle(path)
	if err != nil {
		t.Fatal(err)
	}
	queries := map[*model.Datasource]rego.PreparedEvalQuery{}
	for _, ds := range p.Datasources {
		pkg := ast.Ref{ast.DefaultRootDocument}
		for _, s := range datasourcePath(p.Project, ds.Name) {
			pkg = append(pkg, ast.StringTerm(s))
		}
		body := ast.NewBody()
		for _, rule := range []string{"allow", "columns", "mask", "why"} {
			body.Append(ast.Equality.Expr(ast.VarTerm(rule), ast.NewTerm(pkg.Append(ast.StringTerm(rule)))))
		}
		q, err := rego.New(rego.ParsedQuery(body), rego.ParsedBundle("postern", b), rego.Runtime(testRuntime(p)),
			rego.Strict(true), rego.StrictBuiltinErrors(true)).PrepareForEval(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		queries[ds] = q
	}
	return func(q backend.Question) map[string]any {
		rs, err := queries[q.Table.Datasource].Eval(context.Background(), rego.EvalParsedInput(ast.NewObject(questionInput(q)...)))
		if err != nil {
			t.Fatal(err)
		}
		if len(rs) != 1 {
			t.Fatalf("%d results", len(rs))
		}
		return rs[0].Bindings
	}
}

func TestEmitIsReproducible(t *testing.T) {
	t.Parallel()
	files := folder(t, "../../examples/low-code")
	var first []backend.Artifact
	for range 2 {
		p, _ := compileFiles(t, files...)
		artifacts, err := (Emitter{}).Emit(context.Background(), p)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = artifacts
			continue
		}
		if diff := cmp.Diff(first, artifacts); diff != "" {
			t.Error(diff)
		}
	}
	for _, a := range first {
		if a.Path != "rego/bundle.tar.gz" {
			continue
		}
		b, err := bundle.NewReader(bytes.NewReader(a.Data)).Read()
		if err != nil {
			t.Fatal(err)
		}
		if b.Manifest.Revision == "" || len(*b.Manifest.Roots) != 1 || *b.Manifest.RegoVersion != 1 {
			t.Errorf("manifest %+v", b.Manifest)
		}
	}
}

package rego

import (
	"bytes"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/util"
)

// checkStrict is `opa check --strict --schema` on what is emitted, and a linter's
// rules for Rego: those of bugs, idioms and speed that a program can break whose
// conditions are made by a printer. No formatted, strict text has the others.
func checkStrict(t *testing.T, c *content) {
	t.Helper()
	set := ast.NewSchemaSet()
	for _, s := range c.schemas {
		var v any
		if err := util.Unmarshal(s.text, &v); err != nil {
			t.Fatalf("%s: %v", s.path, err)
		}
		name := ast.Ref{ast.SchemaRootDocument}
		for _, part := range strings.Split(strings.TrimSuffix(strings.TrimPrefix(s.path, "schemas/"), ".json"), "/") {
			name = append(name, ast.StringTerm(part))
		}
		set.Put(name, v)
	}
	modules := map[string]*ast.Module{}
	for _, f := range c.files {
		m, err := ast.ParseModuleWithOpts(f.path, string(f.text), ast.ParserOptions{RegoVersion: ast.RegoV1, ProcessAnnotation: true})
		if err != nil {
			t.Fatalf("%s: %v", f.path, err)
		}
		modules[f.path] = m
	}
	lint(t, modules)
	compiler := ast.NewCompiler().WithStrict(true).WithDefaultRegoVersion(ast.RegoV1).WithSchemas(set).WithUseTypeCheckAnnotations(true)
	if compiler.Compile(modules); compiler.Failed() {
		t.Errorf("strict check with schemas: %v", compiler.Errors)
	}
}

// builtins are the names that a rule or variable would hide.
func builtins() map[string]bool {
	names := map[string]bool{"input": true, "data": true}
	for _, b := range ast.Builtins {
		name, _, _ := strings.Cut(b.Name, ".")
		if b.Infix == "" {
			names[name] = true
		}
	}
	return names
}

func lint(t *testing.T, modules map[string]*ast.Module) {
	t.Helper()
	reserved := builtins()
	documented, entrypoints := map[string]bool{}, 0
	for _, m := range modules {
		for _, a := range m.Annotations {
			if a.Scope == "document" {
				documented[a.GetTargetPath().String()] = true
			}
			if a.Entrypoint {
				entrypoints++
			}
		}
	}
	if entrypoints == 0 {
		t.Error("no rule is an entry point")
	}
	for file, m := range modules {
		if want := folderOf(strings.Split(strings.TrimPrefix(m.Package.Path.String(), "data."), ".")); !strings.ContainsAny(want, `%["`) && path.Dir(file)+"/" != want {
			t.Errorf("%s: the folder of its package is %s", file, want)
		}
		for _, a := range m.Annotations {
			if a.Title == "" || a.Description == "" {
				t.Errorf("%s: METADATA without title or description: %v", file, a)
			}
		}
		for _, r := range m.Rules {
			lintRule(t, file, r, reserved, documented)
		}
	}
}

func lintRule(t *testing.T, file string, r *ast.Rule, reserved, documented map[string]bool) {
	t.Helper()
	at := func(format string, args ...any) {
		t.Helper()
		t.Errorf(file+":%d: "+format, append([]any{r.Loc().Row}, args...)...)
	}
	if len(r.Annotations) == 0 && !documented[r.Ref().GroundPrefix().String()] {
		at("%s has no METADATA", r.Head.Name)
	}
	if name := r.Head.Ref()[0].Value.String(); reserved[name] {
		at("rule-shadows-builtin: %s", name)
	}
	ast.WalkVars(r, func(v ast.Var) bool {
		if reserved[string(v)] && v != "input" && v != "data" && !isOperator(r, v) {
			at("var-shadows-builtin: %s", v)
		}
		return false
	})
	for _, expr := range allExprs(r) {
		text := string(expr.Loc().Text)
		if len(expr.With) > 0 {
			at("with-outside-test-context")
		}
		if expr.IsCall() && strings.HasPrefix(expr.Operator().String(), "regex.") && bytes.HasPrefix([]byte(text), []byte(`regex.match("`)) {
			at("non-raw-regex-pattern")
		}
		if expr.IsCall() && slices.Contains([]string{"walk", "sprintf"}, expr.Operator().String()) {
			at("%s is not wanted here", expr.Operator())
		}
		if expr.Negated && !expr.IsCall() {
			if _, constant := expr.Terms.(*ast.Term).Value.(ast.Boolean); constant {
				at("constant-condition")
			}
		}
	}
}

// isOperator reports whether a variable stands in the place of a function.
func isOperator(r *ast.Rule, v ast.Var) bool {
	found := false
	ast.WalkTerms(r, func(x *ast.Term) bool {
		if ref, ok := x.Value.(ast.Ref); ok && len(ref) > 0 && ref[0].Value.Compare(v) == 0 {
			found = true
		}
		return found
	})
	return found
}

func allExprs(r *ast.Rule) []*ast.Expr {
	var out []*ast.Expr
	ast.WalkExprs(r, func(e *ast.Expr) bool {
		out = append(out, e)
		return false
	})
	return out
}

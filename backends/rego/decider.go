package rego

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/rego/compile"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/compiler/model"
)

// Decider decides with the OPA library on what the emitter writes. It may be
// used from many goroutines.
type Decider struct {
	queries map[*model.Datasource]prepared
	filters map[*model.Filter]*compile.Prepared
}

type prepared struct{ allow, filter, columns, mask rego.PreparedEvalQuery }

var (
	_ backend.Decider = (*Decider)(nil)
	_ backend.Viewer  = (*Decider)(nil)
)

// NewDecider compiles a program's Rego under strict checking. Masks by hash()
// use model.TestHashKey.
func NewDecider(ctx context.Context, p *model.Program) (*Decider, error) {
	c, err := newContent(ctx, p)
	if err != nil {
		return nil, err
	}
	compiler, store, err := c.load()
	if err != nil {
		return nil, err
	}
	runtime := testRuntime(p)
	d := &Decider{queries: make(map[*model.Datasource]prepared, len(p.Datasources))}
	for _, ds := range p.Datasources {
		pkg := datasourcePath(p.Project, ds.Name)
		var q prepared
		if q.allow, err = prepare(ctx, compiler, store, runtime, pkg, "allow"); err != nil {
			return nil, err
		}
		if q.filter, err = prepare(ctx, compiler, store, runtime, pkg, "filter"); err != nil {
			return nil, err
		}
		if q.columns, err = prepare(ctx, compiler, store, runtime, pkg, "columns"); err != nil {
			return nil, err
		}
		if q.mask, err = prepare(ctx, compiler, store, runtime, pkg, "mask"); err != nil {
			return nil, err
		}
		d.queries[ds] = q
	}
	if d.filters, err = prepareFilters(ctx, compiler, store, runtime, p); err != nil {
		return nil, err
	}
	return d, nil
}

// load compiles the files, and stores the data as the engine's own values so
// that reading them converts nothing.
func (c *content) load() (*ast.Compiler, storage.Store, error) {
	modules := make(map[string]*ast.Module, len(c.files))
	for _, f := range c.files {
		m, err := ast.ParseModuleWithOpts(f.path, string(f.text), ast.ParserOptions{RegoVersion: ast.RegoV1})
		if err != nil {
			return nil, nil, fmt.Errorf("the emitted Rego does not parse: %w", err)
		}
		modules[f.path] = m
	}
	compiler := ast.NewCompiler().WithStrict(true).WithDefaultRegoVersion(ast.RegoV1)
	if compiler.Compile(modules); compiler.Failed() {
		return nil, nil, fmt.Errorf("the emitted Rego does not compile: %w", compiler.Errors)
	}
	var data map[string]any
	dec := json.NewDecoder(bytes.NewReader(c.data))
	dec.UseNumber()
	if err := dec.Decode(&data); err != nil {
		return nil, nil, fmt.Errorf("data.json: %w", err)
	}
	store := inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true), inmem.OptRoundTripOnWrite(false))
	return compiler, store, nil
}

// testRuntime is what `opa.runtime()` gives: an environment with the key of all
// tests.
func testRuntime(p *model.Program) *ast.Term {
	key := ast.Item(ast.StringTerm(HashKeyVariable(p)), ast.StringTerm(string(model.TestHashKey)))
	return ast.ObjectTerm(ast.Item(ast.StringTerm("env"), ast.ObjectTerm(key)))
}

func prepare(ctx context.Context, c *ast.Compiler, store storage.Store, runtime *ast.Term, pkg []string, rule string) (rego.PreparedEvalQuery, error) {
	path := ast.Ref{ast.DefaultRootDocument}
	for _, s := range append(slices.Clone(pkg), rule) {
		path = append(path, ast.StringTerm(s))
	}
	q, err := rego.New(
		rego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(path)))),
		rego.Compiler(c),
		rego.Store(store),
		rego.Runtime(runtime),
	).PrepareForEval(ctx)
	if err != nil {
		return q, fmt.Errorf("prepare %s: %w", path, err)
	}
	return q, nil
}

// Decide evaluates `allow` on a question.
func (d *Decider) Decide(ctx context.Context, q backend.Question) (bool, error) {
	in := questionInput(q)
	got, err := eval(ctx, d.queries[q.Table.Datasource].allow, in)
	if err != nil {
		return false, err
	}
	allowed, ok := got.(bool)
	if !ok {
		return false, fmt.Errorf("allow of %s is %T and not a boolean", q.Table.Address(), got)
	}
	return allowed, nil
}

// DecideMany evaluates `filter`: whether the request may do the action to each
// of the records, all in one evaluation. An edit is one that changes nothing;
// for a create the records are the new ones.
func (d *Decider) DecideMany(ctx context.Context, req model.Request, t *model.Table, a model.Action, records []model.Document) ([]bool, error) {
	in := requestInput(req, t, a)
	list := make([]*ast.Term, len(records))
	for i, r := range records {
		list[i] = ast.NewTerm(value(r))
	}
	in.set("records", ast.NewArray(list...))
	got, err := eval(ctx, d.queries[t.Datasource].filter, in)
	if err != nil {
		return nil, err
	}
	positions, ok := got.([]any)
	if !ok {
		return nil, fmt.Errorf("filter of %s is %T and not a set", t.Address(), got)
	}
	out := make([]bool, len(records))
	for _, p := range positions {
		n, isNumber := p.(json.Number)
		i, err := strconv.Atoi(n.String())
		if !isNumber || err != nil || i < 0 || i >= len(out) {
			return nil, fmt.Errorf("filter of %s has the position %v", t.Address(), p)
		}
		out[i] = true
	}
	return out, nil
}

// Columns evaluates `columns`: the names of the columns of a record that the
// user sees, in no order.
func (d *Decider) Columns(ctx context.Context, req model.Request, t *model.Table, record model.Document) ([]string, error) {
	in := requestInput(req, t, model.View)
	in.set("record", value(record))
	got, err := eval(ctx, d.queries[t.Datasource].columns, in)
	if err != nil {
		return nil, err
	}
	list, ok := got.([]any)
	if !ok {
		return nil, fmt.Errorf("columns of %s is %T and not a set", t.Address(), got)
	}
	out := make([]string, len(list))
	for i, c := range list {
		if out[i], ok = c.(string); !ok {
			return nil, fmt.Errorf("columns of %s has %v", t.Address(), c)
		}
	}
	return out, nil
}

func eval(ctx context.Context, q rego.PreparedEvalQuery, in input) (any, error) {
	rs, err := q.Eval(ctx, rego.EvalParsedInput(ast.NewObject(in...)))
	if err != nil {
		return nil, fmt.Errorf("evaluate: %w", err)
	}
	if len(rs) != 1 || len(rs[0].Expressions) != 1 {
		return nil, fmt.Errorf("evaluate: %d results", len(rs))
	}
	return rs[0].Expressions[0].Value, nil
}

// input is the members of an input document.
type input [][2]*ast.Term

func (in *input) set(key string, v ast.Value) {
	*in = append(*in, [2]*ast.Term{ast.StringTerm(key), ast.NewTerm(v)})
}

func questionInput(q backend.Question) input {
	in := requestInput(q.Request, q.Table, q.Action)
	if q.Old != nil {
		in.set("record", value(q.Old))
	}
	if q.New != nil {
		in.set("new", value(q.New))
	}
	if q.Set != nil {
		columns := make([]any, len(q.Set))
		for i, c := range q.Set {
			columns[i] = c
		}
		in.set("set", value(columns))
	}
	return in
}

func requestInput(req model.Request, t *model.Table, a model.Action) input {
	in := make(input, 0, 9)
	if req.User != nil {
		in.set("user", value(req.User))
	}
	in.set("app", ast.String(req.App))
	if req.Context != nil {
		in.set("request", value(req.Context))
	}
	in.set("now", ast.String(time.UnixMicro(int64(req.Now)).UTC().Format("2006-01-02T15:04:05.999999Z")))
	in.set("table", ast.String(t.Name))
	in.set("action", ast.String(string(a)))
	return in
}

package rego

import (
	"context"
	"fmt"
	"slices"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/rego/compile"
	"github.com/open-policy-agent/opa/v1/storage"

	"github.com/postern-dev/postern/compiler/model"
)

// Residue is what a data filter leaves for the database to ask of each record.
type Residue struct {
	// Never says that no record passes: OPA's answer has no result then. Where a
	// record may pass, SQL is a WHERE clause for Postgres over the table called
	// "record", "" when every record passes, and UCAST the same condition, an object
	// without members when every record passes.
	Never bool
	SQL   string
	UCAST map[string]any
}

// All reports whether every record passes.
func (r Residue) All() bool { return !r.Never && r.SQL == "" && len(r.UCAST) == 0 }

func prepareFilters(ctx context.Context, c *ast.Compiler, store storage.Store, runtime *ast.Term, p *model.Program) (map[*model.Filter]*compile.Prepared, error) {
	out := map[*model.Filter]*compile.Prepared{}
	for _, t := range p.Tables {
		for _, f := range t.Filters {
			path := ast.Ref{ast.DefaultRootDocument}
			for _, s := range slices.Concat(datasourcePath(p.Project, t.Datasource.Name), []string{"filters"}, filterKeys(t, f)) {
				path = append(path, ast.StringTerm(s))
			}
			unknown := ast.Ref{ast.VarTerm(filtered.base), ast.StringTerm(filtered.path[0])}
			q, err := compile.New(
				compile.Target("sql", "postgresql"), compile.Target("ucast", "all"),
				compile.ParsedUnknowns(ast.NewTerm(unknown)),
				compile.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(path)))),
				compile.Rego(rego.Compiler(c), rego.Store(store), rego.Runtime(runtime)),
			).Prepare(ctx)
			if err != nil {
				return nil, fmt.Errorf("prepare %s: %w", path, err)
			}
			out[f] = q
		}
	}
	return out, nil
}

// Filter is what the table's filter leaves of an action for a request. The table
// must ask for that filter.
func (d *Decider) Filter(ctx context.Context, req model.Request, t *model.Table, f *model.Filter) (Residue, error) {
	q := d.filters[f]
	if q == nil {
		return Residue{}, fmt.Errorf("%s has no filter for %s", t.Address(), f.Action)
	}
	in := requestInput(req, t, f.Action)
	got, err := q.Compile(ctx, rego.EvalParsedInput(ast.NewObject(in...)))
	if err != nil {
		return Residue{}, fmt.Errorf("the filter of %s for %s: %w", t.Address(), f.Action, err)
	}
	sql, ucast := got.For("sql", "postgresql").Query, got.For("ucast", "all").Query
	if sql == nil && ucast == nil {
		return Residue{Never: true}, nil
	}
	var out Residue
	var fine, also bool
	out.SQL, fine = sql.(string)
	out.UCAST, also = ucast.(map[string]any)
	if !fine || !also || (out.SQL == "") != (len(out.UCAST) == 0) {
		return Residue{}, fmt.Errorf("the filter of %s for %s gave %v and %v", t.Address(), f.Action, sql, ucast)
	}
	return out, nil
}

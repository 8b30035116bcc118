package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// repeated warns of something that a list names twice.
func (r *resolver) repeated(span source.Span, what string) {
	r.diags.Warn(CodeRepeated, span, fmt.Sprintf("The list names %s twice", what), "Remove one of the two.")
}

// subjects resolves a list of groups, users, access levels and `everyone`, and
// apps where they may stand.
func (r *resolver) subjects(expr hcl.Expression, ctx *hcl.EvalContext, apps bool) ([]model.Subject, bool) {
	kinds := []string{"everyone", "group", "user", "access_level"}
	if apps {
		kinds = append(kinds, "app")
	}
	elems, fine := r.elements(expr, ctx), true
	seen := map[model.Subject]bool{}
	var out []model.Subject
	add := func(s model.Subject, span source.Span) {
		if seen[s] {
			r.repeated(span, model.SubjectString(s))
			return
		}
		seen[s] = true
		out = append(out, s)
	}
	for _, e := range elems {
		ref, ok := r.reference(e, ctx)
		if !ok || !r.expect(ref, kinds...) {
			fine = false
			continue
		}
		switch ref.kind {
		case "everyone":
			add(model.Everyone{}, ref.span)
		case "group":
			add(model.GroupSubject{Group: ref.group}, ref.span)
		case "user":
			add(model.UserSubject{User: ref.user}, ref.span)
		case "access_level":
			add(model.LevelSubject{Level: ref.level}, ref.span)
		case "app":
			for _, a := range ref.apps {
				add(model.AppSubject{App: a}, ref.span)
			}
		}
	}
	slices.SortFunc(out, func(a, b model.Subject) int {
		return strings.Compare(model.SubjectString(a), model.SubjectString(b))
	})
	return out, fine
}

// datasourceRefs resolves one reference to the datasources it means.
func (r *resolver) datasourceRefs(expr hcl.Expression, ctx *hcl.EvalContext) ([]*model.Datasource, bool) {
	ref, ok := r.reference(expr, ctx)
	if !ok || !r.expect(ref, "datasource") {
		return nil, false
	}
	return ref.sources, true
}

// placed is a table and where it is named.
type placed struct {
	table *model.Table
	span  source.Span
}

// tableRefs resolves `on`: tables, resources, and tables(datasource.x, "column", …).
func (r *resolver) tableRefs(expr hcl.Expression, ctx *hcl.EvalContext) ([]placed, bool) {
	var out []placed
	seen, fine := map[*model.Table]bool{}, true
	for _, e := range r.elements(expr, ctx) {
		span := syntaxSpan(e)
		var tables []*model.Table
		home, inner, at := r.home(e, ctx)
		if call, diags := hcl.ExprCall(syntax.Native(inner)); !diags.HasErrors() && call.Name == "tables" {
			found, ok := home.tablesCall(call, span, at)
			fine = fine && ok
			tables = found
		} else {
			ref, ok := r.reference(e, ctx)
			if !ok || !r.expect(ref, "table", "resource") {
				fine = false
				continue
			}
			tables = ref.tables
		}
		for _, t := range tables {
			if seen[t] {
				r.repeated(span, "the table "+t.Address())
				continue
			}
			seen[t] = true
			out = append(out, placed{t, span})
		}
	}
	slices.SortFunc(out, func(a, b placed) int { return compareTables(a.table, b.table) })
	return out, fine
}

func compareTables(a, b *model.Table) int {
	if c := strings.Compare(a.Datasource.Name, b.Datasource.Name); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

// tablesCall is tables(datasource.x, "column", …): every table of the
// datasource that has all the columns.
func (r *resolver) tablesCall(call *hcl.StaticCall, span source.Span, ctx *hcl.EvalContext) ([]*model.Table, bool) {
	if len(call.Arguments) == 0 {
		r.diags.Fail(CodeReference, span, "tables() takes a datasource and names of columns",
			"Write `tables(datasource.NAME, \"COLUMN\")`.")
		return nil, false
	}
	sources, ok := r.datasourceRefs(call.Arguments[0], ctx)
	var columns []string
	for _, a := range call.Arguments[1:] {
		name, fine := r.text(a, ctx)
		ok = ok && fine
		columns = append(columns, name)
	}
	if !ok {
		return nil, false
	}
	var out []*model.Table
	for _, d := range sources {
		for _, t := range d.Tables {
			if !slices.ContainsFunc(columns, func(c string) bool { return t.Column(c) == nil }) {
				out = append(out, t)
			}
		}
	}
	if len(out) == 0 {
		r.diags.Fail(CodeEmpty, span, "tables() finds no table", "No table of the datasource has the columns "+quoteList(columns)+".")
		return nil, false
	}
	return out, true
}

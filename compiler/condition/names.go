package condition

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// roots are the names that have a value only when a condition is evaluated.
var roots = []string{"record", "user", "request", "app", "group", "access_level"}

func (c *compiler) runtimeRoot(name string) bool {
	return slices.Contains(roots, name) || c.row(name) != nil
}

// row is the row bound to a name, or nil.
func (c *compiler) row(name string) *model.Row {
	for i := len(c.rows) - 1; i >= 0; i-- {
		if c.rows[i].Name == name {
			return c.rows[i]
		}
	}
	if c.sc.Row != nil && name == c.sc.Row.Name {
		return c.sc.Row
	}
	return nil
}

// step is one name of a dotted path, and its own place.
type step struct {
	name string
	span source.Span
}

// path takes a reference apart: record.account.owner_id, record["odd name"],
// record[var.column]. It is false when the root is not a plain name or a step
// is no name; what is then wrong is for the caller to say.
func (c *compiler) path(e hclsyntax.Expression) ([]step, bool) {
	switch x := e.(type) {
	case *hclsyntax.ParenthesesExpr:
		return c.path(x.Expression)
	case *hclsyntax.ScopeTraversalExpr:
		return steps(nil, x.Traversal)
	case *hclsyntax.RelativeTraversalExpr:
		if from, ok := c.path(x.Source); ok {
			return steps(from, x.Traversal)
		}
	case *hclsyntax.IndexExpr:
		from, ok := c.path(x.Collection)
		if !ok || !c.runtimeRoot(from[0].name) {
			return nil, false
		}
		if key, isText := c.expr(x.Key).text(); isText {
			return append(from, step{key, syntax.Span(x.Key.Range())}), true
		}
	}
	return nil, false
}

func steps(from []step, t hcl.Traversal) ([]step, bool) {
	out := append(make([]step, 0, len(from)+len(t)), from...)
	for _, s := range t {
		switch s := s.(type) {
		case hcl.TraverseRoot:
			out = append(out, step{s.Name, syntax.Span(s.SrcRange)})
		case hcl.TraverseAttr:
			out = append(out, step{s.Name, nameSpan(s)})
		case hcl.TraverseIndex:
			if s.Key.IsNull() || !s.Key.IsKnown() || s.Key.Type() != cty.String {
				return nil, false
			}
			out = append(out, step{s.Key.AsString(), syntax.Span(s.SrcRange)})
		default:
			return nil, false
		}
	}
	return out, len(out) > 0
}

// nameSpan is the place of the name without the dot before it.
func nameSpan(s hcl.TraverseAttr) source.Span {
	span := syntax.Span(s.SrcRange)
	span.Start = span.End
	span.Start.Byte -= len(s.Name)
	span.Start.Column -= utf8.RuneCountInString(s.Name)
	return span
}

// reference compiles a name: of the record, the user, the request, the app, or
// a constant.
func (c *compiler) reference(e hclsyntax.Expression) operand {
	span := syntax.Span(e.Range())
	p, ok := c.path(e)
	if c.stopped {
		return operand{span: span}
	}
	if !ok || !c.runtimeRoot(p[0].name) {
		return c.constantName(e, p)
	}
	if row := c.row(p[0].name); row != nil {
		return c.column(row, p, span)
	}
	switch p[0].name {
	case "user":
		return c.userName(p, span)
	case "request":
		return c.attribute("request", c.sc.Request, nil, p, span)
	case "app":
		if len(p) > 1 && p[1].name != "name" {
			return c.unknownName(p[1], "app", []string{"name"})
		}
		if !c.two(p, "app.name", span) {
			return operand{span: span}
		}
		return typed(&model.AppRef{Node: model.Node{Type: model.String, Span: span}})
	case "group":
		return c.fail(CodeUnsupported, span, "A group is not a value", "Ask whether the user is in it: member_of(group.x).")
	case "access_level":
		return c.fail(CodeUnsupported, span, "An access level is not a value",
			`List the levels by name: contains(["user", "superuser"], user.access_level).`)
	}
	return c.fail(CodeName, p[0].span, "There is no record here", "This condition is about the user and the request alone.")
}

// constantName evaluates var.x, local.x and the like; a root that nothing
// declares is reported with the nearest right name.
func (c *compiler) constantName(e hclsyntax.Expression, p []step) operand {
	if len(p) > 0 && !c.declared(p[0].name) {
		candidates := append(slices.Clone(roots), "var", "local", "each")
		for _, r := range c.rows {
			candidates = append(candidates, r.Name)
		}
		detail := "A condition speaks of record, user, request, app.name and constants (var, local, each)."
		if n := nearest(p[0].name, candidates); n != "" {
			c.suggest(CodeName, p[0].span, fmt.Sprintf("Nothing is named %q", p[0].name), n, detail)
			return operand{span: p[0].span}
		}
		return c.fail(CodeName, p[0].span, fmt.Sprintf("Nothing is named %q", p[0].name), detail)
	}
	return c.evaluate(e)
}

func (c *compiler) declared(root string) bool {
	for ctx := c.ctx; ctx != nil; ctx = ctx.Parent() {
		if _, ok := ctx.Variables[root]; ok {
			return true
		}
	}
	return false
}

// column resolves record.COLUMN and record.RELATION.COLUMN.
func (c *compiler) column(row *model.Row, p []step, span source.Span) operand {
	table, path, ok := c.follow(row, p)
	if !ok {
		return operand{span: span}
	}
	last := p[len(p)-1]
	if len(p) == 1 {
		return c.fail(CodeRelation, span, "A record is not a value", fmt.Sprintf("Name a column of it: %s.%s.", p[0].name, someColumn(table)))
	}
	if col := table.Column(last.name); col != nil {
		if !c.usable(col, last.span) {
			return operand{span: span}
		}
		return typed(&model.ColumnRef{Node: model.Node{Type: col.Type, Span: span}, Row: row, Path: path, Column: col})
	}
	if r := table.Relation(last.name); r != nil {
		detail := fmt.Sprintf("Name a column of it: %s.%s.", r.Name, someColumn(r.Table))
		if r.Many {
			detail = fmt.Sprintf("It leads to many records: use anytrue([for m in %s : …]), alltrue or length.", dotted(row, path, r.Name))
		}
		return c.fail(CodeRelation, last.span, fmt.Sprintf("%q is a relation and not a value", r.Name), detail)
	}
	return c.unknownName(last, table.Address(), memberNames(table))
}

// follow walks the to-one relations of all steps between the first and the
// last.
func (c *compiler) follow(row *model.Row, p []step) (*model.Table, []*model.Relation, bool) {
	table := row.Table
	var path []*model.Relation
	for i := 1; i < len(p)-1; i++ {
		r := table.Relation(p[i].name)
		switch {
		case r == nil && table.Column(p[i].name) != nil:
			c.fail(CodeRelation, p[i].span, fmt.Sprintf("%q is a column and has no parts", p[i].name), "Only a relation leads further.")
			return nil, nil, false
		case r == nil:
			c.unknownName(p[i], table.Address(), memberNames(table))
			return nil, nil, false
		case r.Many:
			c.fail(CodeRelation, p[i].span, fmt.Sprintf("%q leads to many records", r.Name),
				fmt.Sprintf("Say for which of them: anytrue([for m in %s : m.%s == …]), or alltrue.", dotted(row, path, r.Name), p[i+1].name))
			return nil, nil, false
		}
		path = append(path, r)
		table = r.Table
	}
	return table, path, true
}

// refusedTypes are native types that engines do not compare alike
// (docs/language.md: float and citext columns are refused in conditions).
var refusedTypes = map[string]string{
	"real":             "Floating-point numbers are rounded, so that 0.1 is not 0.1 everywhere. Use numeric.",
	"double precision": "Floating-point numbers are rounded, so that 0.1 is not 0.1 everywhere. Use numeric.",
	"citext":           "citext ignores case in Postgres alone. Use text, and lower() where case must not count.",
	"cidr":             "cidr holds networks and not addresses. Use inet.",
}

func (c *compiler) usable(col *model.Column, span source.Span) bool {
	native := strings.TrimSuffix(col.Native, "[]")
	if why, refused := refusedTypes[native]; refused {
		c.fail(CodeColumn, span, fmt.Sprintf("A column of type %s cannot stand in a condition", col.Native), why)
		return false
	}
	return true
}

func (c *compiler) userName(p []step, span source.Span) operand {
	var attrs []*model.Attribute
	if c.sc.Identity != nil {
		attrs = c.sc.Identity.Attributes
	}
	if len(p) == 2 {
		switch p[1].name {
		case "groups":
			return typed(&model.GroupsRef{Node: model.Node{Type: model.StringSet, Span: span}})
		case "access_level":
			return typed(&model.LevelRef{Node: model.Node{Type: model.String, Span: span}})
		}
	}
	return c.attribute("user", attrs, []string{"groups", "access_level"}, p, span)
}

func (c *compiler) attribute(root string, attrs []*model.Attribute, more []string, p []step, span source.Span) operand {
	if len(p) > 1 {
		for _, a := range attrs {
			if a.Name == p[1].name {
				if !c.two(p, root+"."+a.Name, span) {
					return operand{span: span}
				}
				return typed(&model.AttrRef{Node: model.Node{Type: a.Type, Span: span}, Attribute: a})
			}
		}
		names := slices.Clone(more)
		for _, a := range attrs {
			names = append(names, a.Name)
		}
		if !slices.Contains(more, p[1].name) {
			return c.unknownName(p[1], root, names)
		}
	}
	c.two(p, root+".x", span)
	return operand{span: span}
}

// two checks that a name has exactly two parts.
func (c *compiler) two(p []step, example string, span source.Span) bool {
	switch {
	case len(p) == 1:
		c.fail(CodeType, span, fmt.Sprintf("%q is not a value by itself", p[0].name), "Name what of it is meant, such as "+example+".")
	case len(p) > 2:
		c.fail(CodeName, p[2].span, fmt.Sprintf("%s.%s has no parts", p[0].name, p[1].name), "Write "+example+".")
	}
	return len(p) == 2
}

func (c *compiler) unknownName(s step, owner string, names []string) operand {
	summary := fmt.Sprintf("%s has nothing named %q", owner, s.name)
	slices.Sort(names)
	detail := "It has nothing at all."
	if len(names) > 0 {
		detail = "It has " + strings.Join(shorten(names), ", ") + "."
	}
	if n := nearest(s.name, names); n != "" {
		c.suggest(CodeName, s.span, summary, n, detail)
	} else {
		c.fail(CodeName, s.span, summary, detail)
	}
	return operand{span: s.span}
}

// suggest reports a wrong name with the right one as a fix.
func (c *compiler) suggest(code diag.Code, span source.Span, summary, name, detail string) {
	c.diags.Add(diag.Diagnostic{
		Code: code, Severity: diag.Error, Summary: summary, Span: span,
		Detail: fmt.Sprintf("Did you mean %q? %s", name, detail), Fix: &diag.Fix{Span: span, Text: name},
	})
}

func shorten(names []string) []string {
	if len(names) > 12 {
		return append(slices.Clone(names[:12]), "…")
	}
	return names
}

func memberNames(t *model.Table) []string {
	var out []string
	for _, col := range t.Columns {
		out = append(out, col.Name)
	}
	for _, r := range t.Relations {
		out = append(out, r.Name)
	}
	return out
}

func someColumn(t *model.Table) string {
	if len(t.Columns) == 0 {
		return "id"
	}
	return t.Columns[0].Name
}

// nearest is the candidate that a misspelt name most likely means, or "". Up
// to a third of the letters may differ, or half when the first one is right.
func nearest(name string, candidates []string) string {
	best, distance := "", max(2, len(name)/3)+1
	for _, cand := range candidates {
		if cand == "" || len(cand) > len(name)+distance || len(name) > len(cand)+distance {
			continue
		}
		d := levenshtein.Distance(name, cand, nil)
		alike := 3*d <= len(name) || 2*d <= len(name) && cand[0] == name[0]
		if d < distance && alike {
			best, distance = cand, d
		}
	}
	return best
}

func quoteAll(names []string) string {
	out := make([]string, 0, len(names))
	for _, n := range shorten(names) {
		out = append(out, fmt.Sprintf("%q", n))
	}
	return strings.Join(out, ", ")
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

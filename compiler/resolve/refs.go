package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// referenceRoots are the words that references begin with.
var referenceRoots = map[string]bool{
	"group": true, "user": true, "access_level": true, "datasource": true, "table": true,
	"resource": true, "service_account": true, "app": true, "everyone": true,
}

// step is one part of a reference: .name or ["key"].
type step struct {
	name  string
	index bool
	span  source.Span
}

// reference is an expression that names objects: everyone, or what kind says.
type reference struct {
	kind     string
	span     source.Span
	group    *model.Group
	level    *model.Level
	user     *model.User
	apps     []*model.App
	sources  []*model.Datasource
	tables   []*model.Table
	accounts []*model.ServiceAccount
	whole    bool // a datasource that repeats, without a key
}

// elements are the parts of a list of references: of a list, of concat(…), or
// of the chosen side of a condition; a single reference stands for itself.
func (r *resolver) elements(expr hcl.Expression, ctx *hcl.EvalContext) []hcl.Expression {
	if f, ok := expr.(foreign); ok {
		return []hcl.Expression{f}
	}
	expr = syntax.Native(expr)
	if held, ok := r.unpack(bare(expr), ctx); ok {
		return held
	}
	if elems, diags := hcl.ExprList(expr); !diags.HasErrors() {
		out := make([]hcl.Expression, 0, len(elems))
		for _, e := range elems {
			if held, ok := r.unpack(bare(syntax.Native(e)), ctx); ok {
				out = append(out, held...)
				continue
			}
			out = append(out, e)
		}
		return out
	}
	switch x := bare(expr).(type) {
	case *hclsyntax.ConditionalExpr:
		v, ok := r.typed(x.Condition, ctx, cty.Bool)
		if !ok {
			return nil
		}
		if v.True() {
			return r.elements(x.TrueResult, ctx)
		}
		return r.elements(x.FalseResult, ctx)
	case *hclsyntax.FunctionCallExpr:
		if x.Name == "concat" {
			var out []hcl.Expression
			for _, a := range x.Args {
				out = append(out, r.elements(a, ctx)...)
			}
			return out
		}
	}
	return []hcl.Expression{expr}
}

// bare is an expression without parentheses.
func bare(expr hcl.Expression) hcl.Expression {
	for {
		p, ok := expr.(*hclsyntax.ParenthesesExpr)
		if !ok {
			return expr
		}
		expr = p.Expression
	}
}

// steps takes a reference apart.
func (r *resolver) steps(expr hcl.Expression, ctx *hcl.EvalContext) ([]step, bool) {
	expr = bare(syntax.Native(expr))
	if t, diags := hcl.AbsTraversalForExpr(expr); !diags.HasErrors() {
		return r.traversalSteps(t)
	}
	switch x := expr.(type) {
	case *hclsyntax.IndexExpr:
		head, ok := r.steps(x.Collection, ctx)
		if !ok {
			return nil, false
		}
		key, ok := r.text(x.Key, ctx)
		return append(head, step{key, true, syntaxSpan(x.Key)}), ok
	case *hclsyntax.RelativeTraversalExpr:
		head, ok := r.steps(x.Source, ctx)
		if !ok {
			return nil, false
		}
		tail, ok := r.traversalSteps(x.Traversal)
		return append(head, tail...), ok
	}
	r.diags.Fail(CodeReference, syntaxSpan(expr), "Here stands a reference, and this is none",
		"References read like `group.sales`, `table.crm.deals` or `app.desk`.")
	return nil, false
}

func (r *resolver) traversalSteps(t hcl.Traversal) ([]step, bool) {
	out := make([]step, 0, len(t))
	for _, part := range t {
		s := step{span: syntax.Span(part.SourceRange())}
		switch x := part.(type) {
		case hcl.TraverseRoot:
			s.name = x.Name
		case hcl.TraverseAttr:
			s.name, s.span = x.Name, attrSpan(x)
		case hcl.TraverseIndex:
			s.index = true
			if x.Key.Type() != cty.String {
				r.diags.Fail(CodeReference, s.span, "An index of a reference is a string", "Write the key of for_each in quotes.")
				return nil, false
			}
			s.name = x.Key.AsString()
		default:
			r.diags.Fail(CodeReference, s.span, "A reference has names and indexes alone", "References read like `group.sales`, `table.crm.deals` or `app.desk`.")
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// attrSpan is the place of a name after a dot; HCL's range begins at the dot.
func attrSpan(a hcl.TraverseAttr) source.Span {
	span := syntax.Span(a.SrcRange)
	if span.End.Byte-span.Start.Byte > len(a.Name) {
		span.Start.Byte++
		span.Start.Column++
	}
	return span
}

// reference resolves one expression.
func (r *resolver) reference(expr hcl.Expression, ctx *hcl.EvalContext) (reference, bool) {
	if f, ok := expr.(foreign); ok {
		return f.from.r.reference(f.Expression, f.from.ctx)
	}
	if native := bare(syntax.Native(expr)); holdsValue(native) {
		return r.one(native, ctx)
	}
	steps, ok := r.steps(expr, ctx)
	if !ok {
		return reference{}, false
	}
	ref := reference{kind: steps[0].name, span: syntaxSpan(expr)}
	if !referenceRoots[ref.kind] {
		r.unknown(steps[0].span, "kind of reference", ref.kind, sortedKeys(referenceRoots), "")
		return ref, false
	}
	rest := steps[1:]
	switch ref.kind {
	case "everyone":
	case "group", "user", "access_level":
		rest, ok = r.plain(&ref, rest)
	case "app":
		ref.apps, rest, ok = pick(r, ref, r.names.apps, rest)
	case "service_account":
		ref.accounts, rest, ok = pick(r, ref, r.names.accounts, rest)
	case "datasource":
		ref.whole = len(rest) == 1 && r.names.datasources[rest[0].name] != nil && r.names.datasources[rest[0].name].keyed
		ref.sources, rest, ok = pick(r, ref, r.names.datasources, rest)
	case "table", "resource":
		ref.tables, rest, ok = r.pickTables(ref, rest)
	}
	if ok && len(rest) > 0 {
		r.diags.Fail(CodeReference, rest[0].span, fmt.Sprintf("The reference ends before %q", rest[0].name), "Remove what follows the object's name.")
		return ref, false
	}
	return ref, ok
}

// plain resolves group.x, user.x and access_level.x.
func (r *resolver) plain(ref *reference, rest []step) ([]step, bool) {
	if len(rest) == 0 {
		r.incomplete(*ref, "."+"NAME")
		return nil, false
	}
	s, found := rest[0], false
	var candidates []string
	switch ref.kind {
	case "group":
		ref.group, found = r.names.groups[s.name]
		candidates = sortedKeys(r.names.groups)
	case "user":
		ref.user, found = r.names.users[s.name]
		candidates = sortedKeys(r.names.users)
	case "access_level":
		ref.level, found = r.names.levels[s.name]
		candidates = sortedKeys(r.names.levels)
	}
	if !found {
		r.unknown(s.span, kindName(ref.kind), s.name, candidates, ref.kind+".")
		return nil, false
	}
	return rest[1:], true
}

func (r *resolver) incomplete(ref reference, form string) {
	r.diags.Fail(CodeReference, ref.span, "The reference is not complete", "Write "+ref.kind+form+".")
}

func kindName(kind string) string { return strings.ReplaceAll(kind, "_", " ") }

// pick resolves a label and an optional key: all objects of the block, or one.
func pick[T any](r *resolver, ref reference, in map[string]*family[T], rest []step) ([]T, []step, bool) {
	if len(rest) == 0 {
		r.incomplete(ref, ".NAME")
		return nil, nil, false
	}
	fam, ok := in[rest[0].name]
	if !ok {
		r.unknown(rest[0].span, kindName(ref.kind), rest[0].name, sortedKeys(in), ref.kind+".")
		return nil, nil, false
	}
	return choose(r, ref, fam, rest[0].name, rest[1:])
}

// choose picks from a family by the key that may follow.
func choose[T any](r *resolver, ref reference, fam *family[T], label string, rest []step) ([]T, []step, bool) {
	var out []T
	if len(rest) == 0 || !rest[0].index || !fam.keyed {
		for _, i := range fam.all {
			out = append(out, i.object)
		}
		return out, rest, true
	}
	var keys []string
	for _, i := range fam.all {
		keys = append(keys, i.key)
		if i.key == rest[0].name {
			out = append(out, i.object)
		}
	}
	if out == nil {
		r.unknown(rest[0].span, kindName(ref.kind)+" "+label+" with the key", rest[0].name, keys, "")
		return nil, nil, false
	}
	return out, rest[1:], true
}

// pickTables resolves DATASOURCE.TABLE, each with an optional key.
func (r *resolver) pickTables(ref reference, rest []step) ([]*model.Table, []step, bool) {
	if len(rest) == 0 {
		r.incomplete(ref, ".DATASOURCE.NAME")
		return nil, nil, false
	}
	label := rest[0]
	sources, rest, ok := pick(r, reference{kind: "datasource", span: ref.span}, r.names.datasources, rest)
	if !ok {
		return nil, nil, false
	}
	if len(rest) == 0 {
		r.incomplete(ref, ".DATASOURCE.NAME")
		return nil, nil, false
	}
	name := rest[0]
	fam, ok := r.names.tables[[2]string{label.name, name.name}]
	if !ok {
		r.unknown(name.span, kindName(ref.kind)+" of "+label.name, name.name, r.tableLabels(label.name), ref.kind+"."+label.name+".")
		return nil, nil, false
	}
	tables, rest, ok := choose(r, ref, fam, name.name, rest[1:])
	if !ok {
		return nil, nil, false
	}
	var out []*model.Table
	for _, t := range tables {
		if t.Resource() != (ref.kind == "resource") {
			right := "table"
			if t.Resource() {
				right = "resource"
			}
			r.diags.Fail(CodeReference, ref.span, fmt.Sprintf("%s.%s is a %s", label.name, name.name, right),
				fmt.Sprintf("Write %s.%s.%s.", right, label.name, name.name))
			return nil, nil, false
		}
		if slices.Contains(sources, t.Datasource) {
			out = append(out, t)
		}
	}
	return out, rest, true
}

func (r *resolver) tableLabels(source string) []string {
	var out []string
	for labels := range r.names.tables {
		if labels[0] == source {
			out = append(out, labels[1])
		}
	}
	return out
}

// expect reports a reference of the wrong kind.
func (r *resolver) expect(ref reference, kinds ...string) bool {
	if slices.Contains(kinds, ref.kind) {
		return true
	}
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = kindName(k)
	}
	r.diags.Fail(CodeReference, ref.span, article(kindName(ref.kind))+" cannot stand here",
		"Here stands one of: "+strings.Join(names, ", ")+".")
	return false
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "An " + noun
	}
	return "A " + noun
}

// isReference reports whether an expression is a reference: one that begins with a
// kind of object, or a value that holds references.
func (r *resolver) isReference(expr hcl.Expression, ctx *hcl.EvalContext) bool {
	if t, diags := hcl.AbsTraversalForExpr(expr); !diags.HasErrors() && referenceRoots[t.RootName()] {
		return true
	}
	_, held := r.unpack(expr, ctx)
	return held
}

package resolve

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// The bounds of modules: how deep they may nest, and how many there may be,
// the rounds of for_each counted each.
const (
	maxModuleDepth = 16
	maxModules     = 2000
)

// loader reads the folders of modules, each once.
type loader struct {
	set    *source.Set
	read   func(from *source.Folder, module string) (*source.Folder, []source.File, error)
	parsed map[string]*syntax.Module
}

func newLoader(ctx context.Context, set *source.Set) *loader {
	return &loader{
		set: set, parsed: map[string]*syntax.Module{},
		read: func(from *source.Folder, module string) (*source.Folder, []source.File, error) {
			return set.Module(ctx, from, module)
		},
	}
}

// load reads the module that a block names; false after an error.
func (r *resolver) load(c *syntax.ModuleCall) (*source.Folder, *syntax.Module, bool) {
	if c.Source == nil {
		return nil, nil, false
	}
	span := syntaxSpan(c.Source)
	text, ok := r.text(c.Source, &hcl.EvalContext{})
	if !ok {
		return nil, nil, false
	}
	at, files, err := r.loader.read(r.folder, text)
	if err != nil {
		r.diags.Add(diag.Diagnostic{
			Code: CodeModule, Span: span, Summary: fmt.Sprintf("The module %q cannot be read", c.Label(0)),
			Detail: fmt.Sprintf("Its source does not lead to a module: %s.", err), Secret: errors.Is(err, source.ErrCredentials),
		})
		return nil, nil, false
	}
	depth := 0
	for up := r; up != nil; up = up.parent {
		if up.folder.String() == at.String() {
			r.diags.Fail(CodeModule, span, fmt.Sprintf("The module %q contains itself", c.Label(0)),
				fmt.Sprintf("The folder %s is already on the way here. Remove one of the module blocks.", at))
			return nil, nil, false
		}
		if depth++; depth > maxModuleDepth {
			r.diags.Fail(CodeModule, span, "Modules nest too deep", fmt.Sprintf("They may nest %d levels.", maxModuleDepth))
			return nil, nil, false
		}
	}
	m, known := r.loader.parsed[at.String()]
	if !known {
		var diags diag.List
		m, diags = syntax.ParseFiles(files, syntax.Options{})
		r.diags = append(r.diags, diags...)
		if slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == syntax.CodeInvalid }) {
			m = nil
		}
		r.loader.parsed[at.String()] = m
	}
	return at, m, m != nil
}

// call makes the instances of a module block and gives the value of
// module.NAME: its outputs, or, with for_each, an object of them for each key.
func (r *resolver) call(c *syntax.ModuleCall, ctx *hcl.EvalContext) cty.Value {
	if !hclsyntax.ValidIdentifier(c.Label(0)) {
		r.diags.Fail(CodeInvalidName, c.LabelSpan(0), fmt.Sprintf("%q is not a name for a module", c.Label(0)),
			"A name begins with a letter and has letters, digits, `_` and `-`.")
		return cty.DynamicVal
	}
	at, m, ok := r.load(c)
	if !ok {
		return cty.DynamicVal
	}
	values := map[string]cty.Value{}
	for _, round := range r.repeatsIn(&c.Header, ctx) {
		if len(r.modules) > maxModules {
			r.diags.Fail(CodeModule, c.Span, "There are too many modules", fmt.Sprintf("There may be %d, the rounds of for_each counted each.", maxModules))
			return cty.DynamicVal
		}
		r.description(c.Description, round.ctx)
		inner := r.child(c, at, m, round)
		inner.rootOnly()
		inner.inputs(c, round.ctx)
		inner.constants()
		inner.outputs = inner.outputValues()
		out := cty.ObjectVal(inner.outputs)
		if !round.keyed {
			return out
		}
		values[round.key] = out
	}
	return cty.ObjectVal(values)
}

// child is the resolver of one instance of a module.
func (r *resolver) child(c *syntax.ModuleCall, at *source.Folder, m *syntax.Module, round repeat) *resolver {
	inner := &resolver{
		shared: r.shared, syntax: m, names: newNames(), folder: at, parent: r,
		path:   r.path + address(c.Label(0), round.key, round.keyed) + ".",
		prefix: r.prefix + c.Label(0) + "_",
		eval:   &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: r.eval.Functions},
	}
	if round.keyed {
		inner.prefix += round.key + "_"
	}
	r.modules = append(r.modules, inner)
	return inner
}

// rootOnly reports the blocks that only the project itself may have.
func (r *resolver) rootOnly() {
	report := func(h *syntax.Header) {
		r.diags.Fail(CodeModule, h.Span, fmt.Sprintf("A module cannot have a block of type %q", h.Type),
			"Only the project itself says this, for all of its modules. Move the block there.")
	}
	for _, b := range r.syntax.Settings {
		report(&b.Header)
	}
	for _, b := range append(slices.Clone(r.syntax.Identities), r.syntax.Requests...) {
		report(&b.Header)
	}
	for _, b := range r.syntax.Notifies {
		report(&b.Header) // a module of somebody else's must not be told who gets access
	}
	for _, b := range r.syntax.Publishes {
		report(&b.Header)
	}
}

// inputs gives the variables of a module the values of its block.
func (r *resolver) inputs(c *syntax.ModuleCall, ctx *hcl.EvalContext) {
	vars := r.declared()
	for _, in := range c.Inputs {
		v, ok := vars[in.Name]
		if !ok {
			r.unknown(in.Span, "variable of the module "+c.Label(0), in.Name, sortedKeys(vars), "")
			continue
		}
		v.set, v.span, v.value = true, syntaxSpan(in.Value), cty.DynamicVal
		if v.kinds != nil {
			v.value = newPassed(in.Value, r.parent, ctx)
		} else if val, fine := r.parent.value(in.Value, ctx); fine {
			v.value = val
		} else {
			v.failed = true
		}
	}
	missing := func(v *variable) {
		r.diags.Add(diag.Diagnostic{
			Code: CodeVariable, Span: c.Span, Summary: fmt.Sprintf("The module %q needs a value for %q", c.Label(0), v.block.Label(0)),
			Detail:  fmt.Sprintf("Add `%s = …` to the block, or give the variable a default.", v.block.Label(0)),
			Related: []diag.Related{{Span: v.block.Span, Message: "declared here"}},
		})
	}
	r.settleAll(vars, missing)
}

// passed is a reference, or a list of them, that is given to a module or
// offered by one: the expression, and where its names are looked up.
type passed struct {
	expr hcl.Expression
	r    *resolver
	ctx  *hcl.EvalContext
}

// passedType is the type of references as values: they can be handed on and
// nothing else.
var passedType = cty.Capsule("reference", reflect.TypeFor[passed]())

func newPassed(expr hcl.Expression, r *resolver, ctx *hcl.EvalContext) cty.Value {
	return cty.CapsuleVal(passedType, &passed{expr, r, ctx})
}

// foreign is an expression whose names are looked up elsewhere.
type foreign struct {
	hcl.Expression
	from *passed
}

// home is where the names of an expression are looked up, and the expression
// as it stands there.
func (r *resolver) home(expr hcl.Expression, ctx *hcl.EvalContext) (*resolver, hcl.Expression, *hcl.EvalContext) {
	if f, ok := expr.(foreign); ok {
		return f.from.r, f.Expression, f.from.ctx
	}
	return r, expr, ctx
}

// valueRoots are the words that values begin with, which may hold references.
var valueRoots = []string{"var", "local", "module", "each"}

func holdsValue(expr hcl.Expression) bool {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if !diags.HasErrors() {
		return slices.Contains(valueRoots, t.RootName())
	}
	switch x := expr.(type) {
	case *hclsyntax.IndexExpr:
		return holdsValue(x.Collection)
	case *hclsyntax.RelativeTraversalExpr:
		return holdsValue(x.Source)
	}
	return false
}

// unpack is the references that a value holds, expressions of their own
// places; false when it holds none.
func (r *resolver) unpack(expr hcl.Expression, ctx *hcl.EvalContext) ([]hcl.Expression, bool) {
	if !holdsValue(expr) {
		return nil, false
	}
	v, diags := expr.Value(ctx)
	if diags.HasErrors() {
		return nil, false
	}
	return unpackValue(v)
}

func unpackValue(v cty.Value) ([]hcl.Expression, bool) {
	v, _ = v.Unmark()
	if v.IsNull() || !v.IsKnown() {
		return nil, false
	}
	if v.Type().Equals(passedType) {
		p, ok := v.EncapsulatedValue().(*passed)
		if !ok {
			return nil, false
		}
		var out []hcl.Expression
		for _, e := range p.r.elements(p.expr, p.ctx) {
			if f, ok := e.(foreign); ok {
				out = append(out, f)
				continue
			}
			out = append(out, foreign{e, p})
		}
		return out, true
	}
	if t := v.Type(); !t.IsTupleType() && !t.IsListType() && !t.IsSetType() || v.LengthInt() == 0 {
		return nil, false
	}
	var out []hcl.Expression
	for it := v.ElementIterator(); it.Next(); {
		_, e := it.Element()
		inner, ok := unpackValue(e)
		if !ok {
			return nil, false
		}
		out = append(out, inner...)
	}
	return out, true
}

// one resolves a value that stands where one reference is meant.
func (r *resolver) one(expr hcl.Expression, ctx *hcl.EvalContext) (reference, bool) {
	span := syntaxSpan(expr)
	held, ok := r.unpack(expr, ctx)
	switch {
	case !ok:
		if v, fine := r.value(expr, ctx); fine && (v.IsWhollyKnown() || !r.diags.HasErrors()) {
			r.diags.Fail(CodeReference, span, "Here stands a reference, and this is a value",
				"Name the object itself; a variable takes references when its type is `ref(KIND)`.")
		}
		return reference{}, false
	case len(held) != 1:
		r.diags.Fail(CodeReference, span, fmt.Sprintf("Here stands one reference, and these are %d", len(held)), "Give it one object.")
		return reference{}, false
	}
	from, e, inner := r.home(held[0], ctx)
	return from.reference(e, inner)
}

// offers reports whether an expression names objects of the project, so that
// its value is a reference.
func offers(expr hcl.Expression) bool {
	for _, t := range expr.Variables() {
		if referenceRoots[t.RootName()] {
			return true
		}
	}
	return false
}

// aliases lets a variable that holds datasources stand for them as a label
// of tables and in references.
func (r *resolver) aliases() {
	for _, name := range sortedKeys(r.refs) {
		v := r.refs[name]
		if !slices.Contains(v.kinds, "datasource") || v.failed {
			continue
		}
		fam := &family[*model.Datasource]{span: v.block.Span, foreign: true}
		held, _ := unpackValue(v.value)
		for _, h := range held {
			from, e, ctx := r.home(h, r.eval)
			ref, ok := from.reference(e, ctx)
			if !ok || ref.kind != "datasource" {
				continue // reported where references are checked
			}
			for _, d := range ref.sources {
				fam.keyed = fam.keyed || ref.whole
				fam.all = append(fam.all, instance[*model.Datasource]{d.Key, d.Key != "", d})
			}
		}
		if first, ok := r.names.datasources[name]; ok {
			r.duplicate(first.span, v.block.Span, fmt.Sprintf("A datasource and a variable for datasources are both named %q", name))
			continue
		}
		if len(fam.all) > 0 {
			r.names.datasources[name] = fam
		}
	}
}

// checkPassed resolves every reference that is given or offered, so that an
// error in one that nobody uses is reported as well.
func (r *resolver) checkPassed() {
	for _, m := range r.modules {
		for _, name := range sortedKeys(m.refs) {
			v := m.refs[name]
			if v.failed {
				continue
			}
			for _, ref := range m.resolvePassed(v.value) {
				m.expect(ref, v.kinds...)
			}
		}
		for _, name := range sortedKeys(m.outputs) {
			m.resolvePassed(m.outputs[name])
		}
	}
}

// resolvePassed resolves the references of a value; those with errors, which
// are reported, are left out.
func (r *resolver) resolvePassed(v cty.Value) []reference {
	held, _ := unpackValue(v)
	var out []reference
	for _, h := range held {
		from, e, ctx := r.home(h, r.eval)
		if call, diags := hcl.ExprCall(syntax.Native(e)); !diags.HasErrors() && call.Name == "tables" {
			if tables, ok := from.tablesCall(call, syntaxSpan(e), ctx); ok {
				out = append(out, reference{kind: "table", span: syntaxSpan(e), tables: tables})
			}
			continue
		}
		if ref, ok := from.reference(e, ctx); ok {
			out = append(out, ref)
		}
	}
	return out
}

// offered is the project's outputs, with references as texts.
func (r *resolver) offered() map[string]cty.Value {
	out := map[string]cty.Value{}
	for name, v := range r.outputs {
		shown, err := cty.Transform(v, func(_ cty.Path, v cty.Value) (cty.Value, error) {
			if plain, _ := v.Unmark(); !plain.Type().Equals(passedType) || plain.IsNull() || !plain.IsKnown() {
				return v, nil
			}
			texts := []cty.Value{}
			for _, ref := range r.resolvePassed(v) {
				for _, text := range ref.texts() {
					texts = append(texts, cty.StringVal(text))
				}
			}
			return cty.TupleVal(texts), nil
		})
		if err != nil {
			shown = cty.DynamicVal // Transform fails only where the function does
		}
		out[name] = shown
	}
	return out
}

// texts are the objects of a reference, as references are written.
func (ref *reference) texts() []string {
	var out []string
	switch ref.kind {
	case "everyone":
		return []string{"everyone"}
	case "group":
		return []string{"group." + ref.group.Name}
	case "user":
		return []string{"user." + ref.user.Name}
	case "access_level":
		return []string{"access_level." + ref.level.Name}
	}
	for _, x := range ref.apps {
		out = append(out, "app."+x.Name)
	}
	for _, x := range ref.accounts {
		out = append(out, "service_account."+x.Name)
	}
	for _, x := range ref.sources {
		out = append(out, "datasource."+x.Name)
	}
	for _, x := range ref.tables {
		out = append(out, ref.kind+"."+x.Address())
	}
	return out
}

// refKinds reads `ref(KIND, …)`, the type of a variable that takes references;
// nil for every other type.
func (r *resolver) refKinds(expr hcl.Expression) []string {
	call, diags := hcl.ExprCall(expr)
	if diags.HasErrors() || call.Name != "ref" {
		return nil
	}
	kinds := []string{}
	for _, a := range call.Arguments {
		word := hcl.ExprAsKeyword(syntax.Native(a))
		if !referenceRoots[word] {
			r.unknown(syntaxSpan(a), "kind of reference", word, sortedKeys(referenceRoots), "")
			continue
		}
		kinds = append(kinds, word)
	}
	if len(call.Arguments) == 0 {
		r.diags.Fail(CodeVariable, syntaxSpan(expr), "The type names no kind of reference",
			"Write for example `ref(group)`; there are "+strings.Join(slices.Sorted(maps.Keys(referenceRoots)), ", ")+".")
	}
	return kinds
}

// unique reports objects of different modules that have come to the same name:
// only a label with a dot in it can do that.
func (r *resolver) unique() {
	seen := map[[2]string]source.Span{}
	check := func(kind, name string, span source.Span) {
		if first, ok := seen[[2]string{kind, name}]; ok {
			r.duplicate(span, first, fmt.Sprintf("A second %s with the address %s", kind, name))
			return
		}
		seen[[2]string{kind, name}] = span
	}
	p := r.program
	for _, x := range p.Groups {
		check("group", x.Name, x.Span)
	}
	for _, x := range p.Levels {
		check("access level", x.Name, x.Span)
	}
	for _, x := range p.Users {
		check("user", x.Name, x.Span)
	}
	for _, x := range p.Datasources {
		check("datasource", x.Name, x.Span)
	}
	for _, x := range p.Tables {
		check("table", x.Address(), x.Span)
	}
	for _, x := range p.Accounts {
		check("service account", x.Name, x.Span)
	}
	for _, x := range p.Apps {
		check("app", x.Name, x.Span)
	}
	for _, x := range p.Policies {
		check("policy", x.Name, x.Span)
	}
	for _, x := range p.Guards {
		check("guard", x.Name, x.Span)
	}
	for _, x := range p.Masks {
		check("mask", x.Name, x.Span)
	}
	for _, x := range p.Reports {
		check("report", x.Name, x.Span)
	}
}

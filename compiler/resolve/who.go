package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// levelOrder is the access levels of all modules, and what each is above.
type levelOrder struct {
	above  map[*model.Level][]*model.Level
	blocks map[*model.Level]*syntax.Level
	all    map[string]*model.Level
}

var builtinLevels = []string{model.LevelAnonymous, model.LevelUser, model.LevelSuperuser}

// levels makes the built-in access levels and the declared ones, lowest
// first: a level stands after all those it is stated to be above.
func (r *resolver) levels() {
	o := &levelOrder{above: map[*model.Level][]*model.Level{}, blocks: map[*model.Level]*syntax.Level{}, all: map[string]*model.Level{}}
	for i, name := range builtinLevels {
		l := &model.Level{Name: name}
		if i > 0 {
			o.above[l] = []*model.Level{o.all[builtinLevels[i-1]]}
		}
		o.all[name] = l
	}
	for _, m := range r.modules {
		for _, name := range builtinLevels {
			m.names.levels[name] = o.all[name]
		}
		m.declareLevels(o)
	}
	for _, m := range r.modules {
		m.linkLevels(o)
	}
	state := map[*model.Level]int{}
	sorted := []*model.Level{}
	var visit func(l *model.Level, path []string)
	visit = func(l *model.Level, path []string) {
		path = append(path, "access_level."+l.Name)
		switch state[l] {
		case 2:
			return
		case 1:
			r.cycle(l.Span, "The access level "+l.Name, path)
			return
		}
		state[l] = 1
		for _, lower := range o.above[l] {
			visit(lower, path)
		}
		state[l] = 2
		sorted = append(sorted, l)
	}
	for _, name := range append(slices.Clone(builtinLevels), sortedKeys(o.all)...) {
		visit(o.all[name], nil)
	}
	r.program.Levels = sorted
	fillAtLeast(sorted, o.above)
}

func (r *resolver) declareLevels(o *levelOrder) {
	for _, b := range r.syntax.Levels {
		name := b.Label(0)
		if old, ok := r.names.levels[name]; ok {
			if slices.Contains(builtinLevels, name) {
				r.diags.Fail(CodeDuplicate, b.Span, fmt.Sprintf("The access level %q is built in", name), "Choose another name.")
			} else {
				r.duplicate(b.Span, old.Span, fmt.Sprintf("A second access level %q", name))
			}
			continue
		}
		r.claimName("access level", &b.Header)
		l := &model.Level{Name: r.path + name, Description: r.description(b.Description, r.eval), Span: b.Span}
		if old, ok := o.all[l.Name]; ok {
			r.duplicate(b.Span, old.Span, fmt.Sprintf("A second access level with the address %s", l.Name))
			continue
		}
		r.names.levels[name], o.blocks[l], o.all[l.Name] = l, b, l
	}
}

func (r *resolver) linkLevels(o *levelOrder) {
	for _, name := range sortedKeys(r.names.levels) {
		l := r.names.levels[name]
		b := o.blocks[l]
		if b == nil || b.Above == nil {
			continue
		}
		for _, e := range r.elements(b.Above, r.eval) {
			if ref, ok := r.reference(e, r.eval); ok && r.expect(ref, "access_level") {
				o.above[l] = append(o.above[l], ref.level)
			}
		}
	}
}

// fillAtLeast states for each level which ones are that level or higher: only
// what the stated steps lead to.
func fillAtLeast(sorted []*model.Level, above map[*model.Level][]*model.Level) {
	lower := map[*model.Level]map[*model.Level]bool{}
	for _, l := range sorted {
		set := map[*model.Level]bool{l: true}
		for _, next := range above[l] {
			for x := range lower[next] {
				set[x] = true
			}
		}
		lower[l] = set
	}
	for _, l := range sorted {
		for _, other := range sorted {
			if lower[other][l] {
				l.AtLeast = append(l.AtLeast, other)
			}
		}
		slices.SortFunc(l.AtLeast, func(a, b *model.Level) int { return strings.Compare(a.Name, b.Name) })
	}
}

// claimName checks a name that stands in claims: groups, levels, users and
// apps. It may be any text without control characters.
func (r *resolver) claimName(what string, h *syntax.Header) bool {
	name := h.Label(0)
	if !r.validName(what, name, h.LabelSpan(0)) {
		return false
	}
	if strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		r.diags.Fail(CodeInvalidName, h.LabelSpan(0), "The name of the "+what+" holds a control character", "Choose another name.")
		return false
	}
	return true
}

// groups makes the groups and closes over member_of.
func (r *resolver) groups() {
	for _, m := range r.modules {
		m.declareGroups()
	}
	for _, m := range r.modules {
		for _, b := range m.syntax.Groups {
			if g := m.names.groups[b.Label(0)]; g != nil && g.Span == b.Span && b.MemberOf != nil {
				g.MemberOf, _ = m.groupRefs(b)
			}
		}
	}
	slices.SortFunc(r.program.Groups, func(a, b *model.Group) int { return strings.Compare(a.Name, b.Name) })
	r.closeGroups()
}

func (r *resolver) declareGroups() {
	for _, b := range r.syntax.Groups {
		name := b.Label(0)
		if first, ok := r.names.groups[name]; ok {
			r.duplicate(b.Span, first.Span, fmt.Sprintf("A second group %q", name))
			continue
		}
		r.claimName("group", &b.Header)
		g := &model.Group{Name: r.path + name, Description: r.description(b.Description, r.eval), Span: b.Span}
		r.names.groups[name] = g
		r.program.Groups = append(r.program.Groups, g)
	}
}

// groupOf is the group that a variable or an output holds.
func (r *resolver) groupOf(expr hcl.Expression, ctx *hcl.EvalContext) (*model.Group, bool) {
	if !holdsValue(expr) {
		return nil, false
	}
	ref, ok := r.one(expr, ctx)
	if !ok || !r.expect(ref, "group") {
		return nil, true
	}
	return ref.group, true
}

func (r *resolver) groupRefs(b *syntax.Group) ([]*model.Group, bool) {
	var out []*model.Group
	for _, e := range r.elements(b.MemberOf, r.eval) {
		ref, ok := r.reference(e, r.eval)
		if !ok || !r.expect(ref, "group") {
			return out, false
		}
		if slices.Contains(out, ref.group) {
			r.repeated(ref.span, "group."+ref.group.Name)
			continue
		}
		out = append(out, ref.group)
	}
	slices.SortFunc(out, func(a, b *model.Group) int { return strings.Compare(a.Name, b.Name) })
	return out, true
}

func (r *resolver) closeGroups() {
	state := map[*model.Group]int{}
	var visit func(g *model.Group, path []string)
	visit = func(g *model.Group, path []string) {
		path = append(path, "group."+g.Name)
		switch state[g] {
		case 2:
			return
		case 1:
			r.cycle(g.Span, "The group "+g.Name, path)
			return
		}
		state[g] = 1
		all := []string{g.Name}
		for _, up := range g.MemberOf {
			visit(up, path)
			all = append(all, up.Closure...)
		}
		slices.Sort(all)
		g.Closure, state[g] = slices.Compact(all), 2
	}
	for _, g := range r.program.Groups {
		visit(g, nil)
	}
}

// defaultKey names the user where an identity block does not say otherwise.
const defaultKey = "id"

// identity makes the types of `user` and `request`.
func (r *resolver) identity() {
	id := &r.program.Identity
	if blocks := r.syntax.Identities; len(blocks) > 0 {
		for _, b := range blocks[1:] {
			r.duplicate(b.Span, blocks[0].Span, "A second identity block")
		}
		b := blocks[0].Expand(r.eval, &r.diags)
		id.Span = b.Span
		id.Attributes = r.attributes(b, model.ScopeUser)
		key, span := defaultKey, b.Span
		if b.Key != nil {
			span = syntaxSpan(b.Key)
			key, _ = r.text(b.Key, r.eval)
		}
		for _, a := range id.Attributes {
			if a.Name == key {
				id.Key = a
			}
		}
		switch {
		case id.Key == nil:
			r.keyless = true
			r.diags.Fail(CodeIdentity, span, fmt.Sprintf("The identity has no attribute %q that names the user", key),
				fmt.Sprintf("Declare `attribute %q { type = … }`, or name another attribute by `key`.", key))
		case id.Key.Type.Kind == model.KindSet || id.Key.Type.Kind == model.KindBool:
			r.keyless = true
			r.diags.Fail(CodeIdentity, id.Key.Span, fmt.Sprintf("A %s cannot name a user", id.Key.Type),
				"Use a uuid, a string or an int.")
		}
	} else {
		key := &model.Attribute{Name: defaultKey, Scope: model.ScopeUser, Type: model.String, Claim: []string{defaultKey}}
		id.Key, id.Attributes = key, []*model.Attribute{key}
	}
	if blocks := r.syntax.Requests; len(blocks) > 0 {
		for _, b := range blocks[1:] {
			r.duplicate(b.Span, blocks[0].Span, "A second request block")
		}
		r.program.Request = r.attributes(blocks[0].Expand(r.eval, &r.diags), model.ScopeRequest)
	}
}

// reservedClaims are always read, and are not attributes.
var reservedClaims = []string{"groups", "access_level"}

func (r *resolver) attributes(b *syntax.Attributes, scope model.Scope) []*model.Attribute {
	r.description(b.Description, r.eval)
	first, claims := map[string]source.Span{}, map[string]*model.Attribute{}
	var out []*model.Attribute
	for _, x := range b.Attributes {
		name := x.Label(0)
		if at, ok := first[name]; ok {
			r.duplicate(x.Span, at, fmt.Sprintf("A second attribute %q", name))
			continue
		}
		first[name] = x.Span
		r.description(x.Description, r.eval)
		a := &model.Attribute{Name: name, Scope: scope, Claim: []string{name}, Span: x.Span}
		if !hclsyntax.ValidIdentifier(name) {
			r.diags.Fail(CodeInvalidName, x.LabelSpan(0), fmt.Sprintf("%q is not a name for an attribute", name),
				"A name begins with a letter and has letters, digits, `_` and `-`; `claim` may say where to read it.")
		}
		if scope == model.ScopeUser && slices.Contains(reservedClaims, name) {
			r.diags.Fail(CodeIdentity, x.LabelSpan(0), fmt.Sprintf("user.%s is always there and cannot be declared", name), "Remove the attribute.")
			continue
		}
		if x.Lookup != nil {
			r.diags.Fail(CodeIdentity, syntaxSpan(x.Lookup), "An attribute is looked up in the tables of a datasource",
				"Declare its type here, and put `from`, `match` and `column` into an identity block of the datasource.")
		}
		if x.TypeExpr != nil {
			a.Type, _ = condition.ParseType(syntax.Native(x.TypeExpr), &r.diags)
		}
		if x.Claim != nil {
			if path, ok := r.text(x.Claim, r.eval); ok {
				a.Claim = strings.Split(path, ".")
				if slices.Contains(a.Claim, "") {
					r.diags.Fail(CodeIdentity, syntaxSpan(x.Claim), "The claim's path has an empty part", "Write it like `app_metadata.region`.")
				}
			}
		}
		path := strings.Join(a.Claim, ".")
		if scope == model.ScopeUser && slices.Contains(reservedClaims, a.Claim[0]) {
			r.diags.Fail(CodeIdentity, x.Span, fmt.Sprintf("The claim %q is read as user.%s", path, a.Claim[0]), "Use another claim.")
		}
		if other, ok := claims[path]; ok {
			r.duplicate(x.Span, other.Span, fmt.Sprintf("A second attribute for the claim %q", path))
		}
		claims[path] = a
		out = append(out, a)
	}
	for _, a := range out {
		for _, b := range out {
			if strings.HasPrefix(strings.Join(b.Claim, "."), strings.Join(a.Claim, ".")+".") {
				r.diags.Fail(CodeIdentity, b.Span, fmt.Sprintf("The claim of %q lies inside the claim of %q", b.Name, a.Name), "A claim is a value or an object, not both.")
			}
		}
	}
	slices.SortFunc(out, func(a, b *model.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return out
}

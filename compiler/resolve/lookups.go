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

// identityBlock is a datasource's own identity block, which waits for its
// tables.
type identityBlock struct {
	datasource *model.Datasource
	block      *syntax.Attributes
	round      repeat
}

// datasourceIdentity keeps the identity block of a datasource.
func (r *resolver) datasourceIdentity(b *syntax.Datasource, d *model.Datasource, round repeat) {
	for i, id := range b.Identities {
		switch {
		case i > 0:
			r.duplicate(id.Span, b.Identities[0].Span, "A second identity block of the datasource")
		case d.Type == model.Service:
			r.diags.Fail(CodeDatasource, id.Span, "A service looks no attributes up", "Remove the block: whoever asks the policy engine states them.")
		default:
			r.identityBlocks = append(r.identityBlocks, identityBlock{d, id, round})
		}
	}
}

// identityMode is what a datasource says of how users reach it: by an argument,
// or, in JSON, where one name cannot be both, in its identity block.
func (r *resolver) identityMode(b *syntax.Datasource) hcl.Expression {
	mode := b.Identity
	for _, id := range b.Identities {
		if id.Mode == nil {
			continue
		}
		if mode != nil {
			r.diags.Fail(CodeDatasource, syntaxSpan(id.Mode), "The identity of the datasource is stated twice", "Remove one of the two.")
		}
		mode = id.Mode
	}
	return mode
}

// lookups reads the attributes that datasources take from their tables.
func (r *resolver) lookups() {
	for _, b := range r.identityBlocks {
		r.description(b.block.Description, b.round.ctx)
		first := map[string]source.Span{}
		for _, x := range b.block.Attributes {
			name := x.Label(0)
			if at, again := first[name]; again {
				r.duplicate(x.Span, at, fmt.Sprintf("A second attribute %q", name))
				continue
			}
			first[name] = x.Span
			if l := r.lookup(b, x); l != nil {
				b.datasource.Lookups = append(b.datasource.Lookups, l)
			}
		}
		slices.SortFunc(b.datasource.Lookups, func(x, y *model.Lookup) int { return strings.Compare(x.Attribute.Name, y.Attribute.Name) })
	}
}

// lookup reads one attribute; nil when it has an error.
func (r *resolver) lookup(b identityBlock, x *syntax.Attribute) *model.Lookup {
	r.description(x.Description, b.round.ctx)
	l := &model.Lookup{Span: x.Span}
	var names []string
	for _, a := range r.program.Identity.Attributes {
		names = append(names, a.Name)
		if a.Name == x.Label(0) {
			l.Attribute = a
		}
	}
	switch {
	case l.Attribute == nil:
		r.unknown(x.LabelSpan(0), "attribute of the identity", x.Label(0), names, "")
		return nil
	case l.Attribute == r.program.Identity.Key:
		r.diags.Fail(CodeIdentity, x.LabelSpan(0), "The key of the identity cannot be looked up by itself", "Look up other attributes.")
		return nil
	case x.From == nil || x.Match == nil || x.Column == nil:
		return nil
	}
	if l.Table = r.lookupTable(b, x.From); l.Table == nil {
		return nil
	}
	l.Match = r.lookupColumn(l.Table, x.Match, b.round.ctx)
	l.Column = r.lookupColumn(l.Table, x.Column, b.round.ctx)
	if l.Match == nil || l.Column == nil || r.keyless || !r.lookupTypes(l, x) {
		return nil
	}
	return l
}

// lookupTable is the table of the datasource that an attribute is read from.
func (r *resolver) lookupTable(b identityBlock, from hcl.Expression) *model.Table {
	on, ok := r.tableRefs(from, b.round.ctx)
	if !ok {
		return nil
	}
	on = slices.DeleteFunc(on, func(p placed) bool { return p.table.Datasource != b.datasource })
	if len(on) != 1 {
		r.diags.Fail(CodeIdentity, syntaxSpan(from), fmt.Sprintf("An attribute is read from one table of datasource.%s", b.datasource.Name),
			"Name one table that is declared for this datasource.")
		return nil
	}
	return on[0].table
}

func (r *resolver) lookupColumn(t *model.Table, expr hcl.Expression, ctx *hcl.EvalContext) *model.Column {
	name, ok := r.text(expr, ctx)
	if !ok {
		return nil
	}
	c := t.Column(name)
	if c == nil {
		r.unknownColumn(t, item{name, syntaxSpan(expr)})
	}
	return c
}

// lookupTypes reports columns that are not of the types that they are read as.
func (r *resolver) lookupTypes(l *model.Lookup, x *syntax.Attribute) bool {
	key := r.program.Identity.Key
	if !l.Match.Type.Equal(key.Type) {
		r.diags.Fail(CodeIdentity, syntaxSpan(x.Match), fmt.Sprintf("The column %q is of type %s, and the identity's key %q of type %s",
			l.Match.Name, l.Match.Type, key.Name, key.Type), "Match by a column of the key's type.")
		return false
	}
	t := l.Attribute.Type
	l.Each = t.Kind == model.KindSet && l.Column.Type.Kind != model.KindSet
	if l.Each {
		t = *t.Elem
	}
	if !l.Column.Type.Equal(t) {
		r.diags.Fail(CodeIdentity, syntaxSpan(x.Column), fmt.Sprintf("The column %q is of type %s, and user.%s of type %s",
			l.Column.Name, l.Column.Type, l.Attribute.Name, l.Attribute.Type), "Read a column of the attribute's type, or, for a set, of its elements' type.")
		return false
	}
	return true
}

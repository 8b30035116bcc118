package resolve

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/postern-dev/postern/compiler/condition"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

var actionForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,62}$`)

// natives are the types of Postgres itself, in format_type's spelling without
// a modifier, that may store a kind. Other names are the database's own types
// (domains, enums) and are compared with the live table.
var natives = map[string]model.Kind{
	"boolean":  model.KindBool,
	"smallint": model.KindInt, "integer": model.KindInt, "bigint": model.KindInt,
	"numeric": model.KindNumber, "real": model.KindNumber, "double precision": model.KindNumber,
	"text": model.KindString, "character varying": model.KindString, "character": model.KindString,
	"name": model.KindString, "citext": model.KindString,
	"uuid": model.KindUUID, "date": model.KindDate,
	"timestamp with time zone": model.KindTimestamp, "timestamp without time zone": model.KindTimestamp,
	"inet": model.KindIP,
}

// aliases are spellings that format_type never gives.
var aliases = map[string]string{
	"bool": "boolean", "int": "integer", "int2": "smallint", "int4": "integer", "int8": "bigint",
	"decimal": "numeric", "float4": "real", "float8": "double precision", "varchar": "character varying",
	"char": "character", "bpchar": "character", "timestamptz": "timestamp with time zone",
	"timestamp": "timestamp without time zone", "serial": "integer", "bigserial": "bigint",
}

var modifier = regexp.MustCompile(`\([0-9, ]*\)`)

func (r *resolver) column(t *model.Table, b *syntax.Column, round repeat) *model.Column {
	name := b.Label(0)
	if t.Resource() {
		if name == "" || strings.ContainsRune(name, 0) {
			r.validName("attribute", name, b.LabelSpan(0))
		}
	} else {
		r.validName("column", name, b.LabelSpan(0))
	}
	r.description(b.Description, round.ctx)
	c := &model.Column{Name: name, Null: t.Resource() || r.flag(b.Null, round.ctx, false), Span: b.Span}
	if b.Tags != nil {
		tags, _ := r.texts(b.Tags, round.ctx)
		for _, tag := range tags {
			if slices.Contains(c.Tags, tag.text) {
				r.repeated(tag.span, fmt.Sprintf("the tag %q", tag.text))
				continue
			}
			c.Tags = append(c.Tags, tag.text)
		}
		slices.Sort(c.Tags)
	}
	if b.TypeExpr == nil {
		return nil
	}
	typ, ok := condition.ParseType(syntax.Native(b.TypeExpr), &r.diags)
	if !ok {
		return nil
	}
	c.Type = typ
	if b.Native != nil {
		c.Native, ok = r.text(b.Native, round.ctx)
		if ok {
			r.native(c, syntaxSpan(b.Native))
		}
	} else if !t.Resource() && enumKind(typ) {
		r.diags.Fail(CodeColumn, syntaxSpan(b.TypeExpr), fmt.Sprintf("The enum column %q does not say its database type", name),
			"Add `native = \"SCHEMA.TYPE\"`, or declare the column as a string when the database has a text column.")
	}
	return c
}

func enumKind(t model.Type) bool {
	return t.Kind == model.KindEnum || t.Kind == model.KindSet && t.Elem != nil && t.Elem.Kind == model.KindEnum
}

// native checks that a column's database type can hold the values of its type.
func (r *resolver) native(c *model.Column, span source.Span) {
	if !r.validNative(c.Native, span) {
		return
	}
	base, array := strings.CutSuffix(c.Native, "[]")
	base = strings.TrimSpace(modifier.ReplaceAllString(base, ""))
	if right, ok := aliases[base]; ok {
		r.diags.Fail(CodeColumn, span, fmt.Sprintf("%q is not the full name of a type", c.Native),
			fmt.Sprintf("Write %q, as Postgres itself names it.", strings.Replace(c.Native, base, right, 1)))
		return
	}
	typ := c.Type
	if (typ.Kind == model.KindSet) != array {
		r.diags.Fail(CodeColumn, span, fmt.Sprintf("The database type %q does not fit the type %s", c.Native, c.Type),
			"A set is stored in an array, and only a set is.")
		return
	}
	if array && typ.Elem != nil {
		typ = *typ.Elem
	}
	if kind, known := natives[base]; known && kind != typ.Kind {
		r.diags.Fail(CodeColumn, span, fmt.Sprintf("The database type %q does not fit the type %s", c.Native, c.Type),
			fmt.Sprintf("A column of this database type has the type %s.", kind))
	}
}

func (r *resolver) validNative(native string, span source.Span) bool {
	if native == "" || len(native) > 2*maxName+20 || strings.ContainsFunc(native, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		r.diags.Fail(CodeColumn, span, "This is not the name of a database type", "Write it as Postgres' format_type does, such as \"character varying(40)\".")
		return false
	}
	return true
}

// relations joins the tables, once all are there.
func (r *resolver) relations() {
	for _, tb := range r.tableBlocks {
		first := map[string]source.Span{}
		for _, b := range tb.block.Relations {
			name := b.Label(0)
			if at, ok := first[name]; ok {
				r.duplicate(b.Span, at, fmt.Sprintf("A second relation %q", name))
				continue
			}
			first[name] = b.Span
			if c := tb.table.Column(name); c != nil {
				r.duplicate(b.Span, c.Span, fmt.Sprintf("The relation %q has the name of a column", name))
				continue
			}
			if rel := r.relation(tb, b); rel != nil {
				tb.table.Relations = append(tb.table.Relations, rel)
			}
		}
		slices.SortFunc(tb.table.Relations, func(a, b *model.Relation) int { return strings.Compare(a.Name, b.Name) })
	}
}

func (r *resolver) relation(tb tableBlock, b *syntax.Relation) *model.Relation {
	ctx := tb.round.ctx
	rel := &model.Relation{Name: b.Label(0), From: tb.table, Many: r.flag(b.Many, ctx, false), Span: b.Span}
	r.description(b.Description, ctx)
	r.validName("relation", rel.Name, b.LabelSpan(0))
	if b.Table == nil || b.On == nil {
		return nil
	}
	ref, ok := r.reference(b.Table, ctx)
	if !ok || !r.expect(ref, "table", "resource") {
		return nil
	}
	// A reference to a repeated datasource means the table's own instance.
	var there []*model.Table
	for _, t := range ref.tables {
		if t.Datasource == tb.table.Datasource {
			there = append(there, t)
		}
	}
	switch {
	case len(there) == 0:
		r.diags.Fail(CodeRelation, ref.span, "The related table lies in another datasource", "Records can be related within one datasource only.")
		return nil
	case len(there) > 1:
		r.diags.Fail(CodeRelation, ref.span, "The reference means several tables", "Name one by its key, such as `table.crm.parts[\"a\"]`.")
		return nil
	}
	rel.Table = there[0]
	return r.join(rel, b.On, ctx)
}

func (r *resolver) join(rel *model.Relation, on hcl.Expression, ctx *hcl.EvalContext) *model.Relation {
	fields, ok := r.fields(on, ctx)
	if ok && len(fields) == 0 {
		r.diags.Fail(CodeRelation, syntaxSpan(on), "The relation joins no columns", "Write `on = { OWN_COLUMN = \"THEIR_COLUMN\" }`.")
		return nil
	}
	for _, f := range fields {
		if f.value.IsNull() || f.value.Type().FriendlyName() != "string" {
			r.diags.Fail(CodeRelation, f.valueSpan, "The other side of a join is the name of a column", "Write it as a string.")
			ok = false
			continue
		}
		from, to := rel.From.Column(f.text), rel.Table.Column(f.value.AsString())
		if from == nil {
			r.unknownColumn(rel.From, f.item)
		}
		if to == nil {
			r.unknownColumn(rel.Table, item{f.value.AsString(), f.valueSpan})
		}
		if from == nil || to == nil {
			ok = false
			continue
		}
		if !joinable(from.Type, to.Type) {
			r.diags.Fail(CodeRelation, f.valueSpan, fmt.Sprintf("The columns %q (%s) and %q (%s) cannot be joined", from.Name, from.Type, to.Name, to.Type),
				"Both sides of a join have the same scalar type.")
			ok = false
			continue
		}
		rel.On = append(rel.On, model.JoinPair{From: from, To: to})
	}
	slices.SortFunc(rel.On, func(a, b model.JoinPair) int { return strings.Compare(a.From.Name, b.From.Name) })
	if !ok {
		return nil
	}
	return rel
}

func joinable(a, b model.Type) bool { return a.Kind != model.KindSet && a.Equal(b) }

package postgres

import (
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// An attribute that the datasource looks up is read from its table by a
// function that runs as the owner of the generated schema: the user's rights,
// and the policies of that table, say nothing there. Values become JSON, as
// claims carry them, and go through the same readers, so that what is no value
// of the attribute's type is unknown here as well.

// lookup adds the function that gives the attribute's value as JSON, and
// returns its call.
func (b *runtimeBuilder) lookup(l *model.Lookup) sqltext.SQL {
	name := shortName("lookup_" + l.Attribute.Name)
	match, matchErr := columnType(l.Match)
	value, valueErr := lookupValue(l)
	from, err := build(func(s *sqltext.Builder) { s.Qualified(l.Table.Schema, l.Table.SQLName).Raw(" AS r") })
	for _, e := range []error{matchErr, valueErr, err} {
		if e != nil {
			b.errs = append(b.errs, fmt.Errorf("attribute %s: %w", inQuotes(l.Attribute.Name), e))
			return "NULL"
		}
	}
	column, err := sqltext.Print(matched(l.Match, match))
	if err != nil {
		b.errs = append(b.errs, err)
	}
	key := scalars[b.p.Identity.Key.Type.Kind]
	template := "lookup_one"
	if l.Each {
		template = "lookup_each"
	}
	read := "postern." + sqltext.SQL(key.function) + "(" + b.member("s -> 'claims'", b.p.Identity.Key.Claim) + ")"
	if key := b.p.Identity.Key; key.Type.Kind == model.KindEnum {
		read = "(SELECT k FROM (SELECT " + read + ") AS x(k) WHERE k = ANY (" + b.texts(key.Type.Enum) + "))"
	}
	b.function(name, "", "json", "STABLE", b.body(template, b.literal(l.Attribute.Name), sqltext.SQL(key.result), read, value, from, column))
	call, err := build(func(s *sqltext.Builder) { s.Qualified(RuntimeSchema, name).Raw("()") })
	if err != nil {
		b.errs = append(b.errs, err)
	}
	return call
}

// matched is the column that is compared with the key. The labels of an enum
// type are texts, so that a key that is no label is no error.
func matched(c *model.Column, t sqlType) sqltext.Expr {
	x := sqltext.Expr(sqltext.Column{Outer: "r", Name: c.Name})
	if t.family == famEnum {
		return sqltext.Cast{X: x, Type: tText}
	}
	return x
}

// lookupValue is the column as JSON, whatever the client's settings are.
func lookupValue(l *model.Lookup) (sqltext.SQL, error) {
	t, err := columnType(l.Column)
	if err != nil {
		return "", err
	}
	x := sqltext.Expr(sqltext.Column{Outer: "r", Name: l.Column.Name})
	asJSON := func(x sqltext.Expr) sqltext.Expr { return sqltext.Func{Name: "to_json", Args: []sqltext.Expr{x}} }
	switch t.family {
	case famText: // of a character(n) without its trailing spaces
		x = asJSON(sqltext.Cast{X: x, Type: tText})
	case famInstant, famLocal: // with the session's own time zone, an offset could be one that no claim may have
		if t.family == famInstant {
			x = sqltext.AtUTC{X: x}
		}
		text := sqltext.Op{L: asJSON(x), Op: "#>>", R: sqltext.Cast{X: sqltext.Array{}, Type: sqltext.ArrayOf(tText)}}
		x = asJSON(sqltext.Op{L: text, Op: "||", R: sqltext.Const{Text: "Z", Type: tText}})
	default:
		x = asJSON(x)
	}
	return sqltext.Print(x)
}

// addLookups lets the functions read the columns that attributes are looked up
// by and in.
func (d *desired) addLookups() {
	set := newRelatedSet()
	for _, l := range d.ds.Lookups {
		table := TableID(l.Table.Schema, l.Table.SQLName)
		set.reads[ColumnID(table, l.Match.Name)] = struct{}{}
		set.reads[ColumnID(table, l.Column.Name)] = struct{}{}
	}
	d.addRelated(set)
}

// lookups refuses what the functions could not read exactly.
func (a *audit) lookups() {
	for _, l := range a.ds.Lookups {
		a.operand(&model.ColumnRef{Column: l.Match}, l.Span)
		a.operand(&model.ColumnRef{Column: l.Column}, l.Span)
		if elem := l.Column.Type.Elem; elem != nil && elem.Kind == model.KindTimestamp {
			a.diags.Fail(CodeType, l.Span, fmt.Sprintf("The column %s cannot be looked up: the text of times in an array follows the client's settings",
				inQuotes(l.Column.Name)), "Keep one time in a row of the table.")
		}
		switch key := a.p.Identity.Key; key.Type.Kind {
		case model.KindString, model.KindEnum, model.KindUUID, model.KindInt:
		default:
			a.diags.Fail(CodeType, l.Span, "Attributes cannot be looked up by a key of type "+key.Type.String(),
				"Make the identity's key a string, uuid, int or enum.")
		}
	}
}

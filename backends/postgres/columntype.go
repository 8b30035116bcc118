package postgres

import (
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// family groups the SQL types that conditions treat alike.
type family int

const (
	famBool    family = iota + 1
	famInt            // smallint, integer, bigint
	famNumeric        // numeric
	famText           // text; other text types are cast to it
	famEnum           // an enum type; labels are cast to text unless compared with constants
	famUUID
	famDate
	famInstant // timestamp with time zone
	famLocal   // timestamp without time zone, read as UTC
	famInet
	famSet
	famInterval
)

// The types that generated expressions name.
var (
	tText      = sqltext.Builtin("text")
	tBigint    = sqltext.Builtin("bigint")
	tNumeric   = sqltext.Builtin("numeric")
	tBool      = sqltext.Builtin("boolean")
	tUUID      = sqltext.Builtin("uuid")
	tDate      = sqltext.Builtin("date")
	tInstant   = sqltext.Builtin("timestamp with time zone")
	tLocal     = sqltext.Builtin("timestamp without time zone")
	tInet      = sqltext.Builtin("inet")
	tInterval  = sqltext.Builtin("interval")
	usualTypes = map[model.Kind]sqltext.TypeName{
		model.KindBool: tBool, model.KindInt: tBigint, model.KindNumber: tNumeric, model.KindString: tText,
		model.KindUUID: tUUID, model.KindDate: tDate, model.KindTimestamp: tInstant, model.KindIP: tInet,
		model.KindEnum: tText, model.KindDuration: tInterval,
	}
	usualFamilies = map[model.Kind]family{
		model.KindBool: famBool, model.KindInt: famInt, model.KindNumber: famNumeric, model.KindString: famText,
		model.KindUUID: famUUID, model.KindDate: famDate, model.KindTimestamp: famInstant, model.KindIP: famInet,
		model.KindEnum: famText, model.KindSet: famSet, model.KindDuration: famInterval,
	}
)

// sqlType is what Postgres holds a language type in.
type sqlType struct {
	family family
	name   sqltext.TypeName
	elem   *sqlType // of a famSet
	labels []string // the values of an enum, whatever holds it
}

// usualType is the SQL type of a request's value.
func usualType(t model.Type) sqlType {
	if t.Kind == model.KindSet && t.Elem != nil {
		elem := usualType(*t.Elem)
		return sqlType{family: famSet, name: sqltext.ArrayOf(elem.name), elem: &elem}
	}
	return sqlType{family: usualFamilies[t.Kind], name: usualTypes[t.Kind], labels: t.Enum}
}

// columnType is the SQL type of a column. It fails for native types whose
// values conditions cannot compare exactly.
func columnType(c *model.Column) (sqlType, error) {
	if c.Native == "" {
		return usualType(c.Type), nil
	}
	name, err := sqltext.ParseType(c.Native)
	if err != nil {
		return sqlType{}, err
	}
	if c.Type.Kind != model.KindSet {
		return scalarType(c.Type, name)
	}
	if !name.Array || c.Type.Elem == nil {
		return sqlType{}, fmt.Errorf("%s is not an array type", c.Native)
	}
	elem, err := scalarType(*c.Type.Elem, name.Elem())
	// As JSON, these elements are not what a column of the type would be.
	if err == nil && (elem.family == famLocal || name.Name == "character") {
		err = fmt.Errorf("conditions cannot compare elements of type %s", name.Elem().SQL())
	}
	return sqlType{family: famSet, name: name, elem: &elem}, err
}

func scalarType(t model.Type, name sqltext.TypeName) (sqlType, error) {
	out := sqlType{name: name, labels: t.Enum}
	// A type that the database made itself is always named with its schema
	// (format_type under search_path pg_catalog); what kind it is only the
	// database knows, and a plan asks it (checkColumns).
	own := name.Schema != "" && name.Schema != "pg_catalog"
	switch {
	case name.Array:
	case t.Kind == model.KindString && (own && name.Name != "citext" || textual(name.Name)):
		out.family = famText
	case t.Kind == model.KindEnum && textual(name.Name) && !own:
		out.family = famText
	case t.Kind == model.KindEnum && own && name.Name != "citext":
		out.family = famEnum
	case own:
	case t.Kind == model.KindNumber && integral(name.Name):
		out.family = famInt
	case t.Kind == model.KindInt && integral(name.Name):
		out.family = famInt
	case t.Kind == model.KindTimestamp && name.Name == tLocal.Name:
		out.family = famLocal
	case name.Name == usualTypes[t.Kind].Name:
		out.family = usualFamilies[t.Kind]
	}
	if out.family == 0 {
		return out, fmt.Errorf("conditions cannot compare a column of type %s as %s", name.SQL(), t)
	}
	return out, nil
}

func textual(name string) bool {
	switch name {
	case "text", "character varying", "character", "bpchar", "name":
		return true
	}
	return false
}

func integral(name string) bool { return name == "smallint" || name == "integer" || name == "bigint" }

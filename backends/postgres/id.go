package postgres

import "strings"

// Kind is the kind of a database object.
type Kind string

// The kinds of objects that a State knows.
const (
	KindDatabase Kind = "database"
	KindRole     Kind = "role"
	KindSchema   Kind = "schema"
	KindTable    Kind = "table"
	KindColumn   Kind = "column"
	KindPolicy   Kind = "policy"
	KindSequence Kind = "sequence"
	KindFunction Kind = "function"
	KindType     Kind = "type"
	KindView     Kind = "view"
)

// ObjectID names one object of one database, exactly as the catalog stores the
// names: unquoted, case kept. It is comparable and quoted only when printed.
//
//	database  Name "" (the database one is connected to; a program never knows its name)
//	role      Name
//	schema    Name
//	table     Schema, Name
//	column    Schema, Name (of the table), Sub (column)
//	policy    Schema, Name (of the table), Sub (policy)
//	sequence  Schema, Name
//	function  Schema, Name, Sub: pg_get_function_identity_arguments, read with search_path "pg_catalog"
//	type      Schema, Name
//	view      Schema, Name; what is held on a view is held by the table of its name, as in GRANT
type ObjectID struct {
	Kind              Kind
	Schema, Name, Sub string
}

// TableID names a table.
func TableID(schema, name string) ObjectID {
	return ObjectID{Kind: KindTable, Schema: schema, Name: name}
}

// ColumnID names a column of a table.
func ColumnID(table ObjectID, column string) ObjectID {
	return ObjectID{Kind: KindColumn, Schema: table.Schema, Name: table.Name, Sub: column}
}

// PolicyID names a policy of a table.
func PolicyID(table ObjectID, policy string) ObjectID {
	return ObjectID{Kind: KindPolicy, Schema: table.Schema, Name: table.Name, Sub: policy}
}

// FunctionID names a function by its schema, name and identity arguments.
func FunctionID(schema, name, args string) ObjectID {
	return ObjectID{Kind: KindFunction, Schema: schema, Name: name, Sub: args}
}

// SchemaID names a schema.
func SchemaID(name string) ObjectID { return ObjectID{Kind: KindSchema, Name: name} }

// RoleID names a role.
func RoleID(name string) ObjectID { return ObjectID{Kind: KindRole, Name: name} }

// DatabaseID names the database one is connected to.
func DatabaseID() ObjectID { return ObjectID{Kind: KindDatabase} }

// ViewID names a view.
func ViewID(schema, name string) ObjectID {
	return ObjectID{Kind: KindView, Schema: schema, Name: name}
}

// Table is the table that a column or policy belongs to, a view as what GRANT
// calls a table, and the table itself.
func (id ObjectID) Table() ObjectID { return TableID(id.Schema, id.Name) }

// Compare orders IDs by kind, schema, name and sub-object.
func (id ObjectID) Compare(o ObjectID) int {
	if c := strings.Compare(string(id.Kind), string(o.Kind)); c != 0 {
		return c
	}
	if c := strings.Compare(id.Schema, o.Schema); c != 0 {
		return c
	}
	if c := strings.Compare(id.Name, o.Name); c != 0 {
		return c
	}
	return strings.Compare(id.Sub, o.Sub)
}

// Grantee is who holds a privilege or whom a policy is for: a role, or PUBLIC,
// which is everyone and not a role (a role may well be named "public").
type Grantee struct {
	Public bool
	Role   string // "" when Public
}

// Public is PUBLIC as a grantee.
func Public() Grantee { return Grantee{Public: true} }

// ToRole is a role as a grantee.
func ToRole(name string) Grantee { return Grantee{Role: name} }

// Compare orders grantees: PUBLIC first, then roles by name.
func (g Grantee) Compare(o Grantee) int {
	switch {
	case g.Public && !o.Public:
		return -1
	case o.Public && !g.Public:
		return 1
	}
	return strings.Compare(g.Role, o.Role)
}

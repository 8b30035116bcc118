package model

import "github.com/postern-dev/postern/lang/source"

// Request is what an engine is asked about besides the record: who, through
// what, and when. The documents are JSON values as encoding/json decodes them
// with UseNumber (nil, bool, json.Number, string, []any, map[string]any).
type Request struct {
	// User is the claims document; nil for an anonymous request. Attributes are
	// read at their claim paths, groups (the user's direct ones) at "groups",
	// the access level at "access_level". When "access_level" is missing, it is
	// "user" if the identity's key attribute is known and "anonymous" if not.
	// At level anonymous, stated or by default or by a directory entry, groups
	// and attributes are unknown.
	User map[string]any
	// App is the name of the app, "" for none.
	App string
	// Context holds request.* at their claim paths.
	Context map[string]any
	// Now is the start of the statement.
	Now Timestamp
}

// Document is a record as JSON, in the form of Postgres' to_jsonb: numbers as
// json.Number, timestamps with an offset ("2024-03-11T05:30:00.123456+00:00";
// without one for columns of native type "timestamp without time zone"),
// dates "2024-03-11", sets as arrays, to-many relations (when an engine without
// a database is asked) as arrays of documents and to-one relations as one
// document or null, under the relation's name. A missing member is null.
type Document = map[string]any

// Test is one test block of a *.test.hcl file, checked against the program.
type Test struct {
	Name    string
	Request Request

	App      *App // nil: none named
	Fixtures []*Fixture
	Expects  []*Expect
	Writes   []*Write
	Sights   []*ExpectSight
	Reports  []*ExpectRows
	Span     source.Span
}

// Fixture is a record that a test starts from. Values has every column of the
// table; the columns that the source leaves out hold a generated value.
type Fixture struct {
	Name   string
	Table  *Table
	Values map[string]Value
	Span   source.Span
}

// Expect says exactly which fixtures the user may do an action to (as they
// stand). Tables without the action do not count.
type Expect struct {
	Action   Action
	Fixtures []*Fixture
	Span     source.Span
}

// Sight is what a user sees of a record: the columns that show what is stored,
// in the table's order, and what each masked column shows instead, in the form
// of Document. All other columns are hidden.
type Sight struct {
	Visible []string
	Masked  map[string]any
	// Values is what each column shows instead of the above, null where it is
	// hidden, from an engine that does not tell why: a client of a database sees
	// no more.
	Values map[string]any
}

// ExpectSight says exactly what the user sees of a fixture; a record that may
// not be viewed shows nothing.
type ExpectSight struct {
	Fixture *Fixture
	Sight   Sight
	Span    source.Span
}

// ExpectRows says exactly which fixtures of its table a report shows to the
// user.
type ExpectRows struct {
	Report   *Report
	Fixtures []*Fixture
	Span     source.Span
}

// Write is one attempted write: an edit of From that makes it To, or, without
// From, a create of To. Changed names the columns that the source sets.
type Write struct {
	Name    string
	Table   *Table
	From    *Fixture
	To      map[string]Value
	Changed []string
	Allowed bool
	Span    source.Span
}

// Ask is one question that a test puts to an engine about its fixtures: may
// the test's user do Action to Old as it stands, or, with Write, make that
// write.
type Ask struct {
	Action Action
	Old    *Fixture // nil for a create
	Write  *Write   // nil: nothing changes
}

// Table is the table that the question is about.
func (a Ask) Table() *Table {
	if a.Write != nil {
		return a.Write.Table
	}
	return a.Old.Table
}

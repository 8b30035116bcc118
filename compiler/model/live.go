package model

// LiveCell is what a database was found to let be done where that is not what
// the program that was applied says: an action on the records of a table,
// through an app's account or by a role outside of the project.
type LiveCell struct {
	Table *Table
	// App is the app whose account it is, "" for a datasource without apps; Role,
	// unless it is "", a role that is none of the project's accounts.
	App, Role string
	Action    Action
	// Ways are the ways to do it: any of them will do. None: it cannot be done.
	Ways []LiveWay
}

// AnyRole is the Role of a cell that every role of the server has.
const AnyRole = "\x00any"

// LiveWay is one way to do an action.
type LiveWay struct {
	// Old is asked of the record as it stands, New of the one that a write makes;
	// what is not asked is True in both forms.
	Old, New Bounds
	// Columns are those that are seen, or may be set; none for other actions.
	Columns []*Column
	// Masked: they are seen as the program says, through the view that it made.
	Masked bool
}

// Bounds is a condition of which not all may be known: Sure is satisfied only
// where it is, Possible wherever it is. Where all is known they are equal.
type Bounds struct {
	Sure, Possible Cond
	Reasons        []string // what is not known; empty where all is
}

// Exactly is a condition that is known.
func Exactly(c Cond) Bounds { return Bounds{Sure: c, Possible: c} }

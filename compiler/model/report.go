package model

import "github.com/postern-dev/postern/lang/source"

// Report is a part of a table under a name of its own, for whoever is surely
// among To: the records of From that its reader may view and for which Where is
// true, and of these the columns that the reader sees and that Columns lists.
// Name is its address: label, or label["key"] with for_each.
type Report struct {
	Name        string
	Label, Key  string
	Description string
	From        *Table
	Where       Condition
	Columns     []*Column // in the table's order
	To          []Subject
	Span        source.Span
}

// Selects is the condition under which a report shows a record that its reader
// may view through the entry: the user is surely among those that it is for,
// and what it says of the record is true.
func (p *Program) Selects(e Entry, r *Report) Cond {
	return distinct(p.specialize(e, AllOf(p.Within(r.To), r.Where.Holds)))
}

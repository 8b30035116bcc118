package model

import (
	"slices"

	"github.com/postern-dev/postern/lang/source"
)

// Assert is what a project claims of itself for all users and records at once;
// it holds when each of its claims does.
type Assert struct {
	Name  string
	Never []*Never
	Span  source.Span
}

// Never is the claim that nobody who is surely among Who may do Action to a
// record of Table for which When is true.
type Never struct {
	Who    []Subject
	Action Action
	Table  *Table
	// Columns make the claim one about these: that none of them is shown as it
	// is stored (view), or may be set (create, edit). Empty: the record itself.
	Columns []*Column
	// Apps are the ways in that the claim is about; nil is every one.
	Apps []*App
	When Condition
	Span source.Span
}

// Entries lists the ways in that the claim is about.
func (n *Never) Entries() []Entry {
	all := n.Table.Datasource.Entries()
	if n.Apps == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(e Entry) bool { return !slices.Contains(n.Apps, e.App()) })
}

// Asked is the condition that a request through the entry comes from somebody
// whom the claim is about. Through `as = "app"`, where nobody says who the user
// is, it may be anybody.
func (p *Program) Asked(e Entry, n *Never) Cond {
	user := func(s Subject) bool { _, app := s.(AppSubject); return !app }
	if e.AsApp() && slices.ContainsFunc(n.Who, user) {
		return True{}
	}
	return p.specialize(e, p.Within(n.Who))
}

// Among is the condition that a record is one that the claim is about.
func (p *Program) Among(e Entry, n *Never) Cond { return p.specialize(e, n.When.Holds) }

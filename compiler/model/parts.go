package model

import "slices"

// What a user may do is the sum of what policies grant to each of their
// subjects. The functions here give that sum's parts, so that a difference
// between two programs can be told by the subject that it comes through.

// Subjects lists, as they are written in HCL and sorted, those that policies
// grant an action on a table to, through the entry.
func (p *Program) Subjects(e Entry, t *Table, a Action) []string {
	var out []string
	for _, target := range t.Policies {
		if !target.Allows(a) || !passes(target.Policy, e) {
			continue
		}
		for _, s := range counting(target.Policy, e.AsApp()) {
			if app, ok := s.(AppSubject); !ok || app.App == e.App() {
				out = append(out, SubjectString(s))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// passes reports whether a policy lets requests through the entry pass.
func passes(pol *Policy, e Entry) bool {
	return pol.Via == nil || slices.Contains(pol.Via, e.App())
}

// grantedBy is granted, but only as far as it is granted to the subject ("" is
// all of them).
func (p *Program) grantedBy(e Entry, t *Table, a Action, check bool, subject string) Cond {
	var arms []Cond
	for _, target := range t.Policies {
		if !target.Allows(a) {
			continue
		}
		c := target.When.Holds
		if check {
			c = target.Check.Holds
		}
		arms = append(arms, AllOf(p.gate(target.Policy, named(counting(target.Policy, e.AsApp()), subject)), c))
	}
	return AnyOf(arms...)
}

// named is those of the subjects that are called so; all of them for "".
func named(subjects []Subject, name string) []Subject {
	if name == "" {
		return subjects
	}
	return slices.DeleteFunc(slices.Clone(subjects), func(s Subject) bool { return SubjectString(s) != name })
}

// Entrance is what an entry and the guards on a table ask of a request for a
// record, whatever it wants to do to it.
func (p *Program) Entrance(e Entry, t *Table) Cond {
	return p.specialize(e, AllOf(p.MayUse(e), p.Guarded(t)))
}

// Granted is the condition under which some policy grants the action on a
// record to the subject ("" is to any of them); check asks the policies'
// conditions on a new record.
func (p *Program) Granted(e Entry, t *Table, a Action, check bool, subject string) Cond {
	return p.specialize(e, p.grantedBy(e, t, a, check, subject))
}

// Shown is the condition under which a policy that grants view on a record to
// the subject ("" is to any of them) lists the column.
func (p *Program) Shown(e Entry, t *Table, c *Column, subject string) Cond {
	return p.listing(e, t, View, c, subject, func(target *PolicyTarget) Cond { return target.When.Holds })
}

// Listed is the condition under which a policy that is for the request, and
// grants the action to the subject ("" is to any of them), lists the column
// among those that a write may set.
func (p *Program) Listed(e Entry, t *Table, a Action, c *Column, subject string) Cond {
	return p.listing(e, t, a, c, subject, func(*PolicyTarget) Cond { return True{} })
}

func (p *Program) listing(e Entry, t *Table, a Action, c *Column, subject string, when func(*PolicyTarget) Cond) Cond {
	var arms []Cond
	for _, target := range t.Policies {
		if target.Allows(a) && slices.Contains(target.Columns, c) {
			arms = append(arms, AllOf(p.gate(target.Policy, named(counting(target.Policy, e.AsApp()), subject)), when(target)))
		}
	}
	return p.specialize(e, AnyOf(arms...))
}

// Through is a condition specialised to the entry.
func (p *Program) Through(e Entry, c Cond) Cond { return distinct(p.specialize(e, c)) }

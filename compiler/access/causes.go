package access

import (
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// spans lists the places of rules of one side's table that the other side's
// table does not have.
func spans(of, other *side, a model.Action, subject string) []source.Span {
	if of.table == nil || of.live[a] != nil {
		return nil // what was found in a database has no place in the source
	}
	known := map[string]bool{}
	if other.table != nil && other.live[a] == nil {
		for key := range rules(other.table, a, subject) {
			known[key] = true
		}
	}
	var out []source.Span
	for key, span := range rules(of.table, a, subject) {
		if !known[key] {
			out = append(out, span)
		}
	}
	slices.SortFunc(out, source.Span.Compare)
	return slices.Compact(out)
}

// rules are the places of the policies on a table that grant an action to a
// subject, and of all its guards and masks.
func rules(t *model.Table, a model.Action, subject string) map[string]source.Span {
	out := map[string]source.Span{}
	for _, x := range t.Policies {
		is := func(s model.Subject) bool { return model.SubjectString(s) == subject }
		if (x.Allows(a) || x.Allows(model.View)) && slices.ContainsFunc(x.Policy.To, is) {
			out[policyKey(x)] = x.Span
		}
	}
	for _, x := range t.Guards {
		out[guardKey(x)] = x.Span
	}
	for _, x := range t.Masks {
		out[maskKey(x)] = x.Span
	}
	return out
}

// onlyOn lists the rules of one side's table that the other side's table does
// not have under their names. One that says something else now is no such rule:
// the places of a change name it.
func onlyOn(of, other *side, a model.Action, list func(*model.Table) []Rule) []Rule {
	if of.table == nil || other.table == nil {
		return nil // the table itself is gone, or new
	}
	if of.live[a] != nil || other.live[a] != nil {
		return nil // what was found in a database has no names
	}
	known := list(other.table)
	out := slices.DeleteFunc(list(of.table), func(r Rule) bool {
		return slices.ContainsFunc(known, func(k Rule) bool { return k.Object == r.Object })
	})
	slices.SortFunc(out, func(a, b Rule) int { return a.Span.Compare(b.Span) })
	return out
}

// limits are the guards and masks on a table.
func limits(t *model.Table) []Rule {
	var out []Rule
	for _, x := range t.Guards {
		out = append(out, Rule{"guard." + x.Guard.Name, x.Guard.Span})
	}
	for _, x := range t.Masks {
		out = append(out, Rule{"mask." + x.Mask.Name, x.Mask.Span})
	}
	return out
}

// grants are the policies on a table that may be what grants an action to a
// subject.
func grants(t *model.Table, a model.Action, subject string) []Rule {
	var out []Rule
	for _, x := range t.Policies {
		is := func(s model.Subject) bool { return model.SubjectString(s) == subject }
		if (x.Allows(a) || x.Allows(model.View)) && slices.ContainsFunc(x.Policy.To, is) {
			out = append(out, Rule{"policy." + x.Policy.Name, x.Policy.Span})
		}
	}
	return out
}

package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// columns is what the user sees of the record as it stands.
func (e *explainer) columns() []Column {
	out := []Column{}
	if e.query.Action == model.Create {
		return out
	}
	for _, c := range e.query.Table.Columns {
		col := Column{Name: c.Name, Access: "hidden"}
		if slices.Contains(e.decision.Columns, c) {
			col.Access = "visible"
			col.Policies = e.showing(c)
		}
		if shows, masked := e.decision.Masked[c.Name]; masked {
			col.Access, col.Shows, col.Mask = "masked", shows, e.mask(c).Name
		}
		out = append(out, col)
	}
	return out
}

// showing are the policies that show a column of the record.
func (e *explainer) showing(c *model.Column) []string {
	var out []string
	for _, t := range e.query.Table.Policies {
		if t.Allows(model.View) && slices.Contains(t.Columns, c) && e.applies(t.Policy) &&
			e.env.On(e.query.Old).Value(t.When.Source) == true {
			out = append(out, t.Policy.Name)
		}
	}
	return out
}

// mask is the mask through which the user sees a column, or nil.
func (e *explainer) mask(c *model.Column) *model.Mask {
	for _, m := range e.query.Table.ColumnMasks(c) {
		if e.env.Among(m.Unless) != true {
			return m
		}
	}
	return nil
}

// set says of each column that the write sets whether it may.
func (e *explainer) set() Check {
	out := Check{Kind: Columns, Record: "new", Action: e.query.Action, Holds: true, Set: []SetColumn{}}
	for _, name := range e.query.Set {
		c := e.query.Table.Column(name)
		s := SetColumn{Name: name}
		switch {
		case c == nil:
			s.Why = "the table has no such column"
		case !e.listed(c):
			s.Why = fmt.Sprintf("no policy that allows %s to this user lists it", e.query.Action)
		case e.query.Action == model.Edit && !slices.Contains(e.decision.Columns, c):
			s.Why = "the user does not see it"
		case e.mask(c) != nil:
			s.Why = "mask " + e.mask(c).Name + " hides it"
		default:
			s.Holds = true
		}
		out.Holds = out.Holds && s.Holds
		out.Set = append(out.Set, s)
	}
	return out
}

func (e *explainer) listed(c *model.Column) bool {
	return slices.ContainsFunc(e.query.Table.Policies, func(t *model.PolicyTarget) bool {
		return t.Allows(e.query.Action) && slices.Contains(t.Columns, c) && e.applies(t.Policy)
	})
}

// notes are the values of records and requests that are none of their type,
// and the columns that the question leaves out.
func (e *explainer) notes() []string {
	out := []string{}
	t := e.query.Table
	look := func(what string, doc model.Document) {
		if doc == nil {
			return
		}
		var missing []string
		for _, c := range t.Columns {
			raw, stated := doc[c.Name]
			if !stated {
				missing = append(missing, c.Name)
			} else if _, bad := eval.Parse(raw, c.Type, c.Native).(model.Unknown); bad {
				out = append(out, fmt.Sprintf("%s.%s is no %s, so it is unknown", what, c.Name, c.Type))
			}
		}
		if len(missing) > 0 {
			out = append(out, fmt.Sprintf("%s leaves out %s: null", what, strings.Join(missing, ", ")))
		}
	}
	look("record", e.query.Old)
	look("new record", e.query.New)
	for _, a := range e.program.Identity.Attributes {
		if raw, stated := claim(e.query.Request.User, a.Claim); stated {
			if _, bad := eval.Parse(raw, a.Type, "").(model.Unknown); bad {
				out = append(out, fmt.Sprintf("the claim %s is no %s, so user.%s is unknown", strings.Join(a.Claim, "."), a.Type, a.Name))
			}
		}
	}
	return out
}

// claim is the value at a path.
func claim(doc map[string]any, path []string) (any, bool) {
	var raw any = doc
	for _, step := range path {
		object, ok := raw.(map[string]any)
		if !ok {
			return nil, false
		}
		if raw, ok = object[step]; !ok {
			return nil, false
		}
	}
	return raw, true
}

package postgres

import (
	"regexp"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler/model"
)

// otherRights are the privileges on tables by which one does something else
// than an action on records, and the right to pass privileges on.
var otherRights = regexp.MustCompile(`\b(ALL|TRUNCATE|REFERENCES|TRIGGER|MAINTAIN|GRANT OPTION)\b`)

// AboutRows reports of a plan's changes whether all that they bear on is what
// ReadAccess says of the records of the datasource's tables.
func AboutRows(ds *model.Datasource) func(plan.Change) bool {
	tables := map[string]bool{}
	for _, t := range ds.Tables {
		if !t.Additive && !ds.Additive {
			tables[printed(TableID(t.Schema, t.SQLName))] = true
		}
	}
	return func(c plan.Change) bool {
		object := c.What().Object
		switch object.Kind {
		case "row security":
			return tables[object.Name]
		case plan.Kind(KindPolicy):
			i := strings.LastIndex(object.Name, " on ")
			return i >= 0 && tables[object.Name[i+len(" on "):]]
		case "grant":
			on, ok := strings.CutPrefix(object.Name, string(KindTable)+" ")
			i := strings.LastIndex(on, " to ")
			before, after := plan.Texts(c)
			// What takes a grant away is told as well: it lets nobody do more.
			_, taken := c.(plan.Remove)
			return ok && i >= 0 && tables[on[:i]] && !taken && !otherRights.MatchString(before+after)
		}
		return false
	}
}

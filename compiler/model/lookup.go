package model

import (
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/lang/source"
)

// Lookup is an attribute of the user that a datasource reads from one of its
// own tables, from the rows whose Match equals the identity's key; what the
// claims say of the attribute does not count there. Each says that the values
// of all rows make the set; otherwise it is known where exactly one row
// matches. Without a matching row it is unknown.
type Lookup struct {
	Attribute *Attribute
	Table     *Table
	Match     *Column
	Column    *Column
	Each      bool
	Span      source.Span
}

// Lookup is how the datasource looks an attribute up, or nil.
func (d *Datasource) Lookup(a *Attribute) *Lookup {
	for _, l := range d.Lookups {
		if l.Attribute == a {
			return l
		}
	}
	return nil
}

// LoginName reports whether a text can be the name of a login role of Postgres:
// at most 63 bytes, and none of the names that Postgres keeps for itself.
func LoginName(name string) bool {
	const longest = 63
	return name != "" && len(name) <= longest && utf8.ValidString(name) && !strings.ContainsRune(name, 0) &&
		!strings.HasPrefix(name, "pg_") && name != "public" && name != "none"
}

package access

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// Hash names what a change leads to, in hexadecimal: the subject, action, table,
// columns and apps of the change, and the conditions that the program after it
// sets for them, with the directory, groups and levels that give these their
// meaning. An approval that states it is for no other change: whatever of this
// is written differently gives another hash.
func (c Change) Hash(after *model.Program) string {
	sum := sha256.New()
	part := func(s string) { _, _ = fmt.Fprintf(sum, "%d:%s\n", len(s), s) } // lengths keep parts apart
	part("postern access change, version 1")
	part(c.String())
	part(strings.Join(c.Apps, "\n"))
	after = program(after)
	part(contextKey(after))
	for _, s := range c.sides(after) {
		part(entryKey(s.entry))
		if s.origins != "" {
			part(s.origins)
		}
		part(formulaKey(s.records(c.Action, c.Subject)))
		part(formulaKey(s.records(c.Action, "")))
		for _, name := range c.Columns {
			for _, seen := range sights(name, s) {
				part(name + " " + seen.mask)
				part(formulaKey(s.column(c.Action, name, seen, c.Subject)))
				part(formulaKey(s.column(c.Action, name, seen, "")))
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// sides are the ways into the change's table under the program after it.
func (c Change) sides(after *model.Program) []*side {
	var out []*side
	for _, t := range after.Tables {
		if tableAddress(t) != c.Table {
			continue
		}
		for _, e := range t.Datasource.Entries() {
			if e.App() == nil || len(c.Apps) == 0 || contains(c.Apps, e.App().Name) {
				out = append(out, &side{program: after, table: t, entry: e, ok: true, origins: origins(t.Datasource)})
			}
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// entryKey is a way into a datasource with what decides who may take it.
func entryKey(e model.Entry) string {
	if e.Connect == nil {
		return "no app"
	}
	return fmt.Sprintf("app %q as user %t users %s", e.App().Name, e.Connect.AsUser, subjectsKey(e.App().Users))
}

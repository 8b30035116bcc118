package equivalence

import (
	"fmt"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// secrets makes some columns of a table those that users see less of. No policy
// lets them be written: not all targets can write what they do not show.
func (g *gen) secrets(t *table) {
	for i := range t.columns[1:] {
		c := &t.columns[i+1]
		if c.secret = g.one(2); c.secret {
			t.narrow = true
			c.plain = g.one(2)
		}
	}
}

// narrowed draws the columns of a policy: all but the secret ones, and, to view,
// some of these.
func (g *gen) narrowed(t *table, action string) string {
	var names []string
	for _, c := range t.columns {
		if !c.secret || action == "view" && g.one(2) {
			names = append(names, fmt.Sprintf("%q", c.name))
		}
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// masks draws masks on secret columns.
func (g *gen) masks(t *table) {
	n := 0
	for _, c := range t.columns {
		for range 2 {
			if !c.secret || g.one(2) {
				continue
			}
			unless := ""
			if !g.one(4) {
				unless = "  unless = [" + g.subjects() + "]\n"
			}
			g.block("mask \"%s_%s_%d\" {\n  description = \"d\"\n  on = [%s]\n  columns = [%q]\n%s  with = %s\n}\n",
				t.datasource, t.name, n, t.ref, c.name, unless, g.mask(c))
			n++
		}
	}
}

// mask draws what a mask shows.
func (g *gen) mask(c named) string {
	switch {
	case g.one(3):
		return "null"
	case c.typ.Kind == model.KindString && (!c.plain || g.one(2)):
		return fmt.Sprintf("%s(%d)", pick(g, []string{"last", "first"}), 1+g.n(3))
	case c.plain:
		return g.literal(c.typ)
	}
	return "null"
}

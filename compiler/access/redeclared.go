package access

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// redeclared is what the two programs declare differently under the same name in
// the same table. A record has one value there, and each program reads it in its
// own way.
type redeclared struct {
	columns   map[*model.Column]declarations
	relations map[*model.Relation]bool // whose joining columns differ
}

// declarations are those of one column in both programs.
type declarations struct{ old, new *model.Column }

// redeclare finds what the two programs declare differently.
func (c *comparer) redeclare() redeclared {
	out := redeclared{columns: map[*model.Column]declarations{}, relations: map[*model.Relation]bool{}}
	if c.old == c.new {
		return out
	}
	for _, p := range c.tables() {
		if p.old == nil || p.new == nil {
			continue
		}
		for _, o := range p.old.Columns {
			if n := p.new.Column(o.Name); n != nil && !sameColumn(o, n) {
				out.columns[o], out.columns[n] = declarations{o, n}, declarations{o, n}
			}
		}
		for _, o := range p.old.Relations {
			if n := p.new.Relation(o.Name); n != nil && !slices.EqualFunc(o.On, n.On, sameJoin) {
				out.relations[o], out.relations[n] = true, true
			}
		}
	}
	return out
}

func sameColumn(a, b *model.Column) bool {
	return a.Name == b.Name && a.Native == b.Native && a.Null == b.Null && a.Type.Equal(b.Type)
}

func sameJoin(a, b model.JoinPair) bool { return sameColumn(a.From, b.From) && sameColumn(a.To, b.To) }

// column is a column's form: where it is declared differently, both ways.
func (r redeclared) column(c *model.Column) string {
	if d, ok := r.columns[c]; ok {
		return columnKey(c) + "{" + columnKey(d.old) + " " + columnKey(d.new) + "}"
	}
	return columnKey(c)
}

// relation is a relation's form.
func (r redeclared) relation(x *model.Relation) string {
	if r.relations[x] {
		return relationKey(x) + "{otherwise}"
	}
	return relationKey(x)
}

// relationSymbol names what a relation leads to: the same for both programs where
// it has the same name and joins the same columns of the same table, however
// they are declared.
func relationSymbol(r *model.Relation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %t %s", r.Name, r.Many, tableAddress(r.Table))
	for _, j := range r.On {
		fmt.Fprintf(&b, " %q=%q", j.From.Name, j.To.Name)
	}
	return b.String()
}

// origins says where a datasource reads attributes of the user other than in
// what the request states; "" where in no other place.
func origins(ds *model.Datasource) string {
	var parts []string
	if ds.Identity == model.IdentityRole {
		parts = append(parts, atLogin)
	}
	for _, l := range ds.Lookups {
		parts = append(parts, attributeKey(l.Attribute)+" "+lookupKey(l))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\n")
}

// atLogin is the origin of an attribute that a login does not tell.
const atLogin = "login"

// origin is where a side's table has an attribute from: "" is what the request
// states.
func (s *side) origin(a *model.Attribute) string {
	if !s.ok {
		return ""
	}
	ds := s.table.Datasource
	if l := ds.Lookup(a); l != nil {
		return lookupKey(l)
	}
	if ds.Identity == model.IdentityRole && a != s.program.Identity.Key {
		return atLogin
	}
	return ""
}

func lookupKey(l *model.Lookup) string {
	return fmt.Sprintf("%s %s %s %t", tableAddress(l.Table), columnKey(l.Match), columnKey(l.Column), l.Each)
}

package testrun

import (
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/model"
)

// Documents makes the JSON documents of a test's records, with the related
// records nested in them as deep as the program's conditions look.
type Documents struct {
	program *model.Program
	test    *model.Test
	depth   int
}

// NewDocuments prepares the documents of one test.
func NewDocuments(p *model.Program, t *model.Test) *Documents {
	return &Documents{program: p, test: t, depth: RelationDepth(p)}
}

// Request is the test's request as an engine without a database is asked about
// records of the datasource: what the datasource looks up in its tables is read
// from the test's records of them.
func (d *Documents) Request(ds *model.Datasource) model.Request {
	return eval.LookUp(d.program, ds, d.test.Request, func(t *model.Table) []model.Document {
		var out []model.Document
		for _, f := range d.test.Fixtures {
			if f.Table == t {
				out = append(out, d.nested(t, f.Values, 0))
			}
		}
		return out
	})
}

// Of is the document of a record of the table with these values.
func (d *Documents) Of(t *model.Table, values map[string]model.Value) model.Document {
	return d.nested(t, values, d.depth)
}

func (d *Documents) nested(t *model.Table, values map[string]model.Value, depth int) model.Document {
	doc := model.Document{}
	for _, c := range t.Columns {
		doc[c.Name] = model.JSON(values[c.Name], c.Type, c.Native)
	}
	if depth == 0 {
		return doc
	}
	for _, r := range t.Relations {
		var related []any
		for _, f := range d.test.Fixtures {
			if f.Table == r.Table && joined(r, values, f.Values) {
				related = append(related, d.nested(f.Table, f.Values, depth-1))
			}
		}
		switch {
		case r.Many:
			if related == nil {
				related = []any{}
			}
			doc[r.Name] = related
		case len(related) > 0:
			doc[r.Name] = related[0]
		}
	}
	return doc
}

func joined(r *model.Relation, from, to map[string]model.Value) bool {
	for _, pair := range r.On {
		c, ok := model.CompareValues(from[pair.From.Name], to[pair.To.Name])
		if !ok || c != 0 {
			return false
		}
	}
	return true
}

// RelationDepth is the longest chain of relations in any condition.
func RelationDepth(p *model.Program) int {
	depth := 0
	look := func(c model.Condition) {
		if c.Source != nil {
			depth = max(depth, chain(c.Source))
		}
	}
	for _, pol := range p.Policies {
		for _, t := range pol.On {
			look(t.When)
			look(t.Check)
		}
	}
	for _, g := range p.Guards {
		for _, t := range g.On {
			look(t.Require)
		}
	}
	return depth
}

// chain is the longest chain of relations below an expression; nested loops
// add up.
func chain(e model.Expr) int {
	switch x := e.(type) {
	case *model.ColumnRef:
		return len(x.Path)
	case *model.Related:
		return len(x.Path) + 1 + chain(x.Body)
	case *model.Network:
		return chain(x.X)
	case *model.Call:
		longest := 0
		for _, a := range x.Args {
			longest = max(longest, chain(a))
		}
		return longest
	case *model.Literal, *model.NullLiteral, *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef,
		*model.NowRef, *model.MemberOf:
	}
	return 0
}

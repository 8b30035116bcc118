package postgres

import "github.com/postern-dev/postern/compiler/model"

// comparedColumns are the columns of a datasource's tables that a condition
// reads, or that relations join: only these need a type whose values compare
// exactly.
func comparedColumns(ds *model.Datasource) map[*model.Column]bool {
	out := map[*model.Column]bool{}
	join := func(r *model.Relation) {
		for _, pair := range r.On {
			out[pair.From], out[pair.To] = true, true
		}
	}
	read := func(c model.Condition) {
		for _, form := range []model.Cond{c.Holds, c.Fails} {
			if form == nil {
				continue
			}
			model.Walk(form, func(atom model.Cond) {
				for _, operand := range model.Operands(atom) {
					model.WalkExpr(operand, func(e model.Expr) {
						if ref, ok := e.(*model.ColumnRef); ok {
							out[ref.Column] = true
						}
					})
				}
			})
		}
	}
	for _, l := range ds.Lookups {
		out[l.Match], out[l.Column] = true, true
	}
	for _, t := range ds.Tables {
		for _, r := range t.Relations {
			join(r)
		}
		for _, target := range t.Policies {
			read(target.When)
			read(target.Check)
		}
		for _, target := range t.Guards {
			read(target.Require)
		}
		for _, r := range t.Reports {
			read(r.Where)
		}
	}
	return out
}

// exactText reports whether the text of a database's own type is the same for
// every session: that of an enum's labels, or of a domain over text. The text
// of others, such as ranges and amounts of money, follows the client's
// settings, so that a client could change what a condition says.
func exactText(base string) bool {
	switch base {
	case "", "enum", "text", "character varying":
		return true
	}
	return false
}

package sqltext

import "errors"

type (
	// Query is a subquery over tables; as an expression it is scalar. It is
	// made for function bodies, which Postgres keeps as they were written.
	Query struct {
		X        Expr // what is selected
		Distinct bool
		From     []FromTable
		Where    Expr
		GroupBy  Expr // nil: none
		Having   Expr // with GroupBy
	}
	// FromTable is one table of a Query.
	FromTable struct{ Schema, Name, Alias string }
	// Exists is EXISTS, or NOT EXISTS.
	Exists struct {
		Query Query
		Not   bool
	}
	// ArrayFrom is ARRAY(query): empty, and not null, when there are no rows.
	ArrayFrom struct{ Query Query }
	// Param is a parameter of the function around, from 1.
	Param struct{ N int }
	// IsNotTrue is IS NOT TRUE.
	IsNotTrue struct{ X Expr }
	// CountRows is count(*), of the rows for which Where is true where there is
	// one.
	CountRows struct{ Where Expr }
	// InUnnested is L IN (the elements of an array): hashed once a query.
	InUnnested struct{ L, Array Expr }
	// InQuery is L IN (query): hashed once a query.
	InQuery struct {
		L     Expr
		Query Query
	}
	// Choose is CASE WHEN Cond THEN Then ELSE Else END.
	Choose struct{ Cond, Then, Else Expr }
)

func (Query) expr()      {}
func (Exists) expr()     {}
func (ArrayFrom) expr()  {}
func (Param) expr()      {}
func (IsNotTrue) expr()  {}
func (CountRows) expr()  {}
func (InUnnested) expr() {}
func (InQuery) expr()    {}
func (Choose) expr()     {}

// ViewItem is one column of a view.
type ViewItem struct {
	X    Expr
	Name string
}

// PrintView writes the query of a view over one table; Where may be nil.
func PrintView(items []ViewItem, schema, table string, where Expr) (SQL, error) {
	p := printer{}
	p.raw("SELECT ")
	for i, item := range items {
		if i > 0 {
			p.raw(",\n    ")
		}
		p.expr(item.X)
		if c, ok := item.X.(Column); !ok || c.Name != item.Name {
			p.raw(" AS ")
			p.ident(item.Name)
		}
	}
	p.raw("\n   FROM ")
	p.ident(schema)
	p.raw(".")
	p.ident(table)
	if where != nil {
		p.raw("\n  WHERE ")
		p.expr(where)
	}
	if len(p.errs) > 0 {
		return "", errors.Join(p.errs...)
	}
	return SQL(p.b.String()), nil
}

func (p *printer) choose(x Choose) {
	p.raw("CASE WHEN ")
	p.expr(x.Cond)
	p.raw(" THEN ")
	p.expr(x.Then)
	if x.Else != nil {
		p.raw(" ELSE ")
		p.expr(x.Else)
	}
	p.raw(" END")
}

func (p *printer) inQuery(x InQuery) {
	p.raw("(")
	p.expr(x.L)
	p.raw(" IN ( ")
	p.query(x.Query)
	p.raw("))")
}

func (p *printer) exists(x Exists) {
	p.raw("(")
	if x.Not {
		p.raw("NOT ")
	}
	p.raw("EXISTS (")
	p.query(x.Query)
	p.raw("))")
}

func (p *printer) countRows(x CountRows) {
	p.raw("count(*)")
	if x.Where != nil {
		p.raw(" FILTER (WHERE ")
		p.expr(x.Where)
		p.raw(")")
	}
}

func (p *printer) inUnnested(x InUnnested) {
	p.raw("(")
	p.expr(x.L)
	p.raw(" IN ( SELECT x.x\n   FROM unnest(")
	p.inner(x.Array)
	p.raw(") x(x)))")
}

func (p *printer) query(q Query) {
	p.raw("SELECT ")
	if q.Distinct {
		p.raw("DISTINCT ")
	}
	p.expr(q.X)
	for i, t := range q.From {
		if i == 0 {
			p.raw(" FROM ")
		} else {
			p.raw(", ")
		}
		p.ident(t.Schema)
		p.raw(".")
		p.ident(t.Name)
		p.raw(" ")
		p.ident(t.Alias)
	}
	if q.Where != nil {
		p.raw(" WHERE ")
		p.expr(q.Where)
	}
	if q.GroupBy != nil {
		p.raw(" GROUP BY ")
		p.expr(q.GroupBy)
		p.raw(" HAVING ")
		p.expr(q.Having)
	}
}

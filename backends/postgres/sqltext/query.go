package sqltext

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
)

func (Query) expr()      {}
func (Exists) expr()     {}
func (ArrayFrom) expr()  {}
func (Param) expr()      {}
func (IsNotTrue) expr()  {}
func (CountRows) expr()  {}
func (InUnnested) expr() {}

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

package sqltext

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Expr is a typed SQL expression. Print writes it the way pg_get_expr does
// (ruleutils.c, not pretty), so that what is written and what Postgres reads
// back are, where possible, the same text.
//
//sumtype:decl
type Expr interface{ expr() }

type (
	// Column is a column of the policy's own table; Outer names the table, for
	// use inside a subquery that has a FROM.
	Column struct{ Outer, Name string }
	// Const is a typed constant in Postgres' text form.
	Const struct {
		Text string
		Type TypeName
	}
	// NullConst is a typed NULL.
	NullConst struct{ Type TypeName }
	// BoolConst is true or false.
	BoolConst struct{ Value bool }
	// IntConst is an integer of type integer.
	IntConst struct{ Value int32 }
	// Op is a binary operator, or a unary one when L is nil.
	Op struct {
		Op   SQL
		L, R Expr
	}
	// Func calls a function; Schema "" is pg_catalog.
	Func struct {
		Schema, Name string
		Args         []Expr
	}
	// AllOf and AnyOf are AND and OR of at least two terms.
	AllOf struct{ Terms []Expr }
	// AnyOf is OR.
	AnyOf struct{ Terms []Expr }
	// Not is NOT.
	Not struct{ X Expr }
	// IsNull is IS NULL, or IS NOT NULL.
	IsNull struct {
		X   Expr
		Not bool
	}
	// IsNotFalse is IS NOT FALSE.
	IsNotFalse struct{ X Expr }
	// Cast converts; it is written x::type.
	Cast struct {
		X    Expr
		Type TypeName
	}
	// CollateC is COLLATE "C".
	CollateC struct{ X Expr }
	// AtUTC is AT TIME ZONE 'UTC'.
	AtUTC struct{ X Expr }
	// Quantified is L Op ANY (array), or ALL.
	Quantified struct {
		L     Expr
		Op    SQL
		All   bool
		Array Expr
		Type  TypeName // of Array
	}
	// Array is ARRAY[…].
	Array struct{ Elems []Expr }
	// Select is a scalar subquery without FROM: evaluated once a query.
	Select struct {
		X     Expr
		Alias string
	}
	// Unnested is a scalar subquery over the elements of an array; X speaks of
	// an element as Elem.
	Unnested struct{ X, Array Expr }
	// Elem is the element inside Unnested.
	Elem struct{}
	// CountOf is count(X), or count(DISTINCT X), inside Unnested.
	CountOf struct {
		Distinct bool
		X        Expr
	}
	// When is CASE WHEN Cond THEN Then END: Then is not evaluated, and cannot
	// fail, for other rows. Else, where there is one, is the rest of it: another
	// When, or a value for all other rows.
	When struct {
		Cond, Then Expr
		Type       TypeName
		Else       Expr
	}
)

func (Column) expr()     {}
func (Const) expr()      {}
func (NullConst) expr()  {}
func (BoolConst) expr()  {}
func (IntConst) expr()   {}
func (Op) expr()         {}
func (Func) expr()       {}
func (AllOf) expr()      {}
func (AnyOf) expr()      {}
func (Not) expr()        {}
func (IsNull) expr()     {}
func (IsNotFalse) expr() {}
func (Cast) expr()       {}
func (CollateC) expr()   {}
func (AtUTC) expr()      {}
func (Quantified) expr() {}
func (Array) expr()      {}
func (Select) expr()     {}
func (Unnested) expr()   {}
func (Elem) expr()       {}
func (CountOf) expr()    {}
func (When) expr()       {}

// Print writes an expression; it fails for names and texts that Postgres
// cannot hold.
func Print(e Expr) (SQL, error) {
	p := printer{}
	p.expr(e)
	if len(p.errs) > 0 {
		return "", errors.Join(p.errs...)
	}
	return SQL(p.b.String()), nil
}

type printer struct {
	b      bytes.Buffer
	indent int // of lines that a CASE begins, as ruleutils has it
	errs   []error
}

// line begins a line; ruleutils leaves no spaces before it.
func (p *printer) line(text SQL) {
	p.b.Truncate(len(bytes.TrimRight(p.b.Bytes(), " ")))
	p.raw("\n" + SQL(strings.Repeat(" ", p.indent)) + text)
}

// inner prints what stands inside a subquery.
func (p *printer) inner(x Expr) {
	p.indent += 8
	p.expr(x)
	p.indent -= 8
}

func (p *printer) raw(s SQL) { p.b.WriteString(string(s)) }

func (p *printer) ident(name string) {
	if err := CheckIdent(name); err != nil {
		p.errs = append(p.errs, err)
		return
	}
	p.raw(bareIdent(name))
}

func (p *printer) literal(text string) {
	s, err := Literal(text)
	if err != nil {
		p.errs = append(p.errs, err)
	}
	// ruleutils writes a text with a backslash as E'…' whatever the setting.
	if strings.Contains(text, `\`) {
		p.raw("E")
		s = SQL(strings.ReplaceAll(string(s), `\`, `\\`))
	}
	p.raw(s)
}

func (p *printer) list(items []Expr, sep SQL) {
	for i, x := range items {
		if i > 0 {
			p.raw(sep)
		}
		p.expr(x)
	}
}

func (p *printer) expr(e Expr) {
	switch x := e.(type) {
	case Column:
		if x.Outer != "" {
			p.ident(x.Outer)
			p.raw(".")
		}
		p.ident(x.Name)
	case Const, NullConst, BoolConst, IntConst:
		p.constant(e)
	case Op, AllOf, AnyOf, Not, IsNull, IsNotFalse, Quantified:
		p.raw("(")
		p.operator(e)
		p.raw(")")
	case Func:
		p.call(x)
	case Cast:
		p.raw("(")
		p.expr(x.X)
		p.raw(")::" + x.Type.SQL())
	case CollateC:
		p.raw("(")
		p.expr(x.X)
		p.raw(` COLLATE "C")`)
	case AtUTC:
		p.raw("(")
		p.expr(x.X)
		p.raw(" AT TIME ZONE 'UTC'::text)")
	case Array:
		p.raw("ARRAY[")
		p.list(x.Elems, ", ")
		p.raw("]")
	case Select, Unnested, Elem, CountOf:
		p.subquery(e)
	case Query:
		p.raw("(")
		p.query(x)
		p.raw(")")
	case Exists:
		p.exists(x)
	case ArrayFrom:
		p.raw("ARRAY(")
		p.query(x.Query)
		p.raw(")")
	case Param:
		p.raw("$" + Int(x.N))
	case IsNotTrue:
		p.raw("(")
		p.expr(x.X)
		p.raw(" IS NOT TRUE)")
	case CountRows:
		p.countRows(x)
	case InUnnested:
		p.inUnnested(x)
	case InQuery:
		p.inQuery(x)
	case Choose:
		p.choose(x)
	case When:
		p.when(x)
	default:
		p.errs = append(p.errs, fmt.Errorf("expression of unknown kind %T", e))
	}
}

func (p *printer) constant(e any) {
	switch x := e.(type) {
	case Const:
		if x.Type.Name == "numeric" && x.Type.Schema == "" && !x.Type.Array && strings.Contains(x.Text, ".") && plainNumber(x.Text) {
			p.raw(SQL(x.Text))
			return
		}
		p.literal(x.Text)
		p.raw("::" + x.Type.SQL())
	case NullConst:
		p.raw("NULL::" + x.Type.SQL())
	case BoolConst:
		if x.Value {
			p.raw("true")
		} else {
			p.raw("false")
		}
	case IntConst:
		if x.Value < 0 {
			p.raw(SQL(fmt.Sprintf("'%d'::integer", x.Value)))
		} else {
			p.raw(SQL(fmt.Sprint(x.Value)))
		}
	default:
		p.errs = append(p.errs, fmt.Errorf("expression of unknown kind %T", e))
	}
}

// plainNumber reports whether a text is digits with one point.
func plainNumber(s string) bool {
	whole, part, _ := strings.Cut(s, ".")
	return digits(whole) && digits(part)
}

func digits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// allTerms are the terms that Postgres' parser keeps: it takes "(a AND b) AND c"
// apart when it stands on the left (makeAndExpr in gram.y), and nowhere else.
func allTerms(x AllOf) []Expr {
	if len(x.Terms) > 0 {
		if first, ok := x.Terms[0].(AllOf); ok {
			return append(slices.Clone(allTerms(first)), x.Terms[1:]...)
		}
	}
	return x.Terms
}

// anyTerms is allTerms for OR.
func anyTerms(x AnyOf) []Expr {
	if len(x.Terms) > 0 {
		if first, ok := x.Terms[0].(AnyOf); ok {
			return append(slices.Clone(anyTerms(first)), x.Terms[1:]...)
		}
	}
	return x.Terms
}

func (p *printer) operator(e any) {
	switch x := e.(type) {
	case Op:
		if x.L != nil {
			p.expr(x.L)
			p.raw(" ")
		}
		p.raw(x.Op + " ")
		p.expr(x.R)
	case AllOf:
		p.list(allTerms(x), " AND ")
	case AnyOf:
		p.list(anyTerms(x), " OR ")
	case Not:
		p.raw("NOT ")
		p.expr(x.X)
	case IsNull:
		p.expr(x.X)
		if x.Not {
			p.raw(" IS NOT NULL")
		} else {
			p.raw(" IS NULL")
		}
	case IsNotFalse:
		p.expr(x.X)
		p.raw(" IS NOT FALSE")
	case Quantified:
		p.expr(x.L)
		p.raw(" " + x.Op)
		if x.All {
			p.raw(" ALL (")
		} else {
			p.raw(" ANY (")
		}
		p.expr(x.Array)
		// A bare subquery here would mean its rows, not its array.
		if _, ok := x.Array.(Select); ok {
			p.raw("::" + x.Type.SQL())
		}
		p.raw(")")
	default:
		p.errs = append(p.errs, fmt.Errorf("expression of unknown kind %T", e))
	}
}

func (p *printer) call(x Func) {
	if x.Schema != "" {
		p.ident(x.Schema)
		p.raw(".")
	}
	p.ident(x.Name)
	p.raw("(")
	p.list(x.Args, ", ")
	p.raw(")")
}

func (p *printer) subquery(e any) {
	switch x := e.(type) {
	case Select:
		p.raw("( SELECT ")
		p.inner(x.X)
		p.raw(" AS ")
		p.ident(x.Alias)
		p.raw(")")
	case Unnested:
		p.raw("( SELECT ")
		p.inner(x.X)
		p.raw(" AS count\n   FROM unnest(")
		p.inner(x.Array)
		p.raw(") x(x))")
	case Elem:
		p.raw("x.x")
	case CountOf:
		p.raw("count(")
		if x.Distinct {
			p.raw("DISTINCT ")
		}
		p.expr(x.X)
		p.raw(")")
	default:
		p.errs = append(p.errs, fmt.Errorf("expression of unknown kind %T", e))
	}
}

func (p *printer) when(x When) {
	p.line("CASE")
	p.indent += 4
	for {
		p.line("WHEN ")
		p.expr(x.Cond)
		p.raw(" THEN ")
		p.expr(x.Then)
		rest, more := x.Else.(When)
		if !more {
			break
		}
		x = rest
	}
	if x.Else != nil {
		p.line("ELSE ")
		p.expr(x.Else)
	} else {
		p.line("ELSE NULL::" + x.Type.SQL())
	}
	p.indent -= 4
	p.line("END")
}

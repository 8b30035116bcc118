// Package deparsed reads boolean and scalar expressions as pg_get_expr prints
// them when it does not pretty-print (src/backend/utils/adt/ruleutils.c): every
// operator stands in parentheses of its own, every constant says its type, and
// names outside of pg_catalog have their schema. There is no precedence to get
// wrong. It reads a part of that; what is not of the part is an error, and
// never something else.
package deparsed

import "github.com/postern-dev/postern/backends/postgres/sqltext"

// Expr is an expression.
//
//sumtype:decl
type Expr interface{ expr() }

type (
	// Column is a column; Table is the name that qualifies it, or "".
	Column struct{ Table, Name string }
	// Literal is a constant as it is written, without its cast: a text, digits,
	// true, false or NULL.
	Literal struct {
		Kind LiteralKind
		Text string // of a text without its quotes; of a number its digits
	}
	// Cast is X::Type.
	Cast struct {
		X    Expr
		Type sqltext.TypeName
	}
	// Call is a function; Schema "" is pg_catalog. What SQL writes in words of
	// its own, such as COALESCE and CURRENT_USER, has that as its Word.
	Call struct {
		Schema, Name string
		Word         string
		Args         []Expr
	}
	// Op is an operator of pg_catalog, unary where L is nil.
	Op struct {
		Op   string
		L, R Expr
	}
	// And and Or have at least two terms.
	And struct{ Terms []Expr }
	// Or is OR.
	Or struct{ Terms []Expr }
	// Not is NOT.
	Not struct{ X Expr }
	// Is is X IS [NOT] What.
	Is struct {
		X    Expr
		What Test
		Not  bool
	}
	// Distinct is L IS DISTINCT FROM R.
	Distinct struct{ L, R Expr }
	// Quantified is L Op ANY (R), or ALL, over an array.
	Quantified struct {
		L   Expr
		Op  string
		All bool
		R   Expr
	}
	// Array is ARRAY[…].
	Array struct{ Elems []Expr }
	// Case is CASE WHEN … THEN … ELSE … END without an operand; Else may be nil.
	Case struct {
		Arms []Arm
		Else Expr
	}
	// Select is a scalar subquery without FROM.
	Select struct{ X Expr }
	// Unnested is a scalar subquery over the elements of an array, of which X
	// speaks as Column{"x", "x"}.
	Unnested struct{ X, Array Expr }
	// InUnnested is L IN (the elements of an array).
	InUnnested struct{ L, Array Expr }
	// Collate is X COLLATE Name; Schema "" is pg_catalog.
	Collate struct {
		X            Expr
		Schema, Name string
	}
	// AtZone is X AT TIME ZONE Zone.
	AtZone struct{ X, Zone Expr }
	// Unread is something in parentheses that is not of the part that is read;
	// Text is its beginning.
	Unread struct{ Text string }
)

// Arm is one WHEN of a Case.
type Arm struct{ When, Then Expr }

// LiteralKind is how a constant is written.
type LiteralKind int

// The kinds of constants.
const (
	Text LiteralKind = iota + 1
	Number
	True
	False
	Null
)

// Test is what IS asks for.
type Test string

// The tests.
const (
	IsNull    Test = "NULL"
	IsTrue    Test = "TRUE"
	IsFalse   Test = "FALSE"
	IsUnknown Test = "UNKNOWN"
)

func (Column) expr()     {}
func (Literal) expr()    {}
func (Cast) expr()       {}
func (Call) expr()       {}
func (Op) expr()         {}
func (And) expr()        {}
func (Or) expr()         {}
func (Not) expr()        {}
func (Is) expr()         {}
func (Distinct) expr()   {}
func (Quantified) expr() {}
func (Array) expr()      {}
func (Case) expr()       {}
func (Select) expr()     {}
func (Unnested) expr()   {}
func (InUnnested) expr() {}
func (Collate) expr()    {}
func (AtZone) expr()     {}
func (Unread) expr()     {}

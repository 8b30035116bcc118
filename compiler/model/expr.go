package model

import (
	"net/netip"

	"github.com/postern-dev/postern/lang/source"
)

// Expr is a typed expression as it was written, with names resolved and
// constants folded. It has three-valued (Kleene) meaning, which compiler/eval
// defines; engines read the lowered form, Cond, instead. In a Cond the
// operands are again Exprs, but only of the kinds Literal, ColumnRef, AttrRef,
// GroupsRef, LevelRef, NowRef and Call with a function for which Fn.Operand
// is true.
//
//sumtype:decl
type Expr interface {
	// ResultType is the type of the value.
	ResultType() Type
	// Place is where the expression stands in the source.
	Place() source.Span
	expr()
}

// Node is what all expressions have: a type and a place.
type Node struct {
	Type Type
	Span source.Span
}

// ResultType is the type of the value.
func (n Node) ResultType() Type { return n.Type }

// Place is where the expression stands in the source.
func (n Node) Place() source.Span { return n.Span }

// Row is a record that conditions speak about: the record of the decision
// (named "record") or the related record that a loop binds.
type Row struct {
	Name  string
	Table *Table
}

type (
	// Literal is a constant; its Value is never Unknown and never null.
	Literal struct {
		Node
		Value Value
	}
	// NullLiteral is the word null, only as an operand of == and !=.
	NullLiteral struct{ Node }
	// ColumnRef is a column of a row, or of the record that a path of to-one
	// relations leads to (unknown when there is none, also for == null).
	ColumnRef struct {
		Node
		Row    *Row
		Path   []*Relation
		Column *Column
	}
	// AttrRef is an attribute of the user or of the request.
	AttrRef struct {
		Node
		Attribute *Attribute
	}
	// GroupsRef is user.groups: the names of all groups of the user, nesting
	// resolved; a set of strings, unknown for anonymous users.
	GroupsRef struct{ Node }
	// LevelRef is user.access_level: a string, unknown when the credentials
	// state a level that the project does not have.
	LevelRef struct{ Node }
	// AppRef is app.name: a string, unknown when the request names no app.
	AppRef struct{ Node }
	// NowRef is the start of the statement; a timestamp.
	NowRef struct{ Node }
	// Call applies a function or operator of the language.
	Call struct {
		Node
		Fn   Fn
		Args []Expr
	}
	// Network is cidr_contains(NET, X) with a constant network.
	Network struct {
		Node
		Net netip.Prefix
		X   Expr
	}
	// MemberOf is member_of(group.x).
	MemberOf struct {
		Node
		Group *Group
	}
	// Related asks about the records that a to-many relation leads to from Row
	// (through Path, to-one relations): anytrue, alltrue, or their number for
	// which Body is true.
	Related struct {
		Node
		Quantifier Quantifier
		Row        *Row
		Path       []*Relation
		Relation   *Relation
		Each       *Row // bound in Body
		Body       Expr // bool
	}
)

func (*Literal) expr()     {}
func (*NullLiteral) expr() {}
func (*ColumnRef) expr()   {}
func (*AttrRef) expr()     {}
func (*GroupsRef) expr()   {}
func (*LevelRef) expr()    {}
func (*AppRef) expr()      {}
func (*NowRef) expr()      {}
func (*Call) expr()        {}
func (*Network) expr()     {}
func (*MemberOf) expr()    {}
func (*Related) expr()     {}

// Quantifier says what Related asks.
type Quantifier int

// The quantifiers over related records.
const (
	AnyTrue Quantifier = iota + 1
	AllTrue
	CountTrue // an int; unknown when Body is unknown for one of the records
)

// Fn is a function or operator of the language.
type Fn int

// The functions. X, Y, Z are Args in order.
const (
	FnAnd      Fn = iota + 1 // any number of bools
	FnOr                     // any number of bools
	FnNot                    // !X
	FnIf                     // X ? Y : Z; unknown when X is
	FnCoalesce               // coalesce(X, Y): X a column; Y when X is null
	FnEqual                  // X == Y, neither of them null
	FnNotEqual
	FnLess
	FnLessEqual
	FnGreater
	FnGreaterEqual
	FnBetween    // between(X, lo, hi), inclusive
	FnIsNull     // X == null, X a column
	FnIsEmpty    // is_empty(X), X a column
	FnKnown      // known(X), X an attribute, user.groups, user.access_level or app.name
	FnContains   // contains(X, Y) on strings
	FnStartsWith // starts_with(X, Y)
	FnEndsWith   // ends_with(X, Y)
	FnIsUnder    // is_under(X, path, delimiter), delimiter one ASCII character
	FnIn         // contains(SET, X): Args are X, SET
	FnInLast     // in_last(X, duration)
	FnInNext     // in_next(X, duration)
	FnLower      // lower(X): ASCII letters only
	FnLength     // length(X) of a string (code points) or of a set
	FnAdd        // ints, or timestamp + duration
	FnSubtract   // ints, or timestamp - duration
	FnMultiply   // ints
	FnNegate     // -X on int
	FnTemplate   // strings, ints and uuids put together; a string
)

// Operand reports whether calls of the function may stand as operands of a
// lowered condition.
func (f Fn) Operand() bool {
	switch f {
	case FnLower, FnLength, FnAdd, FnSubtract, FnMultiply, FnNegate, FnTemplate:
		return true
	default:
		return false
	}
}

var fnNames = map[Fn]string{
	FnAnd: "&&", FnOr: "||", FnNot: "!", FnIf: "?:", FnCoalesce: "coalesce", FnEqual: "==", FnNotEqual: "!=",
	FnLess: "<", FnLessEqual: "<=", FnGreater: ">", FnGreaterEqual: ">=", FnBetween: "between", FnIsNull: "== null",
	FnIsEmpty: "is_empty", FnKnown: "known", FnContains: "contains", FnStartsWith: "starts_with",
	FnEndsWith: "ends_with", FnIsUnder: "is_under", FnIn: "contains", FnInLast: "in_last", FnInNext: "in_next",
	FnLower: "lower", FnLength: "length", FnAdd: "+", FnSubtract: "-", FnMultiply: "*", FnNegate: "-",
	FnTemplate: "template",
}

// String is the function's name or operator in the language.
func (f Fn) String() string { return fnNames[f] }

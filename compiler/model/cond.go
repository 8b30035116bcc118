package model

import "net/netip"

// Condition is one condition of a policy or guard: as written, and lowered.
type Condition struct {
	// Source is the typed expression; its type is bool. It is a Literal true
	// where nothing was written.
	Source Expr
	// Holds is the lowered form that is satisfied exactly when Source is true
	// (neither false nor unknown).
	Holds Cond
	// Fails is satisfied exactly when Source is false (neither true nor
	// unknown).
	Fails Cond
}

// Cond is a lowered condition: negation normal form with definedness. It is
// two-valued: satisfied or not. An atom is satisfied only when all its
// operands are known, so that an engine without three-valued logic evaluates
// a Cond with plain and/or. There is no negation; every atom has an opposite
// that is satisfied when the atom is surely false.
//
//sumtype:decl
type Cond interface{ cond() }

type (
	// True is always satisfied.
	True struct{}
	// False is never satisfied.
	False struct{}
	// And is satisfied when all terms are; it has at least two, none of which
	// is True, False or an And.
	And struct{ Terms []Cond }
	// Or is satisfied when a term is; it has at least two, none of which is
	// True, False or an Or.
	Or struct{ Terms []Cond }

	// Compare is X Op Y with both known. Operand types are equal, or int and
	// number, or date and timestamp (a date is its midnight UTC), or enum and
	// string (equality only).
	Compare struct {
		Op   CompareOp
		X, Y Expr
	}
	// Truth is satisfied when the bool X is known and equal to Want.
	Truth struct {
		X    Expr
		Want bool
	}
	// Null is satisfied when the column is null (Not: is not null, whether or
	// not its value is known). When X has a path, the record it leads to must
	// exist in both cases.
	Null struct {
		X   *ColumnRef
		Not bool
	}
	// Empty is satisfied when the column is null, "" or a set without elements
	// (Not: known to be neither, or not null for types other than string and
	// set). A nested array is neither empty nor not empty. When X has a path,
	// the record it leads to must exist in both cases.
	Empty struct {
		X   *ColumnRef
		Not bool
	}
	// Known is satisfied when the request states the AttrRef, GroupsRef,
	// LevelRef or AppRef X (Not: does not state it, or states it wrongly).
	Known struct {
		X   Expr
		Not bool
	}
	// Match is a test of a string X against a string Y, both known.
	Match struct {
		Op        MatchOp
		X, Y      Expr
		Delimiter string // one ASCII character, for MatchUnder
		Not       bool
	}
	// In is satisfied when Elem and Set are known and Elem is an element (Not:
	// is none). Set is a Literal set, a set column, a set attribute or
	// GroupsRef. Elem may be an enum against strings and an int against
	// numbers, or the other way round.
	In struct {
		Elem, Set Expr
		Not       bool
	}
	// InNetwork is satisfied when the address X is known and inside Net (Not:
	// outside).
	InNetwork struct {
		X   Expr
		Net netip.Prefix
		Not bool
	}
	// ViaApp is satisfied when the request comes through the app (Not: through
	// another one or none). It is never unknown.
	ViaApp struct {
		App *App
		Not bool
	}
	// Some is satisfied when Where is for at least one related record; Every,
	// when it is for each of them (also when there is none).
	Some struct {
		From  RelatedRows
		Where Cond
	}
	// Every is satisfied when Where is for each related record.
	Every struct {
		From  RelatedRows
		Where Cond
	}
	// Count compares the number of related records for which the loop's
	// condition is true with a constant, when that condition is unknown for
	// none of them: satisfied when (records satisfying Holds) + (records
	// satisfying Fails) is the number of all, and that number Op N.
	Count struct {
		From         RelatedRows
		Holds, Fails Cond
		Op           CompareOp
		N            Expr // an int: Literal or any operand
	}
)

// RelatedRows names the records of a to-many relation: from Row through Path
// (to-one relations) along Relation; Each is bound in the condition.
type RelatedRows struct {
	Row      *Row
	Path     []*Relation
	Relation *Relation
	Each     *Row
}

func (True) cond()       {}
func (False) cond()      {}
func (*And) cond()       {}
func (*Or) cond()        {}
func (*Compare) cond()   {}
func (*Truth) cond()     {}
func (*Null) cond()      {}
func (*Empty) cond()     {}
func (*Known) cond()     {}
func (*Match) cond()     {}
func (*In) cond()        {}
func (*InNetwork) cond() {}
func (*ViaApp) cond()    {}
func (*Some) cond()      {}
func (*Every) cond()     {}
func (*Count) cond()     {}

// CompareOp is a comparison.
type CompareOp string

// The comparisons, spelt as in the language.
const (
	Equal        CompareOp = "=="
	NotEqual     CompareOp = "!="
	Less         CompareOp = "<"
	LessEqual    CompareOp = "<="
	Greater      CompareOp = ">"
	GreaterEqual CompareOp = ">="
)

// Opposite is the comparison that holds exactly when op does not.
func (op CompareOp) Opposite() CompareOp {
	switch op {
	case Equal:
		return NotEqual
	case NotEqual:
		return Equal
	case Less:
		return GreaterEqual
	case LessEqual:
		return Greater
	case Greater:
		return LessEqual
	case GreaterEqual:
		return Less
	}
	return op
}

// Holds reports whether a comparison result (negative, zero, positive)
// satisfies op.
func (op CompareOp) Holds(c int) bool {
	switch op {
	case Equal:
		return c == 0
	case NotEqual:
		return c != 0
	case Less:
		return c < 0
	case LessEqual:
		return c <= 0
	case Greater:
		return c > 0
	case GreaterEqual:
		return c >= 0
	}
	return false
}

// MatchOp is a test of one string against another.
type MatchOp string

// The string tests.
const (
	MatchContains MatchOp = "contains"
	MatchStarts   MatchOp = "starts_with"
	MatchEnds     MatchOp = "ends_with"
	MatchUnder    MatchOp = "is_under" // X == Y, or X starts with Y + Delimiter
)

// AllOf is the conjunction of conds, flattened; without terms it is True.
func AllOf(conds ...Cond) Cond {
	var terms []Cond
	for _, c := range conds {
		switch x := c.(type) {
		case True:
		case False:
			return False{}
		case *And:
			terms = append(terms, x.Terms...)
		case *Or, *Compare, *Truth, *Null, *Empty, *Known, *Match, *In, *InNetwork, *ViaApp, *Some, *Every, *Count:
			terms = append(terms, c)
		}
	}
	switch len(terms) {
	case 0:
		return True{}
	case 1:
		return terms[0]
	}
	return &And{Terms: terms}
}

// AnyOf is the disjunction of conds, flattened; without terms it is False.
func AnyOf(conds ...Cond) Cond {
	var terms []Cond
	for _, c := range conds {
		switch x := c.(type) {
		case False:
		case True:
			return True{}
		case *Or:
			terms = append(terms, x.Terms...)
		case *And, *Compare, *Truth, *Null, *Empty, *Known, *Match, *In, *InNetwork, *ViaApp, *Some, *Every, *Count:
			terms = append(terms, c)
		}
	}
	switch len(terms) {
	case 0:
		return False{}
	case 1:
		return terms[0]
	}
	return &Or{Terms: terms}
}

package document

// Cond is one node of a condition in negation normal form. It is satisfied or
// not; an atom is satisfied only when all its operands are known. Op says
// which of the other fields are there:
//
//	true, false
//	and, or                              terms (two or more)
//	== != < <= > >=                      x, y
//	is_true, is_false                    x
//	null, not_null, empty, not_empty     x, a column
//	known, not_known                     x: user, request, groups, level or app
//	contains, starts_with, ends_with     x, y   (and not_contains, ...)
//	under, not_under                     x, y, delimiter
//	in, not_in                           x, y   (y is the set)
//	in_network, not_in_network           x, network
//	via, not_via                         app
//	some, every                          rows, where
//	count                                rows, holds, fails, compare, n
type Cond struct {
	App       string  `json:"app,omitempty"`
	Compare   Op      `json:"compare,omitempty"`
	Delimiter string  `json:"delimiter,omitempty"`
	Fails     *Cond   `json:"fails,omitempty"`
	Holds     *Cond   `json:"holds,omitempty"`
	N         *Expr   `json:"n,omitempty"`
	Network   string  `json:"network,omitempty"`
	Op        Op      `json:"op"`
	Rows      *Rows   `json:"rows,omitempty"`
	Terms     []*Cond `json:"terms,omitempty"`
	Where     *Cond   `json:"where,omitempty"`
	X         *Expr   `json:"x,omitempty"`
	Y         *Expr   `json:"y,omitempty"`
}

// Op is the kind of a condition node.
type Op string

// The condition nodes.
const (
	True          Op = "true"
	False         Op = "false"
	And           Op = "and"
	Or            Op = "or"
	Equal         Op = "=="
	NotEqual      Op = "!="
	Less          Op = "<"
	LessEqual     Op = "<="
	Greater       Op = ">"
	GreaterEqual  Op = ">="
	IsTrue        Op = "is_true"
	IsFalse       Op = "is_false"
	Null          Op = "null"
	NotNull       Op = "not_null"
	Empty         Op = "empty"
	NotEmpty      Op = "not_empty"
	Known         Op = "known"
	NotKnown      Op = "not_known"
	Contains      Op = "contains"
	NotContains   Op = "not_contains"
	StartsWith    Op = "starts_with"
	NotStartsWith Op = "not_starts_with"
	EndsWith      Op = "ends_with"
	NotEndsWith   Op = "not_ends_with"
	Under         Op = "under"
	NotUnder      Op = "not_under"
	In            Op = "in"
	NotIn         Op = "not_in"
	InNetwork     Op = "in_network"
	NotInNetwork  Op = "not_in_network"
	Via           Op = "via"
	NotVia        Op = "not_via"
	Some          Op = "some"
	Every         Op = "every"
	Count         Op = "count"
)

// Rows names the records of a to-many relation: from the record Row, through
// the to-one relations of Path, along Relation. Each is the name that the
// source gives them; conditions inside speak of them by depth (see Expr).
type Rows struct {
	Each     string   `json:"each,omitempty"`
	Path     []string `json:"path,omitempty"`
	Relation string   `json:"relation"`
	Row      int      `json:"row,omitempty"`
}

// Expr is an operand. Kind says which of the other fields are there:
//
//	literal           type, value
//	column            column; path (to-one relations); row: 0 is the record
//	                  of the decision, n the record of the n-th loop around
//	user, request     name of the attribute
//	groups, level     the user's groups and access level
//	app               the name of the request's app
//	now               the start of the statement
//	call              fn, args
type Expr struct {
	Args   []*Expr  `json:"args,omitempty"`
	Column string   `json:"column,omitempty"`
	Fn     Fn       `json:"fn,omitempty"`
	Kind   ExprKind `json:"kind"`
	Name   string   `json:"name,omitempty"`
	Path   []string `json:"path,omitempty"`
	Row    int      `json:"row,omitempty"`
	Type   *Type    `json:"type,omitempty"`
	Value  *Value   `json:"value,omitempty"`
}

// ExprKind is the kind of an operand.
type ExprKind string

// The kinds of operands.
const (
	Literal     ExprKind = "literal"
	ColumnExpr  ExprKind = "column"
	UserAttr    ExprKind = "user"
	RequestAttr ExprKind = "request"
	Groups      ExprKind = "groups"
	LevelExpr   ExprKind = "level"
	AppName     ExprKind = "app"
	Now         ExprKind = "now"
	Call        ExprKind = "call"
)

// Fn is a function of a call.
type Fn string

// The functions.
const (
	Lower    Fn = "lower"    // of a string; ASCII letters only
	Length   Fn = "length"   // of a string (code points) or of a set
	Add      Fn = "add"      // ints of any size, or timestamp + duration
	Subtract Fn = "subtract" // ints, or timestamp - duration
	Multiply Fn = "multiply" // ints
	Negate   Fn = "negate"   // an int
	Template Fn = "template" // strings, enums, ints and uuids put together
)

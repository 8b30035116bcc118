package model

import (
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Kind is the kind of a type.
type Kind int

// The kinds of the language (docs/language.md, "Types").
const (
	KindBool      Kind = iota + 1
	KindInt            // whole numbers from -2^63 to 2^63-1
	KindNumber         // exact decimals: below 10^38 and at most 18 decimals
	KindString         // Unicode text, compared by bytes
	KindUUID           // RFC 9562 text form, any case
	KindDate           // a day from year 1 to 9999; compares as midnight UTC
	KindTimestamp      // an instant to the microsecond from year 1 to 9999
	KindIP             // one IPv4 or IPv6 address, never an IPv4-mapped one
	KindEnum           // one of a fixed list of strings, equality only
	KindSet            // distinct elements of one scalar type
	KindDuration       // a fixed length of time; only as a value inside an expression
)

// Type is the type of a column, an attribute or an expression.
type Type struct {
	Kind Kind
	Enum []string // the values of a KindEnum, in order of declaration
	Elem *Type    // the element type of a KindSet
}

// The scalar types without parameters.
var (
	Bool      = Type{Kind: KindBool}
	Int       = Type{Kind: KindInt}
	Number    = Type{Kind: KindNumber}
	String    = Type{Kind: KindString}
	UUIDType  = Type{Kind: KindUUID}
	DateType  = Type{Kind: KindDate}
	TimeType  = Type{Kind: KindTimestamp}
	IP        = Type{Kind: KindIP}
	Interval  = Type{Kind: KindDuration}
	StringSet = Type{Kind: KindSet, Elem: &Type{Kind: KindString}}
)

// SetOf is the set type of elem.
func SetOf(elem Type) Type { return Type{Kind: KindSet, Elem: &elem} }

// EnumOf is the enum type of values.
func EnumOf(values ...string) Type { return Type{Kind: KindEnum, Enum: values} }

var kindNames = map[Kind]string{
	KindBool: "bool", KindInt: "int", KindNumber: "number", KindString: "string", KindUUID: "uuid",
	KindDate: "date", KindTimestamp: "timestamp", KindIP: "ip", KindEnum: "enum", KindSet: "set",
	KindDuration: "duration",
}

// String is the kind's name in the language.
func (k Kind) String() string { return kindNames[k] }

// String is the type as it is written in HCL.
func (t Type) String() string {
	switch t.Kind {
	case KindEnum:
		quoted := make([]string, len(t.Enum))
		for i, v := range t.Enum {
			quoted[i] = strconv.Quote(v)
		}
		return "enum(" + strings.Join(quoted, ", ") + ")"
	case KindSet:
		if t.Elem == nil {
			return "set()"
		}
		return "set(" + t.Elem.String() + ")"
	default:
		return t.Kind.String()
	}
}

// Equal reports whether both types are the same.
func (t Type) Equal(o Type) bool {
	if t.Kind != o.Kind || !slices.Equal(t.Enum, o.Enum) {
		return false
	}
	if t.Elem == nil || o.Elem == nil {
		return t.Elem == o.Elem
	}
	return t.Elem.Equal(*o.Elem)
}

// Value is a constant of the language. Its dynamic type follows from Type:
//
//	bool       bool
//	int        *big.Rat, integral and within int64
//	number     *big.Rat
//	string     string (valid UTF-8 without NUL)
//	enum       string
//	uuid       UUID
//	date       Date
//	timestamp  Timestamp
//	ip         netip.Addr (never IPv4-mapped, no zone)
//	duration   Duration
//	set(T)     Set, elements distinct and sorted by CompareValues
//
// A nil Value is null: a record's column without a value. Unknown{} is a
// value that is there but is not one of the type (NaN, an infinite time, a
// claim of the wrong JSON type, a nested array).
type Value any

// Unknown is a value that is present but not of its type.
type Unknown struct{}

// UUID is the 16 bytes of a UUID.
type UUID [16]byte

// Date is a day, counted from 1970-01-01.
type Date int32

// Timestamp is an instant in microseconds from 1970-01-01T00:00:00Z.
type Timestamp int64

// Duration is a length of time in microseconds.
type Duration int64

// Set holds distinct elements, never null, sorted by CompareValues.
type Set []Value

// Microseconds of the fixed lengths that the language knows.
const (
	Microsecond Duration = 1
	Second               = 1_000_000 * Microsecond
	Minute               = 60 * Second
	Hour                 = 60 * Minute
	Day                  = 24 * Hour
	Week                 = 7 * Day
)

// The first and last instants of the language: year 1 to 9999.
const (
	MinTimestamp Timestamp = -62135596800_000000
	MaxTimestamp Timestamp = 253402300799_999999
	MinDate      Date      = -719162
	MaxDate      Date      = 2932896
)

// Instant is the midnight UTC with which a date compares to a timestamp.
func (d Date) Instant() Timestamp { return Timestamp(int64(d) * int64(Day)) }

// CompareValues orders two values of one type (numbers by value, strings by code
// point, which is the order of their UTF-8 bytes; a date against a timestamp
// by its midnight UTC). It reports false when the two cannot be compared.
func CompareValues(a, b Value) (int, bool) {
	switch x := a.(type) {
	case bool:
		if y, ok := b.(bool); ok {
			return boolRank(x) - boolRank(y), true
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), true
		}
	case *big.Rat:
		if y, ok := b.(*big.Rat); ok {
			return x.Cmp(y), true
		}
	case UUID:
		if y, ok := b.(UUID); ok {
			return strings.Compare(string(x[:]), string(y[:])), true
		}
	case netip.Addr:
		if y, ok := b.(netip.Addr); ok {
			return x.Compare(y), true
		}
	case Duration:
		if y, ok := b.(Duration); ok {
			return compareInt(int64(x), int64(y)), true
		}
	case Date, Timestamp:
		xi, _ := instant(a)
		if yi, ok := instant(b); ok {
			return compareInt(int64(xi), int64(yi)), true
		}
	}
	return 0, false
}

func instant(v Value) (Timestamp, bool) {
	switch x := v.(type) {
	case Date:
		return x.Instant(), true
	case Timestamp:
		return x, true
	}
	return 0, false
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// NewSet sorts the elements and drops null and repeated ones.
func NewSet(elems []Value) Set {
	out := make(Set, 0, len(elems))
	for _, e := range elems {
		if e != nil {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b Value) int { c, _ := CompareValues(a, b); return c })
	return slices.CompactFunc(out, func(a, b Value) bool { c, ok := CompareValues(a, b); return ok && c == 0 })
}

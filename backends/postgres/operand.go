package postgres

import (
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// operand is one side of an atom.
type operand struct {
	x       sqltext.Expr
	typ     sqlType
	column  bool         // speaks of a column, so its value differs from row to row
	inner   sqltext.Expr // a column as it is written inside a subquery
	literal model.Value  // of a constant
	now     bool         // the start of the statement
	// guards must hold for the value to be known; bounds gives those that say
	// it is not below (lower) or not above (upper) the values of its type.
	guards []sqltext.Expr
	bounds func(lower, upper bool) []sqltext.Expr
}

// known lists everything that must hold, beside not being null, for the
// operand to be a value of its type.
func (o operand) known() []sqltext.Expr { return append(o.bound(true, true), o.guards...) }

func (o operand) bound(lower, upper bool) []sqltext.Expr {
	if o.bounds == nil {
		return nil
	}
	return o.bounds(lower, upper)
}

// errUnsupported is what Audit reports before a renderer is asked.
var errUnsupported = errors.New("not supported in Postgres")

func (r *renderer) operand(e model.Expr) operand {
	switch x := e.(type) {
	case *model.Literal:
		return r.literal(x.Value, x.Type)
	case *model.ColumnRef:
		return r.columnRef(x)
	case *model.AttrRef:
		return r.request(r.runtime.accessor(x.Attribute), x.Type)
	case *model.GroupsRef:
		return r.request(groupsFunction, model.StringSet)
	case *model.LevelRef:
		return r.request(levelFunction, model.String)
	case *model.AppRef:
		if app := r.entry.App(); app != nil {
			return r.literal(app.Name, model.String)
		}
		return operand{x: sqltext.NullConst{Type: tText}, typ: usualType(model.String)}
	case *model.NowRef:
		return operand{x: r.now, typ: usualType(model.TimeType), now: true}
	case *model.Call:
		return r.call(x)
	case *model.NullLiteral, *model.Network, *model.MemberOf, *model.Related: // no operands of a lowered condition
	}
	r.fail(fmt.Errorf("%w: operand %T", errUnsupported, e))
	return operand{x: sqltext.NullConst{Type: tText}}
}

// request is a value of the request, through its accessor: evaluated once a
// query, as a subquery of its own, unless the whole atom is.
func (r *renderer) request(function string, t model.Type) operand {
	r.used[FunctionID(RuntimeSchema, function, "")] = struct{}{}
	var x sqltext.Expr = sqltext.Func{Schema: RuntimeSchema, Name: function}
	if !r.once {
		x = sqltext.Select{X: x, Alias: function}
	}
	return operand{x: x, typ: usualType(t)}
}

func (r *renderer) columnRef(c *model.ColumnRef) operand {
	typ, err := columnType(c.Column)
	r.fail(err)
	o := operand{x: r.column(c), inner: r.innerColumn(c), typ: typ, column: true}
	if typ.family == famText && (typ.name.Schema != "" || typ.name.Name != "text") {
		o.x, o.typ.name = sqltext.Cast{X: o.x, Type: tText}, tText
	}
	if typ.family == famSet {
		o.guards = setGuards(o.x, o.inner, typ)
		return o
	}
	o.bounds = boundsOf(o.x, typ)
	return o
}

// boundsOf gives the checks that a column's value is one of the language's:
// Postgres also has NaN, infinities, years before 1 and after 9999, and
// networks.
func boundsOf(x sqltext.Expr, t sqlType) func(lower, upper bool) []sqltext.Expr {
	between := func(lowOp sqltext.SQL, low sqltext.Expr, highOp sqltext.SQL, high sqltext.Expr) func(bool, bool) []sqltext.Expr {
		return func(lower, upper bool) (out []sqltext.Expr) {
			if lower && low != nil {
				out = append(out, sqltext.Op{L: x, Op: lowOp, R: low})
			}
			if upper {
				out = append(out, sqltext.Op{L: x, Op: highOp, R: high})
			}
			return out
		}
	}
	switch t.family {
	case famNumeric:
		if precise(t.name) { // keeps all out but NaN
			return between("", nil, "<>", sqltext.Const{Text: "NaN", Type: tNumeric})
		}
		limit := "1" + strings.Repeat("0", 38)
		sized := between(">", sqltext.Const{Text: "-" + limit, Type: tNumeric}, "<", sqltext.Const{Text: limit, Type: tNumeric})
		rounded := sqltext.Func{Name: "round", Args: []sqltext.Expr{x, sqltext.IntConst{Value: 18}}}
		return func(lower, upper bool) []sqltext.Expr {
			return append(sized(lower, upper), sqltext.Op{L: x, Op: "=", R: rounded})
		}
	case famDate:
		return between(">=", dateConst(model.MinDate), "<=", dateConst(model.MaxDate))
	case famInstant:
		return between(">=", instantConst(model.MinTimestamp), "<=", instantConst(model.MaxTimestamp))
	case famLocal:
		return between(">=", localConst(model.MinTimestamp), "<=", localConst(model.MaxTimestamp))
	case famInet:
		return func(bool, bool) []sqltext.Expr { return []sqltext.Expr{oneAddress(x)} }
	case famEnum, famText:
		if t.labels == nil {
			return nil
		}
		if t.family == famEnum {
			x = sqltext.Cast{X: x, Type: tText}
		}
		return func(bool, bool) []sqltext.Expr { return []sqltext.Expr{anyOfTexts(x, t.labels)} }
	default:
		return nil
	}
}

// precise reports whether a declared precision keeps numbers within those of
// the language: below 10^38 and with at most 18 decimals.
func precise(t sqltext.TypeName) bool {
	switch len(t.Args) {
	case 1:
		return t.Args[0] <= 38
	case 2:
		return t.Args[1] >= 0 && t.Args[1] <= 18 && t.Args[0]-t.Args[1] <= 38
	}
	return false
}

// oneAddress holds for one address, without a network mask and not an IPv4
// address in IPv6 clothes.
func oneAddress(x sqltext.Expr) sqltext.Expr {
	family := func(n int32) sqltext.Expr {
		return sqltext.Op{L: sqltext.Func{Name: "family", Args: []sqltext.Expr{x}}, Op: "=", R: sqltext.IntConst{Value: n}}
	}
	mapped := sqltext.Op{L: x, Op: "<<=", R: sqltext.Const{Text: "::ffff:0.0.0.0/96", Type: tInet}}
	return anyOf(
		allOf(family(4), maskLen(x, 32)),
		allOf(family(6), maskLen(x, 128), sqltext.Not{X: mapped}),
	)
}

func maskLen(x sqltext.Expr, n int32) sqltext.Expr {
	return sqltext.Op{L: sqltext.Func{Name: "masklen", Args: []sqltext.Expr{x}}, Op: "=", R: sqltext.IntConst{Value: n}}
}

func anyOfTexts(x sqltext.Expr, texts []string) sqltext.Expr {
	elems := make([]sqltext.Expr, len(texts))
	for i, s := range texts {
		elems[i] = sqltext.Const{Text: s, Type: tText}
	}
	return sqltext.Quantified{L: x, Op: "=", Array: sqltext.Array{Elems: elems}, Type: sqltext.ArrayOf(tText)}
}

// setGuards hold when an array column is a set of the language: not nested,
// and every element a value of its type.
func setGuards(col, inner sqltext.Expr, t sqlType) []sqltext.Expr {
	flat := anyOf(
		sqltext.Op{L: sqltext.Func{Name: "array_ndims", Args: []sqltext.Expr{col}}, Op: "=", R: sqltext.IntConst{Value: 1}},
		sqltext.Op{L: sqltext.Func{Name: "cardinality", Args: []sqltext.Expr{col}}, Op: "=", R: sqltext.IntConst{Value: 0}},
	)
	var elem sqltext.Expr = sqltext.Elem{}
	bounds := boundsOf(elem, *t.elem)
	if bounds == nil {
		return []sqltext.Expr{flat}
	}
	all := sqltext.Func{Name: "bool_and", Args: []sqltext.Expr{allOf(bounds(true, true)...)}}
	return []sqltext.Expr{flat, sqltext.IsNotFalse{X: sqltext.Unnested{X: all, Array: inner}}}
}

// literal is a typed constant.
func (r *renderer) literal(v model.Value, t model.Type) operand {
	o := operand{typ: usualType(t), literal: v}
	if set, ok := v.(model.Set); ok {
		elems := make([]sqltext.Expr, len(set))
		for i, e := range set {
			elems[i] = r.literal(e, *t.Elem).x
		}
		o.x = sqltext.Array{Elems: elems}
		return o
	}
	text, err := literalText(v)
	r.fail(err)
	if b, ok := v.(bool); ok {
		o.x = sqltext.BoolConst{Value: b}
		return o
	}
	o.x = sqltext.Const{Text: text, Type: o.typ.name}
	return o
}

// literalText is a constant in Postgres' own text form.
func literalText(v model.Value) (string, error) {
	switch x := v.(type) {
	case bool:
		return fmt.Sprint(x), nil
	case string:
		return x, nil
	case *big.Rat:
		return decimal(x), nil
	case model.UUID:
		return uuidText(x), nil
	case model.Date:
		return dateText(x), nil
	case model.Timestamp:
		return instantText(x) + "+00", nil
	case netip.Addr:
		return x.String(), nil
	case model.Duration:
		return intervalText(x), nil
	default:
		return "", fmt.Errorf("%w: a constant of Go type %T", errUnsupported, v)
	}
}

// decimal is a number without exponent and without trailing zeros.
func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(18), "0")
}

func uuidText(u model.UUID) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[0:4], u[4:6], u[6:8], u[8:10], u[10:16])
}

func dateText(d model.Date) string {
	return time.UnixMicro(int64(d.Instant())).UTC().Format("2006-01-02")
}

func instantText(t model.Timestamp) string {
	return time.UnixMicro(int64(t)).UTC().Format("2006-01-02 15:04:05.999999")
}

// intervalText is a length of time in hours, minutes and seconds: with days it
// would depend on the session's time zone.
func intervalText(d model.Duration) string {
	sign := ""
	n := new(big.Int).SetInt64(int64(d))
	if n.Sign() < 0 {
		sign = "-"
		n.Neg(n)
	}
	seconds, micros := new(big.Int).DivMod(n, big.NewInt(int64(model.Second)), new(big.Int))
	s := seconds.Int64()
	out := fmt.Sprintf("%s%02d:%02d:%02d", sign, s/3600, s/60%60, s%60)
	if micros.Sign() != 0 {
		out += strings.TrimRight(fmt.Sprintf(".%06d", micros.Int64()), "0")
	}
	return out
}

func dateConst(d model.Date) sqltext.Expr { return sqltext.Const{Text: dateText(d), Type: tDate} }

func instantConst(t model.Timestamp) sqltext.Expr {
	return sqltext.Const{Text: instantText(t) + "+00", Type: tInstant}
}

func localConst(t model.Timestamp) sqltext.Expr {
	return sqltext.Const{Text: instantText(t), Type: tLocal}
}

func numberOf(v model.Value) (*big.Rat, bool) {
	n, ok := v.(*big.Rat)
	return n, ok
}

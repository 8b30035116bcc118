package postgres

import (
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// compare renders X op Y. A column stands on the left, bare where it can be:
// then its index is of use.
func (r *renderer) compare(op model.CompareOp, x, y operand) sqltext.Expr {
	if y.column && !x.column {
		x, y, op = y, x, mirrored(op)
	}
	if x.typ.family == famEnum || y.typ.family == famEnum {
		return r.compareEnum(op, x, y)
	}
	if x.typ.family == famInt && y.literal != nil && y.typ.family != famText {
		return r.compareInt(op, x, y)
	}
	guards := compareGuards(op, x, y)
	switch {
	case isNumber(x) && isNumber(y):
		if x.typ.family == famInt && y.typ.family == famInt {
			return guarded(sqltext.Op{L: x.x, Op: sqlOp(op), R: y.x}, guards)
		}
		return guarded(sqltext.Op{L: numeric(x), Op: sqlOp(op), R: numeric(y)}, guards)
	case isTime(x) && isTime(y):
		return guarded(r.compareTime(op, x, y), guards)
	case x.typ.family == famText && ordered(op):
		return guarded(sqltext.Op{L: x.x, Op: sqlOp(op), R: sqltext.CollateC{X: y.x}}, guards)
	case x.typ.family == y.typ.family:
		return guarded(sqltext.Op{L: x.x, Op: sqlOp(op), R: y.x}, guards)
	}
	r.fail(fmt.Errorf("%w: %s against %s", errUnsupported, x.typ.name.SQL(), y.typ.name.SQL()))
	return sqltext.BoolConst{}
}

// compareGuards says what must hold besides x op y: in X < Y, that X is not
// below and Y not above the values of the type; the rest follows. Equal to a
// value of the type needs nothing.
func compareGuards(op model.CompareOp, x, y operand) []sqltext.Expr {
	var out []sqltext.Expr
	switch op {
	case model.Equal:
		if x.bounds != nil && y.bounds != nil {
			out = x.bound(true, true)
		}
	case model.NotEqual:
		out = append(x.bound(true, true), y.bound(true, true)...)
	case model.Less, model.LessEqual:
		out = append(x.bound(true, false), y.bound(false, true)...)
	case model.Greater, model.GreaterEqual:
		out = append(x.bound(false, true), y.bound(true, false)...)
	}
	return append(append(out, x.guards...), y.guards...)
}

// compareInt compares an integer column or value with a constant; a fraction
// is rounded to the integer that decides the same.
func (r *renderer) compareInt(op model.CompareOp, x, y operand) sqltext.Expr {
	n, ok := y.literal.(*big.Rat)
	if !ok {
		r.fail(fmt.Errorf("%w: an integer against %T", errUnsupported, y.literal))
		return sqltext.BoolConst{}
	}
	known := guarded(sqltext.IsNull{X: x.x, Not: true}, x.guards)
	floor := new(big.Int).Div(n.Num(), n.Denom()) // Euclidean with a positive divisor: rounds down
	if !n.IsInt() {
		switch op {
		case model.Equal:
			return sqltext.BoolConst{}
		case model.NotEqual:
			return known
		case model.Less, model.LessEqual:
			op = model.LessEqual
		case model.Greater, model.GreaterEqual:
			op, floor = model.GreaterEqual, floor.Add(floor, big.NewInt(1))
		}
	}
	if !floor.IsInt64() {
		if op.Holds(-floor.Sign()) {
			return known
		}
		return sqltext.BoolConst{}
	}
	return guarded(sqltext.Op{L: x.x, Op: sqlOp(op), R: bigint(floor.Int64())}, x.guards)
}

// bigint is an integer constant in the spelling of pg_get_expr: one that fits
// is an integer.
func bigint(n int64) sqltext.Expr {
	if n >= math.MinInt32 && n <= math.MaxInt32 {
		return sqltext.IntConst{Value: int32(n)}
	}
	return sqltext.Const{Text: fmt.Sprint(n), Type: tBigint}
}

// compareEnum compares labels: with a constant in the enum's own type, which
// keeps the index, else as text.
func (r *renderer) compareEnum(op model.CompareOp, x, y operand) sqltext.Expr {
	guards := compareGuards(op, x, y)
	if label, ok := y.literal.(string); ok && x.typ.family == famEnum {
		if !slices.Contains(x.typ.labels, label) {
			if op == model.NotEqual {
				return guarded(sqltext.IsNull{X: x.x, Not: true}, guards)
			}
			return sqltext.BoolConst{}
		}
		return guarded(sqltext.Op{L: x.x, Op: sqlOp(op), R: sqltext.Const{Text: label, Type: x.typ.name}}, guards)
	}
	return guarded(sqltext.Op{L: r.text(x), Op: sqlOp(op), R: r.text(y)}, guards)
}

// compareTime compares dates and timestamps as instants. A bare column against
// a value that is the same for all rows keeps its index.
func (r *renderer) compareTime(op model.CompareOp, x, y operand) sqltext.Expr {
	switch {
	case x.typ.family == y.typ.family:
		return sqltext.Op{L: x.x, Op: sqlOp(op), R: y.x}
	case x.typ.family == famLocal && !y.column:
		return sqltext.Op{L: x.x, Op: sqlOp(op), R: local(instant(y))}
	case x.typ.family == famDate && x.column && !y.column && ordered(op):
		return dateAgainst(op, x, instant(y))
	}
	return sqltext.Op{L: instant(x).x, Op: sqlOp(op), R: instant(y).x}
}

// dateAgainst compares a date column with an instant: with the day of the
// instant, rounded up where midnight of that day would come before it.
func dateAgainst(op model.CompareOp, x, y operand) sqltext.Expr {
	day := sqltext.Expr(sqltext.AtUTC{X: y.x})
	if op == model.Less || op == model.GreaterEqual {
		up := sqltext.Const{Text: "23:59:59.999999", Type: tInterval}
		day = sqltext.Op{L: day, Op: "+", R: up}
	}
	return sqltext.Op{L: x.x, Op: sqlOp(op), R: sqltext.Cast{X: day, Type: tDate}}
}

func isNumber(o operand) bool { return o.typ.family == famInt || o.typ.family == famNumeric }

func isTime(o operand) bool {
	return o.typ.family == famDate || o.typ.family == famInstant || o.typ.family == famLocal
}

func ordered(op model.CompareOp) bool { return op != model.Equal && op != model.NotEqual }

func mirrored(op model.CompareOp) model.CompareOp {
	switch op {
	case model.Less:
		return model.Greater
	case model.LessEqual:
		return model.GreaterEqual
	case model.Greater:
		return model.Less
	case model.GreaterEqual:
		return model.LessEqual
	case model.Equal, model.NotEqual:
	}
	return op
}

func sqlOp(op model.CompareOp) sqltext.SQL {
	switch op {
	case model.Equal:
		return "="
	case model.NotEqual:
		return "<>"
	default:
		return sqltext.SQL(op)
	}
}

// lastAddress is the highest address of a network.
func lastAddress(net netip.Prefix) netip.Addr {
	b := net.Addr().AsSlice()
	for i := net.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

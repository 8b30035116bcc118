package access

import (
	"math/big"
	"net/netip"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// operand is a value in the solver's terms, and when it is known. One of text,
// number, truth, set and list is set, by the kind of its type. Times, addresses
// and UUIDs are numbers: an equality and an order are all that conditions ask.
type operand struct {
	typ    model.Type
	known  *smt.F
	text   *smt.Text
	number *smt.Linear
	truth  *smt.F
	set    *setUnknown
	list   model.Set // a constant set
	key    string    // the same for two operands only if they have the same value
}

// The factors between stored units and those that are compared.
var (
	one        = big.NewRat(1, 1)
	numberUnit = new(big.Rat).SetFrac(big.NewInt(1), power(10, 18)) // numbers have at most 18 decimals
	dayUnit    = new(big.Rat).SetInt64(int64(model.Day))
)

func power(base, n int64) *big.Int { return new(big.Int).Exp(big.NewInt(base), big.NewInt(n), nil) }

// niceDay is the day that times are near to unless something speaks against it.
const niceDay model.Date = 20454 // 2026-01-01

// scalar makes an unknown value of a type; native is a column's type.
func (e *encoder) scalar(t model.Type, native string) operand {
	o := operand{typ: t, known: smt.True}
	number := func(least, most, prefer *big.Int, unit *big.Rat) {
		x := e.s.Int(least, most, prefer)
		l := smt.Unknown(x).Times(unit)
		o.number = &l
	}
	switch t.Kind {
	case model.KindBool:
		o.truth = e.s.Truth(false)
	case model.KindInt:
		least, most := intRange(native)
		number(least, most, big.NewInt(1), one)
	case model.KindNumber:
		limit := new(big.Int).Sub(power(10, 56), big.NewInt(1)) // below 10^38, in units of 10^-18
		number(new(big.Int).Neg(limit), limit, power(10, 18), numberUnit)
	case model.KindDate:
		number(big.NewInt(int64(model.MinDate)), big.NewInt(int64(model.MaxDate)), big.NewInt(int64(niceDay)), dayUnit)
	case model.KindTimestamp:
		number(big.NewInt(int64(model.MinTimestamp)), big.NewInt(int64(model.MaxTimestamp)), big.NewInt(int64(niceDay.Instant())), one)
	case model.KindUUID:
		number(new(big.Int), new(big.Int).Sub(power(2, 128), big.NewInt(1)), big.NewInt(1), one)
	case model.KindIP:
		number(new(big.Int), new(big.Int).Sub(new(big.Int).Add(sixth, power(2, 128)), big.NewInt(1)), big.NewInt(0x0a000001), one)
		e.address(*o.number)
	case model.KindString, model.KindEnum:
		facts := smt.TextFacts{OneOf: t.Enum, Longest: longest(native), Unpadded: padded(native)}
		x := e.s.Text(facts)
		o.text = &x
	case model.KindSet:
		o.set = e.newSet(*t.Elem)
	case model.KindDuration:
	}
	return o
}

func intRange(native string) (least, most *big.Int) {
	bits := int64(63)
	switch native {
	case "smallint":
		bits = 15
	case "integer":
		bits = 31
	}
	most = new(big.Int).Sub(power(2, bits), big.NewInt(1))
	return new(big.Int).Sub(new(big.Int).Neg(most), big.NewInt(1)), most
}

// padded reports whether a native type's values are read without the spaces at
// their end.
func padded(native string) bool {
	return strings.HasPrefix(native, "character(") || native == "character" || native == "bpchar"
}

// longest is n of character varying(n) and character(n); 0 for others.
func longest(native string) int {
	if !strings.HasPrefix(native, "character") || strings.HasSuffix(native, "[]") {
		return 0
	}
	_, rest, ok := strings.Cut(native, "(")
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSuffix(rest, ")"))
	if err != nil {
		return 0
	}
	return n
}

// Addresses as numbers: those of IPv4 first, those of IPv6 from sixth on.
var sixth = power(2, 33)

func addressNumber(a netip.Addr) *big.Int {
	n := new(big.Int).SetBytes(a.AsSlice())
	if a.Is4() {
		return n
	}
	return n.Add(n, sixth)
}

func numberAddress(n *big.Int) netip.Addr {
	size := 4
	if n.Cmp(sixth) >= 0 {
		n, size = new(big.Int).Sub(n, sixth), 16
	}
	b := make([]byte, size)
	n.FillBytes(b)
	a, _ := netip.AddrFromSlice(b)
	return a
}

// address keeps a number among those of addresses: in one of the two families,
// and no IPv4-mapped one.
func (e *encoder) address(l smt.Linear) {
	at := func(n *big.Int) smt.Linear { return smt.Constant(new(big.Rat).SetInt(n)) }
	fourth := e.s.Less(l, at(power(2, 32)))
	e.s.Prefer(fourth)
	e.s.Assert(smt.Or(fourth, e.s.LessEqual(at(sixth), l)))
	mapped := netip.MustParsePrefix("::ffff:0:0/96")
	e.s.Assert(smt.Not(e.within(l, mapped)))
}

// within is that an address is one of a network.
func (e *encoder) within(l smt.Linear, net netip.Prefix) *smt.F {
	first := addressNumber(net.Masked().Addr())
	size := new(big.Int).Lsh(big.NewInt(1), uint(net.Addr().BitLen()-net.Bits())) // #nosec G115 -- 0 to 128
	end := new(big.Int).Add(first, size)
	at := func(n *big.Int) smt.Linear { return smt.Constant(new(big.Rat).SetInt(n)) }
	return smt.And(e.s.LessEqual(at(first), l), e.s.Less(l, at(end)))
}

// literal is a constant.
func (e *encoder) literal(v model.Value, t model.Type) operand {
	o := operand{typ: t, known: smt.True, key: valueKey(v, t)}
	number := func(n *big.Rat) {
		l := smt.Constant(n)
		o.number = &l
	}
	switch x := v.(type) {
	case bool:
		o.truth = smt.Bool(x)
	case string:
		f := e.s.Fixed(x)
		o.text = &f
	case model.Set:
		o.list = x
	case *big.Rat:
		number(x)
	case model.Date:
		number(new(big.Rat).SetInt64(int64(x.Instant())))
	case model.Timestamp:
		number(new(big.Rat).SetInt64(int64(x)))
	case model.Duration:
		number(new(big.Rat).SetInt64(int64(x)))
	case model.UUID:
		number(new(big.Rat).SetInt(new(big.Int).SetBytes(x[:])))
	case netip.Addr:
		number(new(big.Rat).SetInt(addressNumber(x)))
	default:
		o.known = smt.False
	}
	return o
}

// equal is that two operands have the same value, whether or not they are known.
func (e *encoder) equal(a, b operand) *smt.F {
	switch {
	case a.text != nil && b.text != nil:
		return e.s.Same(*a.text, *b.text)
	case a.number != nil && b.number != nil:
		return e.s.EqualTo(*a.number, *b.number)
	case a.truth != nil && b.truth != nil:
		return smt.Iff(a.truth, b.truth)
	}
	return smt.False
}

// value is an operand's value in a model.
func (o operand) value(m *smt.Model) (model.Value, bool) {
	switch {
	case o.text != nil:
		return m.Text(*o.text), true
	case o.truth != nil:
		return m.Holds(o.truth), true
	case o.set != nil:
		return o.set.value(m)
	case o.number == nil:
		return nil, false
	}
	n := m.At(*o.number)
	switch o.typ.Kind {
	case model.KindDate:
		day := new(big.Rat).Quo(n, dayUnit)
		return model.Date(day.Num().Int64()), day.IsInt() // #nosec G115 -- the unknown's bounds are those of dates
	case model.KindTimestamp:
		return model.Timestamp(n.Num().Int64()), n.IsInt()
	case model.KindUUID:
		var u model.UUID
		n.Num().FillBytes(u[:])
		return u, true
	case model.KindIP:
		return numberAddress(n.Num()), true
	default:
		return n, true
	}
}

package access

import (
	"math/big"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// The days between which questions are asked: at the ends of time in_last would
// look at years that no value has.
const (
	earliest model.Date = 0       // 1970-01-01
	latest   model.Date = 2567660 // 9000-01-01
)

func bigTime(d model.Date) *big.Int { return big.NewInt(int64(d.Instant())) }

// absent is an operand that is never known.
func absent(t model.Type) operand {
	return operand{typ: t, known: smt.False, truth: smt.False}
}

// operand is an expression's value.
func (v *viewer) operand(x model.Expr) operand {
	switch e := x.(type) {
	case *model.Literal:
		return v.literal(e.Value, e.Type)
	case *model.ColumnRef:
		return v.column(v.follow(v.row(e.Row), e.Path), e.Column).operand
	case *model.AttrRef:
		return v.attribute(e.Attribute)
	case *model.GroupsRef:
		return v.groups()
	case *model.LevelRef:
		return v.level()
	case *model.AppRef:
		if app := v.side.entry.App(); app != nil {
			return v.literal(app.Name, model.String)
		}
		return absent(model.String)
	case *model.NowRef:
		if v.now == nil {
			l := smt.Unknown(v.s.Int(bigTime(earliest), bigTime(latest), bigTime(niceDay)))
			v.now = &operand{typ: model.TimeType, known: smt.True, number: &l, key: "now"}
		}
		return *v.now
	case *model.Call:
		return v.call(e)
	case *model.NullLiteral, *model.Network, *model.MemberOf, *model.Related:
		return absent(x.ResultType()) // stand in no lowered condition
	}
	return absent(x.ResultType())
}

func (v *viewer) call(c *model.Call) operand {
	args := make([]operand, len(c.Args))
	known := make([]*smt.F, len(c.Args))
	key := "call " + c.Fn.String()
	for i, a := range c.Args {
		args[i] = v.operand(a)
		known[i] = args[i].known
		key += "(" + args[i].key + ")"
	}
	out := operand{typ: c.Type, known: smt.And(known...), key: key}
	a := args[0]
	switch c.Fn {
	case model.FnLower:
		if a.text != nil {
			t := v.s.Lower(*a.text)
			out.text = &t
		}
	case model.FnLength:
		out.number = v.length(a)
	case model.FnAdd, model.FnSubtract, model.FnMultiply, model.FnNegate:
		return v.arithmetic(c, args, out)
	case model.FnTemplate:
		j := v.joined(args...)
		out.text = j.text
	default:
	}
	if out.text == nil && out.number == nil {
		return absent(c.Type)
	}
	return out
}

func (v *viewer) length(a operand) *smt.Linear {
	var l smt.Linear
	switch {
	case a.text != nil:
		l = v.s.Length(*a.text)
	case a.set != nil && a.set == v.user.groups.set:
		// Groups above those that the request states count as well.
		v.partial = "it counts the user's groups"
		l = smt.Unknown(v.s.Int(new(big.Int), nil, nil))
	case a.set != nil:
		l = a.set.count()
	default:
		l = smt.Whole(int64(len(a.list)))
	}
	return &l
}

func (v *viewer) arithmetic(c *model.Call, args []operand, out operand) operand {
	for _, a := range args {
		if a.number == nil {
			return absent(c.Type)
		}
	}
	a := *args[0].number
	var l smt.Linear
	switch c.Fn {
	case model.FnNegate:
		l = a.Times(big.NewRat(-1, 1))
	case model.FnAdd:
		l = a.Plus(one, *args[1].number)
	case model.FnSubtract:
		l = a.Minus(*args[1].number)
	default:
		l = v.product(a, *args[1].number)
	}
	out.number = &l
	if c.Type.Kind == model.KindTimestamp {
		// A time beyond the years 1 to 9999 is unknown.
		least, most := smt.Whole(int64(model.MinTimestamp)), smt.Whole(int64(model.MaxTimestamp))
		out.known = smt.And(out.known, v.s.LessEqual(least, l), v.s.LessEqual(l, most))
	}
	return out
}

// product is exact when one factor is constant; else it is a number of which
// only that is known which it is a product of.
func (v *viewer) product(a, b smt.Linear) smt.Linear {
	if k, ok := a.Value(); ok {
		return b.Times(k)
	}
	if k, ok := b.Value(); ok {
		return a.Times(k)
	}
	x, y := a.Key(), b.Key()
	if y < x {
		x, y = y, x
	}
	key := "product " + x + " " + y
	o, ok := v.opaque[key]
	if !ok {
		l := smt.Unknown(v.s.Int(nil, nil, nil))
		o = operand{number: &l}
		v.opaque[key] = o
		v.products = append(v.products, product{a, b, l})
	}
	return *o.number
}

// joined is a template: texts, whole numbers and UUIDs put together.
func (v *viewer) joined(parts ...operand) operand {
	key := "joined"
	for _, p := range parts {
		key += "(" + p.key + ")"
	}
	if o, ok := v.opaque[key]; ok {
		return o
	}
	list := make([]smt.Part, len(parts))
	for i, p := range parts {
		switch {
		case p.text != nil:
			list[i] = smt.Part{Text: *p.text}
		case p.number != nil && p.typ.Kind == model.KindUUID:
			list[i] = smt.Part{Number: p.number, Write: writeUUID}
		case p.number != nil:
			list[i] = smt.Part{Number: p.number, Write: (*big.Rat).RatString}
		default:
			list[i] = smt.Part{Text: v.s.Fixed("")}
		}
	}
	t := v.s.Joined(list)
	o := operand{typ: model.String, known: smt.True, text: &t, key: key}
	v.opaque[key] = o
	return o
}

func writeUUID(n *big.Rat) string {
	var u model.UUID
	n.Num().FillBytes(u[:])
	return u.String()
}

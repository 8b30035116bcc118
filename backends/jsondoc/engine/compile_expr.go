package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

const maxRows = document.MaxLoops + 1

// compiler compiles the conditions of one table.
type compiler struct {
	engine *Engine
	tables [maxRows]*schema // of the record and of the loops around
	loops  int
}

// operand is a compiled operand. get is a get[T] with the Go type of the
// family, or a setOf[T] with that of the element's.
type operand struct {
	typ      document.Type
	fam      family
	get      any
	from     source // the slot that it is read from; nil: none
	constant any    // the value of a constant, of the family's Go type; nil: it is none, or a set
}

func (o operand) elem() family { return familyOf(o.typ.Elem.Kind) }

// as is the operand's reader when its Go type is T.
func as[T any](o operand) (get[T], error) {
	g, ok := o.get.(get[T])
	if !ok {
		return nil, fmt.Errorf("an operand of type %q is not of the type needed", o.typ.Kind)
	}
	return g, nil
}

func (k *compiler) expr(x *document.Expr) (operand, error) {
	text := document.Type{Kind: document.String}
	switch x.Kind {
	case document.Literal:
		return literal(*x.Type, x.Value)
	case document.ColumnExpr:
		_, col, from, err := k.column(x)
		if err != nil {
			return operand{}, err
		}
		return reader(col.typ, from)
	case document.UserAttr:
		number := k.engine.userAttrNumbers[x.Name]
		a := &k.engine.userAttrs[number]
		return reader(a.typ, func(c *call) *slot { return a.read(&c.user.attrs[number], c.user.claims) })
	case document.RequestAttr:
		number := k.engine.contextAttrNumbers[x.Name]
		a := &k.engine.contextAttrs[number]
		return reader(a.typ, func(c *call) *slot { return a.read(&c.context[number], c.stated) })
	case document.Groups:
		return operand{typ: document.Type{Kind: document.Set, Elem: &text}, fam: famSet, get: setOf[string](groupSet{k.engine.groups})}, nil
	case document.LevelExpr:
		return operand{typ: text, fam: famText, get: get[string](userLevel)}, nil
	case document.AppName:
		return operand{typ: text, fam: famText, get: get[string](appName)}, nil
	case document.Now:
		return operand{typ: document.Type{Kind: document.Timestamp}, fam: famTime, get: get[int64](now)}, nil
	case document.Call:
		return k.call(x)
	}
	return operand{}, fmt.Errorf("the operand kind %q is not known", x.Kind)
}

// column finds a column, its record and its slot.
func (k *compiler) column(x *document.Expr) (row, *column, source, error) {
	record, table, err := k.row(x.Row, x.Path)
	if err != nil {
		return nil, nil, nil, err
	}
	number := table.columnNumber(x.Column)
	if number < 0 {
		return nil, nil, nil, fmt.Errorf("table %q has no column %q", table.source.Name, x.Column)
	}
	col := &table.columns[number]
	if len(x.Path) == 0 {
		at := x.Row
		return record, col, func(c *call) *slot { return c.rows[at].column(number) }, nil
	}
	return record, col, func(c *call) *slot { return record(c).column(number) }, nil
}

// row finds the record that a path of to-one relations leads to.
func (k *compiler) row(number int, path []string) (row, *schema, error) {
	table := k.tables[number]
	var steps []int
	for _, name := range path {
		rel := table.relationNumber(name)
		if rel < 0 || table.relations[rel].many {
			return nil, nil, fmt.Errorf("table %q has no to-one relation %q", table.source.Name, name)
		}
		steps = append(steps, rel)
		table = table.relations[rel].to
	}
	if len(steps) == 0 {
		return func(c *call) *Record { return c.rows[number] }, table, nil
	}
	return func(c *call) *Record {
		r := c.rows[number]
		for _, rel := range steps {
			r = r.one(rel)
		}
		return r
	}, table, nil
}

// reader is an operand that reads a slot.
func reader(t document.Type, from source) (operand, error) {
	o := operand{typ: t, fam: familyOf(t.Kind), from: from}
	switch o.fam {
	case famBool:
		o.get = boolOf(from)
	case famNum:
		o.get = numOf(from)
	case famText:
		o.get = textOf(from)
	case famUUID:
		o.get = uuidOf(from)
	case famTime:
		o.get = timeOf(from)
	case famIP:
		o.get = ipOf(from)
	case famSet:
		return setReader(o, from)
	case famDuration:
		return o, errors.New("a duration is only known as a constant")
	default:
		return o, fmt.Errorf("the type %q is not known", t.Kind)
	}
	return o, nil
}

func setReader(o operand, from source) (operand, error) {
	elem := *o.typ.Elem
	switch familyOf(elem.Kind) {
	case famBool:
		o.get = setOf[bool](&rawSet[bool]{from, decodeBool, compareBool})
	case famNum:
		o.get = setOf[num](&rawSet[num]{from, numDecoder(elem), compareNum})
	case famText:
		o.get = setOf[string](&rawSet[string]{from, textDecoder(elem, ""), strings.Compare})
	case famUUID:
		o.get = setOf[uuid](&rawSet[uuid]{from, decodeUUID, compareUUID})
	case famTime:
		o.get = setOf[int64](&rawSet[int64]{from, timeDecoder(elem, ""), compareInt})
	case famIP:
		o.get = setOf[netip.Addr](&rawSet[netip.Addr]{from, decodeIP, netip.Addr.Compare})
	case famDuration, famSet:
		return o, fmt.Errorf("a set of %q is not known", elem.Kind)
	}
	return o, nil
}

func (k *compiler) call(x *document.Expr) (operand, error) {
	args := make([]operand, len(x.Args))
	for i, a := range x.Args {
		var err error
		if args[i], err = k.expr(a); err != nil {
			return operand{}, err
		}
	}
	want := 2
	switch x.Fn {
	case document.Template:
		return templateOperand(args)
	case document.Lower, document.Length, document.Negate:
		want = 1
	case document.Add, document.Subtract, document.Multiply:
	default:
		return operand{}, fmt.Errorf("the function %q is not known", x.Fn)
	}
	if len(args) != want {
		return operand{}, fmt.Errorf("the function %q takes %d operands, not %d", x.Fn, want, len(args))
	}
	switch x.Fn {
	case document.Lower:
		s, err := as[string](args[0])
		return operand{typ: document.Type{Kind: document.String}, fam: famText, get: lower(s)}, err
	case document.Length:
		return lengthOperand(args[0])
	case document.Template, document.Add, document.Subtract, document.Multiply, document.Negate:
	}
	return arithmeticOperand(x.Fn, args)
}

var intType = document.Type{Kind: document.Int}

func lengthOperand(x operand) (operand, error) {
	out := operand{typ: intType, fam: famNum}
	if x.fam == famText {
		out.get = codePoints(x.get.(get[string]))
		return out, nil
	}
	switch s := x.get.(type) {
	case setOf[bool]:
		out.get = setSize(s)
	case setOf[num]:
		out.get = setSize(s)
	case setOf[string]:
		out.get = setSize(s)
	case setOf[uuid]:
		out.get = setSize(s)
	case setOf[int64]:
		out.get = setSize(s)
	case setOf[netip.Addr]:
		out.get = setSize(s)
	default:
		return out, fmt.Errorf("the length of %q is not known", x.typ.Kind)
	}
	return out, nil
}

func arithmeticOperand(fn document.Fn, args []operand) (operand, error) {
	if args[0].typ.Kind == document.Timestamp || len(args) == 2 && args[1].typ.Kind == document.Timestamp {
		return shiftOperand(fn, args)
	}
	readers := make([]get[num], len(args))
	for i, a := range args {
		if a.typ.Kind != document.Int {
			return operand{}, fmt.Errorf("the function %q of %q is not known", fn, a.typ.Kind)
		}
		readers[i] = a.get.(get[num])
	}
	out := operand{typ: intType, fam: famNum}
	switch fn {
	case document.Add:
		out.get = get[num](arithmetic(readers[0], readers[1], add))
	case document.Subtract:
		out.get = get[num](arithmetic(readers[0], readers[1], subtract))
	case document.Multiply:
		out.get = get[num](arithmetic(readers[0], readers[1], multiply))
	case document.Negate:
		out.get = get[num](arithmetic(constant(num{}), readers[0], subtract))
	case document.Lower, document.Length, document.Template:
	}
	return out, nil
}

// shiftOperand is a timestamp plus or minus a constant duration.
func shiftOperand(fn document.Fn, args []operand) (operand, error) {
	if fn == document.Add && args[0].typ.Kind == document.Duration {
		args[0], args[1] = args[1], args[0]
	}
	if len(args) != 2 || args[1].typ.Kind != document.Duration || (fn != document.Add && fn != document.Subtract) {
		return operand{}, fmt.Errorf("the function %q is not known for these types", fn)
	}
	sign := int64(1)
	if fn == document.Subtract {
		sign = -1
	}
	t, d := args[0].get.(get[int64]), args[1].get.(get[int64])
	return operand{typ: args[0].typ, fam: famTime, get: get[int64](shifted(t, d, sign))}, nil
}

func templateOperand(args []operand) (operand, error) {
	parts := make([]get[string], len(args))
	for i, a := range args {
		switch g := a.get.(type) {
		case get[string]:
			parts[i] = g
		case get[uuid]:
			parts[i] = spelt(g, uuidText)
		case get[num]:
			if a.typ.Kind != document.Int {
				return operand{}, errors.New("a number stands in a template")
			}
			parts[i] = spelt(g, wholeText)
		default:
			return operand{}, fmt.Errorf("a value of type %q stands in a template", a.typ.Kind)
		}
	}
	return operand{typ: document.Type{Kind: document.String}, fam: famText, get: template(parts)}, nil
}

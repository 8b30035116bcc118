package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

var errTypes = errors.New("the operands' types do not go together")

// satisfies tells which results of a comparison satisfy the operator; nil for
// other operators.
func satisfies(op document.Op) func(int) bool {
	switch op {
	case document.Equal:
		return func(c int) bool { return c == 0 }
	case document.NotEqual:
		return func(c int) bool { return c != 0 }
	case document.Less:
		return func(c int) bool { return c < 0 }
	case document.LessEqual:
		return func(c int) bool { return c <= 0 }
	case document.Greater:
		return func(c int) bool { return c > 0 }
	case document.GreaterEqual:
		return func(c int) bool { return c >= 0 }
	default:
		return nil
	}
}

func (k *compiler) cond(x *document.Cond) (cond, error) {
	switch x.Op {
	case document.True:
		return always, nil
	case document.False:
		return never, nil
	case document.And, document.Or:
		return k.junction(x)
	case document.Equal, document.NotEqual, document.Less, document.LessEqual, document.Greater, document.GreaterEqual:
		return k.compare(x)
	case document.IsTrue, document.IsFalse:
		o, err := k.expr(x.X)
		if err != nil {
			return nil, err
		}
		b, err := as[bool](o)
		return isTrue(b, x.Op == document.IsTrue), err
	case document.Null, document.NotNull, document.Empty, document.NotEmpty:
		return k.presence(x)
	case document.Known, document.NotKnown:
		return k.known(x)
	case document.Contains, document.StartsWith, document.EndsWith, document.Under,
		document.NotContains, document.NotStartsWith, document.NotEndsWith, document.NotUnder:
		return k.textTest(x)
	case document.In, document.NotIn:
		return k.in(x)
	case document.InNetwork, document.NotInNetwork:
		return k.inNetwork(x)
	case document.Via, document.NotVia:
		return via(x.App, x.Op == document.Via), nil
	case document.Some, document.Every, document.Count:
		return k.loop(x)
	}
	return nil, fmt.Errorf("the condition node %q is not known", x.Op)
}

func (k *compiler) junction(x *document.Cond) (cond, error) {
	terms := make([]cond, len(x.Terms))
	for i, t := range x.Terms {
		var err error
		if terms[i], err = k.cond(t); err != nil {
			return nil, err
		}
	}
	if x.Op == document.And {
		return allOf(terms), nil
	}
	return anyOf(terms), nil
}

func (k *compiler) two(x *document.Cond) (a, b operand, err error) {
	if a, err = k.expr(x.X); err != nil {
		return a, b, err
	}
	b, err = k.expr(x.Y)
	return a, b, err
}

func (k *compiler) compare(x *document.Cond) (cond, error) {
	a, b, err := k.two(x)
	if err != nil {
		return nil, err
	}
	if a.fam != b.fam {
		return nil, errTypes
	}
	equality := x.Op == document.Equal || x.Op == document.NotEqual
	want := x.Op == document.Equal
	enum := a.typ.Kind == document.Enum || b.typ.Kind == document.Enum
	satisfied := satisfies(x.Op)
	if fast := k.fused(x.Op, a, b); fast != nil {
		return fast, nil
	}
	switch {
	case a.fam == famNum:
		return ordered(a.get.(get[num]), b.get.(get[num]), compareNum, satisfied), nil
	case a.fam == famTime:
		return ordered(a.get.(get[int64]), b.get.(get[int64]), compareInt, satisfied), nil
	case a.fam == famText && equality:
		return equal(a.get.(get[string]), b.get.(get[string]), want), nil
	case a.fam == famText && !enum:
		return ordered(a.get.(get[string]), b.get.(get[string]), strings.Compare, satisfied), nil
	case !equality:
		return nil, fmt.Errorf("values of type %q have no order", a.typ.Kind)
	case a.fam == famBool:
		return equal(a.get.(get[bool]), b.get.(get[bool]), want), nil
	case a.fam == famUUID:
		return equal(a.get.(get[uuid]), b.get.(get[uuid]), want), nil
	case a.fam == famIP:
		return equal(a.get.(get[netip.Addr]), b.get.(get[netip.Addr]), want), nil
	}
	return nil, fmt.Errorf("values of type %q are not compared", a.typ.Kind)
}

func (k *compiler) presence(x *document.Cond) (cond, error) {
	if x.X.Kind != document.ColumnExpr {
		return nil, fmt.Errorf("%q asks about something that is not a column", x.Op)
	}
	record, col, from, err := k.column(x.X)
	if err != nil {
		return nil, err
	}
	want := x.Op == document.Null || x.Op == document.Empty
	asksEmpty := x.Op == document.Empty || x.Op == document.NotEmpty
	switch {
	case asksEmpty && col.typ.Kind == document.String:
		return emptyText(record, from, want), nil
	case asksEmpty && col.typ.Kind == document.Set:
		o, err := reader(col.typ, from)
		if err != nil {
			return nil, err
		}
		set, ok := o.get.(interface{ size(c *call) (int, bool) })
		if !ok {
			return nil, errTypes
		}
		return emptySet(record, from, set.size, want), nil
	}
	return isNull(record, from, want), nil
}

func (k *compiler) known(x *document.Cond) (cond, error) {
	want := x.Op == document.Known
	switch x.X.Kind {
	case document.Groups:
		return knows(func(c *call) bool { return c.user.groupsKnown }, want), nil
	case document.UserAttr, document.RequestAttr, document.LevelExpr, document.AppName:
	default:
		return nil, fmt.Errorf("%q asks about something that is not of the request", x.Op)
	}
	o, err := k.expr(x.X)
	if err != nil {
		return nil, err
	}
	switch g := o.get.(type) {
	case get[bool]:
		return knows(isKnown(g), want), nil
	case get[num]:
		return knows(isKnown(g), want), nil
	case get[string]:
		return knows(isKnown(g), want), nil
	case get[uuid]:
		return knows(isKnown(g), want), nil
	case get[int64]:
		return knows(isKnown(g), want), nil
	case get[netip.Addr]:
		return knows(isKnown(g), want), nil
	case interface{ size(c *call) (int, bool) }:
		return knows(isKnown(g.size), want), nil
	}
	return nil, errTypes
}

func isKnown[T any](g func(c *call) (T, bool)) func(c *call) bool {
	return func(c *call) bool { _, ok := g(c); return ok }
}

func (k *compiler) textTest(x *document.Cond) (cond, error) {
	a, b, err := k.two(x)
	if err != nil {
		return nil, err
	}
	s, err := as[string](a)
	if err != nil {
		return nil, err
	}
	t, err := as[string](b)
	if err != nil {
		return nil, err
	}
	if text, ok := b.constant.(string); ok && a.from != nil && (x.Op == document.StartsWith || x.Op == document.NotStartsWith) {
		return startsWith(a.from, text, x.Op == document.StartsWith), nil
	}
	switch x.Op {
	case document.Contains, document.NotContains:
		return textTest(s, t, strings.Contains, x.Op == document.Contains), nil
	case document.StartsWith, document.NotStartsWith:
		return textTest(s, t, strings.HasPrefix, x.Op == document.StartsWith), nil
	case document.EndsWith, document.NotEndsWith:
		return textTest(s, t, strings.HasSuffix, x.Op == document.EndsWith), nil
	default:
	}
	if len(x.Delimiter) != 1 || x.Delimiter[0] == 0 || x.Delimiter[0] > 126 {
		return nil, fmt.Errorf("the delimiter %q is not one ASCII character", x.Delimiter)
	}
	return textTest(s, t, under(x.Delimiter), x.Op == document.Under), nil
}

func (k *compiler) in(x *document.Cond) (cond, error) {
	a, set, err := k.two(x)
	if err != nil {
		return nil, err
	}
	if set.fam != famSet || set.elem() != a.fam {
		return nil, errTypes
	}
	want := x.Op == document.In
	switch g := a.get.(type) {
	case get[bool]:
		return in(g, set.get.(setOf[bool]), want), nil
	case get[num]:
		return in(g, set.get.(setOf[num]), want), nil
	case get[string]:
		return in(g, set.get.(setOf[string]), want), nil
	case get[uuid]:
		return in(g, set.get.(setOf[uuid]), want), nil
	case get[int64]:
		return in(g, set.get.(setOf[int64]), want), nil
	case get[netip.Addr]:
		return in(g, set.get.(setOf[netip.Addr]), want), nil
	}
	return nil, errTypes
}

func (k *compiler) inNetwork(x *document.Cond) (cond, error) {
	o, err := k.expr(x.X)
	if err != nil {
		return nil, err
	}
	a, err := as[netip.Addr](o)
	if err != nil {
		return nil, err
	}
	net, err := netip.ParsePrefix(x.Network)
	if err != nil || net.Addr().Is4In6() {
		return nil, fmt.Errorf("%q is not a network", x.Network)
	}
	return inNetwork(a, net, x.Op == document.InNetwork), nil
}

func (k *compiler) loop(x *document.Cond) (cond, error) {
	record, table, err := k.row(x.Rows.Row, x.Rows.Path)
	if err != nil {
		return nil, err
	}
	rel := table.relationNumber(x.Rows.Relation)
	if rel < 0 || !table.relations[rel].many {
		return nil, fmt.Errorf("table %q has no to-many relation %q", table.source.Name, x.Rows.Relation)
	}
	var n get[num]
	if x.Op == document.Count {
		o, err := k.expr(x.N)
		if err != nil {
			return nil, err
		}
		if n, err = as[num](o); err != nil {
			return nil, err
		}
		if satisfies(x.Compare) == nil {
			return nil, fmt.Errorf("the count is compared by %q, which is no comparison", x.Compare)
		}
	}
	k.loops++
	l := loop{record: record, relation: rel, number: k.loops, to: table.relations[rel].to}
	k.tables[l.number] = l.to
	defer func() { k.loops-- }()
	var parts [3]cond
	for i, body := range []*document.Cond{x.Where, x.Holds, x.Fails} {
		if body == nil {
			continue
		}
		if parts[i], err = k.cond(body); err != nil {
			return nil, err
		}
	}
	switch x.Op {
	case document.Some:
		return some(l, parts[0]), nil
	case document.Every:
		return every(l, parts[0]), nil
	default:
		return count(l, parts[1], parts[2], n, satisfies(x.Compare)), nil
	}
}

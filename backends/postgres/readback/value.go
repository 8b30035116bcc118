package readback

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// value is a scalar or an array expression.
type value struct {
	family family
	typ    sqltext.TypeName
	elem   family // of a famArray
	x      model.Expr
	// column is set where the value is that of a column.
	column *model.Column
	// subject is set where the value itself may be odd, mentions are what may be
	// that is part of a computed value.
	subject  *subject
	mentions []*subject
	beyond   beyond // of a constant that is no value of the language
	null     bool   // NULL
	bytewise bool   // its collation is "C"
	// list is a constant array of values.
	list   []value
	isList bool
	// either are values of which that counts whose condition holds; NULL where
	// none does.
	either []choice
	// day is a date cast from an instant: the day on which it is, or, up, the
	// first that does not begin before it.
	day dayShape
	bad string // why it could not be read
}

type choice struct {
	when node
	value
}

type dayShape int

const (
	noDay dayShape = iota
	raised
	dayOf
	dayUp
)

func unreadable(format string, args ...any) value {
	return value{bad: fmt.Sprintf(format, args...)}
}

// addressOf is a constant address.
func (v value) address() (netip.Addr, bool) {
	lit, ok := v.x.(*model.Literal)
	if !ok {
		return netip.Addr{}, false
	}
	a, ok := lit.Value.(netip.Addr)
	return a, ok
}

// known is the node that the value is known: neither null nor odd.
func (v value) known() node {
	switch x := v.x.(type) {
	case *model.Literal, *model.NowRef:
		return always
	case *model.ColumnRef, *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef, *model.Call:
		return atom{&model.Known{X: x}, v.odds()}
	case *model.NullLiteral, *model.Network, *model.MemberOf, *model.Related:
	}
	return unread{"whether a value is known"}
}

// odds are what the value comes from and that may be odd.
func (v value) odds() []*subject {
	out := slices.Clone(v.mentions)
	if v.subject != nil && !slices.Contains(out, v.subject) {
		out = append(out, v.subject)
	}
	return out
}

// isNull is the node that the value is NULL, or (not) that it is not.
func (v value) isNull(not bool) node {
	switch {
	case v.bad != "":
		return unread{v.bad}
	case v.null:
		return constant(!not)
	case v.isList || v.beyond != within:
		return constant(not)
	case len(v.either) > 0 && not:
		var arms []node
		for _, c := range v.either {
			arms = append(arms, all(c.when, c.isNull(true)))
		}
		return some(arms...)
	case v.column != nil:
		return atom{cond: &model.Null{X: columnOf(v.x), Not: not}}
	}
	switch x := v.x.(type) {
	case *model.Literal, *model.NowRef:
		return constant(not)
	case *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef:
		return atom{cond: &model.Known{X: x, Not: !not}}
	case *model.ColumnRef, *model.Call, *model.NullLiteral, *model.Network, *model.MemberOf, *model.Related:
	}
	return unread{"whether a computed value is NULL"}
}

func columnOf(x model.Expr) *model.ColumnRef {
	c, _ := x.(*model.ColumnRef)
	return c
}

// number is a constant number.
func (v value) number() (*big.Rat, bool) {
	lit, ok := v.x.(*model.Literal)
	if !ok {
		return nil, false
	}
	n, ok := lit.Value.(*big.Rat)
	return n, ok
}

// value reads an expression that is no condition.
func (r *reader) value(e deparsed.Expr) value {
	switch x := e.(type) {
	case deparsed.Column:
		return r.column(x)
	case deparsed.Literal:
		return literal(x)
	case deparsed.Cast:
		return r.cast(x)
	case deparsed.Call:
		return r.call(x)
	case deparsed.Select:
		return r.value(x.X)
	case deparsed.Array:
		return r.array(x)
	case deparsed.Case:
		return r.choose(x)
	case deparsed.Collate:
		v := r.value(x.X)
		if x.Name != "C" || x.Schema != "" && x.Schema != "pg_catalog" {
			return unreadable("the collation %s", x.Name)
		}
		v.bytewise = true
		return v
	case deparsed.AtZone:
		return r.atZone(x)
	case deparsed.Op:
		return r.operation(x)
	case deparsed.Unnested:
		return r.unnested(x)
	case deparsed.Unread:
		return unreadable("%s", x.Text)
	case deparsed.And, deparsed.Or, deparsed.Not, deparsed.Is, deparsed.Distinct, deparsed.Quantified, deparsed.InUnnested:
		return unreadable("a condition as a value")
	}
	return unreadable("an expression")
}

func (r *reader) column(c deparsed.Column) value {
	if c.Table != "" && c.Table != r.names.SQLName {
		return unreadable("the column %s.%s", c.Table, c.Name)
	}
	col := r.names.Table.Column(c.Name)
	if col == nil {
		return unreadable("the column %s, which the project does not declare", c.Name)
	}
	if r.names.Fuzzy[c.Name] {
		return unreadable("the column %s, whose collation takes different texts for equal", c.Name)
	}
	v := typed(col.Type, col.Native)
	v.x, v.column, v.subject = column(r.row, col), col, r.subject(col)
	return v
}

// subject is a column as something that may be odd; nil where it never is.
func (r *reader) subject(c *model.Column) *subject {
	if kindsOf(c) == 0 {
		return nil
	}
	s, ok := r.subjects[c]
	if !ok {
		ref := column(r.row, c)
		s = &subject{kinds: kindsOf(c), isOdd: model.AllOf(&model.Null{X: ref, Not: true}, &model.Known{X: ref, Not: true})}
		r.subjects[c] = s
	}
	return s
}

func column(row *model.Row, c *model.Column) *model.ColumnRef {
	return &model.ColumnRef{Node: model.Node{Type: c.Type}, Row: row, Column: c}
}

// usual are the SQL types of the language's.
var usual = map[model.Kind]string{
	model.KindBool: "boolean", model.KindInt: "bigint", model.KindNumber: "numeric", model.KindString: "text", model.KindUUID: "uuid",
	model.KindDate: "date", model.KindTimestamp: "timestamp with time zone", model.KindIP: "inet", model.KindEnum: "text",
	model.KindDuration: "interval",
}

// typed is a value of a type of the language as Postgres holds it; native is a
// column's own type, "" for the usual one.
func typed(t model.Type, native string) value {
	var name sqltext.TypeName
	switch {
	case native != "":
		parsed, err := sqltext.ParseType(native)
		if err != nil {
			return unreadable("a value of type %s", native)
		}
		name = parsed
	case t.Kind == model.KindSet && t.Elem != nil:
		name = sqltext.ArrayOf(sqltext.Builtin(usual[t.Elem.Kind]))
	default:
		name = sqltext.Builtin(usual[t.Kind])
	}
	v := value{typ: name, family: familyOf(name)}
	kind := t.Kind
	if t.Kind == model.KindSet && t.Elem != nil {
		kind = t.Elem.Kind
	}
	elem := familyOf(name.Elem())
	if name.Schema != "" && name.Schema != "pg_catalog" { // of the database's own: what it is over, plans look at
		switch {
		case kind == model.KindEnum:
			elem = famEnum
		case kind == model.KindString && name.Name != "citext":
			elem = famText
		}
	}
	if v.family = elem; name.Array {
		v.family, v.elem = famArray, elem
	}
	if elem == famNone || name.Array != (t.Kind == model.KindSet) {
		return unreadable("a value of type %s", name.SQL())
	}
	return v
}

func (r *reader) array(a deparsed.Array) value {
	out := value{family: famArray, isList: true}
	for i, e := range a.Elems {
		v := r.value(e)
		if v.bad != "" {
			return v
		}
		if i > 0 && v.family != out.elem {
			return unreadable("an array of several types")
		}
		out.elem, out.typ = v.family, sqltext.ArrayOf(v.typ)
		out.list = append(out.list, v)
	}
	return out
}

// choose is CASE without an ELSE, or with one that is NULL, and one WHEN.
func (r *reader) choose(c deparsed.Case) value {
	if len(c.Arms) != 1 {
		return unreadable("CASE with several arms")
	}
	v := r.value(c.Arms[0].Then)
	if c.Else != nil {
		if other := r.value(c.Else); !other.null {
			return unreadable("CASE with an ELSE")
		}
	}
	if v.bad != "" {
		return v
	}
	return v.when(r.truth(c.Arms[0].When, true))
}

// when is the value where a node holds, else NULL.
func (v value) when(n node) value {
	out := value{family: v.family, typ: v.typ, elem: v.elem}
	if len(v.either) == 0 {
		out.either = []choice{{n, v}}
		return out
	}
	for _, c := range v.either {
		out.either = append(out.either, choice{all(n, c.when), c.value})
	}
	return out
}

// eachChoice applies f to the value, or to each that it may be.
func (v value) eachChoice(f func(value) value) value {
	if len(v.either) == 0 {
		return f(v)
	}
	out := v
	out.either = nil
	for _, c := range v.either {
		changed := f(c.value)
		if changed.bad != "" || len(changed.either) > 0 {
			return unreadable("a computed value")
		}
		out.family, out.typ, out.elem = changed.family, changed.typ, changed.elem
		out.either = append(out.either, choice{c.when, changed})
	}
	return out
}

package equivalence

import (
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
)

// scope is the rows that a condition may speak of.
type scope struct {
	*gen
	rows  []row
	loops int
}

type row struct {
	name  string
	table *table
}

func (g *gen) condition(t *table) string {
	s := &scope{gen: g, rows: []row{{"record", t}}}
	return s.cond(3)
}

func (s *scope) cond(depth int) string {
	if depth > 0 {
		switch s.n(8) {
		case 0, 1:
			return "(" + s.cond(depth-1) + " && " + s.cond(depth-1) + ")"
		case 2, 3:
			return "(" + s.cond(depth-1) + " || " + s.cond(depth-1) + ")"
		case 4:
			return "!(" + s.cond(depth-1) + ")"
		case 5:
			if s.one(3) {
				return "(" + s.cond(depth-1) + " ? " + s.cond(depth-1) + " : " + s.cond(depth-1) + ")"
			}
		}
	}
	return s.atom(depth)
}

func (s *scope) atom(depth int) string {
	switch s.n(20) {
	case 0, 1, 2, 3, 4, 5:
		return s.compare()
	case 6:
		if c, ok := s.column(func(model.Type) bool { return true }); ok {
			return pick(s.gen, []string{"is_empty(" + c + ")", "(" + c + " == null)", "(" + c + " != null)", "!is_empty(" + c + ")"})
		}
	case 7:
		return "known(" + pick(s.gen, append([]string{"user.groups", "user.access_level", "app.name"}, s.attributes(func(model.Type) bool { return true })...)) + ")"
	case 8:
		return "member_of(group." + pick(s.gen, s.groups) + ")"
	case 9, 10:
		fn := pick(s.gen, []string{"contains", "starts_with", "ends_with"})
		return fn + "(" + s.operand(model.String, 1) + ", " + s.operand(model.String, 1) + ")"
	case 11:
		return "is_under(" + s.operand(model.String, 1) + ", " + s.operand(model.String, 1) + ", " + pick(s.gen, []string{`"."`, `"/"`, `"%"`, `"_"`, `"\\"`}) + ")"
	case 12, 13:
		return s.membership()
	case 14:
		t := pick(s.gen, []model.Type{model.DateType, model.TimeType})
		return pick(s.gen, []string{"in_last", "in_next"}) + "(" + s.operand(t, 0) + ", " + s.duration() + ")"
	case 15:
		net := pick(s.gen, []string{"10.0.0.0/8", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.1.2.3/32", "128.0.0.0/1"})
		return fmt.Sprintf("cidr_contains(%q, %s)", net, s.operand(model.IP, 0))
	case 16:
		return s.operand(model.Bool, 0)
	case 17, 18:
		if s.related && depth > 0 && s.loops < 2 {
			if c, ok := s.loop(depth); ok {
				return c
			}
		}
		t := pick(s.gen, []model.Type{model.Int, model.Number, model.DateType, model.TimeType, model.String})
		return "between(" + s.operand(t, 1) + ", " + s.operand(t, 0) + ", " + s.operand(t, 0) + ")"
	}
	return s.compare()
}

func (s *scope) compare() string {
	t := pick(s.gen, scalars)
	ops := []string{"==", "!=", "<", "<=", ">", ">="}
	other := t
	switch t.Kind {
	case model.KindBool, model.KindUUID, model.KindIP:
		ops = ops[:2]
	case model.KindEnum:
		ops = ops[:2]
		other = pick(s.gen, []model.Type{t, model.String})
	case model.KindInt:
		other = pick(s.gen, []model.Type{t, t, model.Number})
	case model.KindDate:
		other = pick(s.gen, []model.Type{t, t, model.TimeType})
	default:
	}
	x, y := s.operand(t, 2), s.operand(other, 2)
	if strings.HasPrefix(x, `"`) && !strings.Contains(x, "${") {
		x = s.reference(t, x)
	}
	return "(" + x + " " + pick(s.gen, ops) + " " + y + ")"
}

// reference is a column or attribute of the type, or else the fallback.
func (s *scope) reference(t model.Type, fallback string) string {
	if c, ok := s.column(t.Equal); ok && !s.one(3) {
		return c
	}
	if a := s.attributes(t.Equal); len(a) > 0 {
		return pick(s.gen, a)
	}
	if c, ok := s.column(t.Equal); ok {
		return c
	}
	return fallback
}

func (s *scope) operand(t model.Type, depth int) string {
	switch n := s.n(10); {
	case n < 6:
		return s.reference(t, s.literal(t))
	case n < 8 && depth > 0:
		return s.computed(t, depth-1)
	}
	return s.literal(t)
}

func (s *scope) computed(t model.Type, depth int) string {
	if s.one(4) {
		if c, ok := s.column(t.Equal); ok {
			return "coalesce(" + c + ", " + s.operand(t, 0) + ")"
		}
	}
	if s.one(5) {
		return "(" + s.atom(0) + " ? " + s.operand(t, depth) + " : " + s.operand(t, depth) + ")"
	}
	switch t.Kind {
	case model.KindString:
		switch s.n(4) {
		case 0:
			return "lower(" + s.operand(t, depth) + ")"
		case 1:
			return pick(s.gen, []string{"user.access_level", "app.name"})
		}
		part := s.reference(pick(s.gen, []model.Type{model.Int, model.UUIDType, model.String}), "user.id")
		return pick(s.gen, []string{`"p:`, `"`, `"%`, `"a`}) + "${" + part + "}" + pick(s.gen, []string{`"`, `x"`, `${user.id}"`})
	case model.KindInt:
		switch s.n(5) {
		case 0:
			return "-(" + s.operand(t, depth) + ")"
		case 1:
			if c, ok := s.column(func(c model.Type) bool { return c.Kind == model.KindSet || c.Kind == model.KindString }); ok {
				return "length(" + c + ")"
			}
		}
		return "(" + s.operand(t, depth) + pick(s.gen, []string{" + ", " - ", " * "}) + s.operand(t, depth) + ")"
	case model.KindTimestamp:
		if s.one(2) {
			return "now()"
		}
		return "(" + s.operand(t, depth) + pick(s.gen, []string{" + ", " - "}) + s.duration() + ")"
	default:
		return s.reference(t, s.literal(t))
	}
}

func (s *scope) duration() string {
	return pick(s.gen, []string{"days(1)", "hours(36)", "minutes(90)", "seconds(1)", "weeks(2)", "days(0)", "days(360000)"})
}

func (s *scope) membership() string {
	if s.one(2) {
		t := pick(s.gen, scalars)
		list := make([]string, 1+s.n(3))
		for i := range list {
			list[i] = s.literal(t)
		}
		return "contains([" + strings.Join(slices.Compact(list), ", ") + "], " + s.reference(t, "app.name") + ")"
	}
	t := pick(s.gen, sets)
	set := s.reference(t, "user.groups")
	if set == "user.groups" {
		t = model.StringSet
	}
	return "contains(" + set + ", " + s.operand(*t.Elem, 1) + ")"
}

// loop is a condition over related records.
func (s *scope) loop(depth int) (string, bool) {
	r := pick(s.gen, s.rows)
	path, t := r.name, r.table
	for _, rel := range t.relations {
		if !rel.many && s.one(3) {
			path, t = path+"."+rel.name, rel.to
			break
		}
	}
	for _, rel := range t.relations {
		if !rel.many {
			continue
		}
		each := fmt.Sprintf("m%d", s.loops)
		inner := &scope{gen: s.gen, rows: append(slices.Clone(s.rows), row{each, rel.to}, row{each, rel.to}), loops: s.loops + 1}
		head := "([for " + each + " in " + path + "." + rel.name + " : "
		switch s.n(3) {
		case 0:
			return "anytrue" + head + inner.cond(depth-1) + "])", true
		case 1:
			return "alltrue" + head + inner.cond(depth-1) + "])", true
		}
		return "(length" + head + each + " if " + inner.cond(depth-1) + "]) " + pick(s.gen, []string{"==", "!=", "<", ">="}) + " " + pick(s.gen, []string{"0", "1", "2", s.reference(model.Int, "1")}) + ")", true
	}
	return "", false
}

// column draws a column in scope, perhaps of a related record.
func (s *scope) column(accepts func(model.Type) bool) (string, bool) {
	var all []string
	add := func(prefix string, t *table) {
		for _, c := range t.columns {
			if accepts(c.typ) {
				all = append(all, prefix+"."+c.name)
			}
		}
	}
	for _, r := range s.rows {
		add(r.name, r.table)
		for _, rel := range r.table.relations {
			if !rel.many {
				add(r.name+"."+rel.name, rel.to)
			}
		}
	}
	if len(all) == 0 {
		return "", false
	}
	return pick(s.gen, all), true
}

func (s *scope) attributes(accepts func(model.Type) bool) []string {
	var out []string
	for _, a := range s.attrs {
		if accepts(a.typ) {
			out = append(out, "user."+a.name)
		}
	}
	for _, a := range s.request {
		if accepts(a.typ) {
			out = append(out, "request."+a.name)
		}
	}
	return out
}

// literal draws a constant, from few, so that they meet.
func (g *gen) literal(t model.Type) string {
	return print.Value(pick(g, constants(t)))
}

func number(s string) model.Value {
	r, _ := new(big.Rat).SetString(s)
	return r
}

func constants(t model.Type) []model.Value {
	switch t.Kind {
	case model.KindBool:
		return []model.Value{true, false}
	case model.KindInt:
		return []model.Value{number("0"), number("1"), number("5"), number("-3"), number("9007199254740993"), number("9223372036854775807"), number("-9223372036854775808"), number("32767")}
	case model.KindNumber:
		return []model.Value{
			number("0"), number("1"), number("5"), number("1.5"), number("-3.25"), number("0.000000000000000001"),
			number("99999999999999999999999999999999999999"), number("9007199254740993.5"),
		}
	case model.KindString:
		out := []model.Value{}
		for _, s := range []string{
			"", "a", "A", "ab", "a%", "%", "_", `\`, `a\`, "é", "e\u0301", "\U0010ffff", "\ufffd", "k", "\u212a", "a.b", "a.b.c", "p:1", "open", "g0", "g1", "user", "app0", " ", "a ", "'", `"`, "${x}", "\n",
		} {
			out = append(out, s)
		}
		return out
	case model.KindUUID:
		return []model.Value{model.UUID{}, model.UUID{15: 1}, model.UUID{0: 0xab, 15: 0xcd}}
	case model.KindDate:
		return []model.Value{model.Date(19782), model.Date(19783), model.Date(0), model.MinDate, model.MaxDate}
	case model.KindTimestamp:
		return []model.Value{model.Date(19782).Instant(), model.Timestamp(1709209800_123456), model.Timestamp(0), model.MinTimestamp, model.MaxTimestamp}
	case model.KindIP:
		return []model.Value{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("::1"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("0.0.0.0")}
	case model.KindEnum:
		out := []model.Value{}
		for _, e := range t.Enum {
			out = append(out, e)
		}
		return out
	case model.KindSet:
		elems := constants(*t.Elem)
		return []model.Value{model.NewSet(nil), model.NewSet(elems[:1]), model.NewSet(elems[:2])}
	default:
		return []model.Value{nil}
	}
}

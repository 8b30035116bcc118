package access_test

import (
	"math/big"
	"strconv"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// is is the term for a condition being true, or false: neither when it is
// unknown.
func (s *smtlib) is(x model.Expr, want bool) string {
	c, ok := x.(*model.Call)
	if !ok {
		return s.plain(x, want)
	}
	both := func(op string, list []model.Expr) string {
		parts := make([]string, len(list))
		for i, a := range list {
			parts[i] = s.is(a, want)
		}
		return "(" + op + " " + strings.Join(parts, " ") + ")"
	}
	switch c.Fn {
	case model.FnAnd, model.FnOr:
		if (c.Fn == model.FnAnd) == want {
			return both("and", c.Args)
		}
		return both("or", c.Args)
	case model.FnNot:
		return s.is(c.Args[0], !want)
	case model.FnIf:
		return "(or (and " + s.is(c.Args[0], true) + " " + s.is(c.Args[1], want) + ") (and " + s.is(c.Args[0], false) + " " + s.is(c.Args[2], want) + "))"
	case model.FnBetween:
		low := &model.Call{Node: c.Node, Fn: model.FnGreaterEqual, Args: []model.Expr{c.Args[0], c.Args[1]}}
		high := &model.Call{Node: c.Node, Fn: model.FnLessEqual, Args: []model.Expr{c.Args[0], c.Args[2]}}
		return s.is(&model.Call{Node: c.Node, Fn: model.FnAnd, Args: []model.Expr{low, high}}, want)
	case model.FnIsNull, model.FnIsEmpty:
		return s.empty(c, want)
	case model.FnKnown:
		known, _ := s.value(c.Args[0])
		return positive(known, want)
	default:
		return s.test(c, want)
	}
}

func positive(f string, want bool) string {
	if want {
		return f
	}
	return "(not " + f + ")"
}

func (s *smtlib) plain(x model.Expr, want bool) string {
	if e, ok := x.(*model.Literal); ok {
		return strconv.FormatBool(e.Value == want)
	}
	if e, ok := x.(*model.MemberOf); ok {
		s.anonymous()
		member := "(select stated \"" + e.Group.Name + "\")"
		if e.Group.Name == "g" { // h is below g
			member = "(or " + member + " (select stated \"h\"))"
		}
		return "(and k_groups " + positive(member, want) + ")"
	}
	known, value := s.value(x)
	return "(and " + known + " " + positive(value, want) + ")"
}

func (s *smtlib) empty(c *model.Call, want bool) string {
	ref := c.Args[0].(*model.ColumnRef)
	known, value := s.value(ref)
	null := "z_" + ref.Column.Name
	switch {
	case c.Fn == model.FnIsNull || ref.Column.Type.Kind != model.KindString && ref.Column.Type.Kind != model.KindSet:
		return positive(null, want)
	case ref.Column.Type.Kind == model.KindSet:
		s.cardinality()
		value = "(= n_tags 0)"
	default:
		value = "(= " + value + " \"\")"
	}
	if want {
		return "(or " + null + " (and " + known + " " + value + "))"
	}
	return "(and " + known + " (not " + value + "))"
}

// cardinality ties the number of a set's elements to those that the conditions
// ask about, which are these texts alone.
func (s *smtlib) cardinality() {
	if !s.once("cardinality") {
		return
	}
	members := []string{`"a"`, `"ab"`, `"b"`, `"aba"`, `"a.b"`, `"c"`}
	s.line("(declare-const rest Int)\n(assert (>= rest 0))")
	// Elements that a variable names count by themselves where they are none of
	// the others and differ.
	s.text("s", true)
	s.text("w", false)
	s.attribute("s")
	vars := []string{"v_s", "v_w", "v_user_s"}
	sum := "rest"
	for _, m := range members {
		sum += " (ite (select v_tags " + m + ") 1 0)"
	}
	for i, v := range vars {
		differs := []string{"(select v_tags " + v + ")"}
		for _, m := range append(append([]string{}, members...), vars[:i]...) {
			differs = append(differs, "(not (= "+v+" "+m+"))")
		}
		sum += " (ite (and " + strings.Join(differs, " ") + ") 1 0)"
	}
	s.line("(assert (= n_tags (+ %s)))", sum)
}

func (s *smtlib) text(name string, null bool) {
	s.unknown(name, model.String, &model.Column{Name: name, Null: null})
}

func (s *smtlib) attribute(name string) { s.unknown("user_"+name, model.String, nil) }

var comparisons = map[model.Fn]string{
	model.FnEqual: "=", model.FnLess: "<", model.FnLessEqual: "<=", model.FnGreater: ">", model.FnGreaterEqual: ">=",
}

// test is a relation of known values.
func (s *smtlib) test(c *model.Call, want bool) string {
	if c.Fn == model.FnIn {
		return s.member(c, want)
	}
	a, x := s.value(c.Args[0])
	b, y := s.value(c.Args[1])
	known := "(and " + a + " " + b + " "
	text := c.Args[0].ResultType().Kind == model.KindString
	switch c.Fn {
	case model.FnNotEqual:
		return known + positive("(= "+x+" "+y+")", !want) + ")"
	case model.FnEqual, model.FnLess, model.FnLessEqual, model.FnGreater, model.FnGreaterEqual:
		op := comparisons[c.Fn]
		if text && op != "=" {
			if op == ">" || op == ">=" {
				x, y = y, x
			}
			op = map[string]string{"<": "str.<", "<=": "str.<=", ">": "str.<", ">=": "str.<="}[op]
		}
		return known + positive("("+op+" "+x+" "+y+")", want) + ")"
	case model.FnContains:
		return known + positive("(str.contains "+x+" "+y+")", want) + ")"
	case model.FnStartsWith:
		return known + positive("(str.prefixof "+y+" "+x+")", want) + ")"
	case model.FnEndsWith:
		return known + positive("(str.suffixof "+y+" "+x+")", want) + ")"
	case model.FnIsUnder:
		_, d := s.value(c.Args[2])
		return known + positive("(or (= "+x+" "+y+") (str.prefixof (str.++ "+y+" "+d+") "+x+"))", want) + ")"
	case model.FnInLast:
		s.now()
		return known + positive("(and (<= (- v_now "+y+") "+x+") (<= "+x+" v_now))", want) + ")"
	case model.FnInNext:
		s.now()
		return known + positive("(and (<= v_now "+x+") (<= "+x+" (+ v_now "+y+")))", want) + ")"
	default:
		panic("no term for " + c.Fn.String())
	}
}

func (s *smtlib) member(c *model.Call, want bool) string {
	a, x := s.value(c.Args[0])
	if set, ok := c.Args[1].(*model.Literal); ok {
		arms := []string{"false"}
		for _, v := range set.Value.(model.Set) {
			arms = append(arms, "(= "+x+" \""+v.(string)+"\")")
		}
		return "(and " + a + " " + positive("(or "+strings.Join(arms, " ")+")", want) + ")"
	}
	if _, ok := c.Args[1].(*model.GroupsRef); ok {
		s.anonymous()
		in := "(or (select stated " + x + ") (and (= " + x + " \"g\") (select stated \"h\")))"
		return "(and k_groups " + a + " " + positive(in, want) + ")"
	}
	known, set := s.value(c.Args[1])
	s.cardinality()
	return "(and " + a + " " + known + " " + positive("(select "+set+" "+x+")", want) + ")"
}

// value is when an expression is known, and what it is then.
func (s *smtlib) value(x model.Expr) (known, value string) {
	switch e := x.(type) {
	case *model.Literal:
		switch v := e.Value.(type) {
		case *big.Rat:
			if v.IsInt() {
				return "true", integer(v.Num())
			}
			return "true", "(/ " + integer(v.Num()) + " " + v.Denom().String() + ")"
		case string:
			return "true", `"` + v + `"`
		case model.Duration:
			return "true", integer(big.NewInt(int64(v)))
		case bool:
			return "true", strconv.FormatBool(v)
		}
	case *model.ColumnRef:
		return s.unknown(e.Column.Name, e.Column.Type, e.Column)
	case *model.AttrRef:
		return s.unknown("user_"+e.Attribute.Name, e.Attribute.Type, nil)
	case *model.GroupsRef:
		s.anonymous()
		return "k_groups", "stated"
	case *model.NowRef:
		s.now()
		return "true", "v_now"
	case *model.Call:
		return s.call(e)
	case *model.NullLiteral, *model.LevelRef, *model.AppRef, *model.Network, *model.MemberOf, *model.Related:
	}
	panic("no term")
}

func (s *smtlib) now() {
	if s.once("now") {
		s.line("(declare-const v_now Int)\n(assert (and (<= 0 v_now) (<= v_now 221845392000000000)))")
	}
}

func (s *smtlib) call(c *model.Call) (known, value string) {
	var all, values []string
	for _, a := range c.Args {
		k, v := s.value(a)
		all, values = append(all, k), append(values, v)
	}
	known = "(and true " + strings.Join(all, " ") + ")"
	switch c.Fn {
	case model.FnCoalesce:
		null := "z_" + c.Args[0].(*model.ColumnRef).Column.Name
		return "(or " + all[0] + " (and " + null + " " + all[1] + "))", "(ite " + null + " " + values[1] + " " + values[0] + ")"
	case model.FnLength:
		if c.Args[0].ResultType().Kind == model.KindSet {
			s.cardinality()
			return known, "n_tags"
		}
		return known, "(str.len " + values[0] + ")"
	case model.FnNegate:
		return known, "(- " + values[0] + ")"
	default:
	}
	op := map[model.Fn]string{model.FnAdd: "+", model.FnSubtract: "-", model.FnMultiply: "*"}[c.Fn]
	value = "(" + op + " " + strings.Join(values, " ") + ")"
	if c.Type.Kind == model.KindTimestamp {
		known = "(and " + known + " (<= (- 62135596800000000) " + value + ") (<= " + value + " 253402300799999999))"
	}
	return known, value
}

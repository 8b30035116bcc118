package condition

import (
	"fmt"
	"net/netip"
	"slices"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/postern-dev/postern/compiler/lower"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// signature is how many arguments a function takes, and how it is written.
type signature struct {
	min, max int
	form     string
}

const many = 1 << 20

var signatures = map[string]signature{
	"contains":      {2, 2, `contains(STRING, "a") or contains(SET, x)`},
	"starts_with":   {2, 2, `starts_with(record.x, "a")`},
	"ends_with":     {2, 2, `ends_with(record.x, "a")`},
	"is_under":      {3, 3, `is_under(record.scope, "dept.eng", ".")`},
	"between":       {3, 3, "between(record.x, lo, hi)"},
	"in_last":       {2, 2, "in_last(record.t, days(30))"},
	"in_next":       {2, 2, "in_next(record.t, days(30))"},
	"seconds":       {1, 1, "seconds(30)"},
	"minutes":       {1, 1, "minutes(30)"},
	"hours":         {1, 1, "hours(12)"},
	"days":          {1, 1, "days(30)"},
	"weeks":         {1, 1, "weeks(2)"},
	"is_empty":      {1, 1, "is_empty(record.x)"},
	"known":         {1, 1, "known(user.x)"},
	"member_of":     {1, 1, "member_of(group.x)"},
	"lower":         {1, 1, "lower(record.x)"},
	"length":        {1, 1, "length(record.x)"},
	"cidr_contains": {2, 2, `cidr_contains("10.0.0.0/8", request.ip)`},
	"coalesce":      {2, many, `coalesce(record.x, "none")`},
	"now":           {0, 0, "now()"},
	"anytrue":       {1, 1, "anytrue([for m in record.members : …])"},
	"alltrue":       {1, 1, "alltrue([for m in record.members : …])"},
}

var units = map[string]model.Duration{
	"seconds": model.Second, "minutes": model.Minute, "hours": model.Hour, "days": model.Day, "weeks": model.Week,
}

// call compiles a function call: one of the language's functions, or one of
// HCL's on constants.
func (c *compiler) call(e *hclsyntax.FunctionCallExpr) operand {
	span := syntax.Span(e.Range())
	sig, ours := signatures[e.Name]
	switch {
	case !ours && c.hasFunction(e.Name):
		if place, what := c.runtimePart(e); what != "" {
			if own := c.ownFunction(e.Name); own != "" {
				c.suggest(CodeFunction, syntax.Span(e.NameRange), fmt.Sprintf("%s is a function of constants alone, and this speaks of %s", e.Name, what), own,
					"In conditions write "+signatures[own].form+".")
				return operand{span: place}
			}
		}
		return c.evaluate(e)
	case !ours:
		names := sortedKeys(signatures)
		detail := "Conditions have " + fmt.Sprint(len(names)) + " functions; see \"Types and conditions\" in the language's page."
		if n := nearest(e.Name, names); n != "" {
			c.suggest(CodeFunction, syntax.Span(e.NameRange), fmt.Sprintf("There is no function %q", e.Name), n, detail)
			return operand{span: span}
		}
		return c.fail(CodeFunction, syntax.Span(e.NameRange), fmt.Sprintf("There is no function %q", e.Name), detail)
	case e.ExpandFinal:
		if _, what := c.runtimePart(e); what == "" && c.hasFunction(e.Name) {
			return c.evaluate(e)
		}
		return c.fail(CodeUnsupported, span, "Conditions do not expand arguments with ...", "Write the arguments out: "+sig.form+".")
	case len(e.Args) < sig.min || len(e.Args) > sig.max:
		return c.fail(CodeArguments, span, fmt.Sprintf("%s takes %s", e.Name, counted(sig)), "Write "+sig.form+".")
	}
	return c.apply(e, span)
}

// hclNames are HCL's functions for which conditions have one of another name.
var hclNames = map[string]string{
	"startswith": "starts_with", "endswith": "ends_with", "strcontains": "contains",
}

// ownFunction is the function of conditions that one of HCL's most likely
// stands for, or "".
func (c *compiler) ownFunction(name string) string {
	if own, ok := hclNames[name]; ok {
		return own
	}
	return nearest(name, sortedKeys(signatures))
}

func counted(sig signature) string {
	switch {
	case sig.max == 0:
		return "no arguments"
	case sig.max == many:
		return fmt.Sprintf("%d arguments or more", sig.min)
	case sig.min == 1:
		return "one argument"
	}
	return fmt.Sprintf("%d arguments", sig.min)
}

func (c *compiler) apply(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	switch e.Name {
	case "contains":
		return c.contains(e, span)
	case "starts_with":
		return c.match(model.FnStartsWith, e, span)
	case "ends_with":
		return c.match(model.FnEndsWith, e, span)
	case "is_under":
		return c.isUnder(e, span)
	case "between":
		return c.between(e, span)
	case "in_last":
		return c.aroundNow(model.FnInLast, e, span)
	case "in_next":
		return c.aroundNow(model.FnInNext, e, span)
	case "seconds", "minutes", "hours", "days", "weeks":
		return c.lengthOfTime(e, span)
	case "is_empty":
		return c.isEmpty(e, span)
	case "known":
		return c.known(e, span)
	case "member_of":
		return c.memberOf(e, span)
	case "lower":
		return c.lower(e, span)
	case "length":
		return c.length(e, span)
	case "cidr_contains":
		return c.inNetwork(e, span)
	case "coalesce":
		return c.coalesce(e, span)
	case "now":
		return typed(&model.NowRef{Node: model.Node{Type: model.TimeType, Span: span}})
	default:
		return c.loopCall(e, span)
	}
}

// args compiles all arguments; false when one has an error.
func (c *compiler) args(e *hclsyntax.FunctionCallExpr) ([]operand, bool) {
	out, good := make([]operand, len(e.Args)), true
	for i, a := range e.Args {
		out[i] = c.expr(a)
		good = good && out[i].ok()
	}
	return out, good
}

// contains is a test of a string for a part, or of a set for an element.
func (c *compiler) contains(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	set, x := args[0], args[1]
	if set.konst != nil {
		if elems, isList := set.konst.v.(list); isList {
			return c.amongConstants(elems, set, x, span)
		}
	}
	if set.x != nil && set.x.ResultType().Kind == model.KindSet {
		return c.among(set.x, x, span)
	}
	return c.matchArgs(model.FnContains, "contains", args, span)
}

// amongConstants is contains with a constant list: its elements take the type
// of what is looked for.
func (c *compiler) amongConstants(elems list, set, x operand, span source.Span) operand {
	t, ok := x.natural()
	if x.konst != nil && ok {
		for _, e := range elems {
			if n, ok := e.natural(); ok && numeric(n) && numeric(t) {
				t = model.Number
			}
		}
	}
	if !ok || t.Kind == model.KindSet || t.Kind == model.KindDuration {
		return c.fail(CodeType, x.span, "contains looks for one value in a list", "Write "+signatures["contains"].form+".")
	}
	elem, ok := c.as(x, t, "What contains looks for")
	if !ok {
		return operand{span: span}
	}
	setType := model.SetOf(t)
	v, ok := c.value(untyped{v: elems}, setType, set.span, "A list beside "+describe(x))
	if !ok {
		return operand{span: span}
	}
	lit := literal(v, setType, set.span)
	if _, isLevel := elem.(*model.LevelRef); isLevel {
		c.checkLevel(lit)
	}
	return call(model.FnIn, model.Bool, span, elem, lit)
}

// among is contains with a set column or attribute.
func (c *compiler) among(set model.Expr, x operand, span source.Span) operand {
	elem := *set.ResultType().Elem
	var v model.Expr
	var ok bool
	if x.x == nil {
		v, ok = c.as(x, elem, "An element of "+describeExpr(set))
	} else if v, ok = x.x, c.scalarUse(x); ok && (instant(elem) && !elem.Equal(v.ResultType()) || !matching(elem, v.ResultType(), true)) {
		c.fail(CodeType, x.span, fmt.Sprintf("%s holds %s values, and %s is %s", describeExpr(set), elem.Kind, describe(x), article(v.ResultType())),
			"Look for a value of the element's type.")
		ok = false
	}
	if !ok {
		return operand{span: span}
	}
	if _, groups := set.(*model.GroupsRef); groups {
		c.checkGroup(v)
	}
	return call(model.FnIn, model.Bool, span, v, set)
}

// checkGroup warns of a group that the project does not declare: a request may
// state others, but mostly the name is misspelt.
func (c *compiler) checkGroup(x model.Expr) {
	lit, ok := x.(*model.Literal)
	if !ok {
		return
	}
	name, _ := lit.Value.(string)
	names := sortedKeys(c.sc.Groups)
	if c.sc.Declared != nil {
		names = names[:0]
		for _, g := range c.sc.Declared {
			names = append(names, g.Name)
		}
	}
	if slices.Contains(names, name) {
		return
	}
	detail := "It holds only for requests that state this group themselves. For a declared group write member_of(group.x)."
	if n := nearest(name, names); n != "" {
		detail = fmt.Sprintf("Did you mean %q? ", n) + detail
	}
	c.diags.Warn(CodeGroup, lit.Span, fmt.Sprintf("No group is named %q", name), detail)
}

func (c *compiler) match(fn model.Fn, e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	return c.matchArgs(fn, e.Name, args, span)
}

func (c *compiler) matchArgs(fn model.Fn, name string, args []operand, span source.Span) operand {
	x, okX := c.as(args[0], model.String, "The first argument of "+name)
	y, okY := c.as(args[1], model.String, "The second argument of "+name)
	if !okX || !okY {
		return operand{span: span}
	}
	return call(fn, model.Bool, span, x, y)
}

func (c *compiler) isUnder(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	d, isText := args[2].text()
	if !isText || len(d) != 1 || d[0] < ' ' || d[0] > '~' {
		return c.fail(CodeArguments, args[2].span, "The delimiter of is_under must be one printable ASCII character", `Write a constant such as "." or "/".`)
	}
	x, okX := c.as(args[0], model.String, "The first argument of is_under")
	y, okY := c.as(args[1], model.String, "The second argument of is_under")
	if !okX || !okY {
		return operand{span: span}
	}
	return call(model.FnIsUnder, model.Bool, span, x, y, literal(d, model.String, args[2].span))
}

func (c *compiler) isEmpty(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	if _, isColumn := args[0].x.(*model.ColumnRef); !isColumn {
		return c.fail(CodePresence, args[0].span, "is_empty looks at a column of a record alone",
			"For what a request states use known(user.x); for a string x == \"\", for a set length(x) == 0.")
	}
	return typed(&model.Call{Node: model.Node{Type: model.Bool, Span: span}, Fn: model.FnIsEmpty, Args: []model.Expr{args[0].x}})
}

func (c *compiler) known(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	if stated(args[0].x) {
		return typed(&model.Call{Node: model.Node{Type: model.Bool, Span: span}, Fn: model.FnKnown, Args: []model.Expr{args[0].x}})
	}
	return c.fail(CodePresence, args[0].span, "known asks about the request alone",
		"It takes user.x, request.x or app.name; for a column of a record write record.x != null.")
}

// stated reports whether an expression is a fact that a request states.
func stated(x model.Expr) bool {
	switch x.(type) {
	case *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef:
		return true
	case *model.Literal, *model.NullLiteral, *model.ColumnRef, *model.NowRef, *model.Call, *model.Network, *model.MemberOf, *model.Related:
		return false
	}
	return false
}

func (c *compiler) memberOf(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	if c.sc.Group != nil {
		if g, held := c.sc.Group(e.Args[0]); held {
			if g == nil {
				return operand{span: span}
			}
			return typed(&model.MemberOf{Node: model.Node{Type: model.Bool, Span: span}, Group: g})
		}
	}
	p, ok := c.path(e.Args[0])
	if !ok || p[0].name != "group" || len(p) != 2 {
		return c.fail(CodeArguments, syntax.Span(e.Args[0].Range()), "member_of takes one group", "Write member_of(group.x); for a name that is a value write contains(user.groups, x).")
	}
	g := c.sc.Groups[p[1].name]
	if g == nil {
		return c.unknownName(p[1], "group", sortedKeys(c.sc.Groups))
	}
	return typed(&model.MemberOf{Node: model.Node{Type: model.Bool, Span: span}, Group: g})
}

func (c *compiler) lower(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	if s, isText := args[0].text(); isText && args[0].konst != nil {
		return known(lower.ASCIILower(s), span)
	}
	x, ok := c.as(args[0], model.String, "The argument of lower")
	if !ok {
		return operand{span: span}
	}
	return call(model.FnLower, model.String, span, x)
}

func (c *compiler) length(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	if o, ok := c.countRelated(e.Args[0], span); ok {
		return o
	}
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	if k := args[0].konst; k != nil {
		switch v := k.v.(type) {
		case string:
			return known(whole(utf8.RuneCountInString(v)), span)
		case list:
			return known(whole(len(v)), span)
		case mapping:
			return known(whole(v.size), span)
		}
	}
	if x := args[0].x; x != nil && x.ResultType().Kind == model.KindSet {
		return call(model.FnLength, model.Int, span, x)
	}
	x, ok := c.as(args[0], model.String, "The argument of length")
	if !ok {
		return operand{span: span}
	}
	return call(model.FnLength, model.Int, span, x)
}

func (c *compiler) inNetwork(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	s, isText := args[0].text()
	if !isText {
		return c.fail(CodeArguments, args[0].span, "The network of cidr_contains must be a constant string", "Write "+signatures[e.Name].form+".")
	}
	net, err := netip.ParsePrefix(s)
	switch {
	case err != nil || net.Addr().Is4In6():
		return c.fail(CodeValue, args[0].span, fmt.Sprintf("%s is not a network", describe(args[0])), `Write an address and a length, such as "10.0.0.0/8" or "2001:db8::/32".`)
	case net.Masked() != net:
		return c.fail(CodeValue, args[0].span, fmt.Sprintf("%s has bits set beyond its length", describe(args[0])), fmt.Sprintf("Write %q.", net.Masked()))
	}
	x, ok := c.as(args[1], model.IP, "The second argument of cidr_contains")
	if !ok {
		return operand{span: span}
	}
	if lit, isLiteral := x.(*model.Literal); isLiteral {
		addr, _ := lit.Value.(netip.Addr)
		return typed(literal(net.Contains(addr), model.Bool, span))
	}
	return typed(&model.Network{Node: model.Node{Type: model.Bool, Span: span}, Net: net, X: x})
}

// coalesce takes columns of records, and last any value.
func (c *compiler) coalesce(e *hclsyntax.FunctionCallExpr, span source.Span) operand {
	if _, what := c.runtimePart(e); what == "" && c.hasFunction(e.Name) {
		return c.evaluate(e)
	}
	args, ok := c.args(e)
	if !ok {
		return operand{span: span}
	}
	for _, a := range args[:len(args)-1] {
		if _, isColumn := a.x.(*model.ColumnRef); !isColumn {
			return c.fail(CodePresence, a.span, "coalesce replaces null in columns of a record alone",
				"For what a request may not state write known(user.x) ? … : ….")
		}
	}
	out := args[len(args)-1]
	for _, a := range slices.Backward(args[:len(args)-1]) {
		t, ok := c.unify(a, out, span)
		if !ok {
			return operand{span: span}
		}
		x, okX := c.widen(a, t)
		y, okY := c.widen(out, t)
		if !okX || !okY {
			return operand{span: span}
		}
		out = typed(&model.Call{Node: model.Node{Type: t, Span: span}, Fn: model.FnCoalesce, Args: []model.Expr{x, y}})
	}
	return out
}

package print

import (
	"math/big"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/compiler/model"
)

var infix = map[model.Fn]string{
	model.FnAnd: " && ", model.FnOr: " || ", model.FnEqual: " == ", model.FnNotEqual: " != ", model.FnLess: " < ",
	model.FnLessEqual: " <= ", model.FnGreater: " > ", model.FnGreaterEqual: " >= ", model.FnAdd: " + ",
	model.FnSubtract: " - ", model.FnMultiply: " * ",
}

var prefix = map[model.Fn]string{
	model.FnCoalesce: "coalesce", model.FnBetween: "between", model.FnIsEmpty: "is_empty", model.FnKnown: "known",
	model.FnContains: "contains", model.FnStartsWith: "starts_with", model.FnEndsWith: "ends_with",
	model.FnIsUnder: "is_under", model.FnInLast: "in_last", model.FnInNext: "in_next", model.FnLower: "lower",
	model.FnLength: "length",
}

// Expr is a condition as it is written in the language, every operation in
// parentheses.
func Expr(x model.Expr) string {
	switch e := x.(type) {
	case *model.Literal:
		return Value(e.Value)
	case *model.NullLiteral:
		return "null"
	case *model.ColumnRef:
		return path(e.Row, e.Path, e.Column.Name)
	case *model.AttrRef:
		if e.Attribute.Scope == model.ScopeRequest {
			return "request" + step(e.Attribute.Name)
		}
		return "user" + step(e.Attribute.Name)
	case *model.GroupsRef:
		return "user.groups"
	case *model.LevelRef:
		return "user.access_level"
	case *model.AppRef:
		return "app.name"
	case *model.NowRef:
		return "now()"
	case *model.Network:
		return "cidr_contains(" + Quote(e.Net.String()) + ", " + Expr(e.X) + ")"
	case *model.MemberOf:
		return "member_of(group" + step(e.Group.Name) + ")"
	case *model.Related:
		return related(e)
	case *model.Call:
		return call(e)
	}
	return "null"
}

func call(e *model.Call) string {
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = Expr(a)
	}
	if op, ok := infix[e.Fn]; ok {
		return "(" + strings.Join(args, op) + ")"
	}
	if name, ok := prefix[e.Fn]; ok {
		return name + "(" + strings.Join(args, ", ") + ")"
	}
	switch e.Fn {
	case model.FnNot:
		return "!(" + args[0] + ")"
	case model.FnNegate:
		return "-(" + args[0] + ")"
	case model.FnIf:
		return "(" + args[0] + " ? " + args[1] + " : " + args[2] + ")"
	case model.FnIsNull:
		return "(" + args[0] + " == null)"
	case model.FnIn:
		return "contains(" + args[1] + ", " + args[0] + ")"
	case model.FnTemplate:
		return template(e.Args)
	default:
		return "null"
	}
}

func template(parts []model.Expr) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, p := range parts {
		if l, ok := p.(*model.Literal); ok {
			if s, ok := l.Value.(string); ok {
				b.WriteString(escape(s))
				continue
			}
		}
		b.WriteString("${" + Expr(p) + "}")
	}
	b.WriteByte('"')
	return b.String()
}

func related(e *model.Related) string {
	from := path(e.Row, e.Path, e.Relation.Name)
	switch e.Quantifier {
	case model.AnyTrue:
		return "anytrue([for " + e.Each.Name + " in " + from + " : " + Expr(e.Body) + "])"
	case model.AllTrue:
		return "alltrue([for " + e.Each.Name + " in " + from + " : " + Expr(e.Body) + "])"
	case model.CountTrue:
	}
	return "length([for " + e.Each.Name + " in " + from + " : " + e.Each.Name + " if " + Expr(e.Body) + "])"
}

func path(row *model.Row, relations []*model.Relation, last string) string {
	out := row.Name
	for _, r := range relations {
		out += step(r.Name)
	}
	return out + step(last)
}

// step is one name of a path: .name, or ["odd name"].
func step(name string) string {
	if plain(name) {
		return "." + name
	}
	return "[" + Quote(name) + "]"
}

func plain(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// Value is a constant as it is written in HCL.
func Value(v model.Value) string {
	switch x := v.(type) {
	case bool:
		return strconv.FormatBool(x)
	case *big.Rat:
		return model.DecimalString(x)
	case string:
		return Quote(x)
	case model.UUID:
		return Quote(x.String())
	case model.Date:
		return Quote(time.UnixMicro(int64(x.Instant())).UTC().Format(time.DateOnly))
	case model.Timestamp:
		return Quote(time.UnixMicro(int64(x)).UTC().Format("2006-01-02T15:04:05.999999Z"))
	case netip.Addr:
		return Quote(x.String())
	case model.Duration:
		return "seconds(" + strconv.FormatInt(int64(x/model.Second), 10) + ")"
	case model.Set:
		elems := make([]string, len(x))
		for i, e := range x {
			elems[i] = Value(e)
		}
		return "[" + strings.Join(elems, ", ") + "]"
	}
	return "null"
}

// Quote is a string as an HCL template without interpolation.
func Quote(s string) string { return `"` + escape(s) + `"` }

// escape follows HCL's native syntax, "Quoted template expression". Characters
// beyond ASCII are written as \u or \U so that no form of them can be lost.
func escape(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case (r == '$' || r == '%') && strings.HasPrefix(s[i+1:], "{"):
			b.WriteRune(r)
			b.WriteRune(r)
		case r < ' ' || r >= 0x7f && r <= 0xffff:
			b.WriteString(`\u` + hex(r, 4))
		case r > 0xffff:
			b.WriteString(`\U` + hex(r, 8))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func hex(r rune, digits int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", digits-len(s)) + s
}

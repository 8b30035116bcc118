package rego

import (
	"fmt"
	"math/big"
	"net/netip"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

// reader is the library function that reads a JSON value of the type in its
// normal form, and what it wants besides the value.
func reader(t model.Type, native string) (fn string, extra []term) {
	switch t.Kind {
	case model.KindBool:
		return "bool", nil
	case model.KindInt:
		return "int", nil
	case model.KindNumber:
		return "number", nil
	case model.KindString:
		if native == "character" || native == "bpchar" || strings.HasPrefix(native, "character(") {
			return "padded", nil
		}
		return "text", nil
	case model.KindUUID:
		return "uuid_text", nil
	case model.KindDate:
		return "date", nil
	case model.KindTimestamp:
		if model.LocalTime(native) {
			return "local_instant", nil
		}
		return "instant", nil
	case model.KindIP:
		return "ip", nil
	case model.KindEnum:
		return "enum", []term{enumValues(t)}
	case model.KindSet:
		fn, extra := reader(*t.Elem, "")
		return fn + "_set", extra
	case model.KindDuration: // never the type of a column or an attribute
	}
	return "", nil
}

func enumValues(t model.Type) term {
	out := make(set, len(t.Enum))
	for i, v := range t.Enum {
		out[i] = text(v)
	}
	return out
}

// read is a call of the reader; lib is the library's prefix, "" inside it.
func read(lib string, value term, t model.Type, native string) term {
	fn, extra := reader(t, native)
	return call{fn: lib + fn, args: append([]term{value}, extra...)}
}

const library = "lib."

// operand is an expression as a term that is undefined when its value is null
// or unknown.
func (s *scope) operand(e model.Expr) term {
	switch x := e.(type) {
	case *model.Literal:
		return s.literal(x.Value)
	case *model.ColumnRef:
		return read(library, s.column(x), x.Column.Type, x.Column.Native)
	case *model.AttrRef:
		if x.Attribute.Scope == model.ScopeRequest {
			return ref{"lib", []string{"request", x.Attribute.Name}}
		}
		return ref{"user", []string{x.Attribute.Name}}
	case *model.GroupsRef:
		return ref{"user", []string{"groups"}}
	case *model.LevelRef:
		return ref{"user", []string{"access_level"}}
	case *model.AppRef:
		return name("app")
	case *model.NowRef:
		return ref{"lib", []string{"now"}}
	case *model.Call:
		return s.call(x)
	case *model.MemberOf, *model.Network, *model.NullLiteral, *model.Related: // Audit has refused it
	}
	return s.fail(fmt.Errorf("an expression of type %T is no operand", e))
}

// column is the raw value of a column, undefined when it or the record it
// belongs to is missing.
func (s *scope) column(x *model.ColumnRef) term {
	path := make([]string, 0, len(x.Path)+1)
	for _, r := range x.Path {
		path = append(path, r.Name)
	}
	return ref{s.row(x.Row), append(path, x.Column.Name)}
}

func (s *scope) call(x *model.Call) term {
	args := make([]term, len(x.Args))
	for i, a := range x.Args {
		args[i] = s.operand(a)
	}
	switch x.Fn {
	case model.FnLower:
		return call{fn: library + "small", args: args}
	case model.FnLength:
		return call{fn: "count", args: args}
	case model.FnAdd:
		return s.time(x, infix{"+", args[0], args[1]})
	case model.FnSubtract:
		return s.time(x, infix{"-", args[0], args[1]})
	case model.FnMultiply:
		return infix{"*", args[0], args[1]}
	case model.FnNegate:
		return infix{"-", number{new(big.Int)}, args[0]}
	case model.FnTemplate:
		return template(x.Args, args)
	default:
		return s.fail(fmt.Errorf("the function %s is no operand", x.Fn))
	}
}

// time keeps a calculated instant inside the years that there are.
func (s *scope) time(x *model.Call, sum term) term {
	if x.Args[0].ResultType().Kind == model.KindTimestamp || x.Args[0].ResultType().Kind == model.KindDate {
		return call{fn: library + "era", args: []term{sum}}
	}
	return sum
}

func template(parts []model.Expr, args []term) term {
	out := make(list, len(args))
	for i, a := range args {
		if parts[i].ResultType().Kind == model.KindInt {
			a = call{fn: "format_int", args: []term{a, number{big.NewInt(10)}}}
		}
		out[i] = a
	}
	return call{fn: "concat", args: []term{text(""), out}}
}

// literal is a constant in the normal form.
func (s *scope) literal(v model.Value) term {
	switch x := v.(type) {
	case bool:
		return boolean(x)
	case string:
		return text(x)
	case *big.Rat:
		if x.IsInt() {
			return number{x.Num()}
		}
		return decimal(model.DecimalString(x))
	case model.UUID:
		return text(x.String())
	case model.Date:
		return nanoseconds(int64(x.Instant()))
	case model.Timestamp:
		return nanoseconds(int64(x))
	case model.Duration:
		return nanoseconds(int64(x))
	case netip.Addr:
		return text(x.String())
	case model.Set:
		out := make(set, len(x))
		for i, e := range x {
			out[i] = s.literal(e)
		}
		return out
	default:
		return s.fail(fmt.Errorf("a constant of type %T has no form in Rego", v))
	}
}

func nanoseconds(micro int64) term {
	return number{new(big.Int).Mul(big.NewInt(micro), big.NewInt(1000))}
}

package lower

import (
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/compiler/model"
)

// Fold computes a call whose arguments are all literals; what it cannot
// compute, such as a sum outside the range of int, it returns unchanged.
func Fold(call *model.Call) model.Expr {
	args := make([]model.Value, len(call.Args))
	for i, a := range call.Args {
		lit, ok := a.(*model.Literal)
		if !ok {
			return call
		}
		args[i] = lit.Value
	}
	v, ok := compute(call, args)
	if !ok {
		return call
	}
	return &model.Literal{Node: call.Node, Value: v}
}

func compute(call *model.Call, args []model.Value) (model.Value, bool) {
	switch call.Fn {
	case model.FnEqual, model.FnNotEqual, model.FnLess, model.FnLessEqual, model.FnGreater, model.FnGreaterEqual:
		return compareValues(comparisons[call.Fn], args[0], args[1])
	case model.FnBetween:
		from, ok1 := compareValues(model.GreaterEqual, args[0], args[1])
		to, ok2 := compareValues(model.LessEqual, args[0], args[2])
		return from == true && to == true, ok1 && ok2
	case model.FnContains, model.FnStartsWith, model.FnEndsWith, model.FnIsUnder:
		x, ok1 := args[0].(string)
		y, ok2 := args[1].(string)
		delimiter := ""
		if call.Fn == model.FnIsUnder {
			delimiter, _ = args[2].(string)
		}
		return matchText(matches[call.Fn], x, y, delimiter), ok1 && ok2
	case model.FnIn:
		set, ok := args[1].(model.Set)
		return contains(set, args[0]), ok
	case model.FnLower:
		s, ok := args[0].(string)
		return ASCIILower(s), ok
	case model.FnLength:
		return length(args[0])
	case model.FnTemplate:
		return join(args)
	case model.FnAdd, model.FnSubtract, model.FnMultiply, model.FnNegate:
		return arithmetic(call.Fn, args)
	default:
		return nil, false
	}
}

func compareValues(op model.CompareOp, a, b model.Value) (model.Value, bool) {
	c, ok := model.CompareValues(a, b)
	return op.Holds(c), ok
}

func text(x model.Expr) (string, bool) {
	lit, ok := x.(*model.Literal)
	if !ok {
		return "", false
	}
	s, ok := lit.Value.(string)
	return s, ok
}

func matchText(op model.MatchOp, x, y, delimiter string) bool {
	switch op {
	case model.MatchContains:
		return strings.Contains(x, y)
	case model.MatchStarts:
		return strings.HasPrefix(x, y)
	case model.MatchEnds:
		return strings.HasSuffix(x, y)
	case model.MatchUnder:
		return x == y || strings.HasPrefix(x, y+delimiter)
	}
	return false
}

func contains(set model.Set, v model.Value) bool {
	for _, m := range set {
		if c, ok := model.CompareValues(m, v); ok && c == 0 {
			return true
		}
	}
	return false
}

// ASCIILower is lower() of the language: A to Z and nothing else, since
// engines differ on other letters (the Kelvin sign, the dotted I).
func ASCIILower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

func length(v model.Value) (model.Value, bool) {
	switch x := v.(type) {
	case string:
		return big.NewRat(int64(utf8.RuneCountInString(x)), 1), true
	case model.Set:
		return big.NewRat(int64(len(x)), 1), true
	}
	return nil, false
}

func join(args []model.Value) (model.Value, bool) {
	var b strings.Builder
	for _, a := range args {
		s, ok := part(a)
		if !ok {
			return nil, false
		}
		b.WriteString(s)
	}
	return b.String(), true
}

// part is the text of a value in a template.
func part(v model.Value) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case *big.Rat:
		return x.Num().String(), x.IsInt()
	case model.UUID:
		return x.String(), true
	}
	return "", false
}

func arithmetic(fn model.Fn, args []model.Value) (model.Value, bool) {
	switch x := args[0].(type) {
	case *big.Rat:
		return intArithmetic(fn, x, args[1:])
	case model.Timestamp:
		d, ok := args[1].(model.Duration)
		if !ok {
			return nil, false
		}
		if fn == model.FnSubtract {
			d = -d
		}
		sum := x + model.Timestamp(d)
		return sum, sum >= model.MinTimestamp && sum <= model.MaxTimestamp
	}
	return nil, false
}

func intArithmetic(fn model.Fn, x *big.Rat, rest []model.Value) (model.Value, bool) {
	out := new(big.Rat)
	if fn == model.FnNegate {
		out.Neg(x)
		return out, out.IsInt() && out.Num().IsInt64()
	}
	y, ok := rest[0].(*big.Rat)
	if !ok {
		return nil, false
	}
	switch fn {
	case model.FnAdd:
		out.Add(x, y)
	case model.FnSubtract:
		out.Sub(x, y)
	case model.FnMultiply:
		out.Mul(x, y)
	default:
		return nil, false
	}
	return out, out.IsInt() && out.Num().IsInt64()
}

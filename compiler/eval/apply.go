package eval

import (
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
)

func compare(op model.CompareOp, a, b model.Value) model.Value {
	c, ok := model.CompareValues(a, b)
	if !ok {
		return model.Unknown{}
	}
	return op.Holds(c)
}

func within(v model.Value, from, to model.Timestamp) model.Value {
	low, ok := model.CompareValues(v, from)
	high, _ := model.CompareValues(v, to)
	if !ok {
		return model.Unknown{}
	}
	return low >= 0 && high <= 0
}

func member(x, set model.Value) model.Value {
	return slices.ContainsFunc(set.(model.Set), func(e model.Value) bool {
		c, ok := model.CompareValues(e, x)
		return ok && c == 0
	})
}

// contains reports whether an address is inside a network of its own family.
func contains(net netip.Prefix, v model.Value) model.Value {
	return net.Contains(v.(netip.Addr))
}

// arithmetic is exact on whole numbers of any size; a time that leaves year 1
// to 9999 is unknown.
func arithmetic(fn model.Fn, v []model.Value) model.Value {
	switch x := v[0].(type) {
	case *big.Rat:
		switch fn {
		case model.FnAdd:
			return new(big.Rat).Add(x, v[1].(*big.Rat))
		case model.FnSubtract:
			return new(big.Rat).Sub(x, v[1].(*big.Rat))
		case model.FnMultiply:
			return new(big.Rat).Mul(x, v[1].(*big.Rat))
		default:
			return new(big.Rat).Neg(x)
		}
	case model.Timestamp:
		d := model.Timestamp(v[1].(model.Duration))
		if fn == model.FnSubtract {
			d = -d
		}
		if sum := x + d; sum >= model.MinTimestamp && sum <= model.MaxTimestamp {
			return sum
		}
	}
	return model.Unknown{}
}

// template puts strings, whole numbers and UUIDs (in lower case) together.
func template(parts []model.Value) model.Value {
	var b strings.Builder
	for _, p := range parts {
		switch x := p.(type) {
		case string:
			b.WriteString(x)
		case *big.Rat:
			b.WriteString(x.RatString())
		case model.UUID:
			b.WriteString(x.String())
		default:
			return model.Unknown{}
		}
	}
	return b.String()
}

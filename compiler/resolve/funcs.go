package resolve

import (
	"crypto/md5"  //nolint:gosec // a checksum under Terraform's name, not for secrets
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
	"net/url"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// text1 makes a function from a string to a string.
func text1(f func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			out, err := f(args[0].AsString())
			return cty.StringVal(out), err
		},
	})
}

func digestFunctions() map[string]function.Function {
	digest := func(sum func([]byte) []byte) function.Function {
		return text1(func(s string) (string, error) { return hex.EncodeToString(sum([]byte(s))), nil })
	}
	return map[string]function.Function{
		"md5":       digest(func(b []byte) []byte { s := md5.Sum(b); return s[:] }),  //nolint:gosec // a checksum
		"sha1":      digest(func(b []byte) []byte { s := sha1.Sum(b); return s[:] }), //nolint:gosec // a checksum
		"sha256":    digest(func(b []byte) []byte { s := sha256.Sum256(b); return s[:] }),
		"sha512":    digest(func(b []byte) []byte { s := sha512.Sum512(b); return s[:] }),
		"urlencode": text1(func(s string) (string, error) { return url.QueryEscape(s), nil }),
		"base64encode": text1(func(s string) (string, error) {
			return base64.StdEncoding.EncodeToString([]byte(s)), nil
		}),
		"base64decode": text1(func(s string) (string, error) {
			b, err := base64.StdEncoding.DecodeString(s)
			return string(b), err
		}),
	}
}

func textTest(f func(a, b string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func affixFunc(start bool) function.Function {
	if start {
		return textTest(strings.HasPrefix)
	}
	return textTest(strings.HasSuffix)
}

func strContainsFunc() function.Function { return textTest(strings.Contains) }

// replaceFunc replaces a text, or what a regular expression between slashes
// matches.
func replaceFunc() function.Function {
	arg := func(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.String} }
	return function.New(&function.Spec{
		Params: []function.Parameter{arg("text"), arg("old"), arg("new")},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			old := args[1].AsString()
			if len(old) > 1 && old[0] == '/' && old[len(old)-1] == '/' {
				return stdlib.RegexReplace(args[0], cty.StringVal(old[1:len(old)-1]), args[2])
			}
			return stdlib.Replace(args[0], args[1], args[2])
		},
	})
}

func anyParam(name string) function.Parameter {
	return function.Parameter{Name: name, Type: cty.DynamicPseudoType}
}

// lengthFunc counts characters, elements or members.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyParam("value")},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v := args[0]
			switch t := v.Type(); {
			case t == cty.String:
				return stdlib.Strlen(v)
			case v.CanIterateElements():
				return cty.NumberIntVal(int64(v.LengthInt())), nil
			}
			return cty.NilVal, errors.New("the argument must be a string, a list, a set, a map or an object")
		},
	})
}

// oneFunc is the one element of a list, or null.
func oneFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyParam("list")},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			v := args[0]
			if !v.CanIterateElements() || v.Type().IsMapType() || v.Type().IsObjectType() || v.LengthInt() > 1 {
				return cty.NilVal, errors.New("the argument must be a list or set with one element or none")
			}
			for it := v.ElementIterator(); it.Next(); {
				_, e := it.Element()
				return e, nil
			}
			return cty.NullVal(cty.DynamicPseudoType), nil
		},
	})
}

// indexFunc finds a value in a list.
func indexFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{anyParam("list"), anyParam("value")},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
				return cty.NilVal, errors.New("the first argument must be a list")
			}
			i := int64(0)
			for it := args[0].ElementIterator(); it.Next(); i++ {
				_, e := it.Element()
				if eq, err := stdlib.Equal(e, args[1]); err == nil && eq.IsKnown() && !eq.IsNull() && eq.True() {
					return cty.NumberIntVal(i), nil
				}
			}
			return cty.NilVal, errors.New("the list does not hold the value")
		},
	})
}

// everyFunc is alltrue and anytrue on constants.
func everyFunc(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			for it := args[0].ElementIterator(); it.Next(); {
				_, e := it.Element()
				if yes := !e.IsNull() && e.True(); yes != all {
					return cty.BoolVal(yes), nil
				}
			}
			return cty.BoolVal(all), nil
		},
	})
}

// sumFunc adds numbers exactly, which binary floats do not.
func sumFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Number)}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if args[0].LengthInt() == 0 {
				return cty.NilVal, errors.New("the list is empty")
			}
			total := new(big.Rat)
			for it := args[0].ElementIterator(); it.Next(); {
				_, e := it.Element()
				if e.IsNull() {
					return cty.NilVal, errors.New("the list has a null element")
				}
				n, ok := new(big.Rat).SetString(e.AsBigFloat().Text('g', -1))
				if !ok {
					return cty.NilVal, errors.New("the list has a number that cannot be added")
				}
				total.Add(total, n)
			}
			return cty.ParseNumberVal(strings.TrimRight(strings.TrimRight(total.FloatString(30), "0"), "."))
		},
	})
}

// networkFunctions compute parts of networks (RFC 4632, RFC 4291).
func networkFunctions() map[string]function.Function {
	number := func(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.Number} }
	prefix := function.Parameter{Name: "prefix", Type: cty.String}
	return map[string]function.Function{
		"cidrhost": function.New(&function.Spec{
			Params: []function.Parameter{prefix, number("hostnum")},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				p, err := netip.ParsePrefix(args[0].AsString())
				if err != nil {
					return cty.NilVal, err
				}
				a, err := hostAt(p, args[1])
				return cty.StringVal(a.String()), err
			},
		}),
		"cidrnetmask": text1(func(s string) (string, error) {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return "", err
			}
			if !p.Addr().Is4() {
				return "", errors.New("only IPv4 networks have a netmask")
			}
			ones, _ := netip.AddrFrom4([4]byte{255, 255, 255, 255}).Prefix(p.Bits())
			return ones.Addr().String(), nil
		}),
		"cidrsubnet": function.New(&function.Spec{
			Params: []function.Parameter{prefix, number("newbits"), number("netnum")},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				p, err := netip.ParsePrefix(args[0].AsString())
				if err != nil {
					return cty.NilVal, err
				}
				bits, exact := args[1].AsBigFloat().Int64()
				if exact != 0 || bits < 0 || int(bits) > p.Addr().BitLen()-p.Bits() {
					return cty.NilVal, errors.New("the network has not that many bits left")
				}
				sub, err := subnet(p, int(bits), args[2])
				return cty.StringVal(sub.String()), err
			},
		}),
	}
}

func hostAt(p netip.Prefix, n cty.Value) (netip.Addr, error) {
	room := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
	return offset(p.Masked().Addr(), n, room, 0)
}

func subnet(p netip.Prefix, bits int, n cty.Value) (netip.Prefix, error) {
	room := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	shift := p.Addr().BitLen() - p.Bits() - bits
	a, err := offset(p.Masked().Addr(), n, room, shift)
	return netip.PrefixFrom(a, p.Bits()+bits), err
}

// offset adds n times 2^shift to an address; a negative n counts from the end.
func offset(base netip.Addr, n cty.Value, room *big.Int, shift int) (netip.Addr, error) {
	i, acc := n.AsBigFloat().Int(nil)
	if acc != big.Exact {
		return base, errors.New("the number must be whole")
	}
	if i.Sign() < 0 {
		i.Add(i, room)
	}
	if i.Sign() < 0 || i.Cmp(room) >= 0 {
		return base, fmt.Errorf("the network has no number %s", n.AsBigFloat().Text('f', 0))
	}
	sum := new(big.Int).SetBytes(base.AsSlice())
	sum.Add(sum, i.Lsh(i, uint(shift)))
	raw := sum.FillBytes(make([]byte, base.BitLen()/8))
	out, _ := netip.AddrFromSlice(raw)
	return out, nil
}

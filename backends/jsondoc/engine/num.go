package engine

import (
	"encoding/json"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// num is an exact decimal: i / 10^scale with scale from 0 to 18, or, where
// that does not fit, big / 10^18. Equal values may differ in form; compareNum
// tells.
type num struct {
	big   *big.Int
	i     int64
	scale uint8
}

const maxScale = 18

var pow10 = func() (p [maxScale + 1]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// bigUnit is 10^18, what one is in num.big; never changed.
var bigUnit = new(big.Int).SetUint64(pow10[maxScale])

func whole(i int64) num { return num{i: i} }

// scaled is the value times 10^18.
func (n num) scaled() *big.Int {
	if n.big != nil {
		return n.big
	}
	return new(big.Int).Mul(big.NewInt(n.i), new(big.Int).SetUint64(pow10[maxScale-n.scale]))
}

func compareNum(a, b num) int {
	if a.big != nil || b.big != nil {
		return a.scaled().Cmp(b.scaled())
	}
	if a.scale == b.scale {
		return compareInt(a.i, b.i)
	}
	if sa, sb := sign(a.i), sign(b.i); sa != sb || sa == 0 {
		return compareInt(int64(sa), int64(sb))
	}
	aHi, aLo := align(a, b.scale)
	bHi, bLo := align(b, a.scale)
	c := compareUint(aHi, bHi)
	if c == 0 {
		c = compareUint(aLo, bLo)
	}
	return c * sign(a.i)
}

// align is the magnitude of n brought to the other scale if that is larger.
func align(n num, other uint8) (hi, lo uint64) {
	m := magnitude(n.i)
	if other <= n.scale {
		return 0, m
	}
	return bits.Mul64(m, pow10[other-n.scale])
}

func magnitude(i int64) uint64 {
	if i < 0 {
		return -uint64(i) //nolint:gosec // the two's complement of the smallest number too
	}
	return uint64(i)
}

func sign(i int64) int { return compareInt(i, 0) }

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// decimal is the text of a JSON number taken apart.
type decimal struct {
	neg    bool
	digits string // without leading or trailing zeros; "" is zero
	exp    int    // value = digits * 10^exp
}

// The most digits that a number's text may have before and after the point,
// and in its exponent: the same in every target.
const (
	maxIntDigits  = 100
	maxFracDigits = 99
	maxExpDigits  = 2
)

// parseDecimal reads the number form of RFC 8259 section 6 within the limits.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	s, d.neg = strings.CutPrefix(s, "-")
	n := digits(s)
	if n == 0 || n > maxIntDigits || (n > 1 && s[0] == '0') {
		return d, false
	}
	text, s := s[:n], s[n:]
	if rest, ok := strings.CutPrefix(s, "."); ok {
		n = digits(rest)
		if n == 0 || n > maxFracDigits {
			return d, false
		}
		text, s = text+rest[:n], rest[n:]
		d.exp = -n
	}
	if s != "" {
		e, ok := parseExponent(s)
		if !ok {
			return d, false
		}
		d.exp += e
	}
	text = strings.TrimLeft(text, "0")
	d.digits = strings.TrimRight(text, "0")
	d.exp += len(text) - len(d.digits)
	return d, true
}

func parseExponent(s string) (int, bool) {
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s = s[1:]
	neg := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if n := digits(s); n == 0 || n > maxExpDigits || n != len(s) {
		return 0, false
	}
	e, err := strconv.Atoi(s)
	if neg {
		e = -e
	}
	return e, err == nil
}

func digits(s string) int {
	n := 0
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// decodeInt reads a whole number of 64 bits, in any spelling (5, 5.0, 5e0).
func decodeInt(raw any) (num, bool) {
	text, ok := raw.(json.Number)
	if !ok {
		return num{}, false
	}
	if n, ok := parseSmall(string(text)); ok {
		return n, n.scale == 0
	}
	d, ok := parseDecimal(string(text))
	if !ok || d.exp < 0 && d.digits != "" || len(d.digits)+d.exp > 19 && d.digits != "" {
		return num{}, false
	}
	if d.digits == "" {
		return num{}, true
	}
	i, err := strconv.ParseInt(d.sign()+d.digits+strings.Repeat("0", d.exp), 10, 64)
	return whole(i), err == nil
}

// decodeNumber reads a decimal below 10^38 with at most 18 decimals.
func decodeNumber(raw any) (num, bool) {
	text, ok := raw.(json.Number)
	if !ok {
		return num{}, false
	}
	if n, ok := parseSmall(string(text)); ok {
		return n, true
	}
	d, ok := parseDecimal(string(text))
	switch {
	case !ok:
		return num{}, false
	case d.digits == "":
		return num{}, true
	case d.exp < -maxScale || len(d.digits)+d.exp > 38:
		return num{}, false
	}
	b, ok := new(big.Int).SetString(d.sign()+d.digits+strings.Repeat("0", d.exp+maxScale), 10)
	return num{big: b}, ok
}

func (d decimal) sign() string {
	if d.neg {
		return "-"
	}
	return ""
}

// parseSmall reads a number without exponent and with at most 18 digits, which
// fits an int64; false means that the long way must be tried.
func parseSmall(s string) (num, bool) {
	t, neg := strings.CutPrefix(s, "-")
	if t == "" || len(t) > maxScale+1 || t[0] == '.' || (t[0] == '0' && len(t) > 1 && t[1] != '.') {
		return num{}, false
	}
	var i int64
	point := -1
	for k := 0; k < len(t); k++ {
		switch c := t[k]; {
		case '0' <= c && c <= '9':
			i = i*10 + int64(c-'0')
		case c == '.' && point < 0:
			point = k
		default:
			return num{}, false
		}
	}
	scale := 0
	if point >= 0 {
		scale = len(t) - point - 1
	}
	if len(t) > maxScale && point < 0 || point == len(t)-1 {
		return num{}, false
	}
	for scale > 0 && i%10 == 0 {
		i /= 10
		scale--
	}
	if neg {
		i = -i
	}
	return num{i: i, scale: uint8(scale)}, true //nolint:gosec // at most maxScale
}

// The arithmetic is of whole numbers of any size.

func add(a, b num) num {
	if a.big == nil && b.big == nil {
		if sum := a.i + b.i; (sum > a.i) == (b.i > 0) {
			return whole(sum)
		}
	}
	return num{big: new(big.Int).Add(a.scaled(), b.scaled())}
}

func negate(a num) num {
	if a.big == nil && a.i != math.MinInt64 {
		return whole(-a.i)
	}
	return num{big: new(big.Int).Neg(a.scaled())}
}

func subtract(a, b num) num { return add(a, negate(b)) }

func multiply(a, b num) num {
	if a.big == nil && b.big == nil {
		hi, lo := bits.Mul64(magnitude(a.i), magnitude(b.i))
		if hi == 0 && lo < 1<<63 {
			return whole(int64(lo) * int64(sign(a.i)*sign(b.i))) //nolint:gosec // lo is below 1<<63
		}
	}
	product := new(big.Int).Mul(a.scaled(), b.scaled())
	return num{big: product.Quo(product, bigUnit)}
}

// wholeText is the decimal text of a whole number.
func wholeText(n num) string {
	if n.big == nil {
		return strconv.FormatInt(n.i, 10)
	}
	return new(big.Int).Quo(n.big, bigUnit).String()
}

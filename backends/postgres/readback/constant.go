package readback

import (
	"math/big"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/postgres/deparsed"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// literal is a constant without a cast: digits are an integer or a numeric.
func literal(l deparsed.Literal) value {
	switch l.Kind {
	case deparsed.True, deparsed.False:
		return value{family: famBool, typ: sqltext.Builtin("boolean"), x: &model.Literal{Node: model.Node{Type: model.Bool}, Value: l.Kind == deparsed.True}}
	case deparsed.Null:
		return value{null: true}
	case deparsed.Number:
		if strings.Contains(l.Text, ".") {
			return numeric(l.Text)
		}
		if n, err := strconv.ParseInt(l.Text, 10, 32); err == nil {
			return integer(n, "integer")
		}
	case deparsed.Text:
		return unreadable("a text without a type")
	}
	return unreadable("the constant %s", l.Text)
}

func integer(n int64, typ string) value {
	return value{
		family: famInt, typ: sqltext.Builtin(typ), x: &model.Literal{Node: model.Node{Type: model.Int}, Value: new(big.Rat).SetInt64(n)},
	}
}

var plainNumber = regexp.MustCompile(`^-?[0-9]{1,60}(\.[0-9]{1,40})?$`)

func numeric(text string) value {
	out := value{family: famNumeric, typ: sqltext.Builtin("numeric")}
	limit := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil))
	switch text {
	case "NaN":
		out.beyond = notANumber
		return out
	case "Infinity":
		out.beyond = above
		return out
	case "-Infinity":
		out.beyond = below
		return out
	}
	n, ok := new(big.Rat).SetString(text)
	if !ok || !plainNumber.MatchString(text) {
		return unreadable("the number %s", text)
	}
	switch c := new(big.Rat).Abs(n).Cmp(limit); {
	case c == 0 && n.Sign() > 0:
		out.beyond = highest
	case c == 0:
		out.beyond = lowest
	case c > 0 && n.Sign() > 0:
		out.beyond = above
	case c > 0:
		out.beyond = below
	case !new(big.Rat).Mul(n, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil))).IsInt():
		return unreadable("a number with more than 18 decimals")
	default:
		out.x = &model.Literal{Node: model.Node{Type: model.Number}, Value: n}
	}
	return out
}

// typedLiteral is 'text'::type.
func (r *reader) typedLiteral(text string, t sqltext.TypeName) value {
	out := value{family: familyOf(t), typ: t}
	lit := func(typ model.Type, v model.Value) value {
		out.x = &model.Literal{Node: model.Node{Type: typ}, Value: v}
		return out
	}
	switch out.family {
	case famText:
		if len(t.Args) == 0 && t.Name != "name" {
			return lit(model.String, text)
		}
	case famPadded:
		if len(t.Args) == 0 && t.Name == "bpchar" {
			return lit(model.String, strings.TrimRight(text, " "))
		}
	case famInt:
		if n, err := strconv.ParseInt(text, 10, map[string]int{"smallint": 16, "integer": 32, "bigint": 64}[t.Name]); err == nil {
			return integer(n, t.Name)
		}
	case famNumeric:
		if len(t.Args) == 0 {
			return numeric(text)
		}
	case famUUID:
		if u, ok := parseUUID(text); ok {
			return lit(model.UUIDType, u)
		}
	case famDate, famInstant, famLocal:
		return timeLiteral(text, t)
	case famInet:
		if a, err := netip.ParseAddr(text); err == nil && !a.Is4In6() && a.Zone() == "" {
			return lit(model.IP, a)
		}
	case famInterval:
		if d, ok := interval(text); ok {
			return lit(model.Interval, d)
		}
	case famArray:
		return r.arrayLiteral(text, t)
	case famBool, famEnum, famNone:
	}
	return r.labelOf(text, t)
}

// labelOf is a label of an enum type that a column of the table has.
func (r *reader) labelOf(text string, t sqltext.TypeName) value {
	for _, c := range r.names.Table.Columns {
		if v := typed(c.Type, c.Native); v.family == famEnum && v.typ.SQL() == t.SQL() {
			return value{family: famEnum, typ: t, x: &model.Literal{Node: model.Node{Type: model.String}, Value: text}}
		}
	}
	return unreadable("a constant of type %s", t.SQL())
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func parseUUID(s string) (model.UUID, bool) {
	var u model.UUID
	if !uuidForm.MatchString(s) {
		return u, false
	}
	digits := strings.ReplaceAll(s, "-", "")
	for i := range u {
		n, err := strconv.ParseUint(digits[2*i:2*i+2], 16, 8)
		if err != nil {
			return u, false
		}
		u[i] = byte(n)
	}
	return u, true
}

// timeLiteral is a date or a time as it is printed with the time zone UTC.
func timeLiteral(text string, t sqltext.TypeName) value {
	out := value{family: familyOf(t), typ: t}
	switch {
	case len(t.Args) > 0:
		return unreadable("a constant of type %s", t.SQL())
	case text == "infinity":
		out.beyond = highest
		return out
	case text == "-infinity":
		out.beyond = lowest
		return out
	}
	layout, typ := "2006-01-02 15:04:05.999999", model.TimeType
	switch out.family {
	case famDate:
		layout, typ = "2006-01-02", model.DateType
	case famInstant:
		text, typ = strings.TrimSuffix(text, "+00"), model.TimeType
	default:
	}
	when, err := time.Parse(layout, text)
	if err != nil || when.Year() < 1 || when.Year() > 9999 {
		return unreadable("the time %s", text)
	}
	micros := when.Unix()*1_000_000 + int64(when.Nanosecond()/1000)
	v := model.Value(model.Timestamp(micros))
	if out.family == famDate {
		v = model.Date(when.Unix() / 86400) // #nosec G115 -- years 1 to 9999
		if when.Unix()%86400 != 0 {
			return unreadable("the time %s", text)
		}
	}
	out.x = &model.Literal{Node: model.Node{Type: typ}, Value: v}
	return out
}

var intervalForm = regexp.MustCompile(`^(-?)([0-9]{2,9}):([0-5][0-9]):([0-5][0-9])(?:\.([0-9]{1,6}))?$`)

// interval is a length of time in hours, minutes and seconds alone: days and
// months are of different lengths.
func interval(text string) (model.Duration, bool) {
	m := intervalForm.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	var parts [4]int64
	for i, s := range []string{m[2], m[3], m[4], (m[5] + "000000")[:6]} {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, false
		}
		parts[i] = n
	}
	const longest = 2_000_000_000 // hours; far beyond what fits a time
	if parts[0] > longest {
		return 0, false
	}
	d := model.Duration(parts[0])*model.Hour + model.Duration(parts[1])*model.Minute + model.Duration(parts[2])*model.Second + model.Duration(parts[3])
	if m[1] == "-" {
		d = -d
	}
	return d, true
}

// arrayLiteral is '{…}'::type[] without quotes and nested arrays.
func (r *reader) arrayLiteral(text string, t sqltext.TypeName) value {
	out := value{family: famArray, typ: t, elem: familyOf(t.Elem()), isList: true}
	inner, open := strings.CutPrefix(text, "{")
	inner, closed := strings.CutSuffix(inner, "}")
	if !open || !closed || strings.ContainsAny(inner, `{}"\`) {
		return unreadable("an array constant")
	}
	if inner == "" {
		return out
	}
	for _, s := range strings.Split(inner, ",") {
		if strings.EqualFold(s, "null") || s == "" || strings.TrimSpace(s) != s {
			return unreadable("an array constant")
		}
		v := r.typedLiteral(s, t.Elem())
		if v.bad != "" {
			return v
		}
		out.list = append(out.list, v)
	}
	return out
}

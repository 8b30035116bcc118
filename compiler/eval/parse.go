package eval

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/postern-dev/postern/compiler/model"
)

// The text forms that a request or a record may use. They are narrower than
// what Go, Postgres or OPA accept each for itself, so that all read the same.
var (
	numberForm    = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][+-]?[0-9]{1,2})?$`)
	uuidForm      = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	dateForm      = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$`)
	timestampForm = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-](0[0-9]|1[0-5]):[0-5][0-9])$`)

	numberLimit = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(38), nil))
	numberScale = new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(18), nil))
)

// Parse reads a JSON value (as encoding/json decodes it with UseNumber) as one
// of the type. Null is nil; whatever is not a value of the type is Unknown.
// native is the column's database type, "" for attributes.
func Parse(raw any, t model.Type, native string) model.Value {
	if raw == nil {
		return nil
	}
	switch t.Kind {
	case model.KindBool:
		if b, ok := raw.(bool); ok {
			return b
		}
	case model.KindInt:
		if n, ok := parseNumber(raw); ok && n.IsInt() && n.Num().IsInt64() {
			return n
		}
	case model.KindNumber:
		if n, ok := parseNumber(raw); ok && representable(n) {
			return n
		}
	case model.KindSet:
		return parseSet(raw, *t.Elem)
	case model.KindString, model.KindEnum, model.KindUUID, model.KindDate, model.KindTimestamp, model.KindIP:
		if s, ok := raw.(string); ok && utf8.ValidString(s) && !strings.ContainsRune(s, 0) {
			return parseText(s, t, native)
		}
	case model.KindDuration:
	}
	return model.Unknown{}
}

func parseText(s string, t model.Type, native string) model.Value {
	switch t.Kind {
	case model.KindString:
		if padded(native) {
			return strings.TrimRight(s, " ")
		}
		return s
	case model.KindEnum:
		if slices.Contains(t.Enum, s) {
			return s
		}
	case model.KindUUID:
		if u, ok := ParseUUID(s); ok {
			return u
		}
	case model.KindDate:
		if d, ok := ParseDate(s); ok {
			return d
		}
	case model.KindTimestamp:
		if model.LocalTime(native) {
			s += "Z"
		}
		if ts, ok := ParseTimestamp(s); ok {
			return ts
		}
	case model.KindIP:
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" && !a.Is4In6() {
			return a
		}
	default:
	}
	return model.Unknown{}
}

// padded reports whether a native type fills its values up with spaces.
func padded(native string) bool {
	return strings.HasPrefix(native, "character(") || native == "character" || native == "bpchar"
}

func parseNumber(raw any) (*big.Rat, bool) {
	n, ok := raw.(json.Number)
	if !ok || !numberForm.MatchString(string(n)) {
		return nil, false
	}
	return new(big.Rat).SetString(string(n))
}

// representable reports whether n is a number of the language: below 10^38 in
// size and with at most 18 decimals.
func representable(n *big.Rat) bool {
	return new(big.Rat).Abs(n).Cmp(numberLimit) < 0 && new(big.Rat).Mul(n, numberScale).IsInt()
}

// parseSet drops null elements; one element of another type, or a nested
// array, makes the whole set unknown.
func parseSet(raw any, elem model.Type) model.Value {
	list, ok := raw.([]any)
	if !ok {
		return model.Unknown{}
	}
	values := make([]model.Value, 0, len(list))
	for _, e := range list {
		v := Parse(e, elem, "")
		if _, bad := v.(model.Unknown); bad {
			return v
		}
		values = append(values, v)
	}
	return model.NewSet(values)
}

// ParseUUID reads the 8-4-4-4-12 form of RFC 9562, in any case.
func ParseUUID(s string) (model.UUID, bool) {
	var u model.UUID
	if !uuidForm.MatchString(s) {
		return u, false
	}
	hex := strings.ReplaceAll(s, "-", "")
	for i := range u {
		u[i] = nibble(hex[2*i])<<4 | nibble(hex[2*i+1])
	}
	return u, true
}

func nibble(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// ParseDate reads "2006-01-02", from year 1 to 9999.
func ParseDate(s string) (model.Date, bool) {
	if !dateForm.MatchString(s) || s[:4] == "0000" {
		return 0, false
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	return model.Date(t.Unix() / 86400), true // #nosec G115 -- years 1 to 9999 fit
}

// ParseTimestamp reads RFC 3339 with at most six decimals, an offset of at
// most 15:59 and no leap second; the instant may be of year 1 to 9999 only.
func ParseTimestamp(s string) (model.Timestamp, bool) {
	if !timestampForm.MatchString(s) || s[:4] == "0000" {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return 0, false
	}
	ts := model.Timestamp(t.UnixMicro())
	return ts, ts >= model.MinTimestamp && ts <= model.MaxTimestamp
}

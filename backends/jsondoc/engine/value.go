package engine

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// The decoders read one JSON value, as encoding/json decodes it with
// UseNumber, as a value of a type. They report false for null and for
// whatever is not exactly of the type: such a value is unknown.

func decodeBool(raw any) (bool, bool) {
	b, ok := raw.(bool)
	return b, ok
}

func decodeText(raw any) (string, bool) {
	s, ok := raw.(string)
	if !ok || !plainText(s) {
		return "", false
	}
	return s, true
}

// plainText reports whether a string is UTF-8 without NUL.
func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == 0 {
			return false
		} else if c >= utf8.RuneSelf {
			return utf8.ValidString(s[i:]) && strings.IndexByte(s[i:], 0) < 0
		}
	}
	return true
}

// decodeChar reads a blank-padded character(n).
func decodeChar(raw any) (string, bool) {
	s, ok := decodeText(raw)
	return strings.TrimRight(s, " "), ok
}

func decodeEnum(values []string) func(any) (string, bool) {
	return func(raw any) (string, bool) {
		s, ok := raw.(string)
		if !ok || !slices.Contains(values, s) {
			return "", false
		}
		return s, true
	}
}

type uuid = [16]byte

// decodeUUID reads the 8-4-4-4-12 form of RFC 9562 section 4, in any case.
func decodeUUID(raw any) (u uuid, ok bool) {
	s, ok := raw.(string)
	if !ok || len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return u, false
	}
	bad := byte(0)
	for i := range u {
		at := uuidDigits[i]
		hi, lo := nibbles[s[at]], nibbles[s[at+1]]
		u[i] = hi<<4 | lo&15
		bad |= hi | lo
	}
	return u, bad < 16
}

// uuidDigits is where the two digits of each byte begin.
var uuidDigits = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// nibbles is the value of each hexadecimal digit, 255 for other characters.
var nibbles = func() (out [256]byte) {
	for c := range out {
		out[c] = 255
	}
	for i, c := range []byte("0123456789") {
		out[c] = byte(i)
	}
	for i, c := range []byte("abcdef") {
		out[c], out[c-'a'+'A'] = byte(10+i), byte(10+i)
	}
	return out
}()

func uuidText(u uuid) string {
	var b [36]byte
	hex.Encode(b[0:8], u[0:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:36], u[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// decodeIP reads one address, without zone and not an IPv4-mapped one.
func decodeIP(raw any) (netip.Addr, bool) {
	s, ok := raw.(string)
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(s)
	if err != nil || !plainIP(a) {
		return netip.Addr{}, false
	}
	return a, true
}

func plainIP(a netip.Addr) bool { return a.IsValid() && a.Zone() == "" && !a.Is4In6() }

// family says which types compare with each other and what Go type holds them.
type family int

const (
	famBool family = iota + 1
	famNum
	famText
	famUUID
	famTime // microseconds from 1970; a date is its midnight UTC
	famIP
	famDuration // microseconds
	famSet
)

func familyOf(k document.Kind) family {
	switch k {
	case document.Bool:
		return famBool
	case document.Int, document.Number:
		return famNum
	case document.String, document.Enum:
		return famText
	case document.UUID:
		return famUUID
	case document.Date, document.Timestamp:
		return famTime
	case document.IP:
		return famIP
	case document.Duration:
		return famDuration
	case document.Set:
		return famSet
	}
	return 0
}

// textDecoder is the decoder of a type of famText.
func textDecoder(t document.Type, native string) func(any) (string, bool) {
	switch {
	case t.Kind == document.Enum:
		return decodeEnum(t.Values)
	case paddedText(native):
		return decodeChar
	}
	return decodeText
}

// paddedText reports whether a native type pads its texts with blanks.
func paddedText(native string) bool {
	return native == "character" || native == "bpchar" || strings.HasPrefix(native, "character(")
}

func numDecoder(t document.Type) func(any) (num, bool) {
	if t.Kind == document.Int {
		return decodeInt
	}
	return decodeNumber
}

// timeDecoder is the decoder of a type of famTime.
func timeDecoder(t document.Type, native string) func(any) (int64, bool) {
	switch {
	case t.Kind == document.Date:
		return decodeDate
	case localTime(native):
		return decodeLocalTime
	}
	return decodeTime
}

// localTime reports whether a native type holds times without a zone.
func localTime(native string) bool {
	return strings.HasPrefix(native, "timestamp") && strings.HasSuffix(native, " without time zone")
}

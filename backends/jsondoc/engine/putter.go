package engine

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// putter is a func(*slot, T) bool that puts a value of the column's Go type
// into a slot; false when the column's type does not have the value.
func putter(c *column) any {
	switch familyOf(c.typ.Kind) {
	case famBool:
		return func(s *slot, v bool) bool { s.truth = v; return true }
	case famNum:
		if c.typ.Kind == document.Int {
			return func(s *slot, v int64) bool { s.putNum(whole(v)); return true }
		}
		return func(s *slot, v Decimal) bool { s.putNum(v.num); return v.num.scale <= maxScale }
	case famText:
		check := textChecker(c.typ, c.native)
		return func(s *slot, v string) bool {
			var ok bool
			s.text, ok = check(v)
			return ok
		}
	case famUUID:
		return func(s *slot, v UUID) bool { s.bytes = v; return true }
	case famTime:
		instant := instantOf(c.typ)
		return func(s *slot, v time.Time) bool {
			i, ok := instant(v)
			s.putInt(i)
			return ok
		}
	case famIP:
		return func(s *slot, v netip.Addr) bool {
			ok := plainIP(v)
			if ok {
				s.putIP(v)
			}
			return ok
		}
	case famSet:
		return setPutter(*c.typ.Elem)
	case famDuration:
	}
	return nil
}

func setPutter(elem document.Type) any {
	switch familyOf(elem.Kind) {
	case famBool:
		return func(s *slot, v []bool) bool { s.more = v; return true }
	case famNum:
		if elem.Kind == document.Int {
			return func(s *slot, v []int64) bool {
				return putElems(s, v, func(i int64) (num, bool) { return whole(i), true })
			}
		}
		return func(s *slot, v []Decimal) bool {
			return putElems(s, v, func(d Decimal) (num, bool) { return d.num, d.num.scale <= maxScale })
		}
	case famText:
		check := textChecker(elem, "")
		return func(s *slot, v []string) bool {
			s.more = v
			return !slices.ContainsFunc(v, func(text string) bool { _, ok := check(text); return !ok })
		}
	case famUUID:
		return func(s *slot, v []UUID) bool { s.more = v; return true }
	case famTime:
		return func(s *slot, v []time.Time) bool { return putElems(s, v, instantOf(elem)) }
	case famIP:
		return func(s *slot, v []netip.Addr) bool {
			s.more = v
			return !slices.ContainsFunc(v, func(a netip.Addr) bool { return !plainIP(a) })
		}
	case famDuration, famSet:
	}
	return nil
}

// putElems keeps the elements in the form in which they are compared.
func putElems[T, U any](s *slot, list []T, convert func(T) (U, bool)) bool {
	out := make([]U, len(list))
	for i, v := range list {
		var ok bool
		if out[i], ok = convert(v); !ok {
			return false
		}
	}
	s.more = out
	return true
}

// textChecker is textDecoder for texts.
func textChecker(t document.Type, native string) func(string) (string, bool) {
	if t.Kind == document.Enum {
		values := t.Values
		return func(s string) (string, bool) { return s, slices.Contains(values, s) }
	}
	padded := paddedText(native)
	return func(s string) (string, bool) {
		ok := plainText(s)
		if padded {
			s = strings.TrimRight(s, " ")
		}
		return s, ok
	}
}

// instantOf makes microseconds of times.
func instantOf(t document.Type) func(time.Time) (int64, bool) {
	if t.Kind == document.Date {
		return func(v time.Time) (int64, bool) {
			y, m, d := v.Date()
			micros := time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMicro()
			return micros, y >= 1 && y <= 9999
		}
	}
	return func(v time.Time) (int64, bool) {
		if y := v.UTC().Year(); y < 1 || y > 9999 {
			return 0, false
		}
		return v.UnixMicro(), true
	}
}

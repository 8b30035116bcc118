package engine

import (
	"math/bits"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// call is what conditions are evaluated in: one way into one table for one
// request.
type call struct {
	user    *user
	context []slot         // of the request's attributes
	stated  map[string]any // what they are read from
	app     string
	hasApp  bool
	shared  bool // all users share the app's access
	now     int64
	rows    [maxRows]*Record // the record, and those that loops bind
	scratch scratch
}

// scratch holds the records that documents are read in, so that no decision
// makes any: one for each row and table, and one for the new record.
type scratch struct {
	last [maxRows + 1]*Record // the one used last
	all  [maxRows + 1]map[*schema]*Record
	held []*Record // those that hold a document
}

const newRow = maxRows

// record is a document as a record; nil where there is no document. It lasts
// until the next one of the same place.
func (x *scratch) record(place int, s *schema, doc map[string]any) *Record {
	if doc == nil {
		return nil
	}
	r := x.last[place]
	if r == nil || r.schema != s {
		if r = x.all[place][s]; r == nil {
			if x.all[place] == nil {
				x.all[place] = map[*schema]*Record{}
			}
			r = newRecord(s)
			x.all[place][s] = r
		}
		x.last[place] = r
	}
	if r.doc == nil {
		x.held = append(x.held, r)
	}
	r.hold(doc)
	return r
}

// forget lets go of all documents.
func (x *scratch) forget() {
	for i, r := range x.held {
		r.forget()
		x.held[i] = nil
	}
	x.held = x.held[:0]
}

// get reads an operand; false means that it is unknown.
type get[T any] func(c *call) (T, bool)

// source finds the slot that holds a value.
type source func(c *call) *slot

// row finds a record; nil when a to-one relation leads nowhere.
type row func(c *call) *Record

func boolOf(from source) get[bool] {
	return func(c *call) (bool, bool) { s := from(c); return s.truth, s.state == known }
}

func numOf(from source) get[num] {
	return func(c *call) (num, bool) { s := from(c); return s.num(), s.state == known }
}

func textOf(from source) get[string] {
	return func(c *call) (string, bool) { s := from(c); return s.text, s.state == known }
}

func uuidOf(from source) get[uuid] {
	return func(c *call) (uuid, bool) { s := from(c); return s.bytes, s.state == known }
}

func timeOf(from source) get[int64] {
	return func(c *call) (int64, bool) { s := from(c); return s.int(), s.state == known }
}

func ipOf(from source) get[netip.Addr] {
	return func(c *call) (netip.Addr, bool) { s := from(c); return s.ip(), s.state == known }
}

func constant[T any](v T) get[T] { return func(*call) (T, bool) { return v, true } }

// setOf is a set operand.
type setOf[T any] interface {
	// has reports whether x is an element; known is false when the set is
	// unknown.
	has(c *call, x T) (in, known bool)
	// size is the number of distinct elements.
	size(c *call) (n int, known bool)
}

// fixedSet is a constant set: sorted, distinct.
type fixedSet[T any] struct {
	elems   []T
	compare func(a, b T) int
}

func newFixedSet[T any](elems []T, compare func(a, b T) int) *fixedSet[T] {
	return &fixedSet[T]{elems: distinct(elems, compare), compare: compare}
}

func distinct[T any](elems []T, compare func(a, b T) int) []T {
	slices.SortFunc(elems, compare)
	return slices.CompactFunc(elems, func(a, b T) bool { return compare(a, b) == 0 })
}

func (s *fixedSet[T]) has(_ *call, x T) (in, known bool) {
	_, in = slices.BinarySearchFunc(s.elems, x, s.compare)
	return in, true
}

func (s *fixedSet[T]) size(*call) (int, bool) { return len(s.elems), true }

// rawSet is an array of a record or of a request: a JSON array, or a slice of
// the elements' Go type. Null elements are ignored; one that is not of the
// element type makes the set unknown.
type rawSet[T any] struct {
	from    source
	decode  func(any) (T, bool)
	compare func(a, b T) int
}

func (s *rawSet[T]) has(c *call, x T) (in, isKnown bool) {
	held := s.from(c)
	if held.state != known {
		return false, false
	}
	if elems, typed := held.more.([]T); typed {
		return slices.ContainsFunc(elems, func(elem T) bool { return s.compare(elem, x) == 0 }), true
	}
	list, ok := held.more.([]any)
	if !ok {
		return false, false
	}
	for _, raw := range list {
		if raw == nil {
			continue
		}
		elem, ok := s.decode(raw)
		if !ok {
			return false, false
		}
		in = in || s.compare(elem, x) == 0
	}
	return in, true
}

func (s *rawSet[T]) size(c *call) (int, bool) {
	held := s.from(c)
	if held.state != known {
		return 0, false
	}
	if elems, typed := held.more.([]T); typed {
		return len(distinct(slices.Clone(elems), s.compare)), true
	}
	list, ok := held.more.([]any)
	if !ok {
		return 0, false
	}
	elems := make([]T, 0, len(list))
	for _, raw := range list {
		if raw == nil {
			continue
		}
		elem, ok := s.decode(raw)
		if !ok {
			return 0, false
		}
		elems = append(elems, elem)
	}
	return len(distinct(elems, s.compare)), true
}

// groupSet is the names of the user's groups.
type groupSet struct{ numbers map[string]int }

func (s groupSet) has(c *call, x string) (in, known bool) {
	if !c.user.groupsKnown {
		return false, false
	}
	if number, declared := s.numbers[x]; declared {
		return c.user.groups.has(number), true
	}
	return slices.Contains(c.user.others, x), true
}

func (s groupSet) size(c *call) (int, bool) {
	n := len(c.user.others)
	for _, word := range c.user.groups {
		n += bits.OnesCount64(word)
	}
	return n, c.user.groupsKnown
}

func userLevel(c *call) (string, bool) { return c.user.level, c.user.levelKnown }
func appName(c *call) (string, bool)   { return c.app, c.hasApp }
func now(c *call) (int64, bool)        { return c.now, true }

// lower maps the ASCII capitals to small letters and nothing else.
func lower(x get[string]) get[string] {
	return func(c *call) (string, bool) {
		s, ok := x(c)
		if !ok {
			return "", false
		}
		return asciiLower(s), true
	}
}

func asciiLower(s string) string {
	first := strings.IndexFunc(s, func(r rune) bool { return 'A' <= r && r <= 'Z' })
	if first < 0 {
		return s
	}
	b := []byte(s)
	for i := first; i < len(b); i++ {
		if 'A' <= b[i] && b[i] <= 'Z' {
			b[i] += 'a' - 'A'
		}
	}
	return string(b)
}

func codePoints(x get[string]) get[num] {
	return func(c *call) (num, bool) {
		s, ok := x(c)
		return whole(int64(utf8.RuneCountInString(s))), ok
	}
}

func setSize[T any](s setOf[T]) get[num] {
	return func(c *call) (num, bool) {
		n, ok := s.size(c)
		return whole(int64(n)), ok
	}
}

func arithmetic(x, y get[num], apply func(a, b num) num) get[num] {
	return func(c *call) (num, bool) {
		a, ok := x(c)
		if !ok {
			return num{}, false
		}
		b, ok := y(c)
		if !ok {
			return num{}, false
		}
		return apply(a, b), true
	}
}

func shifted(x, d get[int64], sign int64) get[int64] {
	return func(c *call) (int64, bool) {
		t, ok := x(c)
		by, known := d(c)
		if !ok || !known {
			return 0, false
		}
		return shift(t, sign*by)
	}
}

func template(parts []get[string]) get[string] {
	return func(c *call) (string, bool) {
		var b strings.Builder
		for _, part := range parts {
			s, ok := part(c)
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
		return b.String(), true
	}
}

// spelt is an operand's text in a template.
func spelt[T any](x get[T], text func(T) string) get[string] {
	return func(c *call) (string, bool) {
		v, ok := x(c)
		if !ok {
			return "", false
		}
		return text(v), true
	}
}

package engine

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"net/netip"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// state says what a slot holds.
type state uint8

const (
	null   state = iota // nothing: null, or not there
	odd                 // something that is no value of the type: unknown, yet not null
	known               // a value
	unread              // a raw value in more, not looked at yet
)

// slot holds one value of a record or of a request in the Go type of its
// family, so that a value is decoded once however many conditions read it.
type slot struct {
	filling uint64 // of the record, when the slot was filled
	state   state
	scale   uint8    // of a number
	is4     bool     // an IPv4 address
	truth   bool     // of famBool
	bytes   [16]byte // of famUUID and famIP; of famTime and of a number's digits the first eight
	text    string   // of famText
	more    any      // the elements of a set; a *big.Int of a number that needs it
}

// filler reads a raw value that is not nil into a slot.
type filler func(s *slot, raw any)

func stateOf(ok bool) state {
	if ok {
		return known
	}
	return odd
}

func (s *slot) int() int64 { return int64(binary.NativeEndian.Uint64(s.bytes[:8])) } //nolint:gosec // the bits that putInt wrote

func (s *slot) putInt(i int64) { binary.NativeEndian.PutUint64(s.bytes[:8], uint64(i)) } //nolint:gosec // the same bits

func (s *slot) putNum(n num) {
	s.putInt(n.i)
	s.scale, s.more = n.scale, nil
	if n.big != nil {
		s.more = n.big
	}
}

func (s *slot) num() num {
	n := num{i: s.int(), scale: s.scale}
	if s.more != nil {
		n.big, _ = s.more.(*big.Int)
	}
	return n
}

func (s *slot) putIP(a netip.Addr) { s.bytes, s.is4 = a.As16(), a.Is4() }

func (s *slot) ip() netip.Addr {
	a := netip.AddrFrom16(s.bytes)
	if s.is4 {
		return a.Unmap()
	}
	return a
}

// fillerOf is the filler of a type.
func fillerOf(t document.Type, native string) (filler, error) {
	switch familyOf(t.Kind) {
	case famBool:
		return func(s *slot, raw any) {
			v, ok := raw.(bool)
			s.truth, s.state = v, stateOf(ok)
		}, nil
	case famNum:
		decode := numDecoder(t)
		return func(s *slot, raw any) {
			v, ok := decode(raw)
			s.putNum(v)
			s.state = stateOf(ok)
		}, nil
	case famText:
		decode := textDecoder(t, native)
		return func(s *slot, raw any) {
			v, ok := decode(raw)
			s.text, s.state = v, stateOf(ok)
		}, nil
	case famUUID:
		return func(s *slot, raw any) {
			v, ok := decodeUUID(raw)
			s.bytes, s.state = v, stateOf(ok)
		}, nil
	case famTime:
		decode := timeDecoder(t, native)
		return func(s *slot, raw any) {
			v, ok := decode(raw)
			s.putInt(v)
			s.state = stateOf(ok)
		}, nil
	case famIP:
		return func(s *slot, raw any) {
			v, ok := decodeIP(raw)
			s.putIP(v)
			s.state = stateOf(ok)
		}, nil
	case famSet:
		// The elements are decoded where they are compared; only JSON's own
		// arrays count, as records are JSON values.
		return func(s *slot, raw any) {
			_, ok := raw.([]any)
			s.more, s.state = raw, stateOf(ok)
		}, nil
	case famDuration:
	}
	return nil, fmt.Errorf("a value of type %q has no place in a record", t.Kind)
}

// schema is the form of a table's records.
type schema struct {
	source    *document.Table
	columns   []column
	relations []related
}

type column struct {
	name string
	typ  document.Type
	// native is the database's own type; it decides how text is read.
	native string
	fill   filler
}

type related struct {
	name string
	many bool
	to   *schema
}

// columnNumber is the number of a column, or -1.
func (s *schema) columnNumber(name string) int {
	for i := range s.columns {
		if s.columns[i].name == name {
			return i
		}
	}
	return -1
}

// relationNumber is the number of a relation, or -1.
func (s *schema) relationNumber(name string) int {
	for i := range s.relations {
		if s.relations[i].name == name {
			return i
		}
	}
	return -1
}

// Record is one record of a table: a JSON document whose values are read when
// they are needed, or values that were set by the handles of its table's
// columns and relations (Column, One, Many). A Record of values may be read
// from many goroutines while nobody sets it.
type Record struct {
	slots   []slot
	filling uint64 // counts the documents that the record has held; 0: the values were set
	schema  *schema
	doc     map[string]any // nil: the values were set
	related *relatedRecords
}

// relatedRecords are a record's, by number of relation; nil until they are
// needed.
type relatedRecords struct {
	ones   []oneRecord
	manies []manyRecords
}

func (r *Record) relations() *relatedRecords {
	if r.related == nil {
		n := len(r.schema.relations)
		r.related = &relatedRecords{ones: make([]oneRecord, n), manies: make([]manyRecords, n)}
	}
	return r.related
}

type oneRecord struct {
	filling uint64
	there   bool
	record  *Record
}

type manyRecords struct {
	told    bool
	records []*Record
}

func newRecord(s *schema) *Record { return &Record{schema: s, slots: make([]slot, len(s.columns))} }

// refused is the schema of records that nothing is allowed on.
var refused schema

// refuse makes the record one that no decision takes. Where another record
// leads to it, its values are unknown and its relations tell nothing.
func (r *Record) refuse() {
	r.schema = &refused
	for i := range r.slots {
		r.slots[i] = slot{state: odd}
	}
	if r.related != nil {
		clear(r.related.ones)
		clear(r.related.manies)
	}
}

// column is the slot of a column; r may be nil, whose columns are all null.
func (r *Record) column(number int) *slot {
	if r != nil && r.slots[number].filling == r.filling {
		return &r.slots[number]
	}
	return r.read(number)
}

// nothing is what the columns hold of a record that is not there; it is never
// written to.
var nothing slot

func (r *Record) read(number int) *slot {
	if r == nil {
		return &nothing
	}
	s, c := &r.slots[number], &r.schema.columns[number]
	s.filling = r.filling
	if raw := r.doc[c.name]; raw == nil {
		s.state = null
	} else {
		c.fill(s, raw)
	}
	return s
}

// one is the record that a to-one relation leads to, or nil.
func (r *Record) one(number int) *Record {
	if r == nil || r.related == nil && r.doc == nil {
		return nil
	}
	o := &r.relations().ones[number]
	if o.filling != r.filling {
		o.filling = r.filling
		rel := &r.schema.relations[number]
		doc, _ := r.doc[rel.name].(map[string]any)
		if o.there = doc != nil; o.there {
			if o.record == nil {
				o.record = newRecord(rel.to)
			}
			o.record.hold(doc)
		}
	}
	if !o.there {
		return nil
	}
	return o.record
}

// hold makes the record that of a document.
func (r *Record) hold(doc map[string]any) {
	r.doc = doc
	r.filling++
}

// forget lets go of the document and all that was read from it.
func (r *Record) forget() {
	r.hold(nil)
	clear(r.slots)
	if r.related == nil {
		return
	}
	for i := range r.related.ones {
		if o := &r.related.ones[i]; o.record != nil && o.there {
			o.record.forget()
			o.there = false
		}
	}
}

// rows are the records of a to-many relation, in one of their two forms.
type rows struct {
	docs    []any
	records []*Record
}

func (r rows) len() int { return len(r.docs) + len(r.records) }

// many is the records of a to-many relation; false when the record does not
// tell them all.
func (r *Record) many(number int) (rows, bool) {
	if r == nil {
		return rows{}, false
	}
	if r.doc == nil {
		if r.related == nil {
			return rows{}, false
		}
		m := &r.related.manies[number]
		return rows{records: m.records}, m.told
	}
	list, ok := r.doc[r.schema.relations[number].name].([]any)
	if !ok {
		return rows{}, false
	}
	for _, item := range list {
		if _, ok := item.(map[string]any); !ok {
			return rows{}, false
		}
	}
	return rows{docs: list}, true
}

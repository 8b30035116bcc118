package engine

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// Table is a table or resource of a document, found once. Programs that have
// their records as typed values make Records of it, which decisions read
// without looking up a name, reading a text or allocating:
//
//	deals, err := e.Table("crm", "deals")
//	owner, err := engine.ColumnOf[engine.UUID](deals, "owner_id")
//	view, err := deals.Action("view")
//	r := deals.NewRecord()
//	owner.Set(r, id)
//	allowed := e.Session(request).Allows(view, r)
//
// A Table, its handles and its Records belong to one Engine; after a reload
// they are made anew (see Holder). Records of another engine or table are
// refused: nothing is allowed on them, nor on a record that was once set by a
// handle of another table.
type Table struct{ table *table }

// Table finds a table or resource; the error says that there is none.
func (e *Engine) Table(datasource, name string) (*Table, error) {
	t := e.tables[document.TableRef{Datasource: datasource, Table: name}]
	if t == nil {
		return nil, fmt.Errorf("the document has no table %q of datasource %q", name, datasource)
	}
	return &Table{table: t}, nil
}

// Tables lists the tables and resources of the document, by datasource and
// name.
func (e *Engine) Tables() []*Table {
	out := make([]*Table, 0, len(e.tables))
	for _, t := range e.tables {
		out = append(out, &Table{table: t})
	}
	slices.SortFunc(out, func(a, b *Table) int {
		return strings.Compare(a.Datasource()+"\x00"+a.Name(), b.Datasource()+"\x00"+b.Name())
	})
	return out
}

// Datasource is the name of the table's datasource.
func (t *Table) Datasource() string { return t.table.ref.Datasource }

// Name is the table's name.
func (t *Table) Name() string { return t.table.ref.Table }

// Actions names the table's actions.
func (t *Table) Actions() []string { return slices.Clone(t.table.schema.source.Actions) }

// PrimaryKey names the columns of the table's primary key; none when the
// document states none.
func (t *Table) PrimaryKey() []string { return slices.Clone(t.table.schema.source.PrimaryKey) }

// Source is the table as the document has it. It must not be changed.
func (t *Table) Source() *document.Table { return t.table.schema.source }

// NewRecord makes a record in which every column is null, and of whose
// to-many relations nothing is told.
func (t *Table) NewRecord() *Record { return newRecord(t.table.schema) }

// NewRecords makes n such records, next to each other in memory.
func (t *Table) NewRecords(n int) []*Record {
	width := len(t.table.schema.columns)
	records, slots, out := make([]Record, n), make([]slot, n*width), make([]*Record, n)
	for i := range out {
		records[i] = Record{schema: t.table.schema, slots: slots[i*width : (i+1)*width : (i+1)*width]}
		out[i] = &records[i]
	}
	return out
}

// Action is one action on one table, found once.
type Action struct {
	table *table
	name  string
	arms  *arms
}

// Action finds an action of the table; the error says that there is none.
func (t *Table) Action(name string) (*Action, error) {
	a := t.table.action(name)
	if a == nil {
		return nil, fmt.Errorf("the table %q of datasource %q has no action %q", t.Name(), t.Datasource(), name)
	}
	return &Action{table: t.table, name: name, arms: a}, nil
}

// Allows answers as Decide does, for records of typed values: for a create the
// record that is made, for an edit the record as it stands and, unless nothing
// changes, the one that it becomes; for other actions the record as it stands.
// Any other number of records is not allowed.
func (s *Session) Allows(a *Action, records ...*Record) bool {
	return s.AllowsWrite(a, nil, records...)
}

// AllowsWrite is the same with the columns that a write sets.
func (s *Session) AllowsWrite(a *Action, set []string, records ...*Record) bool {
	if s.engine.tables[a.table.ref] != a.table {
		return false
	}
	for _, r := range records {
		if r == nil || r.schema != a.table.schema {
			return false
		}
	}
	d := decision{table: a.table, action: a.name, arms: a.arms, set: set}
	switch {
	case len(records) == 1 && a.name == create:
		d.new = records[0]
	case len(records) == 2 && a.name == edit:
		d.old, d.new = records[0], records[1]
	case len(records) == 1:
		d.old = records[0]
	default:
		return false
	}
	return s.decide(&d)
}

// FilterRecords appends to into the numbers of the records to which the action
// is allowed as they stand, as Filter does.
func (s *Session) FilterRecords(a *Action, records []*Record, into []int) []int {
	if a.name == create || s.engine.tables[a.table.ref] != a.table {
		return into
	}
	f := s.filter(a.table, a.name, a.arms)
	for i, r := range records {
		if r != nil && r.schema == a.table.schema && f.allows(r) {
			into = append(into, i)
		}
	}
	return into
}

// UUID is a value of type uuid.
type UUID = [16]byte

// Decimal is a value of type number: exact, with at most 18 decimals.
type Decimal struct{ num num }

// NewDecimal is units / 10^scale, such as (1050, 2) for 10.50. A scale above 18
// gives a value that no column accepts.
func NewDecimal(units int64, scale uint8) Decimal {
	return Decimal{num{i: units, scale: scale}}
}

// ParseDecimal reads a number in the form of JSON; false when it is beyond 38
// digits before the point or 18 after it.
func ParseDecimal(text string) (Decimal, bool) {
	n, ok := decodeNumber(json.Number(text))
	return Decimal{n}, ok
}

// Value is the Go types that columns hold, by type of the language: bool;
// int64 for int; Decimal for number; string for string and enum; UUID; time.Time
// for timestamp, and for date the day that it shows in its own location;
// netip.Addr for ip; slices of these for sets.
type Value interface {
	bool | int64 | Decimal | string | UUID | time.Time | netip.Addr |
		[]bool | []int64 | []Decimal | []string | []UUID | []time.Time | []netip.Addr
}

// Column sets one column of records.
type Column[T Value] struct {
	schema *schema
	number int
	put    func(*slot, T) bool
}

// ColumnOf finds a column of the table; the error says that there is none, or
// that it holds another Go type.
func ColumnOf[T Value](t *Table, name string) (Column[T], error) {
	s := t.table.schema
	number := s.columnNumber(name)
	if number < 0 {
		return Column[T]{}, fmt.Errorf("the table %q of datasource %q has no column %q", t.Name(), t.Datasource(), name)
	}
	c := &s.columns[number]
	put, ok := putter(c).(func(*slot, T) bool)
	if !ok {
		var v T
		return Column[T]{}, fmt.Errorf("the column %q of table %q is of type %s, and %T does not hold that", name, t.Name(), typeName(c.typ), v)
	}
	return Column[T]{schema: s, number: number, put: put}, nil
}

func typeName(t document.Type) string {
	if t.Kind == document.Set && t.Elem != nil {
		return "set of " + string(t.Elem.Kind)
	}
	return string(t.Kind)
}

// Set sets the column of a record. A value that the type does not have (text
// that is not UTF-8, a year above 9999, a name that the enum lacks) counts as
// unknown, as it does in a document; slices are kept, not copied. A record of
// another table is refused from then on.
func (c Column[T]) Set(r *Record, value T) {
	if r.schema != c.schema {
		r.refuse()
		return
	}
	s := &r.slots[c.number]
	s.state = stateOf(c.put(s, value))
}

// SetNull makes the column null; a record of another table is refused from then
// on.
func (c Column[T]) SetNull(r *Record) {
	if r.schema != c.schema {
		r.refuse()
		return
	}
	r.slots[c.number] = slot{}
}

// One sets what a to-one relation leads to.
type One struct{ relation relationHandle }

// Many sets what a to-many relation leads to.
type Many struct{ relation relationHandle }

type relationHandle struct {
	schema *schema
	number int
}

// One finds a to-one relation.
func (t *Table) One(name string) (One, error) {
	h, err := t.relation(name, false)
	return One{h}, err
}

// Many finds a to-many relation.
func (t *Table) Many(name string) (Many, error) {
	h, err := t.relation(name, true)
	return Many{h}, err
}

func (t *Table) relation(name string, many bool) (relationHandle, error) {
	number := t.table.schema.relationNumber(name)
	if number < 0 || t.table.schema.relations[number].many != many {
		kind := "to-one"
		if many {
			kind = "to-many"
		}
		return relationHandle{}, fmt.Errorf("the table %q of datasource %q has no %s relation %q", t.Name(), t.Datasource(), kind, name)
	}
	return relationHandle{schema: t.table.schema, number: number}, nil
}

// fits reports whether the relation leads from r to the others; where it does
// not, r is refused from then on.
func (h relationHandle) fits(r *Record, others ...*Record) bool {
	if r.schema != h.schema {
		r.refuse()
		return false
	}
	for _, other := range others {
		if other != nil && other.schema != h.schema.relations[h.number].to {
			r.refuse()
			return false
		}
	}
	return true
}

// Set makes other, or with nil no record, what the relation leads to. Where one
// of them is of another table, r is refused from then on.
func (o One) Set(r, other *Record) {
	if o.relation.fits(r, other) {
		r.relations().ones[o.relation.number] = oneRecord{there: other != nil, record: other}
	}
}

// Set makes others all the records that the relation leads to; the slice is
// kept. Where one of them is of another table, r is refused from then on.
func (m Many) Set(r *Record, others []*Record) {
	if m.relation.fits(r, others...) {
		r.relations().manies[m.relation.number] = manyRecords{told: true, records: others}
	}
}

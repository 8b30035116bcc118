package access

import (
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// rowUnknown is a record: that of the decision, or a related one.
type rowUnknown struct {
	table   *model.Table
	at      which // of whose record it is, or is related to
	present *smt.F
	columns map[string]*columnUnknown
	one     map[string]*related // to-one relations, by their key
	many    map[string]*related
}

// columnUnknown is a column's value: null, known, or present but not of its
// type (neither).
type columnUnknown struct {
	column *model.Column
	operand
	null   *smt.F
	stored *storedValue // where the two programs read one value; else nil
}

// related is what a relation leads to.
type related struct {
	relation *model.Relation
	rows     []*rowUnknown // one for to-one relations
}

func (e *encoder) newRow(t *model.Table, at which, present *smt.F) *rowUnknown {
	return &rowUnknown{
		table: t, at: at, present: present,
		columns: map[string]*columnUnknown{}, one: map[string]*related{}, many: map[string]*related{},
	}
}

// column is a column of a row. Both programs share it where they declare it
// alike; else they read one value differently.
func (e *encoder) column(r *rowUnknown, c *model.Column) *columnUnknown {
	key := columnKey(c)
	if u, ok := r.columns[key]; ok {
		return u
	}
	if d, differs := e.other.columns[c]; differs {
		e.readings(r, d)
		return r.columns[key]
	}
	u := &columnUnknown{column: c, operand: e.scalar(c.Type, c.Native)}
	u.null, u.known = e.s.Truth(false), e.s.Truth(true)
	u.key = "column" + decimal(len(e.rows)) + " " + decimal(e.count())
	e.s.Assert(smt.Implies(u.known, smt.And(r.present, smt.Not(u.null))))
	e.s.Assert(smt.Implies(u.null, r.present))
	if !c.Null && !r.table.Resource() {
		e.s.Assert(smt.Not(u.null))
	}
	if !r.table.Resource() && neverOdd(c) {
		e.s.Assert(smt.Or(u.known, u.null, smt.Not(r.present)))
	}
	r.columns[key] = u
	return u
}

// neverOdd reports whether a column of a database holds nothing but values of
// its type and null: all text is a string, but not every numeric is a number.
func neverOdd(c *model.Column) bool {
	switch c.Type.Kind {
	case model.KindBool, model.KindInt, model.KindString, model.KindUUID:
		return true
	default:
		return false
	}
}

// follow is the record that to-one relations lead to.
func (e *encoder) follow(r *rowUnknown, path []*model.Relation) *rowUnknown {
	for _, rel := range path {
		key := relationSymbol(rel)
		next, ok := r.one[key]
		if !ok {
			row := e.newRow(rel.Table, r.at, e.s.Truth(true))
			next = &related{rel, []*rowUnknown{row}}
			r.one[key] = next
			e.join(r, row, rel)
		}
		r = next.rows[0]
	}
	return r
}

// join states that a related record is one: it is there only beside the other,
// and the columns that join them are known and equal. Where the programs declare
// the columns differently, one of them may join what the other would not.
func (e *encoder) join(from, to *rowUnknown, rel *model.Relation) {
	e.s.Assert(smt.Implies(to.present, from.present))
	if e.other.relations[rel] {
		return
	}
	for _, j := range rel.On {
		a, b := e.column(from, j.From), e.column(to, j.To)
		e.s.Assert(smt.Implies(to.present, smt.And(a.known, b.known, e.equal(a.operand, b.operand))))
	}
}

// list is the records that a to-many relation leads to: as many as could be
// needed to satisfy what is asked of them.
func (e *encoder) list(r *rowUnknown, rel *model.Relation) []*rowUnknown {
	key := relationSymbol(rel)
	if l, ok := r.many[key]; ok {
		return l.rows
	}
	l := &related{relation: rel}
	r.many[key] = l
	for range e.needed[listKey{r.at, key}] {
		row := e.newRow(rel.Table, r.at, e.s.Truth(false))
		e.join(r, row, rel)
		l.rows = append(l.rows, row)
	}
	return l.rows
}

// document is a record in a model.
func (r *rowUnknown) document(m *smt.Model) (model.Document, bool) {
	doc := model.Document{}
	told := map[string]bool{} // columns of which one program knows the value
	for _, key := range slices.Sorted(maps.Keys(r.columns)) {
		u := r.columns[key]
		if told[u.column.Name] {
			continue
		}
		v, ok := u.inRecord(r, m)
		if !ok {
			return nil, false
		}
		doc[u.column.Name] = v
		told[u.column.Name] = m.Holds(u.known)
	}
	for _, key := range slices.Sorted(maps.Keys(r.one)) {
		l := r.one[key]
		doc[l.relation.Name] = nil
		if m.Holds(l.rows[0].present) {
			next, ok := l.rows[0].document(m)
			if !ok {
				return nil, false
			}
			doc[l.relation.Name] = next
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.many)) {
		l := r.many[key]
		list := []any{}
		for _, row := range l.rows {
			if !m.Holds(row.present) {
				continue
			}
			next, ok := row.document(m)
			if !ok {
				return nil, false
			}
			list = append(list, next)
		}
		doc[l.relation.Name] = list
	}
	return doc, true
}

// inRecord is what a document holds in the column.
func (u *columnUnknown) inRecord(r *rowUnknown, m *smt.Model) (any, bool) {
	o, t := u.operand, u.column.Type
	switch {
	case !m.Holds(r.present) || m.Holds(u.null):
		return nil, true
	case u.stored != nil && m.Holds(u.stored.known):
		o, t = u.stored.operand, u.stored.typ
	case !m.Holds(u.known):
		return odd(u.column), true
	}
	v, ok := o.value(m)
	if !ok {
		return nil, false
	}
	return model.JSON(v, t, u.column.Native), true
}

// odd is something that a column may hold and that is no value of its type.
func odd(c *model.Column) any {
	switch c.Type.Kind {
	case model.KindNumber:
		return "NaN"
	case model.KindDate, model.KindTimestamp:
		return "infinity"
	case model.KindIP:
		return "10.0.0.0/8"
	case model.KindEnum:
		return "another label"
	case model.KindSet:
		return []any{[]any{}}
	default:
		return map[string]any{}
	}
}

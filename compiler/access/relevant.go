package access

import (
	"math/big"

	"github.com/postern-dev/postern/compiler/access/smt"
	"github.com/postern-dev/postern/compiler/model"
)

// relevant reports whether the question rests on an operand.
func (o operand) relevant(m *smt.Model) bool {
	switch {
	case o.known != nil && m.Relevant(o.known), o.truth != nil && m.Relevant(o.truth),
		o.text != nil && m.RelevantText(*o.text), o.number != nil && m.RelevantSum(*o.number):
		return true
	case o.set == nil:
		return false
	}
	for _, x := range o.set.members {
		if m.Relevant(x.in) {
			return true
		}
	}
	return o.set.size != nil && m.RelevantSum(*o.set.size)
}

func (u *columnUnknown) relevant(m *smt.Model) bool {
	return m.Relevant(u.null) || u.operand.relevant(m) || u.stored != nil && u.stored.relevant(m)
}

// relevant reports whether the question rests on a record or one that is
// related to it.
func (r *rowUnknown) relevant(m *smt.Model) bool {
	if m.Relevant(r.present) {
		return true
	}
	for _, u := range r.columns {
		if u.relevant(m) {
			return true
		}
	}
	return r.relatedRelevant(m)
}

func (r *rowUnknown) relatedRelevant(m *smt.Model) bool {
	for _, list := range []map[string]*related{r.one, r.many} {
		for _, l := range list {
			for _, row := range l.rows {
				if row.relevant(m) {
					return true
				}
			}
		}
	}
	return false
}

// product is a number that stands for one times another.
type product struct{ of, by, is smt.Linear }

// mostRefined bounds how often products are looked at more closely.
const mostRefined = 40

// refine looks for a product whose value in a model is not the product, and
// states what it is where its first factor has the value that it has here.
func (e *encoder) refine(m *smt.Model) bool {
	if e.refined > mostRefined {
		return false
	}
	for _, p := range e.products {
		k := m.At(p.of)
		if new(big.Rat).Mul(k, m.At(p.by)).Cmp(m.At(p.is)) == 0 {
			continue
		}
		e.refined++
		e.s.Assert(smt.Implies(e.s.EqualTo(p.of, smt.Constant(k)), e.s.EqualTo(p.is, p.by.Times(k))))
		return true
	}
	return false
}

// unneeded leaves out of a document what the question does not rest on.
func (r *rowUnknown) unneeded(doc model.Document, m *smt.Model) {
	for _, u := range r.columns {
		if !u.relevant(m) {
			delete(doc, u.column.Name)
		}
	}
	for _, l := range r.one {
		next, ok := doc[l.relation.Name].(model.Document)
		if !l.rows[0].relevant(m) {
			delete(doc, l.relation.Name)
		} else if ok {
			l.rows[0].unneeded(next, m)
		}
	}
	for _, l := range r.many {
		list, _ := doc[l.relation.Name].([]any)
		i, needed := 0, false
		for _, row := range l.rows {
			needed = needed || row.relevant(m)
			if m.Holds(row.present) && i < len(list) {
				if next, ok := list[i].(model.Document); ok {
					row.unneeded(next, m)
				}
				i++
			}
		}
		if !needed {
			delete(doc, l.relation.Name)
		}
	}
}

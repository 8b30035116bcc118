package postgres

import (
	"fmt"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// missing lists the columns that would need an index for the condition not to
// read the whole table; none where it has one, and where none would help.
func (r *renderer) missing(c model.Cond) (keys []IndexKey, curable bool) {
	switch x := c.(type) {
	case *model.And:
		for _, t := range x.Terms {
			more, ok := r.missing(t)
			if ok && len(more) == 0 {
				return nil, true
			}
			if ok && !curable {
				keys, curable = more, true
			}
		}
		return keys, curable
	case *model.Or:
		for _, t := range x.Terms {
			if !columnful(t) {
				continue
			}
			more, ok := r.missing(t)
			if !ok {
				return nil, false
			}
			keys = append(keys, more...)
		}
		return keys, true
	case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	if !columnful(c) {
		return nil, false
	}
	if _, ok := r.anchor(c); ok {
		return nil, true
	}
	r.assumed = true
	a, ok := r.anchor(c)
	r.assumed = false
	if !ok {
		return nil, false
	}
	return []IndexKey{a.key}, true
}

// missingRelated lists the columns of related tables that would need an index
// for the condition not to read them as a whole: once a query, or, where it is
// asked for each record, each time.
func (r *renderer) missingRelated(c model.Cond) (keys []IndexKey) {
	switch x := c.(type) {
	case *model.And:
		for _, t := range x.Terms {
			keys = append(keys, r.missingRelated(t)...)
		}
		return keys
	case *model.Or:
		for _, t := range x.Terms {
			keys = append(keys, r.missingRelated(t)...)
		}
		return keys
	case model.True, model.False, *model.Compare, *model.Truth, *model.Null, *model.Empty, *model.Known, *model.Match, *model.In,
		*model.InNetwork, *model.ViaApp, *model.Some, *model.Every, *model.Count:
	}
	if some, ok := follow(c); ok {
		c = some
	}
	rows, ok := relatedRows(c)
	if !ok {
		return nil
	}
	there := &renderer{
		runtime: r.runtime, entry: r.entry, table: rows.Relation.Table, program: r.program, now: r.now,
		used: map[ObjectID]struct{}{}, related: newRelatedSet(), indexes: r.indexes,
	}
	if correlated(c) {
		if key := there.indexKey(rows.Relation.On[0].To, ""); !there.hasIndex(key) {
			keys = append(keys, key)
		}
		return keys
	}
	if some, ok := c.(*model.Some); ok { // all others have to see each record
		keys, _ = there.missing(some.Where)
	}
	return keys
}

// lintIndexes warns of indexes that the conditions on large tables miss.
func (d *desired) lintIndexes(r *renderer, c model.Cond) {
	if d.indexes.Columns == nil {
		return
	}
	keys, _ := r.missing(c)
	own := TableID(r.table.Schema, r.table.SQLName)
	for _, key := range append(keys, r.missingRelated(c)...) {
		if d.linted[key] || d.indexes.Rows[key.Table] < largeTable {
			continue
		}
		d.linted[key] = true
		statement, err := build(func(b *sqltext.Builder) {
			b.Raw("CREATE INDEX CONCURRENTLY ON ").Qualified(key.Table.Schema, key.Table.Name)
			if key.Method != "" {
				b.Raw(" USING ").Ident(key.Method)
			}
			b.Raw(" (").Ident(key.Column)
			if key.C {
				b.Raw(` COLLATE "C"`)
			}
			b.Raw(")")
		})
		if err != nil {
			d.errs = append(d.errs, err)
			continue
		}
		who := "policies"
		if key.Table != own {
			who = "conditions of policies on " + printed(own)
		}
		d.warnings.Warn(CodeIndex, d.columnSpan(r, key),
			fmt.Sprintf("%s read all records of %s, about %d, for want of an index on %s", who, printed(key.Table), d.indexes.Rows[key.Table], inQuotes(key.Column)),
			string(statement)+"; then plan again: the policies take the form that the index answers.")
	}
}

// columnSpan is where a column is declared, or its table.
func (d *desired) columnSpan(r *renderer, key IndexKey) source.Span {
	at := r.table.Span
	for _, t := range d.ds.Tables {
		if TableID(t.Schema, t.SQLName) != key.Table {
			continue
		}
		at = t.Span
		if column := t.Column(key.Column); column != nil && !column.Span.IsZero() {
			at = column.Span
		}
	}
	return at
}

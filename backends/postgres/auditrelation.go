package postgres

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// The codes of conditions over related records.
const (
	CodeRelationUnique     diag.Code = "postgres-relation-not-unique" // a to-one relation does not lead to the primary key of its table
	CodeRelationCorrelated diag.Code = "postgres-relation-correlated" // a condition over related records is asked for each record
)

// relations checks the loops and to-one relations of one condition.
func (a *audit) relations(atom model.Cond, span source.Span) {
	if rows, ok := relatedRows(atom); ok {
		a.joins(rows.Relation, span)
		for _, r := range rows.Path {
			a.toOne(r, span)
		}
	}
	for _, o := range model.Operands(atom) {
		model.WalkExpr(o, func(e model.Expr) {
			ref, ok := e.(*model.ColumnRef)
			if !ok {
				return
			}
			at := span
			if !ref.Span.IsZero() {
				at = ref.Span
			}
			for _, r := range ref.Path {
				a.toOne(r, at)
			}
		})
	}
}

// toOne checks that a relation leads to at most one record: that it joins all
// of the primary key of its table.
func (a *audit) toOne(r *model.Relation, span source.Span) {
	a.joins(r, span)
	joined := func(key *model.Column) bool {
		return slices.ContainsFunc(r.On, func(p model.JoinPair) bool { return p.To == key })
	}
	for _, key := range r.Table.PrimaryKey {
		if !joined(key) {
			a.notUnique(r, span)
			return
		}
	}
	if len(r.Table.PrimaryKey) == 0 {
		a.notUnique(r, span)
	}
}

func (a *audit) notUnique(r *model.Relation, span source.Span) {
	a.diags.Add(diag.Diagnostic{
		Code: CodeRelationUnique, Severity: diag.Error, Span: span,
		Summary: fmt.Sprintf("The relation %s may lead to more than one record of %s", inQuotes(r.Name), r.Table.Address()),
		Detail:  "Join all columns of that table's primary_key, or state many = true and say anytrue or alltrue.",
		Related: []diag.Related{{Span: r.Span, Message: "the relation"}},
	})
}

// joins checks the columns that a relation joins.
func (a *audit) joins(r *model.Relation, span source.Span) {
	for _, pair := range r.On {
		for _, c := range []*model.Column{pair.From, pair.To} {
			if _, err := columnType(c); err != nil {
				a.diags.Add(diag.Diagnostic{
					Code: CodeType, Severity: diag.Error, Span: span,
					Summary: fmt.Sprintf("The column %s cannot join records: %s", inQuotes(c.Name), err),
					Detail:  "Join another column, or change its type in the database.",
					Related: []diag.Related{{Span: r.Span, Message: "the relation"}},
				})
			}
		}
	}
}

// each warns of a condition that cannot be computed once a query. It looks at
// the outermost loops, each of which becomes one function.
func (a *audit) each(c model.Cond, span source.Span) {
	var terms []model.Cond
	if and, ok := c.(*model.And); ok {
		terms = and.Terms
	} else if or, ok := c.(*model.Or); ok {
		terms = or.Terms
	}
	for _, t := range terms {
		a.each(t, span)
	}
	loop := c
	if some, ok := follow(c); ok {
		loop = some
	}
	rows, ok := relatedRows(loop)
	if !ok || !correlated(loop) {
		return
	}
	a.diags.Add(diag.Diagnostic{
		Code: CodeRelationCorrelated, Severity: diag.Warning, Span: span,
		Summary: fmt.Sprintf("The condition over the relation %s is computed for each record in Postgres, which is slow on large tables", inQuotes(rows.Relation.Name)),
		Detail: "It is computed once a query when the relation joins one column of type string, int or uuid and the condition speaks of the related record, the user and constants alone. " +
			"Keep what it needs of the record in the related table, or put a condition beside it that leaves few records.",
		Related: []diag.Related{{Span: rows.Relation.Span, Message: "the relation"}},
	})
}

package postgres

import (
	"github.com/postern-dev/postern/compiler/model"
)

// follow turns an atom that looks through a to-one relation into a loop over
// the at most one record that the relation leads to: the atom is satisfied
// only when that record exists. false: it looks through none.
func follow(c model.Cond) (*model.Some, bool) {
	row, relation, ok := firstHop(c)
	if !ok {
		return nil, false
	}
	each := &model.Row{Name: relation.Name, Table: relation.Table}
	return &model.Some{
		From:  model.RelatedRows{Row: row, Relation: relation, Each: each},
		Where: rebase(c, row, relation, each),
	}, true
}

// firstHop is the first to-one relation that an atom itself follows, not
// looking inside loops.
func firstHop(c model.Cond) (row *model.Row, relation *model.Relation, found bool) {
	if rows, ok := relatedRows(c); ok && len(rows.Path) > 0 {
		return rows.Row, rows.Path[0], true
	}
	for _, o := range model.Operands(c) {
		model.WalkExpr(o, func(e model.Expr) {
			if ref, ok := e.(*model.ColumnRef); ok && len(ref.Path) > 0 && !found {
				row, relation, found = ref.Row, ref.Path[0], true
			}
		})
	}
	return row, relation, found
}

// rebase lets an atom start from the record that a relation leads to, wherever
// it followed that relation from row.
func rebase(c model.Cond, row *model.Row, relation *model.Relation, each *model.Row) model.Cond {
	rows := func(from model.RelatedRows) model.RelatedRows {
		if from.Row == row && len(from.Path) > 0 && from.Path[0] == relation {
			from.Row, from.Path = each, from.Path[1:]
		}
		return from
	}
	column := func(c *model.ColumnRef) *model.ColumnRef {
		if c.Row != row || len(c.Path) == 0 || c.Path[0] != relation {
			return c
		}
		moved := *c
		moved.Row, moved.Path = each, c.Path[1:]
		return &moved
	}
	var operand func(e model.Expr) model.Expr
	operand = func(e model.Expr) model.Expr {
		switch x := e.(type) {
		case *model.ColumnRef:
			return column(x)
		case *model.Call:
			call := *x
			call.Args = make([]model.Expr, len(x.Args))
			for i, a := range x.Args {
				call.Args[i] = operand(a)
			}
			return &call
		case *model.Literal, *model.NullLiteral, *model.AttrRef, *model.GroupsRef, *model.LevelRef, *model.AppRef,
			*model.NowRef, *model.Network, *model.MemberOf, *model.Related:
		}
		return e
	}
	switch x := c.(type) {
	case *model.Compare:
		return &model.Compare{Op: x.Op, X: operand(x.X), Y: operand(x.Y)}
	case *model.Truth:
		return &model.Truth{X: operand(x.X), Want: x.Want}
	case *model.Null:
		return &model.Null{X: column(x.X), Not: x.Not}
	case *model.Empty:
		return &model.Empty{X: column(x.X), Not: x.Not}
	case *model.Match:
		return &model.Match{Op: x.Op, X: operand(x.X), Y: operand(x.Y), Delimiter: x.Delimiter, Not: x.Not}
	case *model.In:
		return &model.In{Elem: operand(x.Elem), Set: operand(x.Set), Not: x.Not}
	case *model.InNetwork:
		return &model.InNetwork{X: operand(x.X), Net: x.Net, Not: x.Not}
	case *model.Some:
		return &model.Some{From: rows(x.From), Where: x.Where}
	case *model.Every:
		return &model.Every{From: rows(x.From), Where: x.Where}
	case *model.Count:
		return &model.Count{From: rows(x.From), Holds: x.Holds, Fails: x.Fails, Op: x.Op, N: operand(x.N)}
	case model.True, model.False, *model.And, *model.Or, *model.Known, *model.ViaApp:
	}
	return c
}

package model

import (
	"reflect"
	"slices"
)

// distinct drops the terms of a conjunction that stand in it already: edit and
// view often ask the same. Only terms that are surely the same count.
func distinct(c Cond) Cond {
	and, ok := c.(*And)
	if !ok {
		return c
	}
	var terms []Cond
	for _, t := range and.Terms {
		if !slices.ContainsFunc(terms, func(seen Cond) bool { return sameCond(seen, t) }) {
			terms = append(terms, t)
		}
	}
	return AllOf(terms...)
}

// sameCond reports whether two conditions are written alike.
func sameCond(a, b Cond) bool {
	if reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	switch x := a.(type) {
	case True, False:
		return true
	case *And:
		return slices.EqualFunc(x.Terms, b.(*And).Terms, sameCond)
	case *Or:
		return slices.EqualFunc(x.Terms, b.(*Or).Terms, sameCond)
	case *Compare:
		y := b.(*Compare)
		return x.Op == y.Op && sameExpr(x.X, y.X) && sameExpr(x.Y, y.Y)
	case *In:
		y := b.(*In)
		return x.Not == y.Not && sameExpr(x.Elem, y.Elem) && sameExpr(x.Set, y.Set)
	case *ViaApp:
		y := b.(*ViaApp)
		return x.App == y.App && x.Not == y.Not
	case *Truth, *Null, *Empty, *Known, *Match, *InNetwork, *Some, *Every, *Count:
		return a == b
	}
	return false
}

// sameExpr reports whether two operands are written alike.
func sameExpr(a, b Expr) bool {
	switch x := a.(type) {
	case *Literal:
		y, ok := b.(*Literal)
		return ok && x.Type.Equal(y.Type) && reflect.DeepEqual(x.Value, y.Value)
	case *AttrRef:
		y, ok := b.(*AttrRef)
		return ok && x.Attribute == y.Attribute
	case *ColumnRef:
		y, ok := b.(*ColumnRef)
		return ok && x.Row == y.Row && x.Column == y.Column && slices.Equal(x.Path, y.Path)
	case *GroupsRef:
		_, ok := b.(*GroupsRef)
		return ok
	case *LevelRef:
		_, ok := b.(*LevelRef)
		return ok
	case *NullLiteral, *AppRef, *NowRef, *Call, *Network, *MemberOf, *Related:
		return a == b
	}
	return false
}

package model

import "slices"

// Rewrite replaces the atoms of a condition, inside loops as well, and folds
// what becomes constant. Of the loops only Count is passed to f, for its N has
// operands, after its parts have been rewritten.
func Rewrite(c Cond, f func(atom Cond) Cond) Cond {
	switch x := c.(type) {
	case True, False:
		return c
	case *And:
		if terms := rewriteAll(x.Terms, f); !slices.Equal(terms, x.Terms) {
			return AllOf(terms...)
		}
		return c
	case *Or:
		if terms := rewriteAll(x.Terms, f); !slices.Equal(terms, x.Terms) {
			return AnyOf(terms...)
		}
		return c
	case *Some:
		where := Rewrite(x.Where, f)
		if _, never := where.(False); never {
			return False{}
		}
		return &Some{From: x.From, Where: where}
	case *Every:
		// Not folded when always true: a request that does not give the related
		// records leaves it unknown.
		return &Every{From: x.From, Where: Rewrite(x.Where, f)}
	case *Count:
		return f(&Count{From: x.From, Holds: Rewrite(x.Holds, f), Fails: Rewrite(x.Fails, f), Op: x.Op, N: x.N})
	case *Compare, *Truth, *Null, *Empty, *Known, *Match, *In, *InNetwork, *ViaApp:
		return f(c)
	}
	return c
}

func rewriteAll(terms []Cond, f func(Cond) Cond) []Cond {
	out := make([]Cond, len(terms))
	for i, t := range terms {
		out[i] = Rewrite(t, f)
	}
	return out
}

// Operands lists the operands of an atom; nothing for And, Or and loops other
// than the number that Count compares with.
func Operands(c Cond) []Expr {
	switch x := c.(type) {
	case *Compare:
		return []Expr{x.X, x.Y}
	case *Truth:
		return []Expr{x.X}
	case *Null:
		return []Expr{x.X}
	case *Empty:
		return []Expr{x.X}
	case *Known:
		return []Expr{x.X}
	case *Match:
		return []Expr{x.X, x.Y}
	case *In:
		return []Expr{x.Elem, x.Set}
	case *InNetwork:
		return []Expr{x.X}
	case *Count:
		return []Expr{x.N}
	case True, False, *And, *Or, *ViaApp, *Some, *Every:
		return nil
	}
	return nil
}

// Walk calls f for a condition and everything below it, loops' bodies too.
func Walk(c Cond, f func(Cond)) {
	f(c)
	switch x := c.(type) {
	case *And:
		for _, t := range x.Terms {
			Walk(t, f)
		}
	case *Or:
		for _, t := range x.Terms {
			Walk(t, f)
		}
	case *Some:
		Walk(x.Where, f)
	case *Every:
		Walk(x.Where, f)
	case *Count:
		Walk(x.Holds, f)
		Walk(x.Fails, f)
	case True, False, *Compare, *Truth, *Null, *Empty, *Known, *Match, *In, *InNetwork, *ViaApp:
	}
}

// WalkExpr calls f for an expression and all its parts.
func WalkExpr(e Expr, f func(Expr)) {
	f(e)
	switch x := e.(type) {
	case *Call:
		for _, a := range x.Args {
			WalkExpr(a, f)
		}
	case *Network:
		WalkExpr(x.X, f)
	case *Related:
		WalkExpr(x.Body, f)
	case *Literal, *NullLiteral, *ColumnRef, *AttrRef, *GroupsRef, *LevelRef, *AppRef, *NowRef, *MemberOf:
	}
}

// Package smt decides whether a formula over truth values, whole numbers of any
// size and texts can be satisfied, and gives values that do. It is a clause
// learner over truth values with two theories: linear arithmetic by the simplex
// method with branching, and texts by automata.
//
// Unsat is a proof. Sat comes with values that satisfy every assertion, up to
// texts that are put together of others. What is neither within the bounds is
// Unknown, with a reason.
package smt

import "slices"

type op int

const (
	opTrue op = iota
	opFalse
	opLit
	opAnd
	opOr
)

// F is a formula in negation normal form. Formulas may be shared.
type F struct {
	op   op
	lit  lit // of an atom's number, not of a variable's of the clause learner
	args []*F
	not  *F
}

// The constant formulas.
var (
	True  = &F{op: opTrue}
	False = &F{op: opFalse}
)

// lit is an atom or variable n, as 2n, or its negation, as 2n+1.
type lit int

func (l lit) negated() lit   { return l ^ 1 }
func (l lit) index() int     { return int(l) >> 1 }
func (l lit) positive() bool { return l&1 == 0 }

func litOf(n int, positive bool) lit {
	if positive {
		return lit(2 * n)
	}
	return lit(2*n + 1)
}

// Bool is the formula of a truth value.
func Bool(b bool) *F {
	if b {
		return True
	}
	return False
}

// IsTrue and IsFalse report whether a formula is plainly constant.
func (f *F) IsTrue() bool { return f.op == opTrue }

// IsFalse reports whether a formula is plainly never satisfied.
func (f *F) IsFalse() bool { return f.op == opFalse }

// And is the conjunction; of none, True.
func And(fs ...*F) *F { return junction(opAnd, True, False, fs) }

// Or is the disjunction; of none, False.
func Or(fs ...*F) *F { return junction(opOr, False, True, fs) }

func junction(o op, neutral, zero *F, fs []*F) *F {
	args := make([]*F, 0, len(fs))
	for _, f := range fs {
		switch f.op {
		case zero.op:
			return zero
		case neutral.op:
		case o:
			args = append(args, f.args...)
		default:
			args = append(args, f)
		}
	}
	slices.SortStableFunc(args, func(a, b *F) int { return rank(a) - rank(b) })
	args = slices.CompactFunc(args, func(a, b *F) bool { return a == b || a.op == opLit && b.op == opLit && a.lit == b.lit })
	for i := 1; i < len(args) && args[i].op == opLit; i++ {
		if args[i-1].lit == args[i].lit.negated() {
			return zero
		}
	}
	switch len(args) {
	case 0:
		return neutral
	case 1:
		return args[0]
	}
	return &F{op: o, args: args}
}

// rank puts literals first, in order, so that equal and opposite ones meet.
func rank(f *F) int {
	if f.op == opLit {
		return int(f.lit)
	}
	return int(^uint(0) >> 2)
}

// Not is the negation.
func Not(f *F) *F {
	switch f.op {
	case opTrue:
		return False
	case opFalse:
		return True
	case opLit:
		return &F{op: opLit, lit: f.lit.negated()}
	default:
	}
	if f.not != nil {
		return f.not
	}
	args := make([]*F, len(f.args))
	for i, a := range f.args {
		args[i] = Not(a)
	}
	n := &F{op: opAnd, args: args, not: f}
	if f.op == opAnd {
		n.op = opOr
	}
	f.not = n
	return n
}

// Implies is "b wherever a".
func Implies(a, b *F) *F { return Or(Not(a), b) }

// Iff is "a exactly where b".
func Iff(a, b *F) *F { return And(Implies(a, b), Implies(b, a)) }

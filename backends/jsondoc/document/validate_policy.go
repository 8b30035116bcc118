package document

import (
	"errors"
	"fmt"
)

func (v *validator) policies(d *Document) error {
	declared := newNames("policy")
	for _, p := range d.Policies {
		errs := []error{declared.declare(p.Name), v.subjects(p.To)}
		if p.Via != nil {
			errs = append(errs, v.apps.want(*p.Via...))
		}
		for i := range p.Targets {
			errs = append(errs, v.policyTarget(&p.Targets[i]))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("policy %q: %w", p.Name, err)
		}
	}
	return nil
}

func (v *validator) policyTarget(t *PolicyTarget) error {
	errs := []error{v.targets(t.Tables)}
	for _, ref := range t.Tables {
		table := v.tables[ref]
		if table == nil {
			continue
		}
		actions := newNames("action")
		for _, a := range table.Actions {
			actions.has[a] = true
		}
		errs = append(errs, actions.want(t.Allow...))
		if t.Columns == nil {
			continue
		}
		for _, c := range *t.Columns {
			if table.column(c) == nil {
				errs = append(errs, fmt.Errorf("there is no column %q", c))
			}
		}
	}
	errs = append(errs, v.cond(t.When, 0, 0))
	if t.Check != nil {
		errs = append(errs, v.cond(t.Check, 0, 0))
	}
	return errors.Join(errs...)
}

func (v *validator) targets(list []TableRef) error {
	if len(list) == 0 {
		return errors.New("a target names no table")
	}
	for _, ref := range list {
		if v.tables[ref] == nil {
			return fmt.Errorf("there is no table %q of datasource %q", ref.Table, ref.Datasource)
		}
	}
	return nil
}

func (v *validator) guards(d *Document) error {
	declared := newNames("guard")
	for _, g := range d.Guards {
		errs := []error{declared.declare(g.Name), v.subjects(g.To)}
		for _, t := range g.Targets {
			errs = append(errs, v.targets(t.Tables), v.cond(t.Require, 0, 0))
		}
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("guard %q: %w", g.Name, err)
		}
	}
	return nil
}

// part is a field of a condition node, as a bit.
type part int

const (
	partApp part = 1 << iota
	partCompare
	partDelimiter
	partFails
	partHolds
	partN
	partNetwork
	partRows
	partTerms
	partWhere
	partX
	partY
)

// parts says which fields a node of the operator has: these and no others.
func (op Op) parts() (part, bool) {
	switch op {
	case True, False:
		return 0, true
	case And, Or:
		return partTerms, true
	case Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual,
		Contains, NotContains, StartsWith, NotStartsWith, EndsWith, NotEndsWith, In, NotIn:
		return partX | partY, true
	case Under, NotUnder:
		return partX | partY | partDelimiter, true
	case IsTrue, IsFalse, Null, NotNull, Empty, NotEmpty, Known, NotKnown:
		return partX, true
	case InNetwork, NotInNetwork:
		return partX | partNetwork, true
	case Via, NotVia:
		return partApp, true
	case Some, Every:
		return partRows | partWhere, true
	case Count:
		return partRows | partHolds | partFails | partCompare | partN, true
	}
	return 0, false
}

func (c *Cond) parts() part {
	return partApp.when(c.App != "") | partCompare.when(c.Compare != "") | partDelimiter.when(c.Delimiter != "") |
		partFails.when(c.Fails != nil) | partHolds.when(c.Holds != nil) | partN.when(c.N != nil) |
		partNetwork.when(c.Network != "") | partRows.when(c.Rows != nil) | partTerms.when(len(c.Terms) > 0) |
		partWhere.when(c.Where != nil) | partX.when(c.X != nil) | partY.when(c.Y != nil)
}

func (p part) when(there bool) part {
	if there {
		return p
	}
	return 0
}

// cond checks a node and all below it; depth counts nodes, loops the loops
// around it.
func (v *validator) cond(c *Cond, depth, loops int) error {
	if c == nil {
		return errors.New("a condition is null")
	}
	if depth > MaxDepth {
		return fmt.Errorf("a condition is nested more than %d deep", MaxDepth)
	}
	want, known := c.Op.parts()
	if !known || c.parts() != want {
		return fmt.Errorf("the condition node %q is not known or not complete", c.Op)
	}
	if want&partApp != 0 {
		return v.apps.want(c.App)
	}
	for _, x := range []*Expr{c.X, c.Y, c.N} {
		if x == nil {
			continue
		}
		if err := v.expr(x, depth+1, loops); err != nil {
			return err
		}
	}
	if want&partTerms != 0 && len(c.Terms) < 2 {
		return fmt.Errorf("the condition node %q has less than two terms", c.Op)
	}
	for _, t := range c.Terms {
		if err := v.cond(t, depth+1, loops); err != nil {
			return err
		}
	}
	if want&partRows == 0 {
		return nil
	}
	if c.Rows.Row < 0 || c.Rows.Row > loops || loops >= MaxLoops {
		return errors.New("a loop starts from a row that is not bound, or loops are nested too deep")
	}
	for _, t := range []*Cond{c.Where, c.Holds, c.Fails} {
		if t == nil {
			continue
		}
		if err := v.cond(t, depth+1, loops+1); err != nil {
			return err
		}
	}
	return nil
}

// expr checks the form of an operand.
func (v *validator) expr(x *Expr, depth, loops int) error {
	if x == nil {
		return errors.New("an operand is null")
	}
	if depth > MaxDepth {
		return fmt.Errorf("an operand is nested more than %d deep", MaxDepth)
	}
	if !x.complete() {
		return fmt.Errorf("the operand %q is not known or not complete", x.Kind)
	}
	switch x.Kind {
	case Literal:
		return x.Type.validate(true)
	case ColumnExpr:
		if x.Row < 0 || x.Row > loops {
			return fmt.Errorf("the column %q is of a row that is not bound", x.Column)
		}
	case UserAttr:
		return v.userAttrs.want(x.Name)
	case RequestAttr:
		return v.requestAttrs.want(x.Name)
	case Call:
		for _, a := range x.Args {
			if err := v.expr(a, depth+1, loops); err != nil {
				return err
			}
		}
	case Groups, LevelExpr, AppName, Now:
	}
	return nil
}

// complete reports whether the operand has the fields of its kind and no
// others.
func (x *Expr) complete() bool {
	isColumn := x.Column != ""
	isAttr := x.Name != ""
	isCall := x.Fn != "" && len(x.Args) > 0
	isLiteral := x.Type != nil && x.Value != nil
	plain := x.Type == nil && x.Value == nil && x.Fn == "" && len(x.Args) == 0
	noRow := len(x.Path) == 0 && x.Row == 0
	switch x.Kind {
	case Literal:
		return isLiteral && !isColumn && !isAttr && x.Fn == "" && len(x.Args) == 0 && noRow
	case ColumnExpr:
		return isColumn && !isAttr && plain
	case UserAttr, RequestAttr:
		return isAttr && !isColumn && plain && noRow
	case Groups, LevelExpr, AppName, Now:
		return !isAttr && !isColumn && plain && noRow
	case Call:
		return isCall && x.Type == nil && x.Value == nil && !isColumn && !isAttr && noRow
	}
	return false
}

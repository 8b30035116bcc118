package model

// Entry is one way to the records of a datasource: through an app's
// connection, or, for a datasource that no app connects to, without one.
type Entry struct {
	Datasource *Datasource
	Connect    *Connect // nil: without an app
}

// AsApp reports whether all users of the entry share the app's access, so that
// nothing is known of the user.
func (e Entry) AsApp() bool { return e.Connect != nil && !e.Connect.AsUser }

// App is the entry's app, or nil.
func (e Entry) App() *App {
	if e.Connect == nil {
		return nil
	}
	return e.Connect.App
}

// Entries lists the ways into a datasource, in order of their apps' names.
func (d *Datasource) Entries() []Entry {
	if len(d.Apps) == 0 {
		return []Entry{{Datasource: d}}
	}
	var out []Entry
	for _, a := range d.Apps {
		if c := a.Connect(d); c != nil {
			out = append(out, Entry{Datasource: d, Connect: c})
		}
	}
	return out
}

// EntryOf is the way in through which a service account comes; false when the
// account has none (its datasource has apps, and none uses it).
func (a *ServiceAccount) EntryOf() (Entry, bool) {
	if a.App != nil {
		return Entry{Datasource: a.Datasource, Connect: a.App.Connect(a.Datasource)}, true
	}
	return Entry{Datasource: a.Datasource}, len(a.Datasource.Apps) == 0
}

// MayUse is the condition under which a user may come through the entry. For
// `as = "app"` it is True: who may use the app is the caller's own gate.
func (p *Program) MayUse(e Entry) Cond {
	if e.Connect == nil || e.AsApp() {
		return True{}
	}
	return p.Within(e.Connect.App.Users)
}

// Guarded is the condition that every guard on the table sets: its user is
// surely outside the guard, or what it requires holds.
func (p *Program) Guarded(t *Table) Cond {
	var all []Cond
	for _, g := range t.Guards {
		all = append(all, AnyOf(p.Outside(g.Guard.To), g.Require.Holds))
	}
	return AllOf(all...)
}

// Old is the condition under which a request through the entry may do the
// action to a record as it stands (docs/language.md, "The decision"). For
// Create, which has no old record, it is False. The result is specialised to
// the entry.
func (p *Program) Old(e Entry, t *Table, a Action) Cond {
	if a == Create {
		return False{}
	}
	return distinct(p.specialize(e, p.old(e, t, a)))
}

func (p *Program) old(e Entry, t *Table, a Action) Cond {
	if a == Edit || a == Delete {
		return p.throughEntry(e, p.Guarded(t), p.granted(e, t, a, false), p.granted(e, t, View, false))
	}
	return p.throughEntry(e, p.Guarded(t), p.granted(e, t, a, false))
}

// New is the condition that a write's new record must satisfy: for Create and
// Edit; False for other actions. The result is specialised to the entry.
func (p *Program) New(e Entry, t *Table, a Action) Cond {
	switch a {
	case Create:
		return distinct(p.specialize(e, p.throughEntry(e, p.Guarded(t), p.granted(e, t, Create, true))))
	case Edit:
		return distinct(p.specialize(e, p.throughEntry(e, p.Guarded(t), p.granted(e, t, Edit, true), p.granted(e, t, View, false))))
	default:
		return False{}
	}
}

// throughEntry is the conjunction of what an entry asks and of conds, in which
// the group that the entry asks for is not asked for again.
func (p *Program) throughEntry(e Entry, conds ...Cond) Cond {
	gate := p.MayUse(e)
	rest := AllOf(conds...)
	if group, ok := asksGroup(gate); ok {
		rest = Rewrite(rest, func(atom Cond) Cond {
			if g, ok := asksGroup(atom); ok && g == group {
				return truth(!atom.(*In).Not)
			}
			return atom
		})
	}
	return AllOf(gate, rest)
}

// asksGroup is the group that an atom asks the user to be in, or not to be in.
func asksGroup(c Cond) (string, bool) {
	in, ok := c.(*In)
	if !ok {
		return "", false
	}
	name, isText := in.Elem.(*Literal)
	_, ofUser := in.Set.(*GroupsRef)
	if !isText || !ofUser {
		return "", false
	}
	group, isText := name.Value.(string)
	return group, isText
}

// granted is the condition under which some policy grants the action; check
// asks the policies' conditions on a new record.
func (p *Program) granted(e Entry, t *Table, a Action, check bool) Cond {
	return p.grantedBy(e, t, a, check, "")
}

// VisibleColumns lists, for each policy that grants view through the entry,
// the condition and the columns it shows: a user sees a column of a record
// when one of the conditions with that column holds (and Old for View does).
func (p *Program) VisibleColumns(e Entry, t *Table) []ColumnArm {
	var out []ColumnArm
	for _, target := range t.Policies {
		if !target.Allows(View) {
			continue
		}
		c := p.specialize(e, AllOf(p.Gate(target.Policy, e.AsApp()), target.When.Holds))
		if _, never := c.(False); !never {
			out = append(out, ColumnArm{Target: target, Cond: c})
		}
	}
	return out
}

// ColumnArm is one policy's part in what columns a user sees.
type ColumnArm struct {
	Target *PolicyTarget
	Cond   Cond
}

// WritableColumns lists the columns that some policy lets be set by the action
// (Create or Edit) through the entry, in the table's order. An edit sets only
// columns that some policy shows as well: what is hidden can't be written, nor
// what is masked for everybody.
func (p *Program) WritableColumns(e Entry, t *Table, a Action) []*Column {
	listed := p.listed(e, t, a)
	shown := listed
	if a == Edit {
		shown = p.listed(e, t, View)
	}
	var out []*Column
	for _, c := range t.Columns {
		if listed[c] && shown[c] && !p.alwaysMasked(e, t, c) {
			out = append(out, c)
		}
	}
	return out
}

// listed is the columns of the policies that may grant the action through the
// entry.
func (p *Program) listed(e Entry, t *Table, a Action) map[*Column]bool {
	out := map[*Column]bool{}
	for _, target := range t.Policies {
		if !target.Allows(a) {
			continue
		}
		if _, never := p.specialize(e, p.Gate(target.Policy, e.AsApp())).(False); never {
			continue
		}
		for _, c := range target.Columns {
			out[c] = true
		}
	}
	return out
}

// specialize folds what an entry already tells: the app, and, with `as =
// "app"`, that nothing is known of the user. An AppRef stays as an operand: its
// value is the entry's app.
func (p *Program) specialize(e Entry, c Cond) Cond {
	return Rewrite(c, func(atom Cond) Cond {
		if via, ok := atom.(*ViaApp); ok {
			return truth((via.App == e.App()) != via.Not)
		}
		if k, ok := atom.(*Known); ok {
			if _, ok := k.X.(*AppRef); ok {
				return truth((e.App() != nil) != k.Not)
			}
		}
		if e.AsApp() && mentionsUser(atom) {
			if k, ok := atom.(*Known); ok {
				return truth(k.Not)
			}
			return False{}
		}
		return atom
	})
}

func truth(b bool) Cond {
	if b {
		return True{}
	}
	return False{}
}

// AsksUser reports whether an atom asks for the user.
func AsksUser(atom Cond) bool { return mentionsUser(atom) }

// mentionsUser reports whether an atom has an operand that speaks of the user,
// not looking inside loops.
func mentionsUser(atom Cond) bool {
	found := false
	for _, x := range Operands(atom) {
		WalkExpr(x, func(e Expr) {
			switch r := e.(type) {
			case *AttrRef:
				found = found || r.Attribute.Scope == ScopeUser
			case *GroupsRef, *LevelRef, *MemberOf:
				found = true
			case *Literal, *NullLiteral, *ColumnRef, *AppRef, *NowRef, *Call, *Network, *Related:
			}
		})
	}
	return found
}

package postgres

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// A grant shows a column as it is stored, on every record that a policy lets
// through. Where an account is to see less of a column, by a mask or because the
// policies that show it do not show every record, it reaches the table through
// a view, and so does an account whose clients write their own SQL where
// conditions follow relations. The policies then name the view's owner, and
// the account holds nothing on the table itself.

// tableView is a table as one account reaches it.
type tableView struct {
	columns []viewColumn
	reads   []*model.Column // that the view's owner has to read
	related []*model.Table  // related tables that the view and the policies read
	hashes  bool            // it shows hashes, by the key that is stored
	where   sqltext.Expr    // of a report; nil: all records
}

// viewColumn is one column of a view.
type viewColumn struct {
	*model.Column
	x     sqltext.Expr
	typ   string // "": the type of the table's column
	shown bool   // the account may read it; else it may only be set by a create
	raw   bool   // as it is stored: only such a column can be written
}

// sight is how a column looks through an entry.
type sight struct {
	arms  []model.Cond // under which it is seen, where not on all records that are
	never bool         // no policy shows it
	masks []*model.Mask
}

// raw reports whether the column is shown as it is stored wherever its record is.
func (s sight) raw() bool { return !s.never && s.arms == nil && len(s.masks) == 0 }

// sightOf says how a column of a table looks through an entry; arms are the
// policies that grant view there.
func sightOf(p *model.Program, e model.Entry, t *model.Table, arms []model.ColumnArm, c *model.Column) sight {
	var s sight
	var listing []model.Cond
	always := false
	for _, arm := range arms {
		if slices.Contains(arm.Target.Columns, c) {
			_, all := arm.Cond.(model.True)
			listing, always = append(listing, arm.Cond), always || all
		}
	}
	s.never = len(listing) == 0
	if !s.never && len(listing) < len(arms) && !always {
		s.arms = listing
	}
	for _, m := range t.ColumnMasks(c) {
		if _, exempt := p.Exempt(e, m).(model.True); !exempt {
			s.masks = append(s.masks, m)
		}
	}
	return s
}

// alike reports whether a table has no masks and all policies that show records
// show the same columns: then they look alike through every entry.
func alike(t *model.Table) bool {
	if len(t.Masks) > 0 {
		return false
	}
	var first *model.PolicyTarget
	for _, target := range t.Policies {
		if !target.Allows(model.View) {
			continue
		}
		if first == nil {
			first = target
		}
		if !slices.Equal(first.Columns, target.Columns) {
			return false
		}
	}
	return true
}

// needsView reports whether an account has to reach a table through a view
// because of its columns.
func needsView(p *model.Program, e model.Entry, t *model.Table) bool {
	if alike(t) {
		return false
	}
	arms := p.VisibleColumns(e, t)
	return slices.ContainsFunc(t.Columns, func(c *model.Column) bool {
		s := sightOf(p, e, t, arms, c)
		return !s.never && !s.raw()
	})
}

// view makes the view of a table for an entry.
func (d *desired) view(r *renderer, e model.Entry, t *model.Table, readOnly bool) *tableView {
	out := &tableView{}
	arms := d.p.VisibleColumns(e, t)
	var set []*model.Column
	if !readOnly {
		set = append(d.p.WritableColumns(e, t, model.Create), d.p.WritableColumns(e, t, model.Edit)...)
	}
	r.plain = true // it is computed for rows that were found
	conditional := false
	for _, c := range t.Columns {
		s := sightOf(d.p, e, t, arms, c)
		if s.never && !slices.Contains(set, c) {
			continue
		}
		conditional = conditional || !s.never && s.arms != nil
		out.add(r, c, s)
	}
	if conditional {
		d.readCompared(out, t)
	}
	return out
}

// add adds a column to a view.
func (v *tableView) add(r *renderer, c *model.Column, s sight) {
	col := viewColumn{Column: c, x: sqltext.Column{Name: c.Name}, shown: !s.never, raw: s.never || s.raw()}
	if !col.raw {
		col.x, col.typ = r.columnSight(c, s)
	}
	v.columns = append(v.columns, col)
	v.hashes = v.hashes || slices.ContainsFunc(s.masks, func(m *model.Mask) bool { return m.With == model.MaskHash{} })
	if col.shown {
		v.reads = append(v.reads, c)
	}
}

// readCompared lets a view's owner read the columns that conditions speak of.
func (d *desired) readCompared(v *tableView, t *model.Table) {
	for _, c := range t.Columns {
		if d.compared[c] && !slices.Contains(v.reads, c) {
			v.reads = append(v.reads, c)
		}
	}
}

// columnSight is what a view shows for a column that is masked or not seen on
// every record, and its type.
func (r *renderer) columnSight(c *model.Column, s sight) (sqltext.Expr, string) {
	var x sqltext.Expr = sqltext.Column{Name: c.Name}
	typ, err := sqltext.ParseType(nativeType(c))
	var null sqltext.Expr
	var exempt, unhidden []sqltext.Expr
	for _, m := range s.masks {
		gate := r.cond(r.exempt(m))
		if _, hides := m.With.(model.MaskNull); hides {
			unhidden = append(unhidden, gate)
			continue
		}
		exempt = append(exempt, gate)
	}
	if len(exempt) > 0 { // all show the same
		last := s.masks[len(s.masks)-1]
		shown, raw, as, problem := r.maskedColumn(last.With, c)
		r.fail(problem)
		typ, err = as, nil
		x = chosen(allOf(exempt...), raw, shown)
	}
	if err == nil {
		null = sqltext.NullConst{Type: typ}
	}
	if len(unhidden) > 0 {
		x = chosen(allOf(unhidden...), x, null)
	}
	if s.arms != nil {
		seen := make([]sqltext.Expr, len(s.arms))
		for i, arm := range s.arms {
			seen[i] = r.cond(arm)
		}
		x = chosen(anyOf(seen...), x, null)
	}
	if err != nil {
		return x, nativeType(c)
	}
	return x, string(typ.SQL())
}

// chosen is then where a condition holds, else otherwise; never then, where the
// condition cannot hold.
func chosen(cond, then, otherwise sqltext.Expr) sqltext.Expr {
	if b, ok := cond.(sqltext.BoolConst); ok && !b.Value && otherwise != nil {
		return otherwise
	}
	return sqltext.Choose{Cond: cond, Then: then, Else: otherwise}
}

// exempt is the condition under which a mask does not apply.
func (r *renderer) exempt(m *model.Mask) model.Cond { return r.program.Exempt(r.entry, m) }

// viewOwner is the role that owns an account's views. It is made with the
// schema that they stand in when the first of them is.
func (d *desired) viewOwner(a *model.ServiceAccount) string {
	name := ViewsName(a.Role)
	schema := SchemaID(name)
	if d.state.Schemas[schema] != nil {
		return name
	}
	mark := Mark(d.p.Project)
	d.addRole(&Role{ID: RoleID(name), Inherit: true, ConnectionLimit: -1, Comment: mark, Managed: true, Source: a.Span})
	d.state.Scope.Accounts[name] = &AccountScope{Managed: true, Views: true, Source: a.Span}
	d.state.Schemas[schema] = &Schema{ID: schema, Owner: name, Comment: mark, Managed: true}
	d.grant(schema, a.Role, PrivilegeUsage)
	path, err := quotedPath(name, "$user", publicSchema)
	if err != nil {
		d.errs = append(d.errs, err)
	}
	for _, r := range d.state.Roles {
		if r.PasswordFor == a.Name {
			r.Settings["search_path"] = path
		}
	}
	return name
}

// addView adds an account's view of a table, with what the account and the
// view's owner hold.
func (d *desired) addView(a *model.ServiceAccount, t *model.Table, acc *tableAccess) {
	d.putView(a, t, t.SQLName, acc.view, acc.sources())
}

// putView adds a view of an account. A table's view takes the marker of tests.
func (d *desired) putView(a *model.ServiceAccount, t *model.Table, name string, view *tableView, sources []Origin) {
	owner, table := d.viewOwner(a), TableID(t.Schema, t.SQLName)
	v := &View{ID: ViewID(ViewsName(a.Role), name), Table: table, Owner: owner, Role: a.Role, Sources: sources}
	if view.where != nil {
		v.Options = []string{barrier}
	}
	if other := d.state.Views[v.ID]; other != nil {
		d.errs = append(d.errs, fmt.Errorf("two views of service_account.%s would be named %s", a.Name, printed(v.ID)))
	}
	items := make([]sqltext.ViewItem, len(view.columns))
	for i, c := range view.columns {
		items[i] = sqltext.ViewItem{X: c.x, Name: c.Name}
		v.Columns = append(v.Columns, ViewColumn{Name: c.Name, Type: c.typ})
		if c.shown {
			d.grant(ColumnID(v.Grantable(), c.Name), a.Role, PrivilegeSelect)
		}
	}
	if d.marker != "" {
		items = append(items, sqltext.ViewItem{X: sqltext.Column{Name: d.marker}, Name: d.marker})
		v.Columns = append(v.Columns, ViewColumn{Name: d.marker})
		for _, p := range []Privilege{PrivilegeSelect, PrivilegeInsert, PrivilegeUpdate} {
			d.grant(ColumnID(v.Grantable(), d.marker), a.Role, p)
			d.grant(ColumnID(table, d.marker), owner, p)
		}
	}
	body, err := sqltext.PrintView(items, t.Schema, t.SQLName, view.where)
	if err != nil {
		d.errs = append(d.errs, fmt.Errorf("the view %s of %s: %w", name, t.Address(), err))
	}
	v.Body = body
	d.state.Views[v.ID] = v
	d.grant(SchemaID(t.Schema), owner, PrivilegeUsage)
	for _, c := range view.reads {
		d.grant(ColumnID(table, c.Name), owner, PrivilegeSelect)
	}
	if view.hashes {
		d.grant(TableID(RuntimeSchema, tableHashKey), owner, PrivilegeSelect)
	}
	d.addRelatedViews(view.related, owner)
}

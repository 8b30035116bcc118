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

// needsView reports whether an account has to reach a table through a view
// because of its columns.
func needsView(p *model.Program, e model.Entry, t *model.Table) bool {
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
	conditional := false
	r.plain = true // it is computed for rows that were found
	for _, c := range t.Columns {
		s := sightOf(d.p, e, t, arms, c)
		col := viewColumn{Column: c, x: sqltext.Column{Name: c.Name}, shown: !s.never, raw: s.never || s.raw()}
		if s.never && !slices.Contains(set, c) {
			continue
		}
		if !col.raw {
			conditional = conditional || s.arms != nil
			col.x, col.typ = r.columnSight(c, s)
		}
		out.columns = append(out.columns, col)
		out.hashes = out.hashes || slices.ContainsFunc(s.masks, func(m *model.Mask) bool { return m.With == model.MaskHash{} })
		if col.shown {
			out.reads = append(out.reads, c)
		}
	}
	if conditional {
		for _, c := range t.Columns {
			if d.compared[c] && !slices.Contains(out.reads, c) {
				out.reads = append(out.reads, c)
			}
		}
	}
	return out
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
	owner, table := d.viewOwner(a), TableID(t.Schema, t.SQLName)
	v := &View{
		ID: ViewID(ViewsName(a.Role), t.SQLName), Table: table, Owner: owner, Options: []string{barrier}, Role: a.Role, Sources: acc.sources(),
	}
	if other := d.state.Views[v.ID]; other != nil {
		d.errs = append(d.errs, fmt.Errorf("the views of %s and %s for service_account.%s would have one name", printed(other.Table), printed(table), a.Name))
	}
	items := make([]sqltext.ViewItem, len(acc.view.columns))
	for i, c := range acc.view.columns {
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
	body, err := sqltext.PrintView(items, t.Schema, t.SQLName, nil)
	if err != nil {
		d.errs = append(d.errs, fmt.Errorf("the view of %s: %w", t.Address(), err))
	}
	v.Body = body
	d.state.Views[v.ID] = v
	d.grant(SchemaID(t.Schema), owner, PrivilegeUsage)
	for _, c := range acc.view.reads {
		d.grant(ColumnID(table, c.Name), owner, PrivilegeSelect)
	}
	if acc.view.hashes {
		d.grant(TableID(RuntimeSchema, tableHashKey), owner, PrivilegeSelect)
	}
	d.addRelatedViews(acc.view.related, owner)
}

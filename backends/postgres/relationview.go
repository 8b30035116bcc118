package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
)

// Where an app's clients write their own SQL, a condition over related records
// is no function: the account would have to be allowed to call it, and could
// ask it about records that its user does not see. The condition stands in the
// policy itself instead, and reads views of the schema postern that nobody but
// the owner of the account's views may read. The account reaches the table
// through such a view alone.

// relatedViews are the views that conditions read related records from.
type relatedViews struct {
	columns map[*model.Table][]*model.Column // that they show
	used    map[*model.Table]struct{}
}

func newRelatedViews(ds *model.Datasource, compared map[*model.Column]bool) *relatedViews {
	v := &relatedViews{columns: map[*model.Table][]*model.Column{}, used: map[*model.Table]struct{}{}}
	for _, t := range ds.Tables {
		for _, c := range t.Columns {
			if compared[c] {
				v.columns[t] = append(v.columns[t], c)
			}
		}
	}
	return v
}

// name is the view of a related table. It holds a hash of the columns: a view
// with others is a new one, which the policies change over to.
func (v *relatedViews) name(t *model.Table) string {
	var names []string
	for _, c := range v.columns[t] {
		names = append(names, c.Name)
	}
	sum := sha256.Sum256([]byte(t.Schema + "\x00" + t.SQLName + "\x00" + strings.Join(names, "\x00")))
	return shortName("related_" + t.Name + "_" + hex.EncodeToString(sum[:4]))
}

// from is the related table as a condition reads it.
func (v *relatedViews) from(t *model.Table, alias string) sqltext.FromTable {
	v.used[t] = struct{}{}
	return sqltext.FromTable{Schema: RuntimeSchema, Name: v.name(t), Alias: alias}
}

// within renders what stands in a subquery of the policy itself.
func (r *renderer) within(f func()) {
	r.body = &bodyScope{aliases: map[*model.Row]string{}, inline: true}
	f()
	r.body = nil
}

// addRelatedViews adds the views that conditions of an account's policies
// read, for its view owner.
func (d *desired) addRelatedViews(tables []*model.Table, reader string) {
	for _, t := range tables {
		id := ViewID(RuntimeSchema, d.views.name(t))
		if d.state.Views[id] == nil {
			d.state.Views[id] = d.relatedView(id, t)
		}
		d.grant(id.Table(), reader, PrivilegeSelect)
	}
}

func (d *desired) relatedView(id ObjectID, t *model.Table) *View {
	table := TableID(t.Schema, t.SQLName)
	v := &View{ID: id, Table: table, Owner: d.owner, Options: []string{barrier}}
	var items []sqltext.ViewItem
	for _, c := range d.views.columns[t] {
		items = append(items, sqltext.ViewItem{X: sqltext.Column{Name: c.Name}, Name: c.Name})
		v.Columns = append(v.Columns, ViewColumn{Name: c.Name})
		d.readRelated(ColumnID(table, c.Name))
	}
	body, err := sqltext.PrintView(items, t.Schema, t.SQLName, nil)
	if err != nil {
		d.errs = append(d.errs, err)
	}
	v.Body = body
	return v
}

// take lists the related tables that conditions read, and forgets them.
func (v *relatedViews) take() []*model.Table {
	var out []*model.Table
	for t := range v.used {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *model.Table) int { return strings.Compare(a.Name, b.Name) })
	clear(v.used)
	return out
}

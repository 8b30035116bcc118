package postgres

import (
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

// compareViews compares the generated views. Those that conditions read stand
// before the policies that need them; an account's views need no more than
// their table.
func (d *differ) compareViews() {
	compareKeyed(d.want.Views, d.live.Views, ObjectID.Compare, d.createView, d.changeView, d.dropView)
	for id := range d.live.Records {
		if id.Kind == KindView && d.live.Views[id] == nil && d.want.Views[id] == nil ||
			id.Kind == KindSchema && d.live.Schemas[id] == nil && d.want.Schemas[id] == nil {
			d.forget = append(d.forget, id)
		}
	}
}

func (d *differ) viewItem(v *View, change plan.Change) item {
	order := 4
	if v.Role != "" {
		order = 5
	}
	return item{phase: phaseGenerated, order: order, id: v.ID, change: change}
}

// viewSource is the block that a view comes from, else where its table is
// declared.
func (d *differ) viewSource(v *View) source.Span {
	return d.policySource(&Policy{ID: v.Table, Sources: v.Sources})
}

func (d *differ) createView(id ObjectID, want *View) {
	if d.live.Tables[want.Table] == nil {
		return // that the table is missing has been said
	}
	reason := ""
	if r, ok := d.live.Records[id]; ok && r.Desired == viewHash(want.Body) {
		reason = plan.ReasonDrift
	}
	d.add(d.viewItem(want, plan.Add{About: about(id, d.viewSource(want), reason), After: describeView(want)}), d.makeView(want)...)
}

// makeView makes a view that nobody holds anything on yet.
func (d *differ) makeView(v *View) []printedSQL {
	d.views = append(d.views, v)
	d.fresh[v.Grantable()] = true
	out := append([]printedSQL{sql(CreateView(v, false))}, d.close(v.Grantable())...)
	return append(out, sql(SetOwner(v.ID, v.Owner)))
}

func (d *differ) changeView(id ObjectID, want, have *View) {
	same, byHand := d.sameView(want, have)
	record, recorded := d.live.Records[id]
	var statements []printedSQL
	switch {
	case same:
		if have.Owner != want.Owner {
			statements = append(statements, sql(SetOwner(id, want.Owner)))
		}
		if !slices.Equal(have.Options, want.Options) {
			if len(have.Options) > 0 {
				statements = append(statements, sql(resetViewOptions(have)))
			}
			if len(want.Options) > 0 {
				statements = append(statements, sql(SetViewOptions(want)))
			}
		}
		if record.Desired != viewHash(want.Body) || record.Live != viewHash(have.Body) {
			d.views = append(d.views, want)
			d.adopted = append(d.adopted, "view "+printed(id))
		}
		byHand = byHand || recorded && len(statements) > 0 && !earlierOptions(want, have)
	case d.replaceable(want, have):
		statements = []printedSQL{sql(CreateView(want, true)), sql(SetOwner(id, want.Owner))}
		d.views = append(d.views, want)
	default:
		d.hold(id, d.viewSource(want), true)
		statements = append([]printedSQL{sql(DropObject(id))}, d.makeView(want)...)
	}
	if len(statements) == 0 {
		return
	}
	reason := ""
	if byHand {
		reason = plan.ReasonDrift
	}
	d.add(d.viewItem(want, plan.Modify{
		About: about(id, d.viewSource(want), reason), Before: describeView(have), After: describeView(want),
	}), statements...)
}

// earlierOptions reports whether a view's options are those that an earlier
// version gave to all views.
func earlierOptions(want, have *View) bool {
	return have.Owner == want.Owner && len(want.Options) == 0 && slices.Equal(have.Options, []string{barrier})
}

// resetViewOptions takes all options of a live view away.
func resetViewOptions(v *View) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER VIEW ").Qualified(v.ID.Schema, v.ID.Name).Raw(" RESET (")
		b.Each(len(v.Options), ", ", func(i int) {
			name, _, _ := strings.Cut(v.Options[i], "=")
			b.Ident(name)
		})
		b.Raw(")")
	})
}

// sameView is samePolicyBody for views.
func (d *differ) sameView(want, have *View) (same, byHand bool) {
	record, recorded := d.live.Records[want.ID]
	byHand = recorded && record.Live != viewHash(have.Body)
	if d.live.Same[want.ID] {
		return true, false
	}
	return recorded && !byHand && record.Desired == viewHash(want.Body), byHand
}

// replaceable reports whether CREATE OR REPLACE VIEW takes the new query: it
// keeps who holds what, and readers that wait, but no columns of other names or
// types.
func (d *differ) replaceable(want, have *View) bool {
	types := map[string]string{}
	if t := d.live.Tables[want.Table]; t != nil {
		for _, c := range t.Columns {
			types[c.Name] = c.Type
		}
	}
	return slices.EqualFunc(want.Columns, have.Columns, func(w, h ViewColumn) bool {
		if w.Type == "" {
			w.Type = types[w.Name]
		}
		return w == h
	})
}

func (d *differ) dropView(id ObjectID, have *View) {
	if !d.drops(id) {
		return
	}
	d.hold(id, source.Span{}, false)
	d.add(item{phase: phaseCleanup, order: -2, id: id, change: plan.Remove{
		About: about(id, source.Span{}, "no longer needed"), Before: describeView(have),
	}}, sql(DropObject(id)))
	d.forget = append(d.forget, id)
}

func (d *differ) dropSchema(id ObjectID, have *Schema) {
	if !d.drops(id) {
		return
	}
	d.hold(id, source.Span{}, false)
	d.add(item{phase: phaseCleanup, order: -1, id: id, change: plan.Remove{
		About: about(id, source.Span{}, "no longer needed"), Before: "owned by " + have.Owner,
	}}, sql(DropObject(id)))
	d.forget = append(d.forget, id)
}

// drops reports whether a view or schema is one that the project made and no
// longer wants.
func (d *differ) drops(id ObjectID) bool {
	_, recorded := d.live.Records[id]
	switch id.Kind { //nolint:exhaustive // the others are not dropped here
	case KindView:
		return recorded && d.want.Views[id] == nil
	case KindSchema:
		have := d.live.Schemas[id]
		return recorded && d.want.Schemas[id] == nil && have != nil && have.Comment == Mark(d.want.Project)
	}
	return false
}

package postgres

import (
	"fmt"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// views checks what an account reaches through a view: that what masks show
// has the columns' types, and that nothing is to be written that the view
// cannot write.
func (a *audit) views(acc *model.ServiceAccount, t *model.Table, e model.Entry) {
	if alike(t) {
		return
	}
	arms := a.p.VisibleColumns(e, t)
	for _, c := range t.Columns {
		s := sightOf(a.p, e, t, arms, c)
		a.maskValue(t, c, s.masks)
		if acc.ReadOnly || len(s.masks) == 0 && s.arms == nil {
			continue
		}
		for _, action := range []model.Action{model.Create, model.Edit} {
			if slices.Contains(a.p.WritableColumns(e, t, action), c) && a.written(acc, e, t, c, s, action) {
				break
			}
		}
	}
}

// maskValue checks that what masks show is of the column's native type.
func (a *audit) maskValue(t *model.Table, c *model.Column, masks []*model.Mask) {
	for _, m := range masks {
		r := &renderer{}
		if _, _, _, err := r.maskedColumn(m.With, c); err != nil && !a.refused[maskedAt{m, c}] {
			a.refused[maskedAt{m, c}] = true
			a.diags.Fail(CodeMask, m.Span, fmt.Sprintf("The mask %s cannot stand for the column %s of %s: %s", inQuotes(m.Name), inQuotes(c.Name), t.Address(), err),
				"Show null, or a value that the column's native type holds exactly.")
		}
	}
}

// viewNames finds names that an account's views cannot have.
func (a *audit) viewNames(acc *model.ServiceAccount, e model.Entry) {
	known := map[string]*model.Table{}
	for _, t := range a.ds.Tables {
		if t.Schema == ViewsName(acc.Role) {
			a.diags.Add(diag.Diagnostic{
				Code: CodeViewName, Severity: diag.Error, Span: t.Span,
				Summary: fmt.Sprintf("The schema %s is that of the views of service_account.%s", inQuotes(t.Schema), acc.Name),
				Detail:  "Give the account another role, or rename the schema.", Related: []diag.Related{{Span: acc.Span, Message: "the service account"}},
			})
		}
		if !needsView(a.p, e, t) && !readsRelated(a.p, e, t) {
			continue
		}
		if other := known[t.SQLName]; other != nil {
			a.diags.Add(diag.Diagnostic{
				Code: CodeViewName, Severity: diag.Error, Span: t.Span,
				Summary: fmt.Sprintf("The service account %s reaches %s and %s through views, which would have one name", inQuotes(acc.Name), other.Address(), t.Address()),
				Detail:  "Restrict the policies of one of them with via to an app with another service account.",
				Related: []diag.Related{{Span: other.Span, Message: "the other table"}},
			})
		}
		known[t.SQLName] = t
	}
}

// readsRelated reports whether an account whose clients write their own SQL
// reaches a table by conditions that follow relations.
func readsRelated(p *model.Program, e model.Entry, t *model.Table) bool {
	if !untrusted(e) {
		return false
	}
	return slices.ContainsFunc([]model.Cond{
		p.Old(e, t, model.View), p.Old(e, t, model.Edit), p.Old(e, t, model.Delete), p.New(e, t, model.Create), p.New(e, t, model.Edit),
	}, followsRelation)
}

// maskedAt is a mask on one column.
type maskedAt struct {
	mask   *model.Mask
	column *model.Column
}

// written reports a column that could be written but that a view computes. A
// view of Postgres writes only what it shows as it is stored.
func (a *audit) written(acc *model.ServiceAccount, e model.Entry, t *model.Table, c *model.Column, s sight, action model.Action) bool {
	var writer *model.PolicyTarget
	for _, target := range a.arms(e, t, action) {
		if slices.Contains(target.Columns, c) {
			writer = target
			break
		}
	}
	if writer == nil {
		return false
	}
	d := diag.Diagnostic{Code: CodeWritten, Severity: diag.Error, Span: writer.Span}
	if len(s.masks) > 0 {
		m := s.masks[0]
		d.Summary = fmt.Sprintf("Policy %s lets the column %s of %s be set by %s through the service account %s, and the mask %s hides it from some users",
			inQuotes(writer.Policy.Name), inQuotes(c.Name), t.Address(), action, inQuotes(acc.Name), inQuotes(m.Name))
		d.Detail = "Postgres cannot write a column that a view masks. Leave it out of the `columns` of the policies that allow " + string(action) +
			", or let those whom the mask leaves out come through an app of their own, with `unless = [app.…]` in the mask."
		d.Related = []diag.Related{{Span: m.Span, Message: "the mask"}}
		a.diags.Add(d)
		return true
	}
	hiding := a.hiding(e, t, c)
	d.Summary = fmt.Sprintf("Policy %s lets the column %s of %s be set by %s through the service account %s, and policy %s shows records without it",
		inQuotes(writer.Policy.Name), inQuotes(c.Name), t.Address(), action, inQuotes(acc.Name), inQuotes(hiding.Policy.Name))
	d.Detail = "Postgres cannot write a column that a view shows on some records only. Leave it out of the `columns` of the policies that allow " + string(action) +
		", or give the policies that allow view the same columns, or restrict them with via to apps with different service accounts."
	d.Related = []diag.Related{{Span: hiding.Span, Message: "the policy that hides it"}}
	a.diags.Add(d)
	return true
}

// hiding is a policy that shows records of a table without the column.
func (a *audit) hiding(e model.Entry, t *model.Table, c *model.Column) *model.PolicyTarget {
	for _, target := range a.arms(e, t, model.View) {
		if !slices.Contains(target.Columns, c) {
			return target
		}
	}
	return nil
}

package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// check looks at what several objects mean together.
func (r *resolver) check() {
	for _, d := range r.program.Datasources {
		if d.Identity == model.IdentityRole {
			r.roleIdentity(d)
		}
	}
	for _, d := range r.program.Datasources {
		for _, l := range d.Lookups {
			r.ownAttribute(l)
		}
	}
	for _, t := range r.program.Tables {
		for _, e := range t.Datasource.Entries() {
			if e.Connect != nil && e.Connect.Account != nil && e.Connect.Account.ReadOnly {
				r.readOnly(e, t)
			}
			if !t.Resource() {
				r.sameColumns(e, t)
			}
		}
	}
}

// reaches reports whether a policy counts for requests through an entry.
func reaches(p *model.Policy, e model.Entry) bool {
	if p.Via != nil && !slices.Contains(p.Via, e.App()) {
		return false
	}
	return !e.AsApp() || slices.Contains(p.To, model.Subject(model.AppSubject{App: e.App()}))
}

func isWrite(a model.Action) bool { return a == model.Create || a == model.Edit || a == model.Delete }

// ownAttribute warns of a policy that lets users write what says who they are.
func (r *resolver) ownAttribute(l *model.Lookup) {
	for _, t := range l.Table.Policies {
		for _, a := range []model.Action{model.Create, model.Edit} {
			if !t.Allows(a) || !slices.Contains(t.Columns, l.Column) && !slices.Contains(t.Columns, l.Match) {
				continue
			}
			r.diags.Add(diag.Diagnostic{
				Code: CodeLookupWritable, Severity: diag.Warning, Span: t.Span,
				Summary: fmt.Sprintf("The policy %q lets users write what user.%s is read from", t.Policy.Name, l.Attribute.Name),
				Detail: fmt.Sprintf("Whoever may %s the columns %q and %q of %s gives themselves another %s. Leave the columns out of `columns`, or see that `check` keeps it within what they may give.",
					a, l.Match.Name, l.Column.Name, l.Table.Address(), l.Attribute.Name),
				Related: []diag.Related{{Span: l.Span, Message: "the attribute is looked up here"}},
			})
			break
		}
	}
}

// readOnly reports a policy that grants a write through an account that has
// none.
func (r *resolver) readOnly(e model.Entry, t *model.Table) {
	for _, target := range t.Policies {
		if !slices.ContainsFunc(target.Allow, isWrite) || !reaches(target.Policy, e) {
			continue
		}
		r.diags.Add(diag.Diagnostic{
			Code: CodeReadOnly, Span: target.Span,
			Summary: fmt.Sprintf("The policy %q grants writes through a service account that may only read", target.Policy.Name),
			Detail: fmt.Sprintf("app.%s reaches %s by service_account.%s, which is read_only. Name the other apps in `via`, or remove read_only.",
				e.App().Name, t.Address(), e.Connect.Account.Name),
			Related: []diag.Related{{Span: e.Connect.Account.Span, Message: "read_only is stated here"}},
		})
	}
}

// sameColumns reports two policies that let different columns be written
// through one account: its grants could not tell them apart.
func (r *resolver) sameColumns(e model.Entry, t *model.Table) {
	for _, a := range []model.Action{model.Create, model.Edit} {
		var first *model.PolicyTarget
		for _, target := range t.Policies {
			if !target.Allows(a) || !reaches(target.Policy, e) {
				continue
			}
			if first == nil {
				first = target
				continue
			}
			if slices.Equal(first.Columns, target.Columns) {
				continue
			}
			r.diags.Add(diag.Diagnostic{
				Code: CodeColumnsDiffer, Span: target.Span,
				Summary: fmt.Sprintf("The policies %q and %q grant %s on %s with different columns", first.Policy.Name, target.Policy.Name, a, t.Address()),
				Detail: fmt.Sprintf("Through one account, policies that grant %s must list the same columns: here %s, there %s.",
					a, columnNames(target.Columns), columnNames(first.Columns)),
				Related: []diag.Related{{Span: first.Span, Message: "the other policy"}},
			})
		}
	}
}

func columnNames(columns []*model.Column) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name
	}
	return strings.Join(out, ", ")
}

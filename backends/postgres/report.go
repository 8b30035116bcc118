package postgres

import (
	"fmt"
	"maps"
	"slices"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// A report is a view for each service account through which somebody may read
// it, in the schema of the account's views. It reads the table as the account's
// own view of it would: the table's policies leave the records that the reader
// may view, and the view's own condition those of the report.

// ReportName is the name of a report's views.
func ReportName(r *model.Report) string {
	if r.Key == "" {
		return shortName(r.Label)
	}
	return shortName(r.Label + "_" + r.Key)
}

// reports adds an account's reports from a table, and gives the generated
// functions that they call.
func (d *desired) reports(a *model.ServiceAccount, e model.Entry, t *model.Table, acc *tableAccess) []ObjectID {
	var used []ObjectID
	for _, rep := range t.Reports {
		selects := d.p.Selects(e, rep)
		if never(selects) || acc.actions[0].action != model.View {
			continue
		}
		r := d.renderer(e, t)
		view := &tableView{}
		r.plain = true
		arms := d.p.VisibleColumns(e, t)
		for _, c := range rep.Columns {
			if s := sightOf(d.p, e, t, arms, c); !s.never {
				view.add(r, c, s)
			}
		}
		view.where = r.cond(selects)
		d.readCompared(view, t)
		for _, err := range r.errs {
			d.errs = append(d.errs, fmt.Errorf("report.%s: %w", rep.Name, err))
		}
		view.related = d.views.take()
		d.addRelated(r.related)
		d.putView(a, t, ReportName(rep), view, []Origin{{Block: "report." + rep.Name, Span: rep.Span}})
		d.policy(a, t, acc.actions[0], target{role: a.Role, owner: ViewsName(a.Role), table: TableID(t.Schema, t.SQLName)})
		used = append(used, slices.Collect(maps.Keys(r.used))...)
	}
	return used
}

// reports checks the names of reports, and that somebody may read them.
func (a *audit) reports() {
	known := map[string]*model.Report{}
	for _, t := range a.ds.Tables {
		for _, rep := range t.Reports {
			name := ReportName(rep)
			a.name("report", name, rep.Span)
			for _, other := range a.ds.Tables {
				if other.SQLName == name {
					a.diags.Add(diag.Diagnostic{
						Code: CodeViewName, Severity: diag.Error, Span: rep.Span,
						Summary: fmt.Sprintf("The report %s has the name of a table, which its readers would no longer find by it", inQuotes(name)),
						Detail:  "Give the report another name.", Related: []diag.Related{{Span: other.Span, Message: "the table"}},
					})
				}
			}
			if other := known[name]; other != nil {
				a.diags.Add(diag.Diagnostic{
					Code: CodeViewName, Severity: diag.Error, Span: rep.Span, Summary: fmt.Sprintf("Two reports would be views named %s", inQuotes(name)),
					Detail: "Give one of them another name.", Related: []diag.Related{{Span: other.Span, Message: "the other report"}},
				})
			}
			known[name] = rep
			a.readable(rep, t)
		}
	}
}

// readable warns of a report that no service account can read.
func (a *audit) readable(rep *model.Report, t *model.Table) {
	for _, acc := range a.ds.Accounts {
		if e, ok := acc.EntryOf(); ok && !never(a.p.Selects(e, rep)) && !never(a.p.Old(e, t, model.View)) {
			return
		}
	}
	a.diags.Warn(CodeReport, rep.Span, fmt.Sprintf("No service account of datasource %s can read the report %s", inQuotes(a.ds.Name), inQuotes(rep.Name)),
		"Its readers need an app that connects to the datasource, and a policy that lets them view records of "+t.Address()+".")
}

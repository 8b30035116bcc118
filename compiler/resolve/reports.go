package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
	"github.com/postern-dev/postern/lang/syntax"
)

// reports makes the reports, in order of name.
func (r *resolver) reports() {
	blocks, taken := map[string]source.Span{}, map[string]source.Span{}
	for _, b := range r.syntax.Reports {
		if !r.once("report", &b.Header, blocks) {
			continue
		}
		for _, round := range r.repeats(&b.Header) {
			rep := &model.Report{
				Name: r.address(b.Label(0), round.key, round.keyed), Label: b.Label(0), Key: round.key,
				Description: r.description(b.Description, round.ctx), Span: b.Span,
			}
			if first, ok := taken[rep.Name]; ok {
				r.duplicate(b.Span, first, fmt.Sprintf("A second report with the address %s", rep.Name))
				continue
			}
			taken[rep.Name] = b.Span
			if r.report(rep, b, round) {
				r.program.Reports = append(r.program.Reports, rep)
			}
		}
	}
	slices.SortFunc(r.program.Reports, func(a, b *model.Report) int { return strings.Compare(a.Name, b.Name) })
}

// finishReports hangs the reports on their tables.
func (r *resolver) finishReports() {
	for _, rep := range r.program.Reports {
		rep.From.Reports = append(rep.From.Reports, rep)
	}
}

// report reads one report, and says whether all of it is there.
func (r *resolver) report(rep *model.Report, b *syntax.Report, round repeat) bool {
	if b.To != nil {
		rep.To = r.filledSubjects(b.To, round, "The report is for nobody")
	}
	if b.From == nil {
		return false
	}
	on, ok := r.tableRefs(b.From, round.ctx)
	if !ok {
		return false
	}
	if len(on) != 1 {
		r.diags.Fail(CodeReference, syntaxSpan(b.From), "A report is from one table", "Name one table, with its key where it repeats.")
		return false
	}
	rep.From = on[0].table
	rep.Where = r.condition(b.Where, rep.From, round)
	rep.Columns = r.columns(b.Columns, "report", rep.From, round)
	if rep.From.Resource() {
		r.diags.Fail(CodeReport, syntaxSpan(b.From), fmt.Sprintf("%s is a resource of a service, where nothing makes a view", rep.From.Address()),
			"A report is a view in a database. Give its readers a policy on the resource instead.")
		return false
	}
	return true
}

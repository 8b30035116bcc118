package view

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/compiler/access"
	"github.com/postern-dev/postern/compiler/explain"
)

//go:embed report.html.tmpl
var reportPage string

//go:embed report.css
var reportStyle string

// HTMLReport is what a report shows.
type HTMLReport struct {
	Project  string
	Revision string
	Matrix   *explain.Matrix
	Plans    []*plan.Plan     // none when no database was asked
	Reports  []*review.Report // one for each plan, or that of two revisions
	Audits   []Audited        // none when no database was audited
}

// page is a report in the words of its template. Every text of it that comes
// from a project or a database is escaped by html/template.
type page struct {
	HTMLReport
	Style  template.CSS
	Policy template.HTMLAttr // of the content security policy
	Access []pageAccess
	Runs   []pageRun
	Found  []pageAudit
}

type pageAccess struct {
	Title, Counts, Undecided string
	Same                     int
	Rows                     []pageRow
}

type pageRow struct {
	Verdict, Who, May, On string
	Evidence              []string
}

type pageAudit struct {
	Title, Counts string
	Rows          []pageFinding
	Unseen        []string
}

type pageFinding struct {
	Severity, Object, Rule, Place, Who, Effect, Fix string
}

type pageRun struct {
	Title      string
	Hazards    []string
	Statements string
}

// WriteHTML writes a report as one page that loads nothing: its style is in
// it, named by its hash in the content security policy, and there is no script.
func WriteHTML(w io.Writer, r HTMLReport) error {
	sum := sha256.Sum256([]byte(reportStyle))
	p := page{
		HTMLReport: r,
		// The style is this program's own file; it holds nothing of a project.
		Style:  template.CSS(reportStyle),                                                                                                                                    // #nosec G203 -- embedded
		Policy: template.HTMLAttr(`content="default-src 'none'; style-src 'sha256-` + base64.StdEncoding.EncodeToString(sum[:]) + `'; base-uri 'none'; form-action 'none'"`), // #nosec G203 -- a hash
	}
	p.Project, p.Revision = safeLine(r.Project), r.Revision[:min(7, len(r.Revision))]
	for _, x := range r.Reports {
		p.Access = append(p.Access, accessOf(x))
	}
	for _, pl := range r.Plans {
		add, change, remove := pl.Count()
		run := pageRun{Title: fmt.Sprintf("datasource.%s: %d to add, %d to change, %d to remove", safeLine(pl.Datasource), add, change, remove)}
		for _, h := range pl.Hazards {
			run.Hazards = append(run.Hazards, safeLine(unquoted(h.Message())))
		}
		var b strings.Builder
		for _, s := range pl.Statements {
			b.WriteString(statementText(s) + "\n")
		}
		run.Statements = b.String()
		p.Runs = append(p.Runs, run)
	}
	for _, a := range r.Audits {
		p.Found = append(p.Found, auditOf(a))
	}
	t, err := template.New("report").Funcs(template.FuncMap{"safe": safeLine}).Parse(reportPage)
	if err != nil {
		return fmt.Errorf("reading the page of the report: %w", err)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func accessOf(r *review.Report) pageAccess {
	out := pageAccess{
		Title: "From " + sideText(r.Before) + " to " + sideText(r.After), Counts: accessCounts(r.Counts), Same: r.Same, Undecided: safeLine(r.Undecided),
	}
	if r.Datasource != "" {
		out.Title = "datasource." + safeLine(r.Datasource) + ": " + strings.ToLower(out.Title[:1]) + out.Title[1:]
	}
	for _, c := range r.Changes {
		row := pageRow{Verdict: string(c.Verdict), Who: safeLine(c.Subject), May: safeLine(string(c.Action)), On: safeLine(c.Table)}
		if len(c.Columns) > 0 {
			row.On += " (" + safeLine(strings.Join(c.Columns, ", ")) + ")"
		}
		if len(c.Apps) > 0 {
			row.On += " via " + safeLine(strings.Join(c.Apps, ", "))
		}
		for _, e := range evidence(c.Change) {
			row.Evidence = append(row.Evidence, safeLine(e))
		}
		out.Rows = append(out.Rows, row)
	}
	for _, b := range r.ByHand {
		out.Rows = append(out.Rows, pageRow{Verdict: string(b.Verdict), Who: handText(b), Evidence: []string{safeLine(handEffect(b))}})
	}
	slices.SortStableFunc(out.Rows, func(a, b pageRow) int { return rank(a) - rank(b) })
	return out
}

func auditOf(a Audited) pageAudit {
	out := pageAudit{Title: fmt.Sprintf("datasource.%s: %s (%s)", safeLine(a.Datasource), safeLine(a.Database), safeLine(a.Server)), Counts: auditCounts(a)}
	for _, f := range a.Findings {
		row := pageFinding{
			Severity: string(f.Severity), Object: safeLine(f.Object.String()), Rule: f.Rule, Who: safeLine(strings.Join(f.Who, ", ")), Effect: safeLine(f.Effect),
		}
		if !f.Span.IsZero() {
			row.Place = safeLine(f.Span.String())
		}
		for i, statement := range f.Fix {
			if i > 0 {
				row.Fix += "\n"
			}
			row.Fix += safeLine(unquoted(statement))
		}
		out.Rows = append(out.Rows, row)
	}
	for _, u := range a.Unseen {
		out.Unseen = append(out.Unseen, safeLine(u))
	}
	return out
}

// rank puts what widens before what narrows.
func rank(r pageRow) int {
	if access.Verdict(r.Verdict).Widens() {
		return 0
	}
	return 1
}

// Reported says where a report was written.
func Reported(o Output, file string) error {
	if o.JSON {
		return writeJSON(o.W, map[string]string{"format_version": FormatVersion, "file": file})
	}
	p := &printer{Output: o}
	p.printf("Wrote %s.\n", safeLine(file))
	return p.err
}

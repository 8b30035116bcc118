package view

import (
	"fmt"
	"strconv"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/lang/diag"
)

// AppliedStatus is what became of one datasource's plan.
type AppliedStatus string

// What can become of a plan.
const (
	StatusApplied    AppliedStatus = "applied"
	StatusRolledBack AppliedStatus = "rolled_back" // apply --dry-run: all of it ran
	StatusFailed     AppliedStatus = "failed"      // nothing of it stays
	StatusNotStarted AppliedStatus = "not_started" // another one failed before
)

// AppliedPlan is what became of one datasource's plan.
type AppliedPlan struct {
	Datasource string        `json:"datasource"`
	Database   string        `json:"database"`
	Statements int           `json:"statements"`
	Applied    bool          `json:"applied"`
	Status     AppliedStatus `json:"status"`
	// Of a publish block instead: its name, its place, how many files were put,
	// and how many OPAs serve them.
	Publish string `json:"publish,omitempty"`
	Place   string `json:"place,omitempty"`
	Files   int    `json:"files,omitempty"`
	Served  int    `json:"served,omitempty"`
	// Logins are what the clients of accounts whose password has changed log in
	// as from now on.
	Logins []plan.SwitchesLogin `json:"logins,omitempty"`
	// Sessions keep rights that the plan took away.
	Sessions []postgres.Session `json:"sessions,omitempty"`
}

// Applied prints which plans were applied, and, as JSON, what kept the others
// and who approved changes.
func Applied(o Output, plans []AppliedPlan, approved []review.Approval, found ...diag.Diagnostic) error {
	if o.JSON {
		if plans == nil {
			plans = []AppliedPlan{}
		}
		if found == nil {
			found = []diag.Diagnostic{}
		}
		return writeJSON(o.W, map[string]any{"format_version": FormatVersion, "plans": plans, "approved": listOf(approved), "diagnostics": found})
	}
	p := &printer{Output: o}
	if len(plans) == 0 {
		p.printf("Nothing to apply.\n")
	}
	failed := false
	for _, a := range plans {
		p.applied(a)
		failed = failed || a.Status == StatusFailed
	}
	if failed && len(plans) > 1 {
		p.printf("\nThe next apply carries on: what is applied has nothing left to do.\n")
	}
	return p.err
}

// published is the line of a publish block.
func (p *printer) published(a AppliedPlan) {
	switch a.Status {
	case StatusApplied:
		served := ""
		switch {
		case a.Served == 1:
			served = "; 1 OPA serves it"
		case a.Served > 1:
			served = fmt.Sprintf("; %d OPAs serve it", a.Served)
		}
		p.printf("%s publish.%s: %s to %s%s.\n", p.paint(green, "Published"), safe(a.Publish), plural(a.Files, "file"), safeLine(a.Place), served)
	case StatusFailed:
		p.printf("%s publish.%s: not published, or not served.\n", p.paint(red, "Not applied"), safe(a.Publish))
	case StatusRolledBack, StatusNotStarted:
		p.printf("%s publish.%s: nothing was published.\n", p.paint(yellow, "Not started"), safe(a.Publish))
	}
}

func (p *printer) applied(a AppliedPlan) {
	if a.Publish != "" {
		p.published(a)
		return
	}
	switch a.Status {
	case StatusApplied:
		p.printf("%s datasource.%s: %s ran in one transaction.\n", p.paint(green, "Applied"), safe(a.Datasource), plural(a.Statements, "statement"))
	case StatusRolledBack:
		p.printf("%s datasource.%s: %s ran and were rolled back; nothing was changed.\n", p.paint(green, "Tried"), safe(a.Datasource),
			plural(a.Statements, "statement"))
	case StatusFailed:
		p.printf("%s datasource.%s: nothing was changed.\n", p.paint(red, "Not applied"), safe(a.Datasource))
	case StatusNotStarted:
		p.printf("%s datasource.%s: nothing was changed.\n", p.paint(yellow, "Not started"), safe(a.Datasource))
	}
	for _, l := range a.Logins {
		p.printf("  %s.\n", safeLine(l.Message()))
	}
	kept := false
	for _, s := range a.Sessions {
		kept = kept || !s.Ended && !s.LoginEnded
		p.session(s)
	}
	if kept {
		p.printf("  They end with their transaction. apply --end-sessions ends them with the plan that takes rights away.\n")
	}
}

func (p *printer) session(s postgres.Session) {
	what := "session " + strconv.Itoa(s.PID)
	if s.Prepared != "" {
		what = "prepared transaction " + safe(s.Prepared)
	}
	what += " of " + safe(s.Role)
	if s.Application != "" {
		what += ", " + safe(s.Application)
	}
	if s.Client != "" {
		what += ", from " + safe(s.Client)
	}
	switch {
	case s.LoginEnded && s.Ended:
		p.printf("  %s, whose login ended, was ended.\n", what)
	case s.LoginEnded && s.Refused != "":
		p.printf("  %s, whose login ended, lasts, and could not be ended: %s.\n", what, safe(s.Refused))
	case s.LoginEnded:
		p.printf("  %s lasts until it ends itself: its login ended. apply --retire-logins --end-sessions ends such sessions.\n", what)
	case s.Ended:
		p.printf("  %s kept rights that the plan takes away, and was ended.\n", what)
	case s.Refused != "":
		p.printf("  %s keeps rights that the plan takes away, and could not be ended: %s.\n", what, safe(s.Refused))
	default:
		p.printf("  %s keeps rights that the plan takes away.\n", what)
	}
}

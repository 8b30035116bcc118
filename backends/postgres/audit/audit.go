// Package audit finds the ways past the protection of a live database: whoever
// reads or changes rows of a protected table other than its policies say, or
// is one step from it.
//
// All catalogs are read in one read-only transaction that sees one state, with
// no privilege beyond CONNECT. Every rule is a function over what was read; it
// asks the database nothing. docs/audit.md lists the rules.
//
// Protected are the tables that the project declares, their partitions and
// inheritance children, and any other table with row-level security.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/lang/source"
)

// Severity says how bad a finding is.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "critical" // somebody reads or changes rows of a declared table past its policies, or is an account that can
	High     Severity = "high"     // one statement is enough for it, or the table is not a declared one
	Medium   Severity = "medium"   // the protection rests on somebody's care
	Low      Severity = "low"      // something can be learnt, or disturbed
	Info     Severity = "info"     // trusted, or unavoidable: to be known
)

// Severities lists them, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

// AtLeast reports whether a severity is as bad as another, or worse.
func (s Severity) AtLeast(o Severity) bool {
	all := Severities()
	return slices.Index(all, s) <= slices.Index(all, o)
}

// Finding is one way past the protection.
type Finding struct {
	Rule     string      `json:"rule"`
	Severity Severity    `json:"severity"`
	Object   plan.Object `json:"object"`
	// Declared says that it concerns a declared table or account.
	Declared bool `json:"declared"`
	// Who are the roles that can use it; PUBLIC is every role of the server.
	Who []string `json:"who"`
	// Effect says what they can do.
	Effect string `json:"effect"`
	// Fix are the statements that end it, in order. They may take away what
	// somebody needs. Empty where no statement does.
	Fix []string `json:"fix"`
	// Span is where the table or account is declared; zero for others.
	Span source.Span `json:"span"`
}

// Report is what an audit found.
type Report struct {
	Project  string `json:"project"`
	Database string `json:"database"`
	Server   string `json:"server"` // such as "PostgreSQL 15.18"
	// Findings are sorted by severity, rule and object.
	Findings []Finding `json:"findings"`
	// Unseen says what could not be read, and so was not judged.
	Unseen []string `json:"unseen"`
}

// Count is how many findings there are of each severity.
func (r *Report) Count() map[Severity]int {
	out := map[Severity]int{}
	for _, f := range r.Findings {
		out[f.Severity]++
	}
	return out
}

// Run audits a database against what the program wants of it. It fails where
// the catalogs cannot be read; what a role without privileges may not see is
// in the report.
func Run(ctx context.Context, conn *pgx.Conn, want *postgres.State) (*Report, error) {
	var report *Report
	err := reading(ctx, conn, func() (err error) {
		report, err = In(ctx, conn, want)
		return err
	})
	return report, err
}

// reading calls f in a transaction that sees one state and changes nothing.
func reading(ctx context.Context, conn *pgx.Conn, f func() error) error {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return fmt.Errorf("starting to read the database: %w", err)
	}
	// It only read: there is nothing to commit.
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }()
	return f()
}

// In is Run inside the transaction that is under way.
func In(ctx context.Context, conn *pgx.Conn, want *postgres.State) (*Report, error) {
	live, err := postgres.InspectIn(ctx, conn, want.Project, postgres.ScopeOf(want))
	if err != nil {
		return nil, err
	}
	return look(ctx, conn, want, live, Info)
}

// Standing are the critical findings on declared tables and accounts.
func Standing(ctx context.Context, conn *pgx.Conn, want *postgres.State) ([]Finding, error) {
	var found []Finding
	err := reading(ctx, conn, func() error {
		live, err := postgres.InspectIn(ctx, conn, want.Project, postgres.ScopeOf(want))
		if err != nil {
			return err
		}
		found, err = standing(ctx, conn, want, live)
		return err
	})
	return found, err
}

// StandingAfter is Standing inside the transaction that has run the statements
// of a plan: what will stand when it is committed. before is what the database
// held when it began.
func StandingAfter(ctx context.Context, conn *pgx.Conn, want *postgres.State, before *postgres.Live) ([]Finding, error) {
	live, err := before.After(ctx, conn)
	if err != nil {
		return nil, err
	}
	return standing(ctx, conn, want, live)
}

func standing(ctx context.Context, conn *pgx.Conn, want *postgres.State, live *postgres.Live) ([]Finding, error) {
	report, err := look(ctx, conn, want, live, Critical)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(report.Findings, func(f Finding) bool { return !f.Declared || f.Severity != Critical }), nil
}

// look follows the rules that may find something as bad as least, and reads
// nothing that only others need.
func look(ctx context.Context, conn *pgx.Conn, want *postgres.State, live *postgres.Live, least Severity) (*Report, error) {
	c, err := load(ctx, conn, want, live, least)
	if err != nil {
		return nil, err
	}
	out := &Report{Project: want.Project, Database: live.Server.Database, Server: live.Server.Text, Findings: []Finding{}, Unseen: c.unseen()}
	for _, r := range rules {
		if !r.Severity.AtLeast(least) {
			continue
		}
		s := &search{catalog: c, rule: r}
		r.detect(s)
		if err := errors.Join(s.errs...); err != nil {
			return nil, fmt.Errorf("printing what ends %s: %w", r.Name, err)
		}
		out.Findings = append(out.Findings, s.found...)
	}
	slices.SortStableFunc(out.Findings, func(a, b Finding) int {
		all := Severities()
		return cmp.Or(cmp.Compare(slices.Index(all, a.Severity), slices.Index(all, b.Severity)),
			strings.Compare(a.Rule, b.Rule), strings.Compare(a.Object.Name, b.Object.Name), strings.Compare(a.Effect, b.Effect))
	})
	return out, nil
}

// search is one rule at work.
type search struct {
	*catalog
	rule  Rule
	found []Finding
	errs  []error
}

// subject is what a finding is about.
type subject struct {
	object   plan.Object
	declared bool
	span     source.Span
}

// report adds a finding. Only what concerns a declared table or account is
// ever critical.
func (s *search) report(severity Severity, about subject, who []string, effect string, fix ...string) {
	if severity == Critical && !about.declared {
		severity = High
	}
	if who == nil {
		who = []string{}
	}
	if fix == nil {
		fix = []string{}
	}
	s.found = append(s.found, Finding{
		Rule: s.rule.Name, Severity: severity, Object: about.object, Declared: about.declared,
		Who: who, Effect: effect, Fix: fix, Span: about.span,
	})
}

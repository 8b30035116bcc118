package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// approvedFlags say what is applied, how, and what must be approved for it.
type approvedFlags struct {
	databaseFlags
	applyFlags
	gateFlags
	approved bool
}

func newApply(s *session) *cobra.Command {
	f := &approvedFlags{databaseFlags: databaseFlags{deep: true, tells: model.OnApplied}}
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Run a plan, each database in one transaction",
		Long: "Runs the plan saved in FILE, or makes one, shows it and asks. What runs is exactly the plan's\n" +
			"statements; a database that has changed since the plan was made is left alone. Several databases are\n" +
			"done side by side; when one fails no further one is begun, and the next apply carries on. With --deny it runs\n" +
			"only if each change by which somebody gains (or loses) access is approved. Exits with 1 while a\n" +
			"critical finding of audit stands on a declared table or account: what was applied stays applied.",
		Example: "  postern apply\n" +
			"  postern apply change.pplan --auto-approve --deny widening\n" +
			"  postern apply --deny widening --allow 'group.sales view table.crm.deals'",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return s.runApply(cmd.Context(), f, args) },
	}
	f.databaseFlags.add(s, cmd)
	f.gateFlags.add(cmd)
	f.addRetire(cmd)
	cmd.Flags().BoolVar(&f.approved, "auto-approve", false, "do not ask")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "run everything in the transaction, then roll it back")
	cmd.Flags().BoolVar(&f.endSessions, "end-sessions", false, "end sessions and prepared transactions that keep rights the plan takes away")
	cmd.Flags().BoolVar(&f.applyFlags.allow, "allow-findings", false, "do not look for critical findings of audit")
	cmd.Flags().StringVar(&f.actor, "actor", "", "`NAME` for the history; default: the database role")
	return cmd
}

func (s *session) runApply(ctx context.Context, f *approvedFlags, args []string) error {
	gate, err := f.gate(s, f.rev)
	if err != nil {
		return err
	}
	shows := !s.json && (len(args) == 0 || !f.approved)
	p, plans, reports, err := s.toApply(ctx, &f.databaseFlags, args, shows || gate.On())
	if err != nil {
		return err
	}
	if shows {
		if err := view.Plans(s.results(), plans, reports, review.Outcome{}, p.publications...); err != nil {
			return err
		}
	}
	if err := s.pass(gate, reports); err != nil {
		return err
	}
	if !f.approved && !f.dryRun && (!empty(plans) || !unchanged(p.publications)) {
		if err := s.ask(ctx); err != nil {
			return err
		}
	}
	f.approvals = ask(gate, reports).Approved
	f.applyFlags.parallelism = f.databaseFlags.parallelism
	f.access = map[*plan.Plan]*review.Report{}
	for i, pl := range plans {
		if i < len(reports) {
			f.access[pl] = reports[i]
		}
	}
	return s.apply(ctx, p, plans, &f.applyFlags)
}

// toApply is the saved plan, or a new one, with who gains and loses by it if
// that is asked for.
func (s *session) toApply(ctx context.Context, f *databaseFlags, args []string, access bool) (*project, []*plan.Plan, []*review.Report, error) {
	if len(args) == 0 {
		asked := notAsked
		if access {
			asked = byPlan
		}
		return s.plans(ctx, f, asked)
	}
	if f.retireLogins {
		return nil, nil, nil, errors.New("a saved plan says which logins it ends: give --retire-logins to plan")
	}
	p, plans, err := s.loadPlans(ctx, f, args[0])
	if err != nil || !access && !toldAccess(p, f.tells) {
		return p, plans, nil, err
	}
	var reports []*review.Report
	for _, pl := range plans {
		ds, err := s.target(p, pl)
		if err != nil {
			return nil, nil, nil, err
		}
		conn, err := s.connect(ctx, ds)
		if err != nil {
			return nil, nil, nil, err
		}
		r, err := s.access(ctx, conn, p, ds, pl)
		if err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))); err != nil {
			return nil, nil, nil, err
		}
		reports = append(reports, r)
	}
	reports, list, err := s.withPublished(ctx, p, reports)
	if err == nil {
		err = s.report(list, p.set)
	}
	return p, plans, reports, err
}

// loadPlans reads saved plans while it compiles the project.
func (s *session) loadPlans(ctx context.Context, f *databaseFlags, file string) (*project, []*plan.Plan, error) {
	var plans []*plan.Plan
	var publications []*plan.Publication
	var damaged error
	var reading sync.WaitGroup
	reading.Go(func() { plans, publications, damaged = plan.LoadSet(file) })
	p, err := s.load(ctx, &f.inputFlags, false)
	reading.Wait()
	if err != nil {
		return nil, nil, err
	}
	p.publications = publications
	return p, plans, damaged
}

// target is the datasource that a plan is for.
func (s *session) target(p *project, pl *plan.Plan) (*model.Datasource, error) {
	ds := find(p.program, pl.Datasource)
	if ds == nil || p.program.Project != pl.Project {
		return nil, fmt.Errorf("the plan is for datasource.%s of the project %s, which this is not", pl.Datasource, pl.Project)
	}
	return ds, nil
}

// ask waits for a typed yes.
func (s *session) ask(ctx context.Context) error {
	if s.json {
		return errors.New("with --json apply does not ask: add --auto-approve")
	}
	_, _ = fmt.Fprint(s.err, "\nApply these changes? Only yes will do: ")
	answer, ended := make(chan string, 1), make(chan struct{})
	go func() {
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && line == "" {
			close(ended)
			return
		}
		answer <- strings.TrimSpace(line)
	}()
	declined := diag.Diagnostic{Code: CodeApplyDeclined, Severity: diag.Error, Summary: "Nothing was applied"}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case line := <-answer:
		if line == "yes" {
			return nil
		}
	case <-ended:
		_, _ = fmt.Fprintln(s.err)
		declined.Detail = "There was nobody to ask. Add --auto-approve to apply without asking."
	}
	return declined
}

// refused is the diagnostic of a plan that did not run.
func refused(ds *model.Datasource, err error) error {
	d := diag.Diagnostic{
		Code: CodeApplyFailed, Severity: diag.Error, Span: ds.Span,
		Summary: fmt.Sprintf("Nothing was applied to datasource.%s", ds.Name), Detail: sentence(err.Error()),
	}
	switch {
	case errors.Is(err, postgres.ErrStale):
		d.Code = CodeApplyStale
	case errors.Is(err, postgres.ErrBusy):
		d.Code = CodeApplyBusy
	case errors.Is(err, postgres.ErrWrongDatabase):
		d.Code = CodeApplyWrongDatabase
	}
	return d
}

func find(p *model.Program, datasource string) *model.Datasource {
	for _, ds := range p.Datasources {
		if ds.Name == datasource && ds.Type == model.Postgres {
			return ds
		}
	}
	return nil
}

func asDiagnostic(err error) (diag.Diagnostic, bool) {
	var d diag.Diagnostic
	return d, errors.As(err, &d)
}

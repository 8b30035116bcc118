package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/diag"
)

// planFlags say what is planned, and how it is shown.
type planFlags struct {
	databaseFlags
	gateFlags
	file     string
	detailed bool
	markdown bool
}

func newPlan(s *session) *cobra.Command {
	f := &planFlags{}
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would change in the databases, and who gains and loses by it",
		Long: "Compares what the project says with what each database holds, and shows the changes, and who gains and who\n" +
			"loses access by them since the last apply. With -o the plan is saved: apply then runs exactly its\n" +
			"statements, and only while the database is unchanged.",
		Example: "  postern plan\n" +
			"  postern plan --deny widening --markdown\n" +
			"  postern plan -o change.pplan && postern apply change.pplan",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.plan(cmd.Context(), f) },
	}
	f.databaseFlags.add(s, cmd)
	f.gateFlags.add(cmd)
	f.addRetire(cmd)
	cmd.Flags().StringVarP(&f.file, "out", "o", "", "save the plan to `FILE`")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	cmd.Flags().BoolVar(&f.deep, "deep", false, "read every file that is published, not the manifests alone")
	cmd.Flags().BoolVar(&f.markdown, "markdown", false, "print Markdown, for a comment on a pull request")
	return cmd
}

func (s *session) plan(ctx context.Context, f *planFlags) error {
	if f.markdown && s.json {
		return errors.New("--markdown and --json are two forms: choose one")
	}
	gate, err := f.gate(s, f.rev)
	if err != nil {
		return err
	}
	p, plans, reports, err := s.plans(ctx, &f.databaseFlags, byPlan)
	if err != nil {
		return err
	}
	if f.file != "" {
		if err := plan.SaveSet(f.file, plans, p.publications...); err != nil {
			return err
		}
	}
	if err := s.tellPlanned(p, plans, reports); err != nil {
		return err
	}
	asked := ask(gate, reports)
	if f.markdown {
		err = errors.Join(view.PlansMarkdown(s.out, plans, reports, asked), view.PublicationsMarkdown(s.out, p.publications))
	} else {
		err = view.Plans(s.results(), plans, reports, asked, p.publications...)
	}
	if err != nil {
		return err
	}
	if len(asked.Refused) > 0 && s.json {
		return errRefused // the result names them
	}
	if err := s.pass(gate, reports); err != nil {
		return err
	}
	if f.detailed && (!empty(plans) || !unchanged(p.publications)) {
		return errChanges
	}
	return nil
}

// planned is what came of planning one database.
type planned struct {
	want   *postgres.State
	plan   *plan.Plan
	report *review.Report
	diags  diag.List
	err    error
}

// wantsAccess says of what it is to be told who gains and who loses.
type wantsAccess int

const (
	notAsked wantsAccess = iota
	byPlan               // by each plan
	ofDrift              // by what was changed by hand
)

// plans compiles the project and plans each database. All databases are
// planned before errors end the command, so that one run shows all of them.
// Each plan has a report of who gains and who loses, unless it is not asked for.
func (s *session) plans(ctx context.Context, f *databaseFlags, access wantsAccess) (*project, []*plan.Plan, []*review.Report, error) {
	p, err := s.load(ctx, &f.inputFlags, false)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := s.report(targets.Audit(p.program, []string{"postgres"}), p.set); err != nil {
		return nil, nil, nil, err
	}
	if access == notAsked && toldAccess(p, f.tells) {
		access = byPlan
	}
	databases, err := f.databases(p.program)
	if err != nil {
		return nil, nil, nil, err
	}
	var found diag.List
	var plans []*plan.Plan
	var reports []*review.Report
	made := make([]planned, len(databases))
	inParallel(len(databases), f.parallelism, func(i int) {
		made[i] = s.planOne(ctx, p, databases[i], f.retireLogins, access)
	})
	p.wants = map[string]*postgres.State{}
	for i, m := range made {
		p.wants[databases[i].Name] = m.want
		found = append(found, m.diags...)
		if d, ok := asDiagnostic(m.err); ok {
			found.Add(d)
		} else if m.err != nil {
			return nil, nil, nil, m.err
		}
		if m.plan != nil {
			plans = append(plans, m.plan)
			if m.report != nil {
				reports = append(reports, m.report)
			}
		}
	}
	if len(f.datasources) == 0 {
		var list diag.List
		p.publications, list = s.publications(ctx, p, f.deep)
		found = append(found, list...)
	}
	if access == byPlan && !found.HasErrors() {
		var list diag.List
		if reports, list, err = s.withPublished(ctx, p, reports); err != nil {
			return nil, nil, nil, err
		}
		found = append(found, list...)
	}
	return p, plans, reports, s.report(found, p.set)
}

func (s *session) planOne(ctx context.Context, p *project, ds *model.Datasource, retire bool, access wantsAccess) (out planned) {
	conn, err := s.connect(ctx, ds)
	if err != nil {
		return planned{err: err}
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	out.want, out.plan, out.diags, out.err = postgres.PlanFor(ctx, conn, p.program, postgres.PlanOptions{
		Datasource: ds, Revision: p.set.Revision, Program: print.Datasource(p.program, ds), Created: time.Now(), Secrets: s.secrets(p.program, ds),
		RetireLogins: retire, Looking: access == ofDrift,
	})
	switch {
	case out.err != nil || out.plan == nil:
	case access == byPlan:
		out.report, out.err = s.access(ctx, conn, p, ds, out.plan)
	case access == ofDrift && !out.plan.Empty():
		out.report, out.err = s.drifted(ctx, conn, p, ds)
	}
	return out
}

func empty(plans []*plan.Plan) bool {
	for _, p := range plans {
		if !p.Empty() {
			return false
		}
	}
	return true
}

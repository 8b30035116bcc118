package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/compiler/print"
	"github.com/postern-dev/postern/lang/diag"
)

func newPlan(s *session) *cobra.Command {
	f := &databaseFlags{}
	var file string
	var detailed bool
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Show what apply would change in the databases",
		Long: "Compares what the project says with what each database holds, and shows the changes. With -o the\n" +
			"plan is saved: apply then runs exactly its statements, and only while the database is unchanged.",
		Example: "  postern plan\n" +
			"  postern plan -o change.pplan && postern apply change.pplan",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, plans, err := s.plans(cmd.Context(), f)
			if err != nil {
				return err
			}
			if file != "" {
				if err := plan.SaveSet(file, plans); err != nil {
					return err
				}
			}
			if err := view.Plans(s.results(), plans); err != nil {
				return err
			}
			if detailed && !empty(plans) {
				return errChanges
			}
			return nil
		},
	}
	f.add(s, cmd)
	cmd.Flags().StringVarP(&file, "out", "o", "", "save the plan to `FILE`")
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit with 2 when there are changes")
	return cmd
}

// planned is what came of planning one database.
type planned struct {
	plan  *plan.Plan
	diags diag.List
	err   error
}

// plans compiles the project and plans each database. All databases are
// planned before errors end the command, so that one run shows all of them.
func (s *session) plans(ctx context.Context, f *databaseFlags) (*project, []*plan.Plan, error) {
	p, err := s.load(ctx, &f.inputFlags, false)
	if err != nil {
		return nil, nil, err
	}
	if err := s.report(targets.Audit(p.program, []string{"postgres"}), p.set); err != nil {
		return nil, nil, err
	}
	databases, err := f.databases(p.program)
	if err != nil {
		return nil, nil, err
	}
	var found diag.List
	var plans []*plan.Plan
	made := make([]planned, len(databases))
	inParallel(len(databases), f.parallelism, func(i int) {
		made[i].plan, made[i].diags, made[i].err = s.planOne(ctx, p, databases[i])
	})
	for _, m := range made {
		found = append(found, m.diags...)
		if d, ok := asDiagnostic(m.err); ok {
			found.Add(d)
		} else if m.err != nil {
			return nil, nil, m.err
		}
		if m.plan != nil {
			plans = append(plans, m.plan)
		}
	}
	return p, plans, s.report(found, p.set)
}

func (s *session) planOne(ctx context.Context, p *project, ds *model.Datasource) (*plan.Plan, diag.List, error) {
	conn, err := s.connect(ctx, ds)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	want, list, err := postgres.DesiredIn(ctx, conn, p.program, ds)
	if err != nil || list.HasErrors() {
		return nil, list, err
	}
	pl, more, err := postgres.MakePlan(ctx, conn, want, postgres.PlanOptions{
		Datasource: ds, Revision: p.set.Revision, Program: print.Datasource(p.program, ds), Created: time.Now(), Secrets: s.secrets(p.program, ds),
	})
	return pl, append(list, more...), err
}

func empty(plans []*plan.Plan) bool {
	for _, p := range plans {
		if !p.Empty() {
			return false
		}
	}
	return true
}

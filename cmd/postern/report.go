package main

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/explain"
)

// reportFlags say what a report holds.
type reportFlags struct {
	databaseFlags
	file  string
	plan  bool
	audit bool
	diff  string
}

func newReport(s *session) *cobra.Command {
	f := &reportFlags{}
	cmd := &cobra.Command{
		Use:   "report -o FILE",
		Short: "Write one HTML page: who may do what, the plan, who gains and loses by it, the audit",
		Long: "Writes one HTML file that loads nothing and runs nothing: the access matrix; with --diff who gains and\n" +
			"loses between git revisions; with --plan what apply would change in the databases, and who gains and\n" +
			"loses by that; with --audit who gets past the policies in the databases, and how to end it.",
		Example: "  postern report -o report.html\n" +
			"  postern report -o report.html --plan --audit\n" +
			"  postern report -o report.html --diff main...HEAD",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.writeReport(cmd.Context(), f) },
	}
	f.add(s, cmd)
	cmd.Flags().StringVarP(&f.file, "out", "o", "", "write to `FILE`")
	cmd.Flags().BoolVar(&f.plan, "plan", false, "plan the databases as well")
	cmd.Flags().BoolVar(&f.audit, "audit", false, "audit the databases as well")
	cmd.Flags().StringVar(&f.diff, "diff", "", "compare git revisions as well: `REV..REV`, as for diff")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

func (s *session) writeReport(ctx context.Context, f *reportFlags) error {
	var r view.HTMLReport
	var p *project
	var err error
	if f.plan {
		var plans []*plan.Plan
		var reports []*review.Report
		p, plans, reports, err = s.plans(ctx, &f.databaseFlags, byPlan)
		r.Plans, r.Reports = plans, reports
	} else {
		p, err = s.load(ctx, &f.inputFlags, false)
	}
	if err != nil {
		return err
	}
	if f.diff != "" {
		if f.rev != "" {
			return errors.New("--diff names its revisions itself: leave out --rev")
		}
		d := &diffFlags{inputFlags: f.inputFlags}
		between, _, _, err := s.diff(ctx, d, []string{f.diff})
		if err != nil {
			return err
		}
		r.Reports = append([]*review.Report{between}, r.Reports...)
	}
	if f.audit {
		if r.Audits, err = s.audits(ctx, p, &f.databaseFlags); err != nil {
			return err
		}
	}
	r.Project, r.Revision, r.Matrix = p.program.Project, p.set.Revision, explain.MatrixOf(p.program)
	var page bytes.Buffer
	if err := view.WriteHTML(&page, r); err != nil {
		return err
	}
	if err := replaceFile(filepath.Clean(f.file), page.Bytes(), 0o644); err != nil {
		return err
	}
	return view.Reported(s.results(), f.file)
}

// audits looks at the databases that the flags name.
func (s *session) audits(ctx context.Context, p *project, f *databaseFlags) ([]view.Audited, error) {
	databases, err := f.databases(p.program)
	if err != nil {
		return nil, err
	}
	var out []view.Audited
	for _, ds := range databases {
		report, list, err := s.audit(ctx, p, ds)
		if err == nil {
			err = s.report(list, p.set)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, view.NewAudited(ds.Name, report, "never"))
	}
	return out, nil
}

package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/testrun"
	"github.com/postern-dev/postern/lang/diag"
)

func newTest(s *session) *cobra.Command {
	f := &inputFlags{}
	var names []string
	var junit string
	var coverage bool
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Run the project's tests, on the evaluator and on real engines",
		Long: "Runs the test blocks of *.test.hcl on the reference evaluator. With --target it runs the very same\n" +
			"tests on the real engines as well, a throw-away Postgres, OPA and the JSON engine, and fails where\n" +
			"any two differ. An assert block is proven for all users and records, or refuted by one of each.",
		Example: "  postern test\n" +
			"  postern test --coverage\n" +
			"  postern test --target postgres,rego,json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := targets.Check(names); err != nil {
				return err
			}
			p, err := s.load(cmd.Context(), f, true)
			if err != nil {
				return err
			}
			if len(p.tests)+len(p.asserts) == 0 {
				return diag.Diagnostic{
					Code: CodeTestNone, Severity: diag.Error, Summary: "The project has no tests",
					Detail: "Write test or assert blocks in a file whose name ends in .test.hcl.",
				}
			}
			if err := s.report(targets.Audit(p.program, names), p.set); err != nil {
				return err
			}
			engines, err := targets.Engines(cmd.Context(), p.program, names)
			if err != nil {
				return err
			}
			results, err := testrun.Run(cmd.Context(), p.program, p.tests, engines.All)
			if cerr := engines.Close(); err == nil {
				err = cerr
			}
			if err != nil {
				return err
			}
			asserts, err := proveAsserts(cmd.Context(), p)
			if err != nil {
				return err
			}
			report := view.NewTestReport(append([]string{"evaluator"}, names...), results, asserts)
			if coverage {
				if report.Coverage, err = testrun.Cover(cmd.Context(), p.program, p.tests); err != nil {
					return err
				}
				report.Sources = p.set
			}
			return s.tested(report, junit)
		},
	}
	f.add(cmd)
	cmd.Flags().StringSliceVar(&names, "target", nil, "run on these `TARGETS` too: postgres, rego, json")
	cmd.Flags().BoolVar(&coverage, "coverage", false, "say which policies, guards and sides of conditions no test reaches")
	cmd.Flags().StringVar(&junit, "junit", "", "write the results to `FILE` in JUnit's XML form as well")
	return cmd
}

// tested prints a report and ends the command by it.
func (s *session) tested(r view.TestReport, junit string) error {
	if junit != "" {
		file, err := os.Create(junit)
		if err != nil {
			return fmt.Errorf("writing JUnit: %w", err)
		}
		err = view.JUnit(file, r)
		if cerr := file.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	if err := view.Tests(s.results(), r); err != nil {
		return err
	}
	if r.Failed > 0 {
		return errShown
	}
	return nil
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/lint"
)

func newLint(s *session) *cobra.Command {
	f := &inputFlags{}
	var sarif string
	cmd := &cobra.Command{
		Use:   "lint",
		Short: "Find rules without effect, and what nobody described",
		Long: "Gives advice on a project that is right but says more than it means: policies that others cover,\n" +
			"conditions that can never or always hold, guards that never narrow. What it says of access is proven;\n" +
			"what cannot be proven is not said. A comment `# postern:ignore RULE reason` above a block, or at the\n" +
			"end of its first line, sets a finding aside. Exits with 2 when there are findings.",
		Example: "  postern lint\n" +
			"  postern lint --sarif lint.sarif",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.load(cmd.Context(), f, true)
			if err != nil {
				return err
			}
			report, err := lint.Run(cmd.Context(), p.program, p.set, lint.Options{})
			if err != nil {
				return err
			}
			result := view.Linted{FormatVersion: view.FormatVersion, Project: p.program.Project, Report: report}
			if sarif != "" {
				if err := s.writeSARIF(sarif, view.LintSARIF(result, version(), s.folder())); err != nil {
					return err
				}
			}
			if err := view.Lint(s.results(), result); err != nil {
				return err
			}
			if len(report.Findings) > 0 {
				return errFound
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&sarif, "sarif", "", "write the findings to `FILE` as SARIF 2.1.0 as well")
	return cmd
}

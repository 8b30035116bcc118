package main

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
)

func newValidate(s *session) *cobra.Command {
	f := &inputFlags{}
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the project: syntax, names, types, and what each target can carry",
		Example: "  postern validate\n" +
			"  postern -C policies validate --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.load(cmd.Context(), f, true)
			if err != nil {
				return err
			}
			if err := s.report(targets.Audit(p.program, targets.Names()), p.set); err != nil {
				return err
			}
			return view.Valid(s.results(), p.program, len(p.tests), len(p.asserts))
		},
	}
	f.add(cmd)
	return cmd
}

package main

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler"
)

func newOutput(s *session) *cobra.Command {
	f := &inputFlags{}
	cmd := &cobra.Command{
		Use:   "output",
		Short: "Print the project's output values",
		Long:  "Prints the values of the project's output blocks; a sensitive one is named and not shown.",
		Example: "  postern output\n" +
			"  postern output --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			set, err := s.sources(cmd.Context(), f)
			if err != nil {
				return err
			}
			in, err := s.inputs(f)
			if err != nil {
				return err
			}
			outputs, list := compiler.Outputs(cmd.Context(), set, in)
			if err := s.report(list, set); err != nil {
				return err
			}
			return view.Outputs(s.results(), outputs)
		},
	}
	f.add(cmd)
	return cmd
}

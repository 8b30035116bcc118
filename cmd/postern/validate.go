package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
)

func newValidate(s *session) *cobra.Command {
	f := &inputFlags{}
	var sarif string
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Check the project: syntax, names, types, and what each target can carry",
		Example: "  postern validate\n" +
			"  postern -C policies validate --json\n" +
			"  postern validate --sarif validate.sarif",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.validate(cmd.Context(), f)
			if sarif != "" && (err == nil || errors.Is(err, errShown)) {
				if err := s.writeSARIF(sarif, view.DiagnosticsSARIF(s.told.found, version(), s.folder())); err != nil {
					return err
				}
			}
			if err != nil {
				return err
			}
			return view.Valid(s.results(), p.program, len(p.tests), len(p.asserts))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&sarif, "sarif", "", "write errors and warnings to `FILE` as SARIF 2.1.0 as well")
	return cmd
}

// validate compiles the project, and asks each target what it can carry.
func (s *session) validate(ctx context.Context, f *inputFlags) (*project, error) {
	p, err := s.load(ctx, f, true)
	if err != nil {
		return nil, err
	}
	return p, s.report(targets.Audit(p.program, targets.Names()), p.set)
}

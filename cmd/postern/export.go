package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/cedar"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
)

func newExport(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write the policies in the format of another engine",
		Long: "Writes the policies for programs that ask another engine already. What that engine would decide otherwise\n" +
			"is an error, and nothing is written.",
		Example: "  postern export cedar -o dist --action view,ban\n  postern export casl -o dist --user ann",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newExportCedar(s), newExportCASL(s))
	return cmd
}

func newExportCedar(s *session) *cobra.Command {
	f := &inputFlags{}
	var dir string
	var names []string
	cmd := &cobra.Command{
		Use:   "cedar",
		Short: "Write the policies in Cedar's JSON format",
		Long: "Writes cedar/policies.json, a policy set in Cedar's JSON format, and cedar/entities.json, the groups.\n" +
			"What Cedar would decide otherwise is an error, and nothing is written.",
		Example: "  postern export cedar -o dist --action view,ban",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.load(cmd.Context(), f, false)
			if err != nil {
				return err
			}
			actions, err := actionsOf(p.program, names)
			if err != nil {
				return err
			}
			policies, entities, list := cedar.Export(p.program, actions)
			if err := s.report(list, p.set); err != nil {
				return err
			}
			artifacts := []backend.Artifact{{Path: "cedar/entities.json", Data: entities}, {Path: "cedar/policies.json", Data: policies}}
			if err := write(dir, artifacts); err != nil {
				return err
			}
			return view.Built(s.results(), dir, artifacts)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&dir, "out", "o", "", "the `DIR` to write to; made if it is not there")
	cmd.Flags().StringSliceVar(&names, "action", nil, "only these `ACTIONS`; default: all")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// actionsOf are the actions of a list, each of which some table must have.
func actionsOf(p *model.Program, names []string) ([]model.Action, error) {
	out := make([]model.Action, len(names))
	for i, name := range names {
		out[i] = model.Action(name)
		known := false
		for _, t := range p.Tables {
			known = known || t.HasAction(out[i])
		}
		if !known {
			return nil, fmt.Errorf("no table has an action %q", name)
		}
	}
	return out, nil
}

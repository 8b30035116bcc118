package main

import (
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/casl"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
)

func newExportCASL(s *session) *cobra.Command {
	f := &inputFlags{}
	r := &requestFlags{}
	var dir string
	var names []string
	cmd := &cobra.Command{
		Use:   "casl",
		Short: "Write what one user may do as rules of CASL",
		Long: "Writes casl/rules.json, the rules of one user for @casl/ability in a front end. What is known of the user is\n" +
			"worked out, at the time that --now says. What CASL would decide otherwise is an error, and nothing is written.",
		Example: "  postern export casl -o dist --user ann --action view,edit",
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
			request, err := r.eachRequest(p.program)
			if err != nil {
				return err
			}
			rules, list, err := casl.Export(p.program, request, actions)
			if err != nil {
				return err
			}
			if err := s.report(list, p.set); err != nil {
				return err
			}
			artifacts := []backend.Artifact{{Path: "casl/rules.json", Data: rules}}
			if err := write(dir, artifacts); err != nil {
				return err
			}
			return view.Built(s.results(), dir, artifacts)
		},
	}
	f.add(cmd)
	r.add(cmd)
	cmd.Flags().StringVarP(&dir, "out", "o", "", "the `DIR` to write to; made if it is not there")
	cmd.Flags().StringSliceVar(&names, "action", nil, "only these `ACTIONS`; default: all")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// eachRequest is the request of the flags to each datasource: through the app
// that is stated, also where it does not connect, or through the only one.
func (f *requestFlags) eachRequest(p *model.Program) (casl.RequestOf, error) {
	req, err := f.request(p, nil)
	if err != nil {
		return nil, err
	}
	stated, err := knownApp(p, f.app)
	return func(ds *model.Datasource) (model.Request, error) {
		out := req
		out.App = stated
		if stated != "" {
			return out, nil
		}
		app, err := chooseApp(ds, "")
		out.App = app
		return out, err
	}, err
}

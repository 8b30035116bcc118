package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/compiler/model"
)

func newWhat(s *session) *cobra.Command {
	f := &inputFlags{}
	r := &requestFlags{}
	var csv bool
	cmd := &cobra.Command{
		Use:   "what",
		Short: "List all that a user may do",
		Long: "Lists every action that a user has on some record: the condition that the record must meet, with what\n" +
			"is known of the user worked out, and the columns that are shown or may be set.",
		Example: "  postern what --user ann\n" +
			"  postern what --user '{\"id\": 7, \"groups\": [\"sales\"]}' --app desk --csv",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if csv && s.json {
				return errors.New("--csv and --json are two forms: choose one")
			}
			p, err := s.load(cmd.Context(), f, false)
			if err != nil {
				return err
			}
			req, err := r.request(p.program, nil)
			if err != nil {
				return err
			}
			if req.App, err = knownApp(p.program, r.app); err != nil {
				return err
			}
			access := explain.What(p.program, req)
			if csv {
				return view.AccessCSV(s.out, access)
			}
			return view.Access(s.results(), access)
		},
	}
	f.add(cmd)
	r.add(cmd)
	cmd.Flags().BoolVar(&csv, "csv", false, "print comma-separated values, one line for columns that are alike")
	cmd.Flag("app").Usage = "only through this `APP`; default: through each"
	cmd.Flag("now").Hidden = true // conditions on the time stay as they are
	return cmd
}

// knownApp is the name of an app of the project, "" for none stated.
func knownApp(p *model.Program, stated string) (string, error) {
	name := strings.TrimPrefix(stated, "app.")
	if name == "" || slices.ContainsFunc(p.Apps, func(a *model.App) bool { return a.Name == name }) {
		return name, nil
	}
	var names []string
	for _, a := range p.Apps {
		names = append(names, a.Name)
	}
	return "", errors.New("the project has no app \"" + name + "\"; it has " + strings.Join(names, ", "))
}

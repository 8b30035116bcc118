package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
)

func newDrift(s *session) *cobra.Command {
	f := &databaseFlags{deep: true}
	cmd := &cobra.Command{
		Use:   "drift",
		Short: "Find what was changed in the databases by hand",
		Long: "Compares each database with what the project says, as plan does, and tells what was changed by hand\n" +
			"since the last apply from what the project says and nobody has applied yet, and who gained and who lost\n" +
			"access by hand. Exits with 2 when there is either. It changes nothing: postern apply brings the\n" +
			"database back.",
		Example: "  postern drift\n" +
			"  postern drift --json      # for a scheduled check",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, plans, reports, err := s.plans(cmd.Context(), f, ofDrift)
			if err != nil {
				return err
			}
			if err := view.Drift(s.results(), plans, reports, p.publications...); err != nil {
				return err
			}
			for _, pl := range plans {
				if pl.Empty() {
					continue
				}
				d := about(pl, "", pl.Changes)
				if at := slices.IndexFunc(reports, func(r *review.Report) bool { return r.Datasource == pl.Datasource }); at >= 0 {
					if d, err = withAccess(d, reports[at]); err != nil {
						return err
					}
				}
				s.happened(model.OnDrift, d)
			}
			s.placesHappened(model.OnDrift, p.publications)
			if !empty(plans) || !unchanged(p.publications) {
				return errChanges
			}
			return nil
		},
	}
	f.add(s, cmd)
	return cmd
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
)

func newSchema(s *session) *cobra.Command {
	return &cobra.Command{
		Use:       "schema plan",
		Short:     "Print the JSON Schema of what plan --json prints",
		Example:   "  postern schema plan > plan.schema.json",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"plan"},
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(s.out, view.PlanSchema)
			return err
		},
	}
}

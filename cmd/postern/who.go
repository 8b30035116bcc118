package main

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/explain"
)

func newWho(s *session) *cobra.Command {
	f := &inputFlags{}
	r := &requestFlags{}
	rec := &recordFlags{}
	cmd := &cobra.Command{
		Use:   "who",
		Short: "List who may do something to a record",
		Long: "Lists the users of the directory who may do something to a record, as they are known by their key alone,\n" +
			"and which kinds of users may: anonymous ones, those of each access level without a group, those of each\n" +
			"group. Where it depends on what else a request tells, it says on what. For a create the record is the\n" +
			"one that is made.",
		Example: "  postern who --table crm.deals --record '{\"id\": 42, \"owner_id\": 1, \"region\": \"EMEA\"}'\n" +
			"  postern who --action edit --table crm.deals --id 42 --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.load(cmd.Context(), f, false)
			if err != nil {
				return err
			}
			var q eval.Query
			if q.Table, q.Action, err = rec.find(p.program); err != nil {
				return err
			}
			if q.Request, err = r.request(p.program, q.Table.Datasource); err != nil {
				return err
			}
			if q.Old, err = rec.read(cmd.Context(), s, p.program, q.Table); err != nil {
				return err
			}
			if q.Old == nil {
				return errors.New("state the record with --record or --id")
			}
			return view.Audience(s.results(), explain.Who(p.program, q))
		},
	}
	f.add(cmd)
	r.addApp(cmd)
	rec.add(s, cmd)
	return cmd
}

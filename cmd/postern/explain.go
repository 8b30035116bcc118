package main

import (
	"errors"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/eval"
	"github.com/postern-dev/postern/compiler/explain"
	"github.com/postern-dev/postern/compiler/model"
)

// explainFlags say what is asked.
type explainFlags struct {
	inputFlags
	requestFlags
	recordFlags
	next string
}

func newExplain(s *session) *cobra.Command {
	f := &explainFlags{}
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say why a user may or may not do something to a record",
		Long: "Decides one question with the reference evaluator and shows all that led to it: each policy and guard,\n" +
			"each comparison with the values that it saw, and where it is written. The record is stated, or read\n" +
			"from the live database by its primary key.",
		Example: "  postern explain --user ann --table crm.deals --record '{\"id\": 42, \"owner_id\": 1, \"region\": \"EMEA\"}'\n" +
			"  postern explain --user '{\"id\": 7, \"groups\": [\"sales\"]}' --action edit --table crm.deals --id 42 --new '{\"region\": \"APAC\"}'\n" +
			"  postern explain --anonymous --table crm.deals --record @deal.json --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.load(cmd.Context(), &f.inputFlags, false)
			if err != nil {
				return err
			}
			q, err := f.query(cmd, s, p.program)
			if err != nil {
				return err
			}
			return view.Explanation(s.results(), explain.Explain(p.program, q, p.set))
		},
	}
	f.inputFlags.add(cmd)
	f.requestFlags.add(cmd)
	f.recordFlags.add(s, cmd)
	cmd.Flags().StringVar(&f.next, "new", "", "what a write sets, as a `JSON` object or @FILE: the columns that an edit changes, or the record that a create makes")
	return cmd
}

func (f *explainFlags) query(cmd *cobra.Command, s *session, p *model.Program) (eval.Query, error) {
	var q eval.Query
	var err error
	if q.Table, q.Action, err = f.find(p); err != nil {
		return q, err
	}
	if q.Request, err = f.request(p, q.Table.Datasource); err != nil {
		return q, err
	}
	if q.Old, err = f.read(cmd.Context(), s, p, q.Table); err != nil {
		return q, err
	}
	if f.next != "" {
		if q.New, err = stated("--new", f.next, q.Table); err != nil {
			return q, err
		}
		q.Set = writes(q.Table, q.New)
	}
	switch {
	case q.Action == model.Create && (q.Old != nil || q.New == nil):
		return q, errors.New("a create makes a new record: state it with --new, and no other")
	case q.Action != model.Create && q.Old == nil:
		return q, errors.New("state the record with --record or --id")
	case q.Action != model.Create && q.Action != model.Edit && q.New != nil:
		return q, errors.New("--new is for edit and create")
	}
	if q.Action == model.Edit && q.New != nil {
		merged := maps.Clone(q.Old)
		maps.Copy(merged, q.New)
		q.New = merged
	}
	return q, nil
}

// writes are the columns that a stated record sets, in the table's order.
func writes(t *model.Table, doc model.Document) []string {
	out := []string{}
	for _, c := range t.Columns {
		if _, ok := doc[c.Name]; ok {
			out = append(out, c.Name)
		}
	}
	return slices.Clip(out)
}

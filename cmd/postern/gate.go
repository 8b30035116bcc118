package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/review"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/lang/source"
)

// gateFlags say which changes in access must be approved.
type gateFlags struct {
	deny  []string
	allow []string
}

func (f *gateFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.deny, "deny", nil, "refuse changes that nobody approved, with status 3: `widening`, narrowing, or both")
	cmd.Flags().StringArrayVar(&f.allow, "allow", nil, "approve one `CHANGE`, such as 'group.sales view table.crm.deals'; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("deny", cobra.FixedCompletions([]string{"widening", "narrowing"}, cobra.ShellCompDirectiveNoFileComp))
}

// gate is what the flags and the committed file of approvals say. The file
// counts as it stands in the commit that the project is read from.
func (f *gateFlags) gate(s *session, rev string) (review.Gate, error) {
	g := review.Gate{Now: time.Now().UTC()}
	for _, d := range f.deny {
		switch d {
		case "widening":
			g.Widening = true
		case "narrowing":
			g.Narrowing = true
		default:
			return g, fmt.Errorf("--deny %q is neither widening nor narrowing", d)
		}
	}
	for _, text := range f.allow {
		a, err := review.ParseAllow(text)
		if err != nil {
			return g, err
		}
		g.Approvals = append(g.Approvals, a)
	}
	if !g.On() {
		return g, nil
	}
	data, ok, err := source.Committed(s.dir, rev, review.ApprovalsFile)
	if err != nil || !ok {
		return g, err
	}
	list, diags := review.ParseApprovals(data)
	if err := s.signed(rev, list); err != nil {
		return g, err
	}
	g.Approvals = append(g.Approvals, list...)
	return g, s.report(diags, &source.Set{Files: []source.File{{Name: review.ApprovalsFile, Data: data}}})
}

// pass lets reports through a gate, or prints what is missing and ends the
// command.
func (s *session) pass(g review.Gate, reports []*review.Report) error {
	asked := ask(g, reports)
	if len(asked.Refused) == 0 {
		if !s.json {
			return view.Approved(s.output(s.err), asked.Approved)
		}
		return nil
	}
	if err := view.Refused(s.diagnostics(), CodeGateRefused, asked.Refused); err != nil {
		return err
	}
	return errRefused
}

// ask is what a gate says of reports; nothing where it is not on.
func ask(g review.Gate, reports []*review.Report) review.Outcome {
	out := review.Outcome{Refused: []review.Refusal{}, Approved: []review.Approval{}}
	if !g.On() {
		return out
	}
	for _, r := range reports {
		no, yes := g.Check(r)
		out.Refused, out.Approved = append(out.Refused, no...), append(out.Approved, yes...)
	}
	return out
}

// signed adds to the approvals of the committed file who committed them.
func (s *session) signed(rev string, list []review.Approval) error {
	if len(list) == 0 {
		return nil
	}
	lines, err := source.Blame(s.dir, rev, review.ApprovalsFile)
	if err != nil {
		return err
	}
	for i := range list {
		if n := list[i].Line; n <= len(lines) {
			list[i].Commit, list[i].Author = lines[n-1].Hash, lines[n-1].Author
		}
	}
	return nil
}

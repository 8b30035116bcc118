package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/verify"
	"github.com/postern-dev/postern/lang/diag"
)

func newVerify(s *session) *cobra.Command {
	f := &inputFlags{}
	var names []string
	var o verify.Options
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Ask all engines about made-up users and records, and compare",
		Long: "Makes users, requests and records from the project's own conditions: each boundary and its\n" +
			"neighbours, nulls, odd texts and times, claims of a wrong type. Asks the reference evaluator, a\n" +
			"throw-away Postgres, OPA and the JSON engine what each user may do with each record, and stops at\n" +
			"the first difference, shrunk to a small project, user and record. Nothing of yours is connected to.",
		Example: "  postern verify\n" +
			"  postern verify --budget 1000000 --seed 7\n" +
			"  postern verify --target rego,json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := targets.Check(names); err != nil {
				return err
			}
			if o.Budget < 1 {
				return diag.Diagnostic{
					Code: "verify-budget", Severity: diag.Error, Summary: "The budget is less than one decision",
					Detail: "Give --budget the number of decisions to ask of each engine.",
				}
			}
			p, err := s.load(cmd.Context(), f, false)
			if err != nil {
				return err
			}
			report, err := verified(cmd.Context(), p, names, o)
			if err != nil {
				return err
			}
			if err := view.Verified(s.results(), report); err != nil {
				return err
			}
			if report.Disagreement != nil {
				return errShown
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().IntVar(&o.Budget, "budget", 20_000, "ask at least `N` decisions of each engine")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "make the users and records of seed `S`")
	cmd.Flags().StringSliceVar(&names, "target", targets.Names(), "the `TARGETS` to compare with the evaluator")
	return cmd
}

// verified runs verify, and shrinks what it found.
func verified(ctx context.Context, p *project, names []string, o verify.Options) (r view.VerifyReport, err error) {
	fleet := targets.NewFleet(names)
	defer func() { err = errors.Join(err, fleet.Close()) }()
	crew, err := fleet.Start(ctx, p.program)
	if err != nil {
		return r, err
	}
	found, err := verify.Run(ctx, p.program, crew.All, o)
	if err = errors.Join(err, crew.Close()); err != nil {
		return r, err
	}
	r = view.NewVerifyReport(found)
	for name, list := range crew.LeftOut {
		r.LeftOut[name] = list[0].Error()
	}
	if d := found.Found; d != nil {
		r.Disagreement = &view.Disagreement{Target: d.Target, Summary: d.String()}
		one := targets.NewFleet([]string{d.Target})
		small, err := verify.Shrink(ctx, d, one.Starter())
		if err = errors.Join(err, one.Close()); err != nil {
			return r, err
		}
		if small != nil {
			if r.Disagreement.Archive, err = small.Txtar(d.String()); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

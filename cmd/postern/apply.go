package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

func newApply(s *session) *cobra.Command {
	f := &databaseFlags{}
	o := &applyFlags{}
	var approved bool
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Run a plan, each database in one transaction",
		Long: "Runs the plan saved in FILE, or makes one, shows it and asks. What runs is exactly the plan's\n" +
			"statements; a database that has changed since the plan was made is left alone. Several databases are\n" +
			"done side by side; when one fails no further one is begun, and the next apply carries on. Exits with 1 while a\n" +
			"critical finding of audit stands on a declared table or account: what was applied stays applied.",
		Example: "  postern apply\n" +
			"  postern apply change.pplan --auto-approve",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, plans, err := s.toApply(cmd.Context(), f, args)
			if err != nil {
				return err
			}
			if !s.json && (len(args) == 0 || !approved) {
				if err := view.Plans(s.results(), plans); err != nil {
					return err
				}
			}
			if !approved && !o.dryRun && !empty(plans) {
				if err := s.ask(cmd.Context()); err != nil {
					return err
				}
			}
			o.parallelism = f.parallelism
			return s.apply(cmd.Context(), p, plans, o)
		},
	}
	f.add(s, cmd)
	cmd.Flags().BoolVar(&approved, "auto-approve", false, "do not ask")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "run everything in the transaction, then roll it back")
	cmd.Flags().BoolVar(&o.endSessions, "end-sessions", false, "end sessions and prepared transactions that keep rights the plan takes away")
	cmd.Flags().BoolVar(&o.allow, "allow-findings", false, "do not look for critical findings of audit")
	cmd.Flags().StringVar(&o.actor, "actor", "", "`NAME` for the history; default: the database role")
	return cmd
}

// toApply is the saved plan, or a new one.
func (s *session) toApply(ctx context.Context, f *databaseFlags, args []string) (*project, []*plan.Plan, error) {
	if len(args) == 0 {
		return s.plans(ctx, f)
	}
	plans, err := plan.LoadSet(args[0])
	if err != nil {
		return nil, nil, err
	}
	p, err := s.load(ctx, &f.inputFlags, false)
	return p, plans, err
}

// ask waits for a typed yes.
func (s *session) ask(ctx context.Context) error {
	if s.json {
		return errors.New("with --json apply does not ask: add --auto-approve")
	}
	_, _ = fmt.Fprint(s.err, "\nApply these changes? Only yes will do: ")
	answer, ended := make(chan string, 1), make(chan struct{})
	go func() {
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if err != nil && line == "" {
			close(ended)
			return
		}
		answer <- strings.TrimSpace(line)
	}()
	declined := diag.Diagnostic{Code: CodeApplyDeclined, Severity: diag.Error, Summary: "Nothing was applied"}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case line := <-answer:
		if line == "yes" {
			return nil
		}
	case <-ended:
		_, _ = fmt.Fprintln(s.err)
		declined.Detail = "There was nobody to ask. Add --auto-approve to apply without asking."
	}
	return declined
}

// refused is the diagnostic of a plan that did not run.
func refused(ds *model.Datasource, err error) error {
	d := diag.Diagnostic{
		Code: CodeApplyFailed, Severity: diag.Error, Span: ds.Span,
		Summary: fmt.Sprintf("Nothing was applied to datasource.%s", ds.Name), Detail: sentence(err.Error()),
	}
	switch {
	case errors.Is(err, postgres.ErrStale):
		d.Code = CodeApplyStale
	case errors.Is(err, postgres.ErrBusy):
		d.Code = CodeApplyBusy
	case errors.Is(err, postgres.ErrWrongDatabase):
		d.Code = CodeApplyWrongDatabase
	}
	return d
}

func find(p *model.Program, datasource string) *model.Datasource {
	for _, ds := range p.Datasources {
		if ds.Name == datasource && ds.Type == model.Postgres {
			return ds
		}
	}
	return nil
}

func asDiagnostic(err error) (diag.Diagnostic, bool) {
	var d diag.Diagnostic
	return d, errors.As(err, &d)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/audit"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// errFound ends an audit with findings that are bad enough, and a lint with any.
var errFound = errors.New("there are findings")

func newAudit(s *session) *cobra.Command {
	f := &inputFlags{}
	var failOn, sarif string
	cmd := &cobra.Command{
		Use:   "audit DATASOURCE",
		Short: "Find ways past the protection in a live database",
		Long: "Looks in the catalogs of the live database for whoever reads or changes rows of a protected table other\n" +
			"than its policies say, or is one step from it: with who it is, what they can do, and the statements that\n" +
			"end it. It changes nothing and needs no privilege but CONNECT. Exits with 2 when there is a finding that\n" +
			"is as bad as --fail-on says.",
		Example: "  postern audit crm\n" +
			"  postern audit crm --fail-on high --sarif audit.sarif",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: s.completeDatasource,
		RunE: func(cmd *cobra.Command, args []string) error {
			if failOn != "never" && !slices.Contains(audit.Severities(), audit.Severity(failOn)) {
				return fmt.Errorf("--fail-on %q is none of critical, high, medium, low, info and never", failOn)
			}
			p, err := s.load(cmd.Context(), f, false)
			if err != nil {
				return err
			}
			ds, err := one(p.program, args[0])
			if err != nil {
				return err
			}
			report, list, err := s.audit(cmd.Context(), p, ds)
			if err == nil {
				err = s.report(list, p.set)
			}
			if err != nil {
				return err
			}
			result := view.NewAudited(ds.Name, report, failOn)
			if sarif != "" {
				if err := s.writeSARIF(sarif, view.AuditSARIF(result, version(), s.folder())); err != nil {
					return err
				}
			}
			if err := view.Audit(s.results(), result); err != nil {
				return err
			}
			if result.Failed {
				return errFound
			}
			return nil
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", string(audit.Critical), "exit with 2 on findings of this `SEVERITY` or worse: critical, high, medium, low, info; or never")
	cmd.Flags().StringVar(&sarif, "sarif", "", "write the findings to `FILE` as SARIF 2.1.0 as well")
	return cmd
}

// audit looks at the database of a datasource.
func (s *session) audit(ctx context.Context, p *project, ds *model.Datasource) (*audit.Report, diag.List, error) {
	conn, err := s.connect(ctx, ds)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	want, list, err := postgres.DesiredIn(ctx, conn, p.program, ds)
	if err != nil || list.HasErrors() {
		return nil, list, err
	}
	report, err := audit.Run(ctx, conn, want)
	return report, list, err
}

// folder is where the project stands in its repository.
func (s *session) folder() string {
	sub, err := source.Subfolder(s.dir)
	if err != nil {
		return "" // results then stand in the project's own folder
	}
	return sub
}

// writeSARIF writes a log to a file.
func (s *session) writeSARIF(name string, log view.SARIF) error {
	file, err := os.Create(filepath.Clean(name))
	if err != nil {
		return fmt.Errorf("writing the SARIF log: %w", err)
	}
	return errors.Join(log.Write(file), file.Close())
}

package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
)

func newBuild(s *session) *cobra.Command {
	f := &inputFlags{}
	key := &signFlags{}
	var dir string
	var names []string
	var tests bool
	cmd := &cobra.Command{
		Use:   "build -o DIR",
		Short: "Write the artifacts of all targets to a folder",
		Long: "Writes postgres/DATASOURCE.sql, the Rego sources and bundle.tar.gz under rego/, and json/policy.json\n" +
			"with its JSON Schema. The same project always gives the same bytes. Nothing secret is in them.",
		Example: "  postern build -o dist\n" +
			"  postern build -o dist --target rego\n" +
			"  postern build -o dist --sign-key-file bundle.pem --sign-key-id main --sign-alg ES256",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := targets.Check(names); err != nil {
				return err
			}
			p, err := s.load(cmd.Context(), f, tests)
			if err != nil {
				return err
			}
			if err := s.report(targets.Audit(p.program, names), p.set); err != nil {
				return err
			}
			artifacts, err := targets.Emit(cmd.Context(), p.program, names)
			if err != nil {
				return err
			}
			if tests {
				artifacts = append(artifacts, targets.EmitRegoTests(p.program, p.tests)...)
			}
			if err := s.sign(key, artifacts); err != nil {
				return err
			}
			if err := write(dir, artifacts); err != nil {
				return err
			}
			return view.Built(s.results(), dir, artifacts)
		},
	}
	f.add(cmd)
	key.add(cmd)
	cmd.Flags().BoolVar(&tests, "rego-tests", false, "also write the project's tests for opa test, under rego-tests/")
	cmd.Flags().StringVarP(&dir, "out", "o", "", "the `DIR` to write to; made if it is not there")
	cmd.Flags().StringSliceVar(&names, "target", targets.Names(), "the `TARGETS` to build")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// write writes the artifacts, each in one step.
func write(dir string, artifacts []backend.Artifact) error {
	for _, a := range artifacts {
		path := filepath.Join(dir, filepath.FromSlash(a.Path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("writing artifacts: %w", err)
		}
		if err := replaceFile(path, a.Data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

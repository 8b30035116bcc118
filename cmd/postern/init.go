package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/examples"
	"github.com/postern-dev/postern/lang/diag"
)

func newInit(s *session) *cobra.Command {
	var template string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Start a project from a template",
		Long: "Writes an example project into the folder (of -C, or the current one): policies, tests, and the\n" +
			"database's schema with a little data. No file that is there is ever overwritten: where one is in the\n" +
			"way, nothing is written.\n\n" +
			"  llm-apps       one warehouse, several apps in which a language model writes the SQL\n" +
			"  game-backend   three access levels through one API\n" +
			"  low-code       a platform's records under policies that are clicked together",
		Example: "  postern init\n" +
			"  postern -C my-policies init --template game-backend",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return s.init(template) },
	}
	cmd.Flags().StringVar(&template, "template", examples.Names()[0], "the `TEMPLATE`: "+strings.Join(examples.Names(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("template", cobra.FixedCompletions(examples.Names(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (s *session) init(template string) error {
	if !slices.Contains(examples.Names(), template) {
		return fmt.Errorf("there is no template %q: the templates are %s", template, strings.Join(examples.Names(), ", "))
	}
	var names, inTheWay []string
	err := fs.WalkDir(examples.Files, template, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel := strings.TrimPrefix(name, template+"/")
		names = append(names, rel)
		if _, err := os.Lstat(filepath.Join(s.dir, filepath.FromSlash(rel))); !errors.Is(err, fs.ErrNotExist) {
			inTheWay = append(inTheWay, rel)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the template: %w", err)
	}
	if len(inTheWay) > 0 {
		return diag.Diagnostic{
			Code: CodeInitExists, Severity: diag.Error, Summary: fmt.Sprintf("The folder %s holds %s already", s.dir, strings.Join(inTheWay, ", ")),
			Detail: "Nothing was written. Choose an empty folder with -C, or move these files away.",
		}
	}
	for _, name := range names {
		data, err := fs.ReadFile(examples.Files, path.Join(template, name))
		if err != nil {
			return fmt.Errorf("reading the template: %w", err)
		}
		file := filepath.Join(s.dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("making the project: %w", err)
		}
		if err := createFile(file, data); err != nil {
			return fmt.Errorf("making the project: %w", err)
		}
	}
	return view.Made(s.results(), s.dir, template, names)
}

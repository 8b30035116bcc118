package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/format"
	"github.com/postern-dev/postern/lang/source"
)

// formatting is one run of fmt.
type formatting struct {
	*session
	check, diff bool
	set         source.Set
	found       diag.List
	files       []view.FormattedFile
}

func newFmt(s *session) *cobra.Command {
	var check, diff bool
	cmd := &cobra.Command{
		Use:   "fmt [FILES…]",
		Short: "Bring .hcl files into canonical form",
		Long: "Rewrites the .hcl files of the project, or the FILES and folders that are named, in canonical form and\n" +
			"lists those that changed. Comments stay where they are; .hcl.json files are left alone. A file with\n" +
			"syntax errors is reported and left as it is. With - it reads standard input and writes standard output.",
		Example: "  postern fmt\n" +
			"  postern fmt --check --diff     # in CI: exit status 2 when a file is not in canonical form\n" +
			"  postern fmt - < draft.hcl",
		RunE: func(_ *cobra.Command, args []string) error {
			f := &formatting{session: s, check: check, diff: diff}
			if slices.Equal(args, []string{"-"}) {
				return f.stream()
			}
			return f.run(args)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"hcl"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "write nothing; exit with 2 when a file would change")
	cmd.Flags().BoolVar(&diff, "diff", false, "show what changes")
	return cmd
}

// stream formats standard input to standard output.
func (f *formatting) stream() error {
	data, err := source.ReadLimited(f.in, "standard input")
	if err != nil {
		return err
	}
	file := source.File{Name: "<stdin>", Data: data}
	out, found := format.Format(file)
	if err := f.report(found, &source.Set{Files: []source.File{file}}); err != nil {
		return err
	}
	changed := !bytes.Equal(data, out)
	switch {
	case f.diff:
		_, err = f.out.Write(diff.Diff("<stdin>", data, "formatted", out))
	case !f.check:
		_, err = f.out.Write(out)
	}
	if err == nil && f.check && changed {
		return errChanges
	}
	return err
}

func (f *formatting) run(args []string) error {
	paths, err := f.paths(args)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := f.file(path); err != nil {
			return err
		}
	}
	if err := view.Formatted(f.results(), f.files, f.check); err != nil {
		return err
	}
	if err := f.report(f.found, &f.set); err != nil {
		return err
	}
	if f.check && len(f.files) > 0 {
		return errChanges
	}
	return nil
}

// paths are the files to format: those that are named, and the source files of
// folders that are.
func (f *formatting) paths(args []string) ([]string, error) {
	if len(args) == 0 {
		args = []string{"."}
	}
	var out []string
	for _, arg := range args {
		if !filepath.IsAbs(arg) {
			arg = filepath.Join(f.dir, arg)
		}
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("formatting: %w", err)
		}
		if !info.IsDir() {
			out = append(out, arg)
			continue
		}
		entries, err := os.ReadDir(arg)
		if err != nil {
			return nil, fmt.Errorf("formatting: %w", err)
		}
		for _, e := range entries {
			if !e.IsDir() && source.IsSource(e.Name()) && format.Applies(e.Name()) {
				out = append(out, filepath.Join(arg, e.Name()))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (f *formatting) file(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("formatting: %w", err)
	}
	name := path
	if rel, err := filepath.Rel(f.dir, path); err == nil && filepath.IsLocal(rel) {
		name = rel
	}
	file := source.File{Name: filepath.ToSlash(name), Data: data}
	f.set.Files = append(f.set.Files, file)
	if !format.Applies(path) {
		f.found.Fail(CodeFormatUnknown, source.Span{}, fmt.Sprintf("%s is not an .hcl file", file.Name), "Only .hcl files have a canonical form.")
		return nil
	}
	out, found := format.Format(file)
	f.found = append(f.found, found...)
	if found.HasErrors() || bytes.Equal(out, data) {
		return nil
	}
	changed := view.FormattedFile{Path: file.Name}
	if f.diff {
		changed.Diff = string(diff.Diff(file.Name, data, file.Name+" (formatted)", out))
	}
	f.files = append(f.files, changed)
	if f.check {
		return nil
	}
	return replaceFile(path, out, 0o644)
}

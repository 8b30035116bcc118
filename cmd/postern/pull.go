package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/tableblocks"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// pullFlags say what to pull and where to.
type pullFlags struct {
	inputFlags
	file    string
	schemas []string
	force   bool
}

func newPull(s *session) *cobra.Command {
	f := &pullFlags{}
	cmd := &cobra.Command{
		Use:   "pull DATASOURCE",
		Short: "Write table blocks from a live database",
		Long: "Reads the tables of the datasource's database and writes a table block for each, with columns, primary\n" +
			"key and the relations that its foreign keys tell of. A column whose type the language does not have is\n" +
			"left out, with a note. It writes to FILE, or to standard output; a file that is there is not\n" +
			"overwritten without --force, so that descriptions, tags and relations of your own are kept.\n\n" +
			"The rest of the project need not compile yet: only the datasource is read.",
		Example: "  postern pull warehouse -o tables.hcl\n" +
			"  postern pull warehouse --schema public --schema sales",
		Args: cobra.ExactArgs(1), ValidArgsFunction: s.completeDatasource,
		RunE: func(cmd *cobra.Command, args []string) error { return s.pull(cmd.Context(), f, args[0]) },
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&f.file, "out", "o", "", "write to `FILE`, inside the project's folder unless it is absolute")
	cmd.Flags().StringArrayVar(&f.schemas, "schema", nil, "this `SCHEMA`; may be repeated; default: public, and those of the tables that are declared")
	cmd.Flags().BoolVar(&f.force, "force", false, "overwrite FILE")
	return cmd
}

func (s *session) pull(ctx context.Context, f *pullFlags, datasource string) error {
	file := f.file
	if file != "" && !filepath.IsAbs(file) {
		file = filepath.Join(s.dir, file)
	}
	if _, err := os.Lstat(file); file != "" && !f.force && !errors.Is(err, fs.ErrNotExist) {
		return diag.Diagnostic{
			Code: CodePullExists, Severity: diag.Error, Summary: fmt.Sprintf("The file %s is there already", f.file),
			Detail: "Write to a new file and take over what you need, or overwrite it with --force.",
		}
	}
	p, err := s.loadDatasources(ctx, &f.inputFlags)
	if err != nil {
		return err
	}
	ds, err := one(p.program, datasource)
	if err != nil {
		return err
	}
	tables, err := s.pulled(ctx, ds, f.schemas)
	if d, ok := asDiagnostic(err); ok {
		return s.report(diag.List{d}, p.set)
	}
	if err != nil {
		return err
	}
	text, err := tableblocks.Print(ds.Label, tables)
	if err != nil {
		return err
	}
	var notes diag.List
	for _, t := range tables {
		for _, n := range t.Notes {
			notes.Warn(CodePullLeftOut, source.Span{}, fmt.Sprintf("Table %s.%s: %s", t.Schema, t.Name, n), "")
		}
	}
	if file != "" {
		if err := replaceFile(file, text, 0o644); err != nil {
			return err
		}
	}
	if err := view.Pulled(s.results(), f.file, string(text), len(tables), len(notes)); err != nil {
		return err
	}
	return s.report(notes, nil)
}

func (s *session) pulled(ctx context.Context, ds *model.Datasource, schemas []string) ([]*postgres.PulledTable, error) {
	if len(schemas) == 0 {
		schemas = []string{"public"}
		for _, t := range ds.Tables {
			schemas = append(schemas, t.Schema)
		}
		slices.Sort(schemas)
		schemas = slices.Compact(schemas)
	}
	conn, err := s.connect(ctx, ds)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tables, err := postgres.Pull(ctx, conn, schemas)
	if err == nil && len(tables) == 0 {
		return nil, diag.Diagnostic{
			Code: CodePullEmpty, Severity: diag.Error, Span: ds.Span,
			Summary: fmt.Sprintf("The database of datasource.%s has no tables in %s", ds.Name, strings.Join(schemas, ", ")),
			Detail:  "Name the schemas with --schema.",
		}
	}
	return tables, err
}

// loadDatasources compiles the project or, while the rest of it has errors,
// its datasources alone: policies may speak of tables that are yet to be
// pulled.
func (s *session) loadDatasources(ctx context.Context, f *inputFlags) (*project, error) {
	set, err := s.sources(ctx, f)
	if err != nil {
		return nil, err
	}
	in, err := s.inputs(f)
	if err != nil {
		return nil, err
	}
	program, list := compiler.Compile(ctx, set, in)
	if list.HasErrors() || program == nil {
		program, list = compiler.Compile(ctx, datasourcesOnly(set), in)
	}
	return &project{set: set, program: program}, s.report(list, set)
}

// datasourcesOnly puts spaces in the place of all blocks that a datasource
// does not need, so that places stay what they are.
func datasourcesOnly(set *source.Set) *source.Set {
	out := &source.Set{Dir: set.Dir, Revision: set.Revision}
	for _, f := range set.Files {
		if strings.HasSuffix(f.Name, ".test.hcl") {
			continue
		}
		parsed, _ := hclsyntax.ParseConfig(f.Data, f.Name, hcl.InitialPos)
		data := slices.Clone(f.Data)
		if body, ok := parsed.Body.(*hclsyntax.Body); ok && strings.HasSuffix(f.Name, ".hcl") {
			for _, b := range body.Blocks {
				switch b.Type {
				case "postern", "variable", "locals", "function", "datasource", "identity":
					continue
				}
				for i := b.Range().Start.Byte; i < min(b.CloseBraceRange.End.Byte, len(data)); i++ {
					if data[i] != '\n' {
						data[i] = ' '
					}
				}
			}
		}
		out.Files = append(out.Files, source.File{Name: f.Name, Data: data})
	}
	return out
}

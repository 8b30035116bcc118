package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// databaseFlags choose the databases of a command.
type databaseFlags struct {
	inputFlags
	datasources []string
	parallelism int
	deep        bool // read what is published, and not its manifest alone
	// tells is the occasion of which notify blocks are told who gains and who
	// loses; "": none.
	tells        model.Occasion
	retireLogins bool // of plan and apply
}

func (f *databaseFlags) add(s *session, cmd *cobra.Command) {
	f.inputFlags.add(cmd)
	cmd.Flags().StringArrayVar(&f.datasources, "datasource", nil, "only this `DATASOURCE`; may be repeated; default: all Postgres ones")
	cmd.Flags().IntVar(&f.parallelism, "parallelism", 8, "databases at a time: `N`")
	_ = cmd.RegisterFlagCompletionFunc("datasource", s.completeDatasource)
}

// addRetire adds the flag that ends the old logins of accounts whose password
// has changed.
func (f *databaseFlags) addRetire(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.retireLogins, "retire-logins", false, "end the logins that take the password before the last change, or before this one")
}

// completeDatasource offers the names of the project's Postgres datasources.
func (s *session) completeDatasource(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var names []string
	if p := s.quiet(cmd.Context()); p != nil && len(args) == 0 {
		for _, ds := range p.Datasources {
			if ds.Type == model.Postgres {
				names = append(names, cobra.CompletionWithDesc(ds.Name, ds.Description))
			}
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// quiet compiles the project without a word; nil where that fails.
func (s *session) quiet(ctx context.Context) *model.Program {
	f := &inputFlags{}
	set, err := s.sources(ctx, f)
	if err != nil {
		return nil
	}
	in, err := s.inputs(f)
	if err != nil {
		return nil
	}
	p, _ := compiler.Compile(ctx, set, in)
	return p
}

// one is the Postgres datasource of a name.
func one(p *model.Program, name string) (*model.Datasource, error) {
	list, err := (&databaseFlags{datasources: []string{name}}).databases(p)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// databases are the Postgres datasources that a command is about.
func (f *databaseFlags) databases(p *model.Program) ([]*model.Datasource, error) {
	var out []*model.Datasource
	var known []string
	for _, ds := range p.Datasources {
		if ds.Type != model.Postgres {
			continue
		}
		known = append(known, ds.Name)
		if len(f.datasources) == 0 || contains(f.datasources, ds.Name) {
			out = append(out, ds)
		}
	}
	for _, name := range f.datasources {
		if !contains(known, name) {
			return nil, fmt.Errorf("there is no Postgres datasource %q in the project; it has %s", name, strings.Join(known, ", "))
		}
	}
	if len(out) == 0 && len(p.Publishes) == 0 {
		return nil, errors.New("the project has no Postgres datasource")
	}
	return out, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// read gives the value of a secret reference. Its errors never hold the value.
func (s *session) read(secret *model.Secret) (string, error) {
	switch secret.Kind {
	case model.SecretEnv:
		if v := s.getenv(secret.Name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the environment variable %s is not set", secret.Name)
	case model.SecretFile:
		data, err := os.ReadFile(secret.Name)
		if err != nil {
			return "", fmt.Errorf("reading a secret: %w", err)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	case model.SecretVault:
		return s.fromVault(secret)
	case model.SecretLiteral:
		return secret.Literal, nil
	}
	return "", fmt.Errorf("a secret of kind %q cannot be read", secret.Kind)
}

// secrets reads the passwords of a datasource's accounts, and the project's hash
// key, as a plan asks for them.
func (s *session) secrets(p *model.Program, ds *model.Datasource) func(context.Context, plan.Secret) (string, error) {
	return func(_ context.Context, want plan.Secret) (string, error) {
		if want.Kind == plan.SecretHashKey {
			if p.HashKey == nil {
				return "", errors.New("the project states no hash_key")
			}
			return s.read(p.HashKey)
		}
		for _, a := range ds.Accounts {
			if a.Name == want.Account && a.Password != nil {
				return s.read(a.Password)
			}
		}
		return "", fmt.Errorf("the service account %s of the project has no password", want.Account)
	}
}

// connect opens a connection to a datasource's database. Its errors are
// diagnostics at the datasource, and never quote the URL.
func (s *session) connect(ctx context.Context, ds *model.Datasource) (*pgx.Conn, error) {
	if ds.URL == nil {
		return nil, noURL(ds, "It has no url", "Add url = env(\"…\") to the datasource, and set that variable.")
	}
	url, err := s.read(ds.URL)
	if err != nil {
		return nil, noURL(ds, sentence(err.Error()), "It holds the URL of the database for plan and apply.")
	}
	return postgres.Connect(ctx, url, ds.Span)
}

// noURL says why there is no URL to connect to.
func noURL(ds *model.Datasource, what, detail string) error {
	return diag.Diagnostic{
		Code: CodeDatabaseURL, Severity: diag.Error, Span: ds.Span,
		Summary: fmt.Sprintf("Nothing says where the database of datasource.%s is", ds.Name),
		Detail:  what + ". " + detail,
	}
}

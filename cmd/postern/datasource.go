package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// databaseFlags choose the databases of a command.
type databaseFlags struct {
	inputFlags
	datasources []string
}

func (f *databaseFlags) add(s *session, cmd *cobra.Command) {
	f.inputFlags.add(cmd)
	cmd.Flags().StringArrayVar(&f.datasources, "datasource", nil, "only this `DATASOURCE`; may be repeated; default: all Postgres ones")
	_ = cmd.RegisterFlagCompletionFunc("datasource", s.completeDatasource)
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
	if len(out) == 0 {
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
	case model.SecretLiteral:
		return secret.Literal, nil
	}
	return "", fmt.Errorf("a secret of kind %q cannot be read", secret.Kind)
}

// passwords reads the passwords of a datasource's accounts as a plan asks for
// them.
func (s *session) passwords(ds *model.Datasource) func(context.Context, plan.Secret) (string, error) {
	return func(_ context.Context, want plan.Secret) (string, error) {
		for _, a := range ds.Accounts {
			if a.Name == want.Account && a.Password != nil {
				return s.read(a.Password)
			}
		}
		return "", fmt.Errorf("the service account %s of the project has no password", want.Account)
	}
}

// connect opens a connection to a datasource's database.
func (s *session) connect(ctx context.Context, ds *model.Datasource) (*pgx.Conn, error) {
	if ds.URL == nil {
		return nil, s.unreachable(ds, "It has no url", "Add url = env(\"…\") to the datasource, and set that variable.")
	}
	url, err := s.read(ds.URL)
	if err != nil {
		return nil, s.unreachable(ds, sentence(err.Error()), "It holds the URL of the database for plan and apply.")
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		// The error may quote the URL, and with it the password.
		return nil, s.unreachable(ds, ds.URL.String()+" is not a Postgres URL", "Write postgres://USER:PASSWORD@HOST:PORT/DATABASE.")
	}
	cfg.RuntimeParams["application_name"] = "postern"
	conn, err := pgx.ConnectConfig(ctx, cfg)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, s.unreachable(ds, fmt.Sprintf("%s:%d, database %q, as %q", cfg.Host, cfg.Port, cfg.Database, cfg.User), reason(err))
	}
	return conn, nil
}

// unreachable is the one diagnostic of a database that cannot be reached.
func (s *session) unreachable(ds *model.Datasource, what, detail string) error {
	return diag.Diagnostic{
		Code: CodeDatabaseUnreachable, Severity: diag.Error, Span: ds.Span,
		Summary: fmt.Sprintf("Cannot connect to datasource.%s", ds.Name),
		Detail:  what + ": " + detail,
	}
}

// reason is why a connection failed, in the words of the server or the system.
func reason(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		return server.Message
	}
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

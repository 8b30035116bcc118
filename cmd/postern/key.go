package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// keyFlags name a signing key.
type keyFlags struct {
	env string
	id  int
}

func (f *keyFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.env, "key-env", "POSTERN_SIGNING_KEY", "the environment `VARIABLE` that holds the key, as postern key new prints it")
	cmd.Flags().IntVar(&f.id, "key-id", 1, "the key's `NUMBER` in the database")
}

// signingKey reads the key. Its errors never hold the value.
func (s *session) signingKey(f *keyFlags) (postgres.Key, error) {
	text := s.getenv(f.env)
	if text == "" {
		return postgres.Key{}, fmt.Errorf("the environment variable %s is not set: it holds the signing key; postern key new makes one", f.env)
	}
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(secret) < postgres.MinSecret {
		return postgres.Key{}, fmt.Errorf("the environment variable %s holds no signing key: base64 of at least %d bytes, as postern key new prints it",
			f.env, postgres.MinSecret)
	}
	return postgres.Key{ID: f.id, Secret: secret}, nil
}

func newKey(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make and register the keys that sign users' tokens",
		Long: "In a datasource with identity = \"signed\", each transaction begins with a token that says who the user is.\n" +
			"Whoever has the key can sign one for any user: keep it with the server that authenticates users. The\n" +
			"database keeps it in a table that no account may read.\n\n" +
			"Several keys may be registered at a time, so that a key is changed without a gap: add the new one, let\n" +
			"the servers sign with it, remove the old one.",
		Example: "  export POSTERN_SIGNING_KEY=$(postern key new)\n" +
			"  postern key add warehouse\n" +
			"  postern token --datasource warehouse --app assistant --user-json '{\"id\": \"…\"}'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKeyNew(s), newKeyAdd(s), newKeyList(s), newKeyRemove(s))
	return cmd
}

func newKeyNew(s *session) *cobra.Command {
	return &cobra.Command{
		Use: "new", Short: "Print a new random key", Args: cobra.NoArgs,
		Long: "Prints 32 random bytes as base64. Keep the line in your secret store; it is the only copy.",
		RunE: func(*cobra.Command, []string) error {
			secret := make([]byte, postgres.MinSecret)
			if _, err := rand.Read(secret); err != nil {
				return fmt.Errorf("making a key: %w", err)
			}
			return view.Line(s.results(), "key", base64.StdEncoding.EncodeToString(secret))
		},
	}
}

func newKeyAdd(s *session) *cobra.Command {
	f, k := &inputFlags{}, &keyFlags{}
	cmd := &cobra.Command{
		Use:   "add DATASOURCE",
		Short: "Register the key with a database",
		Long: "Reads the key from the environment and registers it with the datasource's database, where the project\n" +
			"has been applied. The key is never printed.",
		Example: "  postern key add warehouse\n  postern key add warehouse --key-id 2 --key-env NEXT_KEY",
		Args:    cobra.ExactArgs(1), ValidArgsFunction: s.completeDatasource,
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := s.signingKey(k)
			if err != nil {
				return err
			}
			return s.withKeys(cmd.Context(), f, args[0], func(conn *pgx.Conn, ds *model.Datasource) error {
				if err := insertKey(cmd.Context(), conn, key); err != nil {
					return keyRefused(ds, err)
				}
				return view.Line(s.results(), "message", fmt.Sprintf("Key %d is registered with datasource.%s.", key.ID, ds.Name))
			})
		},
	}
	f.add(cmd)
	k.add(cmd)
	return cmd
}

func newKeyList(s *session) *cobra.Command {
	f := &inputFlags{}
	cmd := &cobra.Command{
		Use:   "list DATASOURCE",
		Short: "List the numbers of a database's keys",
		Args:  cobra.ExactArgs(1), ValidArgsFunction: s.completeDatasource,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.withKeys(cmd.Context(), f, args[0], func(conn *pgx.Conn, ds *model.Datasource) error {
				rows, err := conn.Query(cmd.Context(), "SELECT id FROM postern.keys ORDER BY id")
				if err != nil {
					return keyRefused(ds, err)
				}
				ids, err := pgx.CollectRows(rows, pgx.RowTo[int])
				if err != nil {
					return keyRefused(ds, err)
				}
				return view.Keys(s.results(), ds.Name, ids)
			})
		},
	}
	f.add(cmd)
	return cmd
}

func newKeyRemove(s *session) *cobra.Command {
	f := &inputFlags{}
	cmd := &cobra.Command{
		Use:   "remove DATASOURCE NUMBER",
		Short: "Take a key away: tokens signed with it open no more transactions",
		Args:  cobra.ExactArgs(2), ValidArgsFunction: s.completeDatasource,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := strconv.Atoi(args[1])
			if err != nil {
				return fmt.Errorf("%q is not the number of a key", args[1])
			}
			return s.withKeys(cmd.Context(), f, args[0], func(conn *pgx.Conn, ds *model.Datasource) error {
				tag, err := conn.Exec(cmd.Context(), "DELETE FROM postern.keys WHERE id = $1", id)
				if err != nil {
					return keyRefused(ds, err)
				}
				if tag.RowsAffected() == 0 {
					return fmt.Errorf("datasource.%s has no key %d", ds.Name, id)
				}
				return view.Line(s.results(), "message", fmt.Sprintf("Key %d of datasource.%s is removed.", id, ds.Name))
			})
		},
	}
	f.add(cmd)
	return cmd
}

// withKeys connects to a datasource whose users come with signed tokens.
func (s *session) withKeys(ctx context.Context, f *inputFlags, datasource string, do func(*pgx.Conn, *model.Datasource) error) error {
	p, err := s.load(ctx, f, false)
	if err != nil {
		return err
	}
	ds, err := signed(p.program, datasource)
	if err == nil {
		var conn *pgx.Conn
		if conn, err = s.connect(ctx, ds); err == nil {
			defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
			err = do(conn, ds)
		}
	}
	if d, ok := asDiagnostic(err); ok {
		return s.report(diag.List{d}, p.set)
	}
	return err
}

// signed is a datasource of identity mode "signed".
func signed(p *model.Program, name string) (*model.Datasource, error) {
	ds, err := one(p, name)
	if err != nil {
		return nil, err
	}
	if ds.Identity != model.IdentitySigned {
		return nil, diag.Diagnostic{
			Code: CodeTokenNotSigned, Severity: diag.Error, Span: ds.Span,
			Summary: fmt.Sprintf("datasource.%s takes no tokens: its identity is %q", ds.Name, ds.Identity),
			Detail:  "Tokens and keys are for identity = \"signed\".",
		}
	}
	return ds, nil
}

// noLog keeps the statements of a transaction out of the server's log, where
// the role may say so.
const noLog = `SELECT set_config(name, value, true) FROM (VALUES ('log_statement', 'none'), ('log_min_duration_statement', '-1')) AS v(name, value)
	WHERE (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user)`

// insertKey registers a key. The statement holds the key in another form.
func insertKey(ctx context.Context, conn *pgx.Conn, key postgres.Key) error {
	text, err := postgres.InsertKey(key)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, noLog); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, string(text), pgx.QueryExecModeSimpleProtocol)
		return err
	})
}

// keyRefused is the diagnostic of a database that did not do it; the server's
// detail may quote the row, so only its message is shown.
func keyRefused(ds *model.Datasource, err error) error {
	d := diag.Diagnostic{Code: CodeKeyFailed, Severity: diag.Error, Span: ds.Span, Summary: "The keys of datasource." + ds.Name + " were not changed"}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return err
	}
	d.Detail = sentence(pg.Message) + "."
	switch pg.Code {
	case "3F000", "42P01": // invalid_schema_name, undefined_table
		d.Detail = "The project has not been applied to this database yet: run postern apply first."
	case "23505": // unique_violation
		d.Detail = "A key of this number is registered already: choose another with --key-id, or remove that one first."
	case "42501": // insufficient_privilege
		d.Detail += " Connect as the role that applies the project, or as a superuser."
	}
	return d
}

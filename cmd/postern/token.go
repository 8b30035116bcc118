package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
)

// tokenFlags say what a token is to tell.
type tokenFlags struct {
	keyFlags
	inputFlags
	datasource, app, database string
	user, userJSON, request   string
	anonymous                 bool
	expires                   time.Duration
}

func newToken(s *session) *cobra.Command {
	f := &tokenFlags{}
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Sign a token that tells a database who the user is",
		Long: "Signs a token for one user, app and database, for tests and small apps. A server signs its own: the\n" +
			"form is in docs/postgres.md. The app's login opens a transaction with it:\n\n" +
			"  BEGIN; SELECT postern.open($1); … ; COMMIT\n\n" +
			"The key is read from the environment; postern key makes and registers one. Whoever has the token can\n" +
			"act as that user through that account until it expires.",
		Example: "  postern token --datasource warehouse --app assistant --user-json '{\"id\": \"…\", \"groups\": [\"hr\"]}'\n" +
			"  postern token --datasource warehouse --app assistant --user alice --expires 1h",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := s.load(cmd.Context(), &f.inputFlags, false)
			if err != nil {
				return err
			}
			token, t, err := s.token(p.program, f)
			if d, ok := asDiagnostic(err); ok {
				return s.report(diag.List{d}, p.set)
			}
			if err != nil {
				return err
			}
			return view.Token(s.results(), token, t.Role, t.Database, t.Expires)
		},
	}
	f.inputFlags.add(cmd)
	f.keyFlags.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.datasource, "datasource", "", "the `DATASOURCE`")
	flags.StringVar(&f.app, "app", "", "the `APP` through which the user comes")
	flags.StringVar(&f.user, "user", "", "a user block of the project, by `NAME`")
	flags.StringVar(&f.userJSON, "user-json", "", "the user's claims as a `JSON` object")
	flags.BoolVar(&f.anonymous, "anonymous", false, "nobody in particular")
	flags.StringVar(&f.request, "request-json", "", "what request.* reads, as a `JSON` object")
	flags.DurationVar(&f.expires, "expires", 10*time.Minute, "for how `LONG` the token opens transactions")
	flags.StringVar(&f.database, "database", "", "the database's `NAME`; default: the one in the datasource's url")
	_ = cmd.RegisterFlagCompletionFunc("datasource", s.completeDatasource)
	_ = cmd.MarkFlagRequired("datasource")
	_ = cmd.MarkFlagRequired("app")
	cmd.MarkFlagsOneRequired("user", "user-json", "anonymous")
	cmd.MarkFlagsMutuallyExclusive("user", "user-json", "anonymous")
	return cmd
}

func (s *session) token(p *model.Program, f *tokenFlags) (string, postgres.Token, error) {
	t := postgres.Token{}
	key, err := s.signingKey(&f.keyFlags)
	if err != nil {
		return "", t, err
	}
	ds, err := signed(p, f.datasource)
	if err != nil {
		return "", t, err
	}
	if t.Role, err = accountOf(ds, f.app); err != nil {
		return "", t, err
	}
	if t.Claims, err = claims(p, f); err != nil {
		return "", t, err
	}
	if t.Context, err = object("--request-json", f.request); err != nil {
		return "", t, err
	}
	if f.expires <= 0 {
		return "", t, errors.New("--expires is not a length of time in the future, such as 10m")
	}
	t.Expires = time.Now().Add(f.expires).UTC().Truncate(time.Second)
	if t.Database, err = s.databaseName(ds, f.database); err != nil {
		return "", t, err
	}
	token, err := postgres.MintToken(key, t)
	return token, t, err
}

// accountOf is the role of the account through which an app comes.
func accountOf(ds *model.Datasource, app string) (string, error) {
	var known []string
	for _, a := range ds.Apps {
		c := a.Connect(ds)
		if c == nil || c.Account == nil {
			continue
		}
		known = append(known, a.Name)
		if a.Name != app {
			continue
		}
		if !c.AsUser {
			return "", diag.Diagnostic{
				Code: CodeTokenApp, Severity: diag.Error, Span: c.Span, Summary: fmt.Sprintf("app.%s connects as = \"app\": it carries no user", app),
				Detail: "All its users share its access, so there is no token to sign.",
			}
		}
		return c.Account.Role, nil
	}
	return "", fmt.Errorf("no app %q connects to datasource.%s; these do: %s", app, ds.Name, strings.Join(known, ", "))
}

// claims are those of the flags: stated, or of a user block, whose key alone a
// token has to name.
func claims(p *model.Program, f *tokenFlags) (map[string]any, error) {
	if f.anonymous {
		return nil, nil
	}
	if f.userJSON != "" {
		return object("--user-json", f.userJSON)
	}
	if claims := keyClaims(p, f.user); claims != nil {
		return claims, nil
	}
	return nil, fmt.Errorf("the project has no user %q; --user-json states any other", f.user)
}

func object(flag, text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	var out map[string]any
	dec := json.NewDecoder(bytes.NewReader([]byte(text)))
	dec.UseNumber()
	if err := dec.Decode(&out); err != nil || out == nil || dec.More() {
		return nil, fmt.Errorf("%s is not a JSON object", flag)
	}
	return out, nil
}

// databaseName is the stated one, or that of the datasource's URL; nothing is
// connected to.
func (s *session) databaseName(ds *model.Datasource, stated string) (string, error) {
	if stated != "" {
		return stated, nil
	}
	if ds.URL != nil {
		if url, err := s.read(ds.URL); err == nil {
			if cfg, err := pgx.ParseConfig(url); err == nil && cfg.Database != "" {
				return cfg.Database, nil
			}
		}
	}
	return "", fmt.Errorf("the database's name is not known: state --database, or set what the url of datasource.%s reads", ds.Name)
}

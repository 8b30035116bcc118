package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/examples"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

func newDemo(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show it all on a throw-away Postgres",
		Long: "Starts a throw-away Postgres on 127.0.0.1 (the one that is installed, else one that is fetched once),\n" +
			"loads the example llm-apps, plans and applies it, and shows two users who read different rows of the\n" +
			"same table, in Postgres, in OPA and in the JSON engine. Then it changes the database by hand, and shows\n" +
			"how that is found and healed. Nothing of it stays.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.json {
				return errors.New("the demo is for reading: it has no JSON form")
			}
			return s.demo(cmd.Context())
		},
	}
}

const (
	demoExample  = "llm-apps"
	demoDatabase = "warehouse"
	demoApp      = "assistant"
	demoTable    = "customers"
)

// demonstration is one run of the demo.
type demonstration struct {
	*session
	out     view.Demo
	server  *throwaway.Server
	project *project
	key     postgres.Key
	admin   *pgx.Conn
	secrets map[string]string // what the project reads from the environment
}

func (s *session) demo(ctx context.Context) (err error) {
	d := &demonstration{session: &session{}, out: view.NewDemo(s.results()), secrets: map[string]string{}}
	*d.session = *s
	d.getenv = func(name string) string { return d.secrets[name] }
	started := time.Now()
	defer func() { err = errors.Join(err, d.stop()) }()
	for _, step := range []func(context.Context) error{d.start, d.source, d.plan, d.compare, d.drift, d.heal} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
	}
	if err := d.stop(); err != nil {
		return err
	}
	return d.out.End(time.Since(started))
}

// stop ends the server; a second call does nothing.
func (d *demonstration) stop() error {
	if d.admin != nil {
		_ = d.admin.Close(context.Background()) // the server goes anyway
		d.admin = nil
	}
	if d.server == nil {
		return nil
	}
	return d.server.Stop()
}

// start brings up a server with the example's tables and rows.
func (d *demonstration) start(ctx context.Context) (err error) {
	began := time.Now()
	if d.server, err = throwaway.Start(ctx, throwaway.Options{}); err != nil {
		var missing *throwaway.NotFoundError
		if !errors.As(err, &missing) {
			return err
		}
		_, _ = fmt.Fprintln(d.err, "No Postgres is installed here; fetching one, once …")
		if d.server, err = throwaway.Start(ctx, throwaway.Options{Download: true}); err != nil {
			return diag.Diagnostic{
				Code: CodeDemoNoPostgres, Severity: diag.Error, Summary: "The demo needs Postgres, and none could be found or fetched",
				Detail: sentence(missing.Error()) + ". Fetching failed: " + err.Error() + ".",
			}
		}
	}
	if err := d.server.CreateDatabase(ctx, demoDatabase); err != nil {
		return err
	}
	d.secrets["WAREHOUSE_ADMIN_URL"] = d.server.URL(demoDatabase)
	for _, app := range []string{"ANALYST", "SALES", "EXECUTIVE", "ASSISTANT"} {
		secret := make([]byte, 16)
		if _, err := rand.Read(secret); err != nil {
			return fmt.Errorf("making a password: %w", err)
		}
		d.secrets[app+"_PASSWORD"] = hex.EncodeToString(secret)
	}
	d.key = postgres.Key{ID: 1, Secret: make([]byte, postgres.MinSecret)}
	if _, err := rand.Read(d.key.Secret); err != nil {
		return fmt.Errorf("making a key: %w", err)
	}
	if d.admin, err = pgx.Connect(ctx, d.server.URL(demoDatabase)); err != nil {
		return fmt.Errorf("connecting to the throw-away Postgres: %w", err)
	}
	for _, file := range []string{"schema.sql", "seed.sql"} {
		text, err := fs.ReadFile(examples.Files, path.Join(demoExample, file))
		if err != nil {
			return fmt.Errorf("reading the example: %w", err)
		}
		if _, err := d.admin.Exec(ctx, string(text), pgx.QueryExecModeSimpleProtocol); err != nil {
			return fmt.Errorf("loading %s: %w", file, err)
		}
	}
	var server string
	if err := d.admin.QueryRow(ctx, "SHOW server_version").Scan(&server); err != nil {
		return fmt.Errorf("asking for the version: %w", err)
	}
	return d.out.Started("PostgreSQL "+server, demoExample, time.Since(began))
}

// source compiles the example and quotes what the rest is about.
func (d *demonstration) source(ctx context.Context) error {
	set, err := embedded(demoExample)
	if err != nil {
		return err
	}
	in := compiler.Inputs{Version: strings.TrimPrefix(version(), "v")}
	program, list := compiler.Compile(ctx, set, in)
	d.project = &project{set: set, program: program}
	if err := d.report(list, set); err != nil {
		return err
	}
	var quotes []view.Quote
	for _, p := range program.Policies {
		if p.Name == "reps_see_their_customers" || p.Name == "managers_see_their_regions_customers" {
			quotes = append(quotes, quote(set, p.Span))
		}
	}
	for _, g := range program.Guards {
		if g.Name == "tenant" || g.Name == "forgotten" {
			quotes = append(quotes, quote(set, g.Span))
		}
	}
	return d.out.Source(quotes)
}

// embedded is the source of an example.
func embedded(example string) (*source.Set, error) {
	set := &source.Set{Dir: "examples/" + example}
	entries, err := fs.ReadDir(examples.Files, example) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("reading the example: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() || !source.IsSource(e.Name()) {
			continue
		}
		data, err := fs.ReadFile(examples.Files, path.Join(example, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("reading the example: %w", err)
		}
		set.Files = append(set.Files, source.File{Name: e.Name(), Data: data})
	}
	return set, nil
}

// quote is the text of a block; in canonical form its last line alone is "}".
func quote(set *source.Set, span source.Span) view.Quote {
	q := view.Quote{Place: span.String()}
	if f := set.File(span.File); f != nil {
		for _, line := range strings.Split(string(f.Data), "\n")[span.Start.Line-1:] {
			q.Lines = append(q.Lines, line)
			if line == "}" {
				break
			}
		}
	}
	return q
}

// plan shows what would be made, and makes it.
func (d *demonstration) plan(ctx context.Context) error {
	pl, err := d.planned(ctx)
	if err != nil {
		return err
	}
	if err := d.out.Plan(pl, "postern_assistant_view on public."+demoTable); err != nil {
		return err
	}
	began := time.Now()
	if err := d.applyOne(ctx, d.project, pl, "demo"); err != nil {
		return err
	}
	if err := insertKey(ctx, d.admin, d.key); err != nil {
		return fmt.Errorf("registering the key: %w", err)
	}
	again, err := d.planned(ctx)
	if err != nil {
		return err
	}
	return d.out.Applied(len(pl.Statements), again.Empty(), time.Since(began))
}

func (d *demonstration) planned(ctx context.Context) (*plan.Plan, error) {
	ds, err := one(d.project.program, demoDatabase)
	if err != nil {
		return nil, err
	}
	made := d.planOne(ctx, d.project, ds, false, notAsked)
	if made.err != nil {
		return nil, made.err
	}
	return made.plan, d.report(made.diags, d.project.set)
}

// byHand is what somebody does to the database in a hurry.
var byHand = []string{
	"ALTER TABLE public.customers DISABLE ROW LEVEL SECURITY",
	"GRANT SELECT ON public.salaries TO PUBLIC",
}

func (d *demonstration) drift(ctx context.Context) error {
	for _, sql := range byHand {
		if _, err := d.admin.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	seen, err := d.ask(ctx)
	if err != nil {
		return err
	}
	pl, err := d.planned(ctx)
	if err != nil {
		return err
	}
	return d.out.Drift(byHand, seen, pl)
}

func (d *demonstration) heal(ctx context.Context) error {
	pl, err := d.planned(ctx)
	if err != nil {
		return err
	}
	if err := d.applyOne(ctx, d.project, pl, "demo"); err != nil {
		return err
	}
	again, err := d.planned(ctx)
	if err != nil {
		return err
	}
	seen, err := d.ask(ctx)
	if err != nil {
		return err
	}
	if !again.Empty() || !seen.Agree() {
		return errors.New("the database was not healed: the engines differ")
	}
	return d.out.Healed(len(pl.Statements), seen)
}

// compare asks all engines about all rows.
func (d *demonstration) compare(ctx context.Context) error {
	seen, err := d.ask(ctx)
	if err != nil {
		return err
	}
	if err := d.out.Seen(seen); err != nil {
		return err
	}
	if !seen.Agree() {
		return errors.New("the engines do not agree")
	}
	return nil
}

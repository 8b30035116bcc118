package postgres_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway/pgtest"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/source"
)

// compileFolder compiles a project of the examples folder.
func compileFolder(t testing.TB, dir string) *model.Program {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.hcl"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no project in %s: %v", dir, err)
	}
	set := &source.Set{Dir: dir}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		set.Files = append(set.Files, source.File{Name: filepath.Base(name), Data: data})
	}
	p, diags := compiler.Compile(context.Background(), set, compiler.Inputs{})
	if p == nil {
		t.Fatal(diags.Err())
	}
	return p
}

func planFor(t testing.TB, conn *pgx.Conn, p *model.Program, ds *model.Datasource) *plan.Plan {
	t.Helper()
	want, diags := postgres.Desired(p, ds)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	made, found, err := postgres.MakePlan(t.Context(), conn, want, postgres.PlanOptions{Datasource: ds, Created: time.Unix(0, 0), Secrets: secrets})
	if err != nil || found.HasErrors() {
		t.Fatalf("%v\n%v", err, found)
	}
	return made
}

func secrets(_ context.Context, s plan.Secret) (string, error) {
	if s.Kind == plan.SecretHashKey {
		return string(model.TestHashKey), nil
	}
	return password, nil
}

// A second plan after an apply is empty, for all that the examples use.
func TestExamplesApplyThenEmpty(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"game-backend", "llm-apps", "low-code"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("..", "..", "examples", name)
			p := compileFolder(t, dir)
			schema, err := os.ReadFile(filepath.Join(dir, "schema.sql"))
			if err != nil {
				t.Fatal(err)
			}
			for _, ds := range p.Datasources {
				if ds.Type != model.Postgres {
					continue
				}
				conn := connect(t, pgtest.Database(t))
				execute(t, conn, string(schema))
				first := planFor(t, conn, p, ds)
				if first.Empty() {
					t.Fatal("the first plan is empty")
				}
				if err := postgres.Apply(t.Context(), conn, first, postgres.ApplyOptions{Secrets: secrets}); err != nil {
					t.Fatal(err)
				}
				requireNothing(t, planFor(t, conn, p, ds))
			}
		})
	}
}

// What the build's script makes is what a plan would: the plan after it only
// writes down what is there.
func TestScriptIsWhatAPlanMakes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"game-backend", "llm-apps", "low-code"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join("..", "..", "examples", name)
			p := compileFolder(t, dir)
			p.Project += "_script" // roles belong to the cluster
			for _, a := range p.Accounts {
				a.Role += "_script"
			}
			schema, err := os.ReadFile(filepath.Join(dir, "schema.sql"))
			if err != nil {
				t.Fatal(err)
			}
			d := applied(t, p, string(schema))
			for _, ds := range p.Datasources {
				if ds.Type != model.Postgres {
					continue
				}
				var extra []string
				for _, c := range planFor(t, d.admin, p, ds).Changes {
					if kind := c.What().Object.Kind; kind != "record" {
						before, after := plan.Texts(c)
						extra = append(extra, string(plan.ActionOf(c))+" "+c.What().Object.String(), "  - "+before, "  + "+after)
					}
				}
				if len(extra) > 0 {
					t.Errorf("the plan after the script:\n%s", strings.Join(extra, "\n"))
				}
			}
		})
	}
}

func requireNothing(t testing.TB, p *plan.Plan) {
	t.Helper()
	if p.Empty() {
		return
	}
	var lines []string
	for _, c := range p.Changes {
		before, after := plan.Texts(c)
		lines = append(lines, string(plan.ActionOf(c))+" "+c.What().Object.String(), "  - "+before, "  + "+after)
	}
	for _, s := range p.Statements {
		lines = append(lines, s.Text())
	}
	t.Errorf("there is something left to do:\n%s", strings.Join(lines, "\n"))
}

// applyTo plans and applies a program's only Postgres datasource.
func applyTo(t testing.TB, conn *pgx.Conn, p *model.Program) {
	t.Helper()
	for _, ds := range p.Datasources {
		if ds.Type == model.Postgres {
			if err := postgres.Apply(t.Context(), conn, planFor(t, conn, p, ds), postgres.ApplyOptions{Secrets: secrets}); err != nil {
				t.Fatal(err)
			}
			requireNothing(t, planFor(t, conn, p, ds))
		}
	}
}

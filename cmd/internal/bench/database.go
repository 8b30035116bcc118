package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres"
	"github.com/postern-dev/postern/backends/postgres/throwaway"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/lang/source"
)

// catalogSQL reads in bulk what of the catalogs bears on access: what a plan
// cannot do without.
//
//go:embed catalog.sql
var catalogSQL []byte

const database = "bench"

// database measures the first apply, the plan that finds nothing to do, and
// what of it is reading the database.
func (b *size) database() (err error) {
	file := filepath.Join(b.dir, "first.plan")
	script := filepath.Join(b.dir, "statements.sql")
	first := &pairs{}
	for range b.runs {
		ours, reference, err := b.firstApply(file, script)
		if err != nil {
			return err
		}
		first.add(ours, reference)
	}
	b.row("first apply; the same statements", first, limit{ratio: 1.3})
	server, err := b.server()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if _, err := b.postern("apply", "--auto-approve"); err != nil {
		return err
	}
	return b.noChange(server)
}

// firstApply applies to one fresh server, and has psql run the same statements
// on another.
func (b *size) firstApply(plan, script string) (ours, reference cost, err error) {
	server, err := b.server()
	if err != nil {
		return ours, reference, err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	if _, err := b.postern("plan", "-o", plan); err != nil {
		return ours, reference, err
	}
	if ours, err = b.postern("apply", plan, "--auto-approve"); err != nil {
		return ours, reference, err
	}
	if err := statements(plan, script); err != nil {
		return ours, reference, err
	}
	other, err := b.server()
	if err != nil {
		return ours, reference, err
	}
	defer func() { err = errors.Join(err, other.Stop()) }()
	reference, err = b.psql(other, "-1", "-f", script)
	return ours, reference, err
}

// noChange measures the empty plan and the inspection in it against the
// catalog read alone, turn by turn.
func (b *size) noChange(server *throwaway.Server) error {
	queries := filepath.Join(b.dir, "catalog.sql")
	if err := os.WriteFile(queries, catalogSQL, 0o600); err != nil {
		return fmt.Errorf("writing the catalog queries: %w", err)
	}
	scope, err := b.scope()
	if err != nil {
		return err
	}
	planned, inspected := &pairs{}, &pairs{}
	for range b.runs {
		p, err := b.postern("plan", "--detailed-exitcode")
		if err != nil {
			return fmt.Errorf("the plan after apply should be empty: %w", err)
		}
		reference, err := b.psql(server, "-f", queries, "-o", os.DevNull)
		if err != nil {
			return err
		}
		i, err := b.inspect(server, scope)
		if err != nil {
			return err
		}
		planned.add(p, reference)
		inspected.add(i, reference)
	}
	b.row("plan without changes; catalog read", planned, limit{wall: 1500 * time.Millisecond})
	b.row("  inspection alone; catalog read", inspected, limit{ratio: 1.3})
	return nil
}

// scope is what an inspection for the generated project reads.
func (b *size) scope() (plan.Scope, error) {
	set, err := source.FromDir(b.dir)
	if err != nil {
		return plan.Scope{}, err
	}
	p, diags := compiler.Compile(b.ctx, set, compiler.Inputs{})
	if err := diags.Err(); err != nil {
		return plan.Scope{}, err
	}
	state, diags := postgres.Desired(p, p.Datasources[0])
	if err := diags.Err(); err != nil {
		return plan.Scope{}, err
	}
	return postgres.ScopeOf(state), nil
}

// inspect reads the database within this process; only its wall time is known.
func (b *size) inspect(server *throwaway.Server, scope plan.Scope) (cost, error) {
	start := time.Now()
	conn, err := pgx.Connect(b.ctx, server.URL(database))
	if err != nil {
		return cost{}, fmt.Errorf("connecting: %w", err)
	}
	_, err = postgres.Inspect(b.ctx, conn, "bench", scope)
	return cost{wall: time.Since(start)}, errors.Join(err, conn.Close(b.ctx))
}

// server starts a server that holds the generated tables.
func (b *size) server() (*throwaway.Server, error) {
	s, err := throwaway.Start(b.ctx, throwaway.Options{Settings: map[string]string{"max_locks_per_transaction": "1024"}})
	if err != nil {
		return nil, err
	}
	err = s.CreateDatabase(b.ctx, database)
	if err == nil {
		_, err = b.psql(s, "-1", "-f", filepath.Join(b.dir, "schema.sql"))
	}
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	b.env = []string{"BENCH_URL=" + s.URL(database), "BENCH_PASSWORD=not-a-secret"}
	return s, nil
}

func (b *size) psql(s *throwaway.Server, args ...string) (cost, error) {
	psql, err := exec.LookPath("psql")
	if err != nil {
		return cost{}, fmt.Errorf("the reference needs psql: %w", err)
	}
	return measure(b.ctx, nil, psql, append([]string{"-X", "-q", "-v", "ON_ERROR_STOP=1", s.URL(database)}, args...)...)
}

// statements writes a saved plan's statements as a script, with a password in
// the place of each secret.
func statements(plan, script string) error {
	data, err := os.ReadFile(plan)
	if err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	var file struct {
		Plans []struct {
			Statements []struct {
				SQL    string `json:"sql"`
				Secret *struct {
					At int `json:"at"`
				} `json:"secret"`
			} `json:"statements"`
		} `json:"plans"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("reading the plan: %w", err)
	}
	var out strings.Builder
	for _, p := range file.Plans {
		for _, s := range p.Statements {
			sql := s.SQL
			if s.Secret != nil {
				sql = sql[:s.Secret.At] + "'not-a-secret'" + sql[s.Secret.At:]
			}
			out.WriteString(sql + ";\n")
		}
	}
	if err := os.WriteFile(script, []byte(out.String()), 0o600); err != nil {
		return fmt.Errorf("writing the statements: %w", err)
	}
	return nil
}

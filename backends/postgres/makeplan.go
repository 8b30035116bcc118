package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// PlanOptions say where a plan is from.
type PlanOptions struct {
	Datasource *model.Datasource
	Revision   string    // git commit of the source
	Created    time.Time // when the plan is made
	// Program is what the project says of the datasource, as HCL, for the
	// history.
	Program string
	// Looking says that the plan is not to be applied, as of drift: the connected
	// role needs no right to do what it says.
	Looking bool
	// Secrets reads passwords, to see whether one has changed; nil: a password
	// is set only when its login is created.
	Secrets Secrets
	// RetireLogins ends the logins that take the password before, those of a
	// password that this plan changes among them.
	RetireLogins bool
}

// place is where the datasource is declared.
func (o PlanOptions) place() source.Span {
	if o.Datasource == nil {
		return source.Span{}
	}
	return o.Datasource.Span
}

// MakePlan compares a desired state with the database and gives the plan that
// makes them equal. The plan is nil when the diagnostics hold an error.
func MakePlan(ctx context.Context, conn *pgx.Conn, want *State, opts PlanOptions) (*plan.Plan, diag.List, error) {
	return planOf(ctx, conn, want, nil, opts)
}

// planOf is MakePlan of what a database was found to hold; nil: it is read.
func planOf(ctx context.Context, conn *pgx.Conn, want *State, live *Live, opts PlanOptions) (*plan.Plan, diag.List, error) {
	var err error
	if live == nil {
		live, err = Inspect(ctx, conn, want.Project, ScopeOf(want))
	}
	if errors.Is(err, ErrServerOld) {
		var diags diag.List
		diags.Fail(CodeVersion, opts.place(), "the server is too old", err.Error())
		return nil, diags, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var diags diag.List
	passwords, err := changesOfPasswords(ctx, conn, want, live, opts, &diags)
	if err != nil {
		return nil, nil, err
	}
	if err := countSessions(ctx, conn, want, live); err != nil {
		return nil, nil, err
	}
	changed, err := hashKeyChanged(ctx, conn, want, live, opts, &diags)
	if err != nil {
		return nil, nil, err
	}
	if err := canonicalise(ctx, conn, want, live); err != nil {
		return nil, nil, fmt.Errorf("comparing policies: %w", err)
	}
	if err := readBuiltOn(ctx, conn, want, live); err != nil {
		return nil, nil, err
	}
	p, found, err := Diff(want, live, Options{
		Datasource: opts.Datasource, Passwords: passwords, HashKeyChanged: changed, RetireLogins: opts.RetireLogins,
		Looking: opts.Looking,
	})
	diags = append(diags, found...).Sorted()
	if err != nil || diags.HasErrors() {
		return nil, diags, err
	}
	if err := nameBound(ctx, conn, live, p); err != nil {
		return nil, nil, err
	}
	p.Revision, p.Program, p.Created = opts.Revision, opts.Program, opts.Created.UTC().Truncate(time.Second)
	return p, diags, nil
}

// bookkeepingTables are what was made (objects), what was applied (history),
// and the verifiers of the passwords that were set. Only their owner and
// superusers may read them.
func bookkeepingTables(schema, owner string) []*GeneratedTable {
	text := func(names ...string) []Column {
		var out []Column
		for _, n := range names {
			out = append(out, Column{Name: n, Type: "text", NotNull: true})
		}
		return out
	}
	at := Column{Name: "applied_at", Type: "timestamp with time zone", NotNull: true}
	return []*GeneratedTable{
		{
			ID: TableID(schema, tableObjects), Owner: owner, Columns: text("kind", "schema", "name", "sub", "desired", "live"),
			PrimaryKey: []string{"kind", "schema", "name", "sub"},
		},
		{
			ID: TableID(schema, tableHistory), Owner: owner, Columns: append([]Column{at}, text("project", "revision", "actor", "plan", columnProgram)...),
			PrimaryKey: []string{"applied_at", "plan"},
		},
		{ID: TableID(schema, tablePasswords), Owner: owner, Columns: text("role", "verifier", columnRotation), PrimaryKey: []string{"role"}},
	}
}

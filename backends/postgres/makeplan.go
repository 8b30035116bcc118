package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
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
	// Secrets reads passwords, to see whether one has changed; nil: a password
	// is set only when its login is created.
	Secrets Secrets
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
	live, err := Inspect(ctx, conn, want.Project, ScopeOf(want))
	if errors.Is(err, ErrServerOld) {
		var diags diag.List
		diags.Fail(CodeVersion, opts.place(), "the server is too old", err.Error())
		return nil, diags, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var diags diag.List
	passwords, err := changedPasswords(ctx, conn, want, live, opts, &diags)
	if err != nil {
		return nil, nil, err
	}
	changed, err := hashKeyChanged(ctx, conn, want, live, opts, &diags)
	if err != nil {
		return nil, nil, err
	}
	if err := canonicalise(ctx, conn, want, live); err != nil {
		return nil, nil, fmt.Errorf("comparing policies: %w", err)
	}
	p, found, err := Diff(want, live, Options{Datasource: opts.Datasource, Passwords: passwords, HashKeyChanged: changed})
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
		{ID: TableID(schema, tablePasswords), Owner: owner, Columns: text("role", "verifier"), PrimaryKey: []string{"role"}},
	}
}

// changedPasswords says for which login roles the password that is wanted is
// not the one that is set, as far as that can be known: superusers see what is
// set, the owner of schema postern what was set last by a plan.
//
// The value is the reason, where what is set is not what a plan set last.
func changedPasswords(ctx context.Context, conn *pgx.Conn, want *State, live *Live, opts PlanOptions, diags *diag.List) (map[string]string, error) {
	var logins []string
	for id, r := range want.Roles {
		if r.Managed && live.Roles[id] != nil && hasPassword(opts.Datasource, r) {
			logins = append(logins, id.Name)
		}
	}
	if opts.Secrets == nil || len(logins) == 0 {
		return nil, nil
	}
	slices.Sort(logins)
	known, applied, err := verifiers(ctx, conn, want, live, logins)
	if err != nil || known == nil {
		return nil, err
	}
	changed := map[string]string{}
	for _, login := range logins {
		role := want.Roles[RoleID(login)]
		secret := plan.Secret{Account: role.PasswordFor, Role: login, From: passwordSource(opts.Datasource, role.PasswordFor)}
		password, err := opts.Secrets(ctx, secret)
		if err != nil {
			diags.Fail(CodeUnreadable, role.Source, fmt.Sprintf("the password of account %s cannot be read", role.PasswordFor), err.Error())
			continue
		}
		if !verifies(known[login], password) {
			changed[login] = ""
			if was := applied[login]; was != "" && was != known[login] {
				changed[login] = plan.ReasonDrift
			}
		}
	}
	return changed, nil
}

// hasPassword reports whether the source states a password for a login.
func hasPassword(ds *model.Datasource, role *Role) bool {
	return ds != nil && role.PasswordFor != "" && slices.ContainsFunc(ds.Accounts, func(a *model.ServiceAccount) bool {
		return a.Name == role.PasswordFor && a.Password != nil
	})
}

// passwordSource names where an account's password is read.
func passwordSource(ds *model.Datasource, account string) string {
	if ds != nil {
		for _, a := range ds.Accounts {
			if a.Name == account && a.Password != nil {
				return a.Password.String()
			}
		}
	}
	return "(sensitive value)"
}

// verifiers reads what is known of the logins' passwords: of those that are
// set, and of those that a plan set last. known is nil when nothing may be
// read; applied is, too, where the two cannot be told apart.
func verifiers(ctx context.Context, conn *pgx.Conn, want *State, live *Live, logins []string) (known, applied map[string]string, err error) {
	read := func(query sqltext.SQL) (map[string]string, error) {
		out := map[string]string{}
		return out, newReader(conn.PgConn()).run(ctx, &catalogQuery{
			name: "passwords", sql: string(query), args: [][]byte{jsonArg(logins)},
			each: func(r row) error { out[r.text(0)] = r.text(1); return nil },
		})
	}
	for id := range want.Generated {
		if id.Name == tablePasswords && live.Generated[id] == nil && !live.Server.AuthID {
			// Logins that are there before the table are of another database of
			// the cluster: this one's table is to know their passwords too.
			return map[string]string{}, nil, nil
		}
		if id.Name != tablePasswords || live.Generated[id] == nil || slices.Contains(live.Unreadable, id) {
			continue
		}
		query, err := build(func(b *sqltext.Builder) {
			b.Raw("SELECT role, verifier FROM ").Qualified(id.Schema, id.Name)
			b.Raw(" WHERE role IN (SELECT json_array_elements_text($1::json))")
		})
		if err == nil {
			applied, err = read(query)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if !live.Server.AuthID {
		return applied, nil, nil
	}
	known, err = read("SELECT rolname, coalesce(rolpassword, '') FROM pg_catalog.pg_authid" +
		" WHERE rolname::text IN (SELECT json_array_elements_text($1::json))")
	return known, applied, err
}

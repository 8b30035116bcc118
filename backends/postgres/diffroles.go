package postgres

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/plan"
	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

func joinErrors(errs []error) error {
	return fmt.Errorf("printing the plan's statements: %w", errors.Join(errs...))
}

func (d *differ) compareRoles() {
	compareKeyed(d.want.Roles, d.live.Roles, ObjectID.Compare, d.createRole, d.changeRole, func(id ObjectID, have *Role) {
		if _, recorded := d.live.Records[id]; recorded && !d.declared(id.Name) {
			d.gone[id.Name] = true
			d.dropRole(id, have)
		}
	})
	for _, id := range slices.SortedFunc(maps.Keys(d.live.Records), ObjectID.Compare) {
		if id.Kind == KindRole && d.live.Roles[id] == nil && !d.declared(id.Name) {
			d.forget = append(d.forget, id)
		}
	}
}

func (d *differ) declared(role string) bool {
	_, account := d.accts[role]
	return account || d.want.Roles[RoleID(role)] != nil
}

func (d *differ) createRole(id ObjectID, want *Role) {
	if !want.Managed {
		d.diags.Fail(CodeRoleMissing, want.Source, fmt.Sprintf("role %s does not exist", printed(id)),
			"The account adopts a role (managed = false), so the role must be there before. Create it, or leave out managed = false.")
		return
	}
	if id.Name == "public" || id.Name == "none" || strings.HasPrefix(id.Name, "pg_") {
		d.diags.Fail(CodeRoleReserved, want.Source, fmt.Sprintf("%s cannot be the name of a role: Postgres keeps it for itself", printed(id)),
			"Give the account another name or role; public, none and names that begin with pg_ are reserved.")
		return
	}
	statements := []printedSQL{sql(CreateRole(want)), sql(CommentOn(id, want.Comment))}
	for _, name := range slices.Sorted(maps.Keys(want.Settings)) {
		statements = append(statements, sql(setRoleSetting(id.Name, name, want.Settings[name])))
	}
	reason := ""
	if _, was := d.live.Records[id]; was {
		reason = plan.ReasonDrift
	}
	d.add(item{
		phase: phaseRoles, id: id,
		change: plan.Add{About: about(id, want.Source, reason), After: describeRole(want)},
	}, statements...)
	if want.Login {
		d.setPassword(want, "")
	}
}

func (d *differ) changeRole(id ObjectID, want, have *Role) {
	if !want.Managed {
		if have.Super || have.BypassRLS {
			d.diags.Fail(CodeRoleUnbound, want.Source,
				fmt.Sprintf("role %s is a superuser or has BYPASSRLS: no policy holds for it", printed(id)),
				"Name another role, or take the attribute away: ALTER ROLE … NOSUPERUSER NOBYPASSRLS.")
		}
		return
	}
	if !d.ours(id, want, have) {
		return
	}
	_, recorded := d.live.Records[id]
	if !recorded {
		d.adopt(id)
	}
	rotation := have.Rotation
	reason := byHand(d.live.Records[id], roleBrief(have))
	if d.opts.Passwords.spoilt[id.Name] {
		reason = plan.ReasonDrift
	}
	have = d.changeLogin(id, have)
	if recorded && (have.Super || have.CreateRole || have.CreateDB || have.Replication || have.BypassRLS) {
		reason = plan.ReasonDrift // no project ever wants these
	}
	var statements []printedSQL
	if !sameAttributes(want, have) {
		statements = append(statements, sql(alterRole(want, have)))
	}
	if want.PasswordFor != "" && have.Login && !want.Login {
		statements = append(statements, d.endLogin(id.Name)...)
	}
	for _, name := range slices.Sorted(maps.Keys(want.Settings)) {
		if value, ok := have.Settings[name]; !ok || value != want.Settings[name] {
			statements = append(statements, sql(setRoleSetting(id.Name, name, want.Settings[name])))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have.Settings)) {
		if _, ok := want.Settings[name]; !ok {
			statements = append(statements, sql(SetRoleSetting(id.Name, name, nil)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have.DatabaseSettings)) {
		statements = append(statements, sql(resetDatabaseSetting(id.Name, d.live.Server.Database, name)))
	}
	if have.Comment != want.Comment {
		statements = append(statements, sql(CommentOn(id, want.Comment)))
	}
	if len(statements) > 0 {
		d.add(item{phase: phaseRoles, id: id, change: plan.Modify{
			About: about(id, want.Source, reason), Before: describeRole(have), After: describeRole(want),
		}}, statements...)
	}
	reason, changed := d.opts.Passwords.set[id.Name]
	if _, turns := d.turns[id.Name]; changed || turns && want.Login && want.Rotation > rotation {
		d.setPassword(want, reason)
	}
}

// ours reports whether an existing role is this project's, and says so where
// it is not: a role without the mark is never altered.
func (d *differ) ours(id ObjectID, want, have *Role) bool {
	_, recorded := d.live.Records[id]
	switch {
	case have.Managed:
		return true
	case strings.HasPrefix(have.Comment, Mark("")):
		d.diags.Fail(CodeForeignMark, want.Source,
			fmt.Sprintf("role %s belongs to another project (%s)", printed(id), strings.TrimPrefix(have.Comment, Mark(""))),
			"Give the account another name or role, or remove it from the other project first.")
		return false
	case recorded:
		return true
	}
	d.diags.Fail(CodeRoleUnmarked, want.Source,
		fmt.Sprintf("role %s exists already and was not made by this project", printed(id)),
		"Adopt it with managed = false on the account, give the account another role, or run postern import.")
	return false
}

func (d *differ) dropRole(id ObjectID, have *Role) {
	if !have.Managed {
		d.forget = append(d.forget, id)
		d.diags.Warn(CodeRoleKept, source.Span{}, fmt.Sprintf("role %s is no longer declared, but has lost its mark", printed(id)),
			"It is not dropped, since it may be someone else's by now; its rights on declared tables are taken away.")
		return
	}
	blocked := false
	for _, dep := range d.live.Dependents {
		if dep.Role != id.Name || d.drops(dep.ID) {
			continue
		}
		blocked = true
		what := "owns " + dep.Object
		if dep.Database != d.live.Server.Database {
			what = "is used in database " + dep.Database
		}
		d.diags.Fail(CodeRoleInUse, d.place(), fmt.Sprintf("role %s cannot be dropped: it %s", printed(id), what),
			"Remove what it has there first (REASSIGN OWNED, DROP OWNED), then plan again.")
	}
	if blocked {
		return
	}
	d.add(item{phase: phaseCleanup, order: 1, id: id, change: plan.Remove{
		About: about(id, source.Span{}, "no longer declared"), Before: describeRole(have),
	}}, sql(DropRole(id.Name)))
	d.forget = append(d.forget, id)
	d.dropped = append(d.dropped, id.Name)
}

func sameAttributes(a, b *Role) bool {
	return a.Login == b.Login && a.Inherit == b.Inherit && a.Super == b.Super && a.CreateRole == b.CreateRole &&
		a.CreateDB == b.CreateDB && a.Replication == b.Replication && a.BypassRLS == b.BypassRLS &&
		a.ConnectionLimit == b.ConnectionLimit && sameTime(a.ValidUntil, b.ValidUntil)
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// attributes lists a role's attributes as ALTER ROLE names them.
func attributes(r *Role) []sqltext.SQL {
	var out []sqltext.SQL
	for _, a := range []struct {
		on  bool
		sql sqltext.SQL
	}{
		{r.Login, "LOGIN"},
		{r.Inherit, "INHERIT"},
		{r.Super, "SUPERUSER"},
		{r.CreateDB, "CREATEDB"},
		{r.CreateRole, "CREATEROLE"},
		{r.Replication, "REPLICATION"},
		{r.BypassRLS, "BYPASSRLS"},
	} {
		if a.on {
			out = append(out, a.sql)
		} else {
			out = append(out, "NO"+a.sql)
		}
	}
	return append(out, "CONNECTION LIMIT "+sqltext.Int(r.ConnectionLimit))
}

// alterRole states only the attributes that differ: stating NOSUPERUSER needs
// a superuser even where it changes nothing.
func alterRole(want, have *Role) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER ROLE ").Ident(want.ID.Name).Raw(" WITH")
		is := attributes(have)
		for i, a := range attributes(want) {
			if a != is[i] {
				b.Raw(" ", a)
			}
		}
		if !sameTime(want.ValidUntil, have.ValidUntil) {
			b.Raw(" VALID UNTIL ").Literal(validUntil(want))
		}
	})
}

func validUntil(r *Role) string {
	if r.ValidUntil == nil {
		return "infinity"
	}
	return r.ValidUntil.UTC().Format(time.RFC3339Nano)
}

func describeRole(r *Role) string {
	var out []string
	for _, a := range attributes(r) {
		out = append(out, string(a))
	}
	if r.ValidUntil != nil {
		out = append(out, "VALID UNTIL "+validUntil(r))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		out = append(out, "SET "+name+" = "+r.Settings[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.DatabaseSettings)) {
		out = append(out, "IN THIS DATABASE SET "+name+" = "+r.DatabaseSettings[name])
	}
	if r.Rotation > 0 {
		out = append(out, "ROTATION "+strconv.Itoa(r.Rotation))
	}
	if r.Retired {
		out = append(out, "RETIRED")
	}
	if !r.Managed {
		out = append(out, "without the project's mark")
	}
	return strings.Join(out, " ")
}

// setRoleSetting is ALTER ROLE … SET for a value as the catalog stores it.
func setRoleSetting(role, name, value string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER ROLE ").Ident(role).Raw(" SET ").Ident(name).Raw(" TO ")
		if name == "search_path" {
			pathValue(b, value)
		} else {
			b.Literal(value)
		}
	})
}

// pathValue writes a search_path schema by schema, each without the quotes that
// the catalogs keep it in.
func pathValue(b *sqltext.Builder, value string) {
	names := pathSchemas(value)
	b.Each(len(names), ", ", func(i int) { b.Literal(names[i]) })
}

// pathSchemas are the names in a search_path as the catalogs store it.
func pathSchemas(value string) []string {
	var out []string
	for value != "" {
		name, rest := value, ""
		if strings.HasPrefix(value, `"`) {
			if quoted, after, ok := roleName(value); ok {
				name, rest = quoted, strings.TrimPrefix(after, ", ")
			}
		} else if before, after, ok := strings.Cut(value, ", "); ok {
			name, rest = before, after
		}
		out, value = append(out, name), rest
	}
	return out
}

func resetDatabaseSetting(role, database, name string) (sqltext.SQL, error) {
	return build(func(b *sqltext.Builder) {
		b.Raw("ALTER ROLE ").Ident(role).Raw(" IN DATABASE ").Ident(database).Raw(" RESET ").Ident(name)
	})
}

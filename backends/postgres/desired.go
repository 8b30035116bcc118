package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/compiler/model"
	"github.com/postern-dev/postern/lang/diag"
	"github.com/postern-dev/postern/lang/source"
)

// DesiredOptions changes how a state is made; the zero value is right outside tests.
type DesiredOptions struct {
	// Now stands for the start of the statement, instead of asking Postgres.
	Now *model.Timestamp
	// Indexes of the database, where they are known.
	Indexes Indexes
	// Marker names a column that the tables have besides those that are
	// declared: every view shows it, and lets it be written.
	Marker string
}

// Desired is what the datasource's database should hold for the program. When
// the list has errors, the state is nil.
//
// One policy stands for each account, table and command: Postgres ORs the
// policies of a table, and evaluates several gated ones much slower than one.
// Accounts that get the same share the policy, which has the name of the first.
// A write needs view: an UPDATE or DELETE without WHERE skips SELECT policies,
// so view's condition is part of the write policies. INSERT … RETURNING and
// ON CONFLICT with a target also need view of the record (Postgres asks the
// SELECT policy there); a plain INSERT does not.
func Desired(p *model.Program, ds *model.Datasource) (*State, diag.List) {
	return DesiredWith(p, ds, DesiredOptions{})
}

// DesiredWith is Desired with options.
func DesiredWith(p *model.Program, ds *model.Datasource, opts DesiredOptions) (*State, diag.List) {
	diags := auditDatasource(p, ds)
	if diags.HasErrors() {
		return nil, diags
	}
	d := &desired{
		p: p, ds: ds, state: NewState(p.Project), names: newAccessors(p),
		now: sqltext.Func{Name: "statement_timestamp"}, cache: map[accessKey]*tableAccess{}, shared: map[sharedKey]*Policy{}, appTables: appTables{},
		compared: comparedColumns(ds), marker: opts.Marker, indexes: opts.Indexes, linted: map[IndexKey]bool{},
	}
	d.views = newRelatedViews(ds, d.compared)
	if opts.Now != nil {
		d.now = instantConst(*opts.Now)
	}
	d.owner = OwnerRole(p.Project)
	d.roles()
	rt := &runtimeBuilder{state: d.state, ds: ds, p: p, names: d.names, owner: d.owner}
	rt.build()
	d.errs = append(d.errs, rt.errs...)
	d.tables()
	d.addLookups()
	for _, a := range slices.SortedFunc(slices.Values(ds.Accounts), byRole) {
		if e, ok := a.EntryOf(); ok {
			d.account(a, e)
		}
	}
	for _, p := range d.state.Policies {
		slices.SortFunc(p.To, Grantee.Compare)
		p.To = slices.Compact(p.To)
	}
	if err := errors.Join(d.errs...); err != nil {
		diags.Fail(CodeInternal, ds.Span, "The datasource "+inQuotes(ds.Name)+" cannot be written as SQL", err.Error())
		return nil, diags
	}
	return d.state, append(diags, d.warnings...).Sorted()
}

type desired struct {
	p     *model.Program
	ds    *model.Datasource
	state *State
	names *accessors
	owner string
	now   sqltext.Expr
	errs  []error

	cache     map[accessKey]*tableAccess
	shared    map[sharedKey]*Policy
	appTables appTables
	indexes   Indexes
	linted    map[IndexKey]bool
	warnings  diag.List
	compared  map[*model.Column]bool
	views     *relatedViews
	marker    string
}

func (d *desired) grant(id ObjectID, role string, p Privilege) {
	d.state.Grants.Add(GrantKey{Object: id, Grantee: ToRole(role), Privilege: p})
}

// OwnerRole is the role that owns the schema postern of a project.
func OwnerRole(project string) string { return shortName("postern_" + project) }

// LoginName is the login of a service account's role. There are two, "a" and
// "b", of which one is in use: a password changes by switching over.
func LoginName(role, letter string) string { return shortName(role + "_" + letter) }

func (d *desired) roles() {
	mark := Mark(d.p.Project)
	d.addRole(&Role{ID: RoleID(d.owner), Inherit: true, ConnectionLimit: -1, Comment: mark, Managed: true, Source: d.p.Span})
	d.state.Scope.OwnerRole, d.state.Scope.Additive = d.owner, d.ds.Additive
	for _, a := range d.ds.Accounts {
		d.state.Scope.Accounts[a.Role] = &AccountScope{
			Managed: a.Managed, Additive: a.Additive || d.ds.Additive, Source: a.Span, Open: d.ds.Identity == model.IdentityRole,
		}
		if !a.Managed {
			d.addRole(&Role{ID: RoleID(a.Role), Source: a.Span}) // nothing of it is made, but a plan looks at it
			continue
		}
		d.addRole(&Role{ID: RoleID(a.Role), Inherit: true, ConnectionLimit: -1, Comment: mark, Managed: true, Source: a.Span})
		if d.ds.Identity == model.IdentityRole {
			continue // users log in as themselves
		}
		d.login(a, "a", true)
		d.login(a, "b", false)
	}
}

// login adds one of the two logins of an account. Which of them is in use is
// decided when a plan is made; in a new database it is the first.
func (d *desired) login(a *model.ServiceAccount, letter string, used bool) {
	login := &Role{
		ID: RoleID(LoginName(a.Role, letter)), Login: used, Inherit: true, ConnectionLimit: -1, Comment: Mark(d.p.Project), Managed: true,
		Source: a.Span, PasswordFor: a.Name,
	}
	limits(login, a.Limits)
	d.addRole(login)
	key := MembershipKey{Role: a.Role, Member: login.ID.Name}
	d.state.Memberships[key] = &Membership{MembershipKey: key, Inherit: true, Set: true}
	d.state.Scope.Accounts[login.ID.Name] = &AccountScope{Managed: true, Additive: a.Additive || d.ds.Additive, Login: true, Source: a.Span}
}

func (d *desired) addRole(r *Role) {
	if _, taken := d.state.Roles[r.ID]; taken {
		d.errs = append(d.errs, fmt.Errorf("two roles would be named %s", inQuotes(r.ID.Name)))
	}
	d.state.Roles[r.ID] = r
}

// limits puts an account's limits on its login: settings of a role are not
// inherited by its members.
func limits(r *Role, l model.Limits) {
	if l.Connections != nil {
		r.ConnectionLimit = *l.Connections
	}
	if l.ValidUntil != nil {
		t := time.UnixMicro(int64(*l.ValidUntil)).UTC()
		r.ValidUntil = &t
	}
	r.Settings = map[string]string{}
	for name, limit := range map[string]*model.Duration{
		"statement_timeout": l.StatementTimeout, "idle_in_transaction_session_timeout": l.IdleTimeout,
	} {
		if limit != nil {
			r.Settings[name] = milliseconds(*limit)
		}
	}
}

// milliseconds is a length of time as a setting, rounded up: 0 would lift it.
func milliseconds(d model.Duration) string {
	const ms = model.Second / 1000
	return string(sqltext.Int(int((d + ms - 1) / ms)))
}

// publicSchema is in every session's path, and PostgreSQL 14 lets everyone
// make objects in it; so do databases that were made by an older version.
const publicSchema = "public"

// tables declares the governed tables and what nobody may hold there.
func (d *desired) tables() {
	single := singleRecords(d.ds)
	schemas := map[string]struct{}{}
	for _, t := range d.ds.Tables {
		id := TableID(t.Schema, t.SQLName)
		table := &Table{ID: id, Kind: "r", RLS: true, Force: d.ds.OwnerBound, Source: t.Span}
		scope := &TableScope{Source: t.Span, Columns: map[string]source.Span{}, Single: single[t], Additive: t.Additive || d.ds.Additive}
		for _, c := range t.Columns {
			column := Column{Name: c.Name, NotNull: !c.Null, Type: nativeType(c)}
			table.Columns = append(table.Columns, column)
			scope.Columns[c.Name] = c.Span
		}
		scope.Required, scope.Compared = table.Columns, map[string]bool{}
		for _, c := range t.Columns {
			if d.compared[c] {
				scope.Compared[c.Name] = true
			}
		}
		if _, taken := d.state.Tables[id]; taken {
			d.errs = append(d.errs, fmt.Errorf("two tables are both %s.%s in the database", inQuotes(t.Schema), inQuotes(t.SQLName)))
		}
		d.state.Tables[id], d.state.Scope.Tables[id] = table, scope
		d.deny(id, "", "only service accounts of the project may reach a governed table")
		if _, seen := schemas[t.Schema]; !seen {
			schemas[t.Schema] = struct{}{}
			d.deny(SchemaID(t.Schema), PrivilegeCreate, "an object put into a governed schema could take the place of another")
		}
	}
	for _, app := range d.ds.Apps {
		if c := app.Connect(d.ds); c != nil && c.Untrusted {
			d.deny(DatabaseID(), PrivilegeTemporary, "a client that writes its own SQL could leave temporary objects in a pooled session")
			if _, seen := schemas[publicSchema]; !seen {
				d.deny(SchemaID(publicSchema), PrivilegeCreate, "a client that writes its own SQL could put functions there that others call")
			}
			break
		}
	}
}

func (d *desired) deny(id ObjectID, p Privilege, why string) {
	d.state.Scope.Denied = append(d.state.Scope.Denied, GrantRule{Object: id, Grantee: Public(), Privilege: p, Why: why})
}

// nativeType is a column's type as format_type prints it.
func nativeType(c *model.Column) string {
	if c.Native != "" {
		return c.Native
	}
	return string(usualType(c.Type).name.SQL())
}

// account adds the grants and policies of one service account.
func (d *desired) account(a *model.ServiceAccount, e model.Entry) {
	gate := d.gateKey(a, e)
	used := map[ObjectID]struct{}{}
	reached := map[string]struct{}{}
	for _, t := range d.ds.Tables {
		acc := d.access(a, e, t, gate)
		if len(acc.actions) == 0 {
			continue
		}
		to := target{role: a.Role, table: TableID(t.Schema, t.SQLName)}
		if acc.view == nil {
			reached[t.Schema] = struct{}{}
		} else {
			d.addView(a, t, acc)
			to.owner, to.view = ViewsName(a.Role), TableID(ViewsName(a.Role), t.SQLName)
		}
		for _, g := range acc.actions {
			d.addPolicy(a, t, g, to)
		}
		for _, function := range append(acc.used, d.reports(a, e, t, acc)...) {
			used[function] = struct{}{}
		}
		if d.state.Schemas[SchemaID(ViewsName(a.Role))] != nil {
			reached[ViewsName(a.Role)] = struct{}{}
		}
	}
	if len(reached) == 0 {
		return
	}
	d.grant(DatabaseID(), a.Role, PrivilegeConnect)
	for schema := range reached {
		d.grant(SchemaID(schema), a.Role, PrivilegeUsage)
	}
	for function := range used {
		d.grant(function, a.Role, PrivilegeExecute)
	}
	// Where users share the app's access, a token still tells of the request.
	if d.ds.Identity == model.IdentitySigned && (!e.AsApp() || len(used) > 0) {
		d.grant(FunctionID(RuntimeSchema, openFunction, "token text"), a.Role, PrivilegeExecute)
	}
}

// actionCommands are the SQL commands of the actions.
var actionCommands = map[model.Action]Command{
	model.View: CommandSelect, model.Create: CommandInsert, model.Edit: CommandUpdate, model.Delete: CommandDelete,
}

func byRole(a, b *model.ServiceAccount) int { return strings.Compare(a.Role, b.Role) }

// sharedKey tells policies apart; accounts that need the same one share it.
type sharedKey struct {
	table        ObjectID
	command      Command
	using, check sqltext.SQL
}

// target is how an account reaches a table: itself, or through a view that
// belongs to owner.
type target struct {
	role, owner string
	table, view ObjectID
}

// bound is the role that the table's policies name.
func (t target) bound() string {
	if t.owner != "" {
		return t.owner
	}
	return t.role
}

// policy adds the policy of one action, or the account to one that is there.
func (d *desired) policy(a *model.ServiceAccount, t *model.Table, g granted, to target) {
	key := sharedKey{table: to.table, command: actionCommands[g.action], using: g.using, check: g.check}
	if p := d.shared[key]; p != nil {
		p.To = append(p.To, ToRole(to.bound()))
		p.Sources = mergeOrigins(p.Sources, g.sources)
		return
	}
	p := &Policy{
		ID: PolicyID(to.table, shortName("postern_"+a.Role+"_"+string(g.action))), Command: key.command, Permissive: true,
		To: []Grantee{ToRole(to.bound())}, Using: g.using, Check: g.check, Sources: g.sources,
	}
	if _, taken := d.state.Policies[p.ID]; taken {
		d.errs = append(d.errs, fmt.Errorf("two policies of %s would be named %s", t.Address(), inQuotes(p.ID.Sub)))
	}
	d.state.Policies[p.ID], d.shared[key] = p, p
}

// mergeOrigins is both lists, each block once, in order of their names.
func mergeOrigins(a, b []Origin) []Origin {
	if slices.Equal(a, b) {
		return a
	}
	out := slices.Concat(a, b)
	slices.SortFunc(out, func(x, y Origin) int { return cmp.Compare(x.Block, y.Block) })
	return slices.CompactFunc(out, func(x, y Origin) bool { return x.Block == y.Block })
}

// addPolicy adds the policy and grants of one action. Through a view the account
// and the view's owner hold the same, but for reading: that is the view's own.
func (d *desired) addPolicy(a *model.ServiceAccount, t *model.Table, g granted, to target) {
	d.policy(a, t, g, to)
	if g.action == model.Create {
		scope := d.state.Scope.Tables[to.table]
		scope.Inserters = append(scope.Inserters, a.Role) // a view's defaults are computed as its user
	}
	if to.owner != "" {
		if g.action == model.View {
			return
		}
		d.grantAction(to.view, to.role, g)
	}
	d.grantAction(to.table, to.bound(), g)
}

// grantAction grants what an action needs on a table or view.
func (d *desired) grantAction(on ObjectID, role string, g granted) {
	if g.action == model.Delete {
		d.grant(on, role, PrivilegeDelete)
		return
	}
	for _, c := range g.columns {
		d.grant(ColumnID(on, c.Name), role, Privilege(actionCommands[g.action]))
	}
}

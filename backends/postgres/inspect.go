package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/postern-dev/postern/backends/plan"
)

// MinServer is the oldest server that is supported (server_version_num).
const MinServer = 140000

// ErrServerOld says that the server is older than PostgreSQL 14.
var ErrServerOld = errors.New("PostgreSQL 14 or newer is needed")

// ScopeOf names what has to be read of a database to compare it with a
// desired state.
func ScopeOf(want *State) plan.Scope {
	var scope plan.Scope
	for id := range want.Scope.Tables {
		scope.Tables = append(scope.Tables, plan.TableName{Schema: id.Schema, Name: id.Name})
	}
	for id := range want.Tables {
		scope.Tables = append(scope.Tables, plan.TableName{Schema: id.Schema, Name: id.Name})
	}
	for id := range want.Schemas {
		scope.Schemas = append(scope.Schemas, id.Name)
	}
	for id := range want.Scope.Tables {
		scope.Schemas = append(scope.Schemas, id.Schema)
		if len(want.Scope.Tables[id].Single) > 0 {
			scope.Keyed = append(scope.Keyed, plan.TableName{Schema: id.Schema, Name: id.Name})
		}
	}
	for _, rule := range want.Scope.Denied {
		if rule.Object.Kind == KindSchema {
			scope.Schemas = append(scope.Schemas, rule.Object.Name)
		}
	}
	for id := range want.Roles {
		scope.Roles = append(scope.Roles, id.Name)
	}
	for name := range want.Scope.Accounts {
		scope.Roles = append(scope.Roles, name)
	}
	if want.Scope.OwnerRole != "" {
		scope.Roles = append(scope.Roles, want.Scope.OwnerRole)
	}
	for id, g := range want.Generated {
		name := plan.GeneratedName{TableName: plan.TableName{Schema: id.Schema, Name: id.Name}, Columns: []string{}}
		if g.Filled {
			for _, c := range g.Columns {
				name.Columns = append(name.Columns, c.Name)
			}
		}
		scope.Generated = append(scope.Generated, name)
		scope.Schemas = append(scope.Schemas, id.Schema)
	}
	key := TableID(RuntimeSchema, tableHashKey)
	if want.Schemas[SchemaID(RuntimeSchema)] != nil && want.Generated[key] == nil { // one that is no longer needed
		scope.Generated = append(scope.Generated, plan.GeneratedName{
			TableName: plan.TableName{Schema: key.Schema, Name: key.Name}, Columns: []string{},
		})
	}
	for id := range want.Views {
		scope.Views = append(scope.Views, plan.TableName{Schema: id.Schema, Name: id.Name})
		scope.Schemas = append(scope.Schemas, id.Schema)
	}
	scope.Views = sortedUnique(scope.Views, compareTableName)
	scope.Tables = sortedUnique(scope.Tables, compareTableName)
	scope.Keyed = sortedUnique(scope.Keyed, compareTableName)
	scope.Schemas = sortedUnique(scope.Schemas, strings.Compare)
	scope.Roles = sortedUnique(scope.Roles, strings.Compare)
	slices.SortFunc(scope.Generated, func(a, b plan.GeneratedName) int { return compareTableName(a.TableName, b.TableName) })
	return scope
}

func compareTableName(a, b plan.TableName) int {
	if c := strings.Compare(a.Schema, b.Schema); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

func sortedUnique[T comparable](list []T, compare func(a, b T) int) []T {
	slices.SortFunc(list, compare)
	return slices.Compact(list)
}

// Inspect reads what the scope covers, in one read-only transaction that sees
// one state of the database. The role may have no privileges at all; what it
// could not read is listed in the result.
func Inspect(ctx context.Context, conn *pgx.Conn, project string, scope plan.Scope) (*Live, error) {
	var live *Live
	err := reading(ctx, conn, func() (err error) {
		live, err = inspectAll(ctx, conn, project, scope, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return live, nil
}

// inspectAll is inspect with what a plan has to know besides.
func inspectAll(ctx context.Context, conn *pgx.Conn, project string, scope plan.Scope, early *ahead) (*Live, error) {
	live, err := inspect(ctx, conn, project, scope, early)
	if err == nil {
		err = readOutside(ctx, conn.PgConn(), live)
	}
	return live, err
}

// InspectIn is Inspect inside the transaction that is under way on conn.
func InspectIn(ctx context.Context, conn *pgx.Conn, project string, scope plan.Scope) (*Live, error) {
	return inspect(ctx, conn, project, scope, nil)
}

// inspection is one inspection under way.
type inspection struct {
	*reader
	live      *Live
	scope     plan.Scope
	ahead     *ahead
	generated []string // schemas that hold generated objects
	oids      map[string]ObjectID
	tables    []string // oids of the tables in scope and of their children
	made      []string // oids of the generated tables
	names     map[string]string
	acls      map[string][]aclItem
	inScope   map[string]bool // roles
}

// name is a text that comes up again and again, kept once.
func (in *inspection) name(text []byte) string {
	if known, ok := in.names[string(text)]; ok {
		return known
	}
	s := string(text)
	in.names[s] = s
	return s
}

// inspect reads inside the transaction that is under way on conn. What was read
// ahead in it is used where it is what would be read; nil: nothing was.
func inspect(ctx context.Context, conn *pgx.Conn, project string, scope plan.Scope, early *ahead) (*Live, error) {
	in := &inspection{
		reader: newReader(conn.PgConn()), scope: scope, ahead: early, oids: map[string]ObjectID{},
		names: map[string]string{}, acls: map[string][]aclItem{}, inScope: map[string]bool{},
		live: &Live{
			State: NewState(project), Scope: scope, Sequences: map[ObjectID][]ObjectID{},
			Facts: map[ObjectID]*TableFacts{}, SchemaOwned: map[ObjectID]bool{}, Owners: map[ObjectID]string{}, Administrators: map[string]bool{},
			Administered: map[string]bool{}, ForeignGrantors: map[MembershipKey][]string{}, Same: map[ObjectID]bool{}, Inherited: map[Kind][]Grantee{}, Keys: map[ObjectID][]UniqueKey{},
		},
	}
	in.generated = generatedSchemas(scope)
	for _, step := range []func(context.Context) error{in.start, in.readGenerated, in.readShared, in.readTables} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	in.live.Fingerprint = in.fingerprint()
	return in.live, nil
}

// generatedSchemas are the schemas that hold what a project generates.
func generatedSchemas(scope plan.Scope) []string {
	var out []string
	for _, g := range scope.Generated {
		out = append(out, g.Schema)
	}
	for _, v := range scope.Views {
		out = append(out, v.Schema)
	}
	return sortedUnique(out, strings.Compare)
}

// start pins the session's settings and finds out where the connection leads
// and which generated tables there are.
func (in *inspection) start(ctx context.Context) error {
	names := make([]plan.TableName, len(in.scope.Generated))
	for i, g := range in.scope.Generated {
		names[i] = g.TableName
	}
	// What the connected role may do is not part of the fingerprint: another
	// role may apply a plan. The database is.
	server := &reader{conn: in.conn, sum: newReader(nil).sum}
	if err := server.run(ctx,
		&catalogQuery{name: "settings", sql: pinSession},
		&catalogQuery{name: "server", sql: queryServer, each: in.server},
		&catalogQuery{name: "inherited privileges", sql: queryInherited, each: in.inherited},
	); err != nil {
		return err
	}
	if in.live.Server.Version < MinServer {
		return fmt.Errorf("%w; this is %s", ErrServerOld, in.live.Server.Text)
	}
	in.sum.Write(fmt.Appendf(nil, "%q %d\n", in.live.Server.Database, in.live.Server.Version))
	return in.run(ctx, &catalogQuery{
		name: "generated tables", sql: queryGenerated, args: [][]byte{jsonArg(names)},
		skip: []int{4}, each: in.generatedTable,
	})
}

// readGenerated reads the generated tables that say what was applied.
func (in *inspection) readGenerated(ctx context.Context) error {
	var queries []*catalogQuery
	for _, g := range in.scope.Generated {
		id := TableID(g.Schema, g.Name)
		table := in.live.Generated[id]
		switch {
		case table == nil:
			continue
		case slices.Contains(in.live.Unreadable, id):
			continue
		case g.Name == tableObjects:
			in.live.Records = map[ObjectID]Record{}
			q, err := queryRecords(id)
			if err != nil {
				return err
			}
			queries = append(queries, &catalogQuery{name: "records", sql: string(q), each: in.record})
		case len(g.Columns) > 0 && hasColumns(table, g.Columns):
			q, err := queryRows(id, g.Columns)
			if err != nil {
				return err
			}
			table.Filled = true
			queries = append(queries, &catalogQuery{name: "rows of " + g.Name, sql: string(q), each: in.contentRow(table)})
		}
	}
	if len(queries) == 0 {
		return nil
	}
	return in.run(ctx, queries...)
}

// readShared reads roles and schemas, and finds the tables.
func (in *inspection) readShared(ctx context.Context) error {
	tables, roles := slices.Clone(in.scope.Tables), in.scope.Roles
	views, schemas := slices.Clone(in.scope.Views), slices.Clone(in.scope.Schemas)
	var gone []string
	for id := range in.live.Records {
		switch {
		case id.Kind == KindRole && !slices.Contains(roles, id.Name):
			gone = append(gone, id.Name)
		case id.Kind == KindPolicy:
			tables = append(tables, plan.TableName{Schema: id.Schema, Name: id.Name})
		case id.Kind == KindView:
			views = append(views, plan.TableName{Schema: id.Schema, Name: id.Name})
		case id.Kind == KindSchema:
			schemas, in.generated = append(schemas, id.Name), append(in.generated, id.Name)
		}
	}
	in.scope.Views, in.scope.Schemas = sortedUnique(views, compareTableName), sortedUnique(schemas, strings.Compare)
	in.generated = sortedUnique(in.generated, strings.Compare)
	slices.Sort(gone)
	in.scope.Roles = append(roles[:len(roles):len(roles)], gone...)
	in.scope.Tables = sortedUnique(tables, compareTableName)
	all := [][]byte{jsonArg(in.scope.Roles)}
	return in.run(ctx,
		&catalogQuery{name: "roles", sql: queryRoles, args: all, skip: []int{13}, each: in.role},
		&catalogQuery{name: "memberships", sql: queryMemberships, args: all, skip: []int{7}, each: in.membership},
		&catalogQuery{name: "schemas", sql: querySchemas, args: [][]byte{jsonArg(in.scope.Schemas)}, skip: []int{3}, each: in.schema},
		&catalogQuery{name: "default privileges", sql: queryDefaultPrivileges, args: all, each: in.defaultPrivilege},
		&catalogQuery{name: "functions", sql: queryFunctions, args: [][]byte{jsonArg(in.generated)}, each: in.function},
		&catalogQuery{name: "dependents", sql: queryDependents, args: [][]byte{jsonArg(gone)}, each: in.dependent},
		&catalogQuery{name: "views", sql: queryViews, args: [][]byte{jsonArg(in.scope.Views)}, each: in.view},
		&catalogQuery{name: "tables", sql: queryRelations, args: [][]byte{jsonArg(in.scope.Tables)}, skip: []int{8}, each: in.relation},
	)
}

// readTables reads what belongs to the tables, and all grants.
func (in *inspection) readTables(ctx context.Context) error {
	tables := [][]byte{oidArray(in.tables)}
	for _, name := range in.scope.Roles {
		in.inScope[name] = true
	}
	columns := &catalogQuery{name: "columns", sql: queryColumns, args: tables, each: in.column}
	policies := &catalogQuery{name: "policies", sql: queryPolicies, args: tables, each: in.policy}
	if in.ahead.holds(in.tables) {
		columns.fetched, policies.fetched = in.ahead.columns, in.ahead.policies
	}
	err := in.run(ctx, columns,
		&catalogQuery{name: "sequences", sql: querySequences, args: tables, each: in.sequence},
		policies,
		&catalogQuery{name: "unique keys", sql: queryKeys, args: [][]byte{oidArray(in.keyed())}, each: in.uniqueKey},
		&catalogQuery{name: "grants", sql: queryGrants(in.live.Server.Version), each: in.acl, args: [][]byte{
			oidArray(append(slices.Clone(in.tables), in.made...)), jsonArg(in.scope.Schemas), jsonArg(in.scope.Roles), jsonArg(in.generated),
		}},
	)
	for kind, list := range in.live.Inherited {
		in.live.Inherited[kind] = sortedUnique(list, Grantee.Compare)
	}
	for _, seqs := range in.live.Sequences {
		slices.SortFunc(seqs, ObjectID.Compare)
	}
	return err
}

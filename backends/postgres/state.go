// Package postgres is the Postgres target: what a database should hold for a
// program (Desired), what it does hold, and the SQL in between.
package postgres

import (
	"time"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/lang/source"
)

// State is what one database holds as far as access is concerned. Desired
// makes it from a program, inspection from the catalogs; both give the same
// type, and a keyed comparison of the two is the plan. All names are as the
// catalogs store them. Nothing in it is secret: passwords are never read, and
// never written here.
type State struct {
	// Project names the project whose mark managed objects carry.
	Project string

	Roles             map[ObjectID]*Role
	Memberships       map[MembershipKey]*Membership
	Schemas           map[ObjectID]*Schema
	Tables            map[ObjectID]*Table
	Policies          map[ObjectID]*Policy
	Grants            Grants
	DefaultPrivileges map[DefaultPrivilegeKey]*Grant
	Functions         map[ObjectID]*Function
	// Generated holds the tables of the schema postern, by KindTable IDs. They
	// are not in Tables.
	Generated map[ObjectID]*GeneratedTable
	// Views holds the generated views, by KindView IDs.
	Views map[ObjectID]*View

	// HashKeyFrom names where the key of masks by hash() is read; desired only.
	HashKeyFrom string

	// Scope says what a desired state is authoritative for; it is empty in a
	// live one.
	Scope Scope

	meanings meanings // of the generated functions over related records; desired only
}

// NewState is an empty state of a project.
func NewState(project string) *State {
	return &State{
		Project: project, Roles: map[ObjectID]*Role{}, Memberships: map[MembershipKey]*Membership{},
		Schemas: map[ObjectID]*Schema{}, Tables: map[ObjectID]*Table{}, Policies: map[ObjectID]*Policy{},
		Grants: Grants{}, DefaultPrivileges: map[DefaultPrivilegeKey]*Grant{},
		Functions: map[ObjectID]*Function{}, Generated: map[ObjectID]*GeneratedTable{},
		Views: map[ObjectID]*View{}, meanings: meanings{},
		Scope: Scope{Tables: map[ObjectID]*TableScope{}, Accounts: map[string]*AccountScope{}},
	}
}

// Role is a role of the cluster (pg_roles, pg_db_role_setting).
type Role struct {
	ID                            ObjectID
	Login, Inherit                bool
	Super, CreateRole, CreateDB   bool
	Replication, BypassRLS        bool
	ConnectionLimit               int               // -1: none
	ValidUntil                    *time.Time        // UTC; nil: for ever
	Settings                      map[string]string // rolconfig of all databases, name to value
	DatabaseSettings              map[string]string // live only: those of this database alone; none is ever desired
	Comment                       string            // the mark of managed roles: Mark(project)
	HasPassword, HasPasswordKnown bool              // live only, where pg_authid can be read
	Managed                       bool              // desired: created and dropped by this project; live: Comment is the mark
	Source                        source.Span       // desired: the declaration
	PasswordFor                   string            // desired: name of the service account whose password the login carries, else ""
	Rotation                      int               // of a login: the change of its account's password that its own is from
	Retired                       bool              // of a login: it can log in no more
}

// MembershipKey says who is a member of what.
type MembershipKey struct{ Role, Member string }

// Membership is one row of pg_auth_members, summed over grantors. Before
// Postgres 16 Inherit is the member's INHERIT attribute and Set is true.
type Membership struct {
	MembershipKey
	Inherit, Set, Admin bool
	Grantors            []string // live only, sorted
}

// Schema is a schema.
type Schema struct {
	ID      ObjectID
	Owner   string // "" in a desired state: whoever owns it
	Comment string
	Managed bool // a generated schema: postern, or one of an account's views
}

// Table is a governed table (or view, when live), pg_class and pg_attribute.
type Table struct {
	ID      ObjectID
	Kind    string // relkind: r table, p partitioned table, v view, m materialized view, f foreign table
	Owner   string // "" in a desired state: whoever owns it
	RLS     bool   // relrowsecurity
	Force   bool   // relforcerowsecurity
	Columns []Column
	Parents []ObjectID // partition or inheritance parents; live only
	Comment string     // live only
	Source  source.Span
}

// Column is a column, in the table's order.
type Column struct {
	Name    string
	Type    string // format_type, read with search_path "pg_catalog"; in a desired state as declared, by default the usual type of the language's
	NotNull bool
	Default string // pg_get_expr of the default; live only
	// Base is what a type of the database's own is underneath: "enum", or the
	// type that a domain is over; "" for the built-in ones. Live only.
	Base string
}

// Command is what a policy is for.
type Command string

// The commands of policies (pg_policy.polcmd).
const (
	CommandAll    Command = "ALL"
	CommandSelect Command = "SELECT"
	CommandInsert Command = "INSERT"
	CommandUpdate Command = "UPDATE"
	CommandDelete Command = "DELETE"
)

// Policy is a row-level security policy (pg_policy). Using and Check are
// boolean SQL expressions as pg_get_expr prints them under search_path
// "pg_catalog", or "" for none. A desired expression may differ in spelling
// from what Postgres makes of it.
type Policy struct {
	ID           ObjectID
	Command      Command
	Permissive   bool
	To           []Grantee // sorted
	Using, Check sqltext.SQL
	// Sources are the policies and guards whose conditions were merged into a
	// desired policy, in order of their names.
	Sources []Origin
}

// Origin is a block of the source that an object comes from.
type Origin struct {
	Block string // such as policy.reps_see_their_region
	Span  source.Span
}

// Privilege is a privilege by its SQL name.
type Privilege string

// The privileges (Postgres documentation, section 5.8 "Privileges").
const (
	PrivilegeSelect     Privilege = "SELECT"
	PrivilegeInsert     Privilege = "INSERT"
	PrivilegeUpdate     Privilege = "UPDATE"
	PrivilegeDelete     Privilege = "DELETE"
	PrivilegeTruncate   Privilege = "TRUNCATE"
	PrivilegeReferences Privilege = "REFERENCES"
	PrivilegeTrigger    Privilege = "TRIGGER"
	PrivilegeMaintain   Privilege = "MAINTAIN"
	PrivilegeUsage      Privilege = "USAGE"
	PrivilegeCreate     Privilege = "CREATE"
	PrivilegeConnect    Privilege = "CONNECT"
	PrivilegeTemporary  Privilege = "TEMPORARY"
	PrivilegeExecute    Privilege = "EXECUTE"
)

// GrantKey says who may do what to which object.
type GrantKey struct {
	Object    ObjectID
	Grantee   Grantee
	Privilege Privilege
}

// Compare orders grants by object, grantee and privilege.
func (k GrantKey) Compare(o GrantKey) int {
	if c := k.Object.Compare(o.Object); c != 0 {
		return c
	}
	if c := k.Grantee.Compare(o.Grantee); c != 0 {
		return c
	}
	return compareText(string(k.Privilege), string(o.Privilege))
}

// Grant is a privilege that is held. An object without an ACL holds its
// defaults (acldefault), spelt out in a live state. What an owner holds by
// ownership is left out.
type Grant struct {
	Grantable bool     // WITH GRANT OPTION
	Grantors  []string // live only, sorted
}

// DefaultPrivilegeKey is one entry of pg_default_acl.
type DefaultPrivilegeKey struct {
	Creator   string // whose new objects get it
	Schema    string // "": in all schemas
	Kind      Kind   // of the new objects
	Grantee   Grantee
	Privilege Privilege
}

// Function is a function (pg_proc). Body is prosrc, which Postgres keeps as it
// was written.
type Function struct {
	ID              ObjectID
	Arguments       string // as declared, with names: "token text"
	Returns         string // format_type of the result
	Language        string // sql, plpgsql
	Body            string
	SecurityDefiner bool
	Strict          bool
	Leakproof       bool
	Volatility      string   // IMMUTABLE, STABLE, VOLATILE
	Parallel        string   // SAFE, RESTRICTED, UNSAFE
	Config          []string // proconfig: "search_path=pg_catalog, pg_temp"
	Owner           string
	Comment         string
}

// GeneratedTable is a table of the generated schema postern.
type GeneratedTable struct {
	ID         ObjectID
	Owner      string
	Columns    []Column
	PrimaryKey []string
	RLS        bool // on, and without a policy: even pg_read_all_data reads nothing
	// Filled says that Rows are the whole content that a program wants; false
	// for tables that applying or operating fills (keys, objects, history).
	Filled bool
	// Rows hold the values in text form in the order of Columns, nil for NULL;
	// sorted by primary key. Read only where Filled.
	Rows [][]*string
}

// Scope is what a desired state is authoritative for. On a table of it, any
// policy or grant that the state does not have is drift, whoever made it; on
// other objects only what Denied names is.
type Scope struct {
	Tables   map[ObjectID]*TableScope
	Accounts map[string]*AccountScope // by role name: roles that carry grants, and their logins
	// Denied are privileges that must not be held.
	Denied []GrantRule
	// Additive: what the project did not make stays, in the whole database.
	Additive bool
	// OwnerRole is the NOLOGIN role that owns the schema postern.
	OwnerRole string
}

// TableScope is a declared table.
type TableScope struct {
	// Required lists the columns that the program reads, with the types that
	// the conditions were written for: a live column of another type needs
	// other SQL and is an error before anything runs.
	Required []Column
	// Compared names the required columns that conditions read.
	Compared map[string]bool
	Columns  map[string]source.Span // where each of them is declared
	Source   source.Span
	// Inserters are the roles that may insert. The sequences behind the
	// table's defaults are known only live: USAGE on each sequence that a
	// default of this table calls nextval on is desired for each of these
	// roles. Identity columns need none.
	Inserters []string
	Additive  bool // policies and grants that the project did not make stay
	// Single are the to-one relations that conditions follow to this table.
	Single []SingleRecord
}

// AccountScope is a role of a declared service account.
type AccountScope struct {
	// Managed: the role's attributes, memberships and all its grants in this
	// database are the program's alone. Otherwise only what is on declared
	// tables is.
	Managed bool
	// Additive: memberships and grants that the project did not give stay.
	Additive bool
	Login    bool // a login of the account: a member of its role, without grants of its own
	Views    bool // the owner of the account's views
	// Open: whom the role has as members is not the program's, but its users' own
	// logins.
	Open   bool
	Source source.Span
}

// GrantRule forbids a privilege.
type GrantRule struct {
	Object    ObjectID
	Grantee   Grantee
	Privilege Privilege // "": any
	Why       string    // one sentence for the plan
}

// Mark is the comment that roles and schemas made for a project carry. An
// object without it is never altered or dropped.
func Mark(project string) string { return "postern:project=" + project }

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

package postgres

import (
	"github.com/postern-dev/postern/backends/plan"
)

// Live is what one database was found to hold, and what a plan needs to know
// about it besides.
type Live struct {
	*State
	Server Server
	// Fingerprint is a SHA-256, in hexadecimal, of everything that was read: it
	// changes whenever anything in scope does.
	Fingerprint string
	Scope       plan.Scope
	// Sequences lists, for each table, the sequences that its columns' defaults
	// draw from.
	Sequences map[ObjectID][]ObjectID
	// Facts holds what else is known of the tables in scope.
	Facts map[ObjectID]*TableFacts
	// SchemaOwned lists schemas whose owner's rights the connected role has.
	SchemaOwned map[ObjectID]bool
	// Same holds policies and views of which Postgres itself says that they are the
	// desired ones in another spelling.
	Same map[ObjectID]bool
	// Inherited says to whom new objects of the connected role are open by
	// default.
	Inherited map[Kind][]Grantee
	// Administrators are roles with CREATEROLE that are members of roles in
	// scope.
	Administrators map[string]bool
	// Administered are the roles in scope whose ADMIN option the connected role has.
	Administered map[string]bool
	// ForeignGrantors are those who granted a membership and whose rights the
	// connected role does not have.
	ForeignGrantors map[MembershipKey][]string
	// Keys are the unique indexes of the tables that to-one relations lead to.
	Keys map[ObjectID][]UniqueKey
	// Owners says who owns the objects that have grants.
	Owners map[ObjectID]string
	// Records is the content of the table postern.objects: what this project
	// made in this database; nil when there is no such table.
	Records map[ObjectID]Record
	// horizon is the oldest transaction that was under way when this was read.
	horizon string
	// written are the records that the transaction under way has written (After).
	written map[ObjectID]bool
	// Unreadable lists generated tables that the connected role may not read.
	Unreadable []ObjectID
	// Dependents are the reasons why recorded roles that are no longer wanted
	// cannot be dropped.
	Dependents []Dependent
	// BuiltOn lists, by generated object, what needs it; read for plans alone.
	BuiltOn map[ObjectID][]BuiltOn
	// Outside is what others have put over and on the tables in scope; only Inspect
	// reads it.
	Outside map[ObjectID]*Outside
	// Open counts the sessions of logins that take the password before.
	Open map[string]int
}

// Server is where a plan's connection leads.
type Server struct {
	Version    int    // such as 150018
	Text       string // such as "PostgreSQL 15.18"
	Database   string
	User       string // the connected role
	Super      bool   // it is a superuser
	CreateRole bool   // it has CREATEROLE
	// What else it has, and so may give from PostgreSQL 16 on.
	CreateDB, Replication, BypassRLS bool
	Create                           bool // it may create schemas in the database
	Recovery                         bool // the server is a standby
	Encoding                         string
	AuthID                           bool // it may read pg_authid
	Owner                            bool // it has the rights of the database's owner
	DatabaseOwner                    string
	Superusers                       []string
	Rights                           []string // roles whose rights it has; of no superuser
}

// TableFacts is what matters of a live table besides its Table.
type TableFacts struct {
	OwnerLogin  bool // its owner can log in
	OwnerExempt bool // its owner is a superuser or has BYPASSRLS: FORCE ROW LEVEL SECURITY changes nothing for it
	Owned       bool // the connected role has its owner's rights
	oid         string
}

// Record says what this project made, as written down when it was applied.
type Record struct {
	Desired string // hash of what was desired
	Live    string // hash of what the catalogs then showed
}

// Dependent keeps a role from being dropped.
type Dependent struct {
	Role     string
	Database string   // "" for objects of the whole cluster
	Object   string   // description; "" in other databases
	ID       ObjectID // of a view or schema of this database
}

// The tables of the generated schema that applying keeps.
const (
	tableObjects   = "objects"
	tableHistory   = "history"
	tablePasswords = "passwords"
)

// AsApplied reports whether a policy or function stands as it was when it was
// applied last. Where nothing is on record, nobody can say: false.
func (l *Live) AsApplied(id ObjectID) bool {
	record := l.Records[id]
	if f := l.Functions[id]; f != nil {
		return record.Desired != "" && record.Desired == functionBrief(f)
	}
	if l.written[id] {
		return true
	}
	have := l.Policies[id]
	return have != nil && record.Live != "" && record.Live == policyHash(have.Using, have.Check)
}

// Settled reports whether what is desired is what was applied last.
func (l *Live) Settled(want *State) bool {
	record, ok := l.Records[projectRecord()]
	return ok && record.Desired == digest(want)
}

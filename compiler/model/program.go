// Package model holds a compiled project: typed, with every name resolved and
// every condition lowered. It is what all backends read; it imports only the
// source package and knows nothing of HCL or of any target.
//
// A Program is built once by the compiler and never changed afterwards, so it
// may be read from many goroutines. All slices are sorted by name, so that
// walking them gives the same order in every run.
package model

import "github.com/postern-dev/postern/lang/source"

// Program is one compiled project.
type Program struct {
	Project  string // names what the project manages; every object it makes is marked with it
	Span     source.Span
	Revision string  // git commit the source was read at, "" when unknown
	HashKey  *Secret // where the key of masks by hash() is kept; nil: not stated

	Identity Identity
	Request  []*Attribute // what else a request tells, as `request.*`
	Levels   []*Level     // the built-in and the declared access levels, lowest first
	Groups   []*Group
	Users    []*User

	Datasources []*Datasource
	Tables      []*Table // tables of "postgres" and resources of "service" datasources
	Accounts    []*ServiceAccount
	Apps        []*App

	Policies  []*Policy
	Guards    []*Guard
	Masks     []*Mask
	Reports   []*Report
	Notifies  []*Notify
	Publishes []*Publish
}

// Identity is the type of `user`: what a request's credentials tell.
type Identity struct {
	Key        *Attribute // names the user; one of Attributes
	Attributes []*Attribute
	Span       source.Span
}

// Scope says what an attribute describes.
type Scope int

// The scopes of attributes.
const (
	ScopeUser    Scope = iota + 1 // user.NAME
	ScopeRequest                  // request.NAME
)

// Attribute is one typed fact about a user or a request. Claim is the path to
// it in the claims (or request) document; by default its own name. The claims
// named "groups" (array of strings) and "access_level" (string) are always
// read as well and cannot be attributes.
type Attribute struct {
	Name  string
	Scope Scope
	Type  Type
	Claim []string
	Span  source.Span
}

// Level is an access level. AtLeast lists the levels, itself included, that
// count as "this level or higher"; the built-in order is
// anonymous < user < superuser.
type Level struct {
	Name        string
	Description string
	AtLeast     []*Level
	Span        source.Span // zero for the built-in ones
}

// The names of the built-in access levels.
const (
	LevelAnonymous = "anonymous"
	LevelUser      = "user"
	LevelSuperuser = "superuser"
)

// Group is a set of users. Closure lists the names of all groups its members
// belong to: itself and, through member_of, every group above; sorted.
type Group struct {
	Name        string
	Description string
	MemberOf    []*Group
	Closure     []string
	Span        source.Span
}

// User is a directory entry: what it states replaces what a request says of
// the user whose key attribute equals Key.
type User struct {
	Name        string
	Key         Value    // of the type of Identity.Key
	Groups      []*Group // nil: not stated; empty but not nil: stated as none
	Level       *Level   // nil: not stated
	Attributes  []UserValue
	Span        source.Span
	Description string
}

// UserValue is one attribute that a directory entry states; a nil Value
// states that the user has none (the attribute is then unknown).
type UserValue struct {
	Attribute *Attribute
	Value     Value
}

// DatasourceType is where the records of a datasource live.
type DatasourceType string

// The types of datasource.
const (
	Postgres DatasourceType = "postgres"
	Service  DatasourceType = "service"
)

// IdentityMode is how a user reaches a Postgres datasource.
type IdentityMode string

// The identity modes (docs/language.md, "How the user reaches Postgres").
const (
	IdentityRole    IdentityMode = "role"
	IdentitySetting IdentityMode = "setting"
	IdentitySigned  IdentityMode = "signed"
)

// Datasource is a database or a service whose records the project governs.
type Datasource struct {
	Name        string // address: label, or label["key"] with for_each
	Label, Key  string
	Type        DatasourceType
	Description string
	URL         *Secret      // used by plan and apply alone, never in an artifact
	Identity    IdentityMode // "" for services
	// ClaimsSetting names the Postgres setting with the claims of mode
	// "setting"; default "postern.claims".
	ClaimsSetting string
	// OwnerBound says that table owners are under the rules as well (FORCE ROW
	// LEVEL SECURITY). OwnerStated says that the source states it.
	OwnerBound, OwnerStated bool
	Additive                bool // manage = "additive": what the project did not make stays
	Tables                  []*Table
	Apps                    []*App    // the apps that connect to it
	Lookups                 []*Lookup // attributes read from its tables, in order of their names
	Accounts                []*ServiceAccount
	Span                    source.Span
}

// Secret is a reference to a value that is read only when it is needed and
// never written anywhere: an environment variable, a file, or a literal that
// came from a sensitive variable.
type Secret struct {
	Kind SecretKind
	Name string // variable name, file path or path in a vault; "" for a literal
	// Field is the part of a vault's secret that holds the value.
	Field string
	// Literal is the value of a SecretLiteral. It must never be printed.
	Literal string `json:"-"`
	Span    source.Span
}

// SecretKind says where a secret is read from.
type SecretKind string

// The kinds of secret references.
const (
	SecretEnv     SecretKind = "env"
	SecretFile    SecretKind = "file"
	SecretLiteral SecretKind = "literal"
	SecretVault   SecretKind = "vault" // HashiCorp Vault's key-value store
)

// String names the reference and never shows the value.
func (s *Secret) String() string {
	switch {
	case s == nil:
		return ""
	case s.Kind == SecretLiteral:
		return "(sensitive value)"
	case s.Kind == SecretVault:
		return "vault(" + s.Name + ", " + s.Field + ")"
	}
	return string(s.Kind) + "(" + s.Name + ")"
}

// Action is what a user does to a record: view, create, edit, delete, or an
// action of a resource's own.
type Action string

// The actions of every table.
const (
	View   Action = "view"
	Create Action = "create"
	Edit   Action = "edit"
	Delete Action = "delete"
)

// Table is a record type: a table of a Postgres or a resource of a service.
type Table struct {
	Datasource  *Datasource
	Name        string // address in its datasource: label, or label["key"] with for_each
	Label, Key  string
	Schema      string // Postgres schema, default "public"; "" for a resource
	SQLName     string // Postgres name of the table, default Name; "" for a resource
	Description string
	Columns     []*Column // in order of declaration
	PrimaryKey  []*Column
	Relations   []*Relation
	Additive    bool     // manage = "additive"
	Actions     []Action // in order: the built-in four for tables, the declared ones for resources
	Policies    []*PolicyTarget
	Guards      []*GuardTarget
	Masks       []*MaskTarget
	Reports     []*Report // from it
	Filters     []*Filter // in the order of Actions
	Span        source.Span
}

// Address is the name of the table in Postern's output: DATASOURCE.NAME.
func (t *Table) Address() string { return t.Datasource.Name + "." + t.Name }

// Resource reports whether the table is a record type of a service.
func (t *Table) Resource() bool { return t.Datasource.Type == Service }

// Column returns the column of that name, or nil.
func (t *Table) Column(name string) *Column {
	for _, c := range t.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// Relation returns the relation of that name, or nil.
func (t *Table) Relation(name string) *Relation {
	for _, r := range t.Relations {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// HasAction reports whether the table knows the action.
func (t *Table) HasAction(a Action) bool {
	for _, x := range t.Actions {
		if x == a {
			return true
		}
	}
	return false
}

// Filter asks for the records of a table that an action is allowed on as a
// condition for the database they are in. The action is not create.
type Filter struct {
	Action Action
	Span   source.Span
}

// Column is a column of a table or an attribute of a resource.
type Column struct {
	Name string
	Type Type
	Null bool // may hold null; resources' attributes always may
	Tags []string
	// Native is the database's own type in the spelling of Postgres'
	// format_type, such as "character varying(40)"; "" means the usual one of
	// Type: boolean, bigint, numeric, text, uuid, date, timestamp with time
	// zone, inet, and arrays of these. An enum column always states it.
	Native string
	Span   source.Span
}

// Relation leads from a record to related ones: those for which every pair of
// On has equal, known values.
type Relation struct {
	Name  string
	From  *Table
	Table *Table
	On    []JoinPair
	Many  bool
	Span  source.Span
}

// JoinPair joins a column of the relation's own table to one of the other.
type JoinPair struct{ From, To *Column }

// ServiceAccount is a login of a datasource for one app.
type ServiceAccount struct {
	Name        string
	Label, Key  string
	Datasource  *Datasource
	Description string
	Role        string // the Postgres role that carries its grants and policies
	Managed     bool   // false: the role exists already and is only adopted
	Password    *Secret
	ReadOnly    bool
	Additive    bool // manage = "additive"
	Limits      Limits
	App         *App // the one app that uses it, nil when none does
	Span        source.Span
}

// Limits are defaults of an account's sessions.
type Limits struct {
	Connections      *int      // CONNECTION LIMIT; nil: unlimited
	StatementTimeout *Duration // statement_timeout
	IdleTimeout      *Duration // idle_in_transaction_session_timeout
	ValidUntil       *Timestamp
}

// App is a program through which users reach datasources.
type App struct {
	Name        string
	Label, Key  string
	Description string
	Users       []Subject // who may use it
	Connects    []*Connect
	Span        source.Span
}

// Connect returns the app's connection to a datasource, or nil.
func (a *App) Connect(d *Datasource) *Connect {
	for _, c := range a.Connects {
		if c.Datasource == d {
			return c
		}
	}
	return nil
}

// Connect is one app's connection to one datasource.
type Connect struct {
	App        *App
	Datasource *Datasource
	Account    *ServiceAccount // nil for a service
	AsUser     bool            // as = "user": each request carries its user; false: as = "app"
	Untrusted  bool            // sql = "untrusted"
	Span       source.Span
}

// Policy grants actions on records. Name is its address: label, or
// label["key"] with for_each.
type Policy struct {
	Name        string
	Label, Key  string
	Description string
	To          []Subject
	Via         []*App // nil: any app
	Allow       []Action
	On          []*PolicyTarget
	Span        source.Span
}

// PolicyTarget is a policy's meaning on one table: conditions are checked and
// lowered for each table on its own.
type PolicyTarget struct {
	Policy  *Policy
	Table   *Table
	Allow   []Action // the policy's actions with `all` expanded for this table
	When    Condition
	Check   Condition // on the new record of a write; defaults to When
	Columns []*Column // what view shows and writes may set, in the table's order
	Span    source.Span
}

// Allows reports whether the target grants the action.
func (t *PolicyTarget) Allows(a Action) bool {
	for _, x := range t.Allow {
		if x == a {
			return true
		}
	}
	return false
}

// Guard must hold whatever the policies allow.
type Guard struct {
	Name        string
	Label, Key  string
	Description string
	To          []Subject
	On          []*GuardTarget
	Span        source.Span
}

// GuardTarget is a guard's meaning on one table.
type GuardTarget struct {
	Guard   *Guard
	Table   *Table
	Require Condition
	Span    source.Span
}

// Subject is who a policy or guard is for: Everyone, GroupSubject,
// UserSubject, LevelSubject or AppSubject.
//
//sumtype:decl
type Subject interface{ subject() }

type (
	// Everyone is anonymous users and all above.
	Everyone struct{}
	// GroupSubject is the members of a group, through nested groups as well.
	GroupSubject struct{ Group *Group }
	// UserSubject is one user of the directory.
	UserSubject struct{ User *User }
	// LevelSubject is users at this access level or higher.
	LevelSubject struct{ Level *Level }
	// AppSubject is whoever comes through the app.
	AppSubject struct{ App *App }
)

func (Everyone) subject()     {}
func (GroupSubject) subject() {}
func (UserSubject) subject()  {}
func (LevelSubject) subject() {}
func (AppSubject) subject()   {}

// SubjectString is a subject as it is written in HCL.
func SubjectString(s Subject) string {
	switch x := s.(type) {
	case Everyone:
		return "everyone"
	case GroupSubject:
		return "group." + x.Group.Name
	case UserSubject:
		return "user." + x.User.Name
	case LevelSubject:
		return "access_level." + x.Level.Name
	case AppSubject:
		return "app." + x.App.Name
	}
	return ""
}

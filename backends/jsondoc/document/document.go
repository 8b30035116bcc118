// Package document is Postern's JSON document as data: what a project allows,
// in a form that any program can read without the compiler. The types here
// are the document; schema.json (JSON Schema 2020-12) says the same for other
// languages. Parse reads it strictly, Marshal writes it in the canonical form
// of RFC 8785, so that equal policies have equal bytes and a hash means
// something.
//
// The fields of every struct stand in the order of their JSON names, which is
// what makes the output of encoding/json canonical.
package document

import "fmt"

// SchemaVersion is the version of the document's form that Marshal writes. It
// grows with every change after which an older reader would misread a document;
// docs/targets.md says what is promised of versions.
const SchemaVersion = 2

// OldestSchemaVersion is the oldest version that Parse reads.
const OldestSchemaVersion = 2

// VersionError says that a document is of a version that this reader does not
// know.
type VersionError struct {
	Version int // the document's
}

func (e *VersionError) Error() string {
	if e.Version > SchemaVersion {
		return fmt.Sprintf("its schema version is %d, and this reader knows versions up to %d: it was written by a newer Postern, so update this program",
			e.Version, SchemaVersion)
	}
	return fmt.Sprintf("its schema version is %d, which is no longer read: build the document again for version %d", e.Version, SchemaVersion)
}

// Document is one compiled project. All lists are sorted by name.
type Document struct {
	Apps          []App        `json:"apps"`
	Datasources   []Datasource `json:"datasources"`
	Directory     []User       `json:"directory"`
	Groups        []Group      `json:"groups"`
	Guards        []Guard      `json:"guards"`
	Identity      Identity     `json:"identity"`
	Levels        []Level      `json:"levels"`
	Masks         []Mask       `json:"masks"`
	Policies      []Policy     `json:"policies"`
	Project       string       `json:"project"`
	Request       []Attribute  `json:"request"`
	Revision      string       `json:"revision,omitempty"` // git commit of the source
	SchemaVersion int          `json:"schema_version"`
	Tables        []Table      `json:"tables"`
}

// Identity says what a request's claims tell about its user.
type Identity struct {
	Attributes []Attribute `json:"attributes"`
	Key        string      `json:"key"` // the attribute that names the user
}

// Attribute is one typed fact, read at the path Claim of the claims (or
// context) document.
type Attribute struct {
	Claim []string `json:"claim"`
	Name  string   `json:"name"`
	Type  Type     `json:"type"`
}

// Type is a type of the language. Elem is there for kind "set", Values for
// kind "enum".
type Type struct {
	Elem   *Type    `json:"elem,omitempty"`
	Kind   Kind     `json:"kind"`
	Values []string `json:"values,omitempty"`
}

// Kind is the kind of a type.
type Kind string

// The kinds of types.
const (
	Bool      Kind = "bool"
	Int       Kind = "int"
	Number    Kind = "number"
	String    Kind = "string"
	UUID      Kind = "uuid"
	Date      Kind = "date"
	Timestamp Kind = "timestamp"
	IP        Kind = "ip"
	Enum      Kind = "enum"
	Set       Kind = "set"
	Duration  Kind = "duration" // of literals only
)

// Level is an access level; AtLeast names the levels (itself included) that
// count as this one or higher.
type Level struct {
	AtLeast     []string `json:"at_least"`
	Description string   `json:"description,omitempty"`
	Name        string   `json:"name"`
}

// The name of the level of requests without valid credentials, and of those
// that state none although their user is known.
const (
	LevelAnonymous = "anonymous"
	LevelUser      = "user"
)

// Group is a set of users; Closure names the groups its members belong to,
// itself included.
type Group struct {
	Closure     []string `json:"closure"`
	Description string   `json:"description,omitempty"`
	Name        string   `json:"name"`
}

// User is a directory entry: what it states replaces the claims of the user
// whose key attribute equals Key. Groups nil means not stated, Level "" too.
type User struct {
	Attributes  []UserValue `json:"attributes"`
	Description string      `json:"description,omitempty"`
	Groups      *[]string   `json:"groups,omitempty"`
	Key         Value       `json:"key"`
	Level       string      `json:"level,omitempty"`
	Name        string      `json:"name"`
}

// UserValue is one attribute that a directory entry states; without a Value
// it states that the user has none.
type UserValue struct {
	Name  string `json:"name"`
	Value *Value `json:"value,omitempty"`
}

// Value is a constant. Text holds a scalar in its canonical spelling, Elems
// the elements of a set; exactly one of the two is there. Spellings: "true",
// "false"; ints and numbers as decimals ("-1.5"); uuids in lower case; dates
// "2024-03-11"; timestamps "2024-03-11T05:30:00.123456Z"; durations as
// microseconds.
type Value struct {
	Elems *[]string `json:"elems,omitempty"`
	Text  *string   `json:"text,omitempty"`
}

// Datasource is a database or a service.
type Datasource struct {
	Description string `json:"description,omitempty"`
	Name        string `json:"name"`
	Type        string `json:"type"` // "postgres" or "service"
}

// TableRef names a table.
type TableRef struct {
	Datasource string `json:"datasource"`
	Table      string `json:"table"`
}

// Table is a record type.
type Table struct {
	Actions     []string   `json:"actions"`
	Columns     []Column   `json:"columns"`
	Datasource  string     `json:"datasource"`
	Description string     `json:"description,omitempty"`
	Name        string     `json:"name"`
	PrimaryKey  []string   `json:"primary_key,omitempty"`
	Relations   []Relation `json:"relations,omitempty"`
	Schema      string     `json:"schema,omitempty"`
	SQLName     string     `json:"sql_name,omitempty"`
}

// Column is a column. Native is the database's own type in the spelling of
// Postgres' format_type, "" for the usual one.
type Column struct {
	Name   string   `json:"name"`
	Native string   `json:"native,omitempty"`
	Null   bool     `json:"null,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	Type   Type     `json:"type"`
}

// Relation leads to records of the same datasource; in a record they stand
// under the relation's name, as an array of records when Many, else as one
// record or null.
type Relation struct {
	Many  bool       `json:"many,omitempty"`
	Name  string     `json:"name"`
	On    []JoinPair `json:"on"`
	Table TableRef   `json:"table"`
}

// JoinPair joins a column of the relation's own table to one of the other.
type JoinPair struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// App is a program through which users come.
type App struct {
	Connects    []Connect `json:"connects"`
	Description string    `json:"description,omitempty"`
	Name        string    `json:"name"`
	Users       []Subject `json:"users"`
}

// Connect is an app's connection to a datasource. As is "user" when each
// request carries its user, "app" when all users share the app's access.
type Connect struct {
	As         string `json:"as"`
	Datasource string `json:"datasource"`
}

// The two ways in which an app connects.
const (
	AsUser = "user"
	AsApp  = "app"
)

// Subject is who something is for. Name is "" for everyone.
type Subject struct {
	Kind SubjectKind `json:"kind"`
	Name string      `json:"name,omitempty"`
}

// SubjectKind is the kind of a subject.
type SubjectKind string

// The kinds of subjects.
const (
	Everyone     SubjectKind = "everyone"
	GroupSubject SubjectKind = "group"
	UserSubject  SubjectKind = "user"
	LevelSubject SubjectKind = "level"
	AppSubject   SubjectKind = "app"
)

// Policy grants actions. Via nil means through any app.
type Policy struct {
	Description string         `json:"description,omitempty"`
	Name        string         `json:"name"`
	Source      string         `json:"source,omitempty"` // "file:line"
	Targets     []PolicyTarget `json:"targets"`
	To          []Subject      `json:"to"`
	Via         *[]string      `json:"via,omitempty"`
}

// PolicyTarget is a policy's meaning on the tables for which it is the same.
// Columns nil means every column; Check nil means the same as When.
type PolicyTarget struct {
	Allow   []string   `json:"allow"`
	Check   *Cond      `json:"check,omitempty"`
	Columns *[]string  `json:"columns,omitempty"`
	Tables  []TableRef `json:"tables"`
	When    *Cond      `json:"when"`
}

// Guard must hold whatever the policies allow.
type Guard struct {
	Description string        `json:"description,omitempty"`
	Name        string        `json:"name"`
	Source      string        `json:"source,omitempty"`
	Targets     []GuardTarget `json:"targets"`
	To          []Subject     `json:"to"`
}

// GuardTarget is a guard's meaning on the tables for which it is the same.
type GuardTarget struct {
	Require *Cond      `json:"require"`
	Tables  []TableRef `json:"tables"`
}

// Mask narrows columns that policies include: whoever is not surely among
// Unless sees With in their place and cannot set them. Where several are on a
// column, they show the same but for those that show null, which go before.
type Mask struct {
	Description string       `json:"description,omitempty"`
	Name        string       `json:"name"`
	Source      string       `json:"source,omitempty"`
	Targets     []MaskTarget `json:"targets"`
	Unless      []Subject    `json:"unless"`
	With        MaskWith     `json:"with"`
}

// MaskTarget is the columns that a mask hides on the tables for which they are
// the same.
type MaskTarget struct {
	Columns []string   `json:"columns"`
	Tables  []TableRef `json:"tables"`
}

// MaskWith is what a mask shows. N is there for MaskLast and MaskFirst, Value,
// a value of the columns' type, for MaskConstant.
type MaskWith struct {
	Fn    MaskFn `json:"fn"`
	N     int    `json:"n,omitempty"`
	Value *Value `json:"value,omitempty"`
}

// MaskFn says how a mask makes what it shows.
type MaskFn string

// The ways of masking. MaskLast shows an ellipsis (U+2026) and the last N
// characters of a string, MaskFirst the first N and an ellipsis; a string of no
// more than N characters shows the ellipsis alone, and null shows null.
// MaskHash shows the HMAC-SHA256 of a string's UTF-8 bytes, under a key that
// the engine is given, as 64 small hexadecimal digits, and null shows null.
const (
	MaskNull     MaskFn = "null"
	MaskConstant MaskFn = "constant"
	MaskLast     MaskFn = "last"
	MaskFirst    MaskFn = "first"
	MaskHash     MaskFn = "hash"
)

// Package plan holds what is about to be done to a target: the changes a
// reviewer reads, the exact statements that make them, and what they put at
// risk. A saved plan is what apply runs, and nothing else.
//
// The JSON form (format version 1) is one object with the members of Plan in
// order; changes carry "action" (add, change, remove), "object", "span",
// "reason", "before" and "after"; hazards carry "kind" and "hazard". "hash" is
// the SHA-256 of the same text with an empty "hash", in hexadecimal. It finds
// accidents and edits by hand; it is no signature.
package plan

import (
	"fmt"
	"slices"
	"time"
)

// FormatVersion is the version of the JSON form that this package writes and
// the only one that it reads.
const FormatVersion = 1

// Plan is the change of one datasource, from the state with this fingerprint.
type Plan struct {
	Project     string    // whose marks the objects carry
	Revision    string    // git commit of the source, "" when unknown
	Created     time.Time // UTC, whole seconds
	Datasource  string    // name in the project
	Server      string    // such as "PostgreSQL 15.18"
	Database    string    // name of the database it was made for
	Fingerprint string    // of the live state it was made from
	Scope       Scope     // what of the live state the fingerprint covers
	// Program is what the project says of the datasource, as HCL; values of
	// secrets are not part of it. It goes into the target's history.
	Program       string
	Changes       []Change // in the order in which a reviewer reads them
	Statements    []Statement
	Hazards       []Hazard
	LockTables    []string // quoted names to lock before the first statement
	ServerVersion int      // the server's version as a number, such as 150018
}

// Scope names what was read of the live state, so that it can be read again
// and its fingerprint compared just before the plan runs. Names are unquoted.
type Scope struct {
	Tables    []TableName     `json:"tables"`
	Schemas   []string        `json:"schemas"`
	Roles     []string        `json:"roles"`
	Generated []GeneratedName `json:"generated"`
	Keyed     []TableName     `json:"keyed,omitempty"` // tables whose unique keys count
	Views     []TableName     `json:"views,omitempty"` // that the project makes
}

// TableName is a table's schema and name.
type TableName struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
}

// GeneratedName is a table that the project itself keeps; Columns are those
// whose rows count, none where only its definition does.
type GeneratedName struct {
	TableName
	Columns []string `json:"columns"`
}

// Statement is one statement, in the target's language, ready to run but for
// its secret.
type Statement struct {
	SQL    string
	Object Object
	Secret *Secret // nil: none
}

// Secret is a value that apply reads and puts, as one quoted literal, into a
// statement. The plan itself never holds it.
type Secret struct {
	// At is the byte offset in SQL at which the literal stands.
	At int `json:"at"`
	// Kind is "" for a password.
	Kind SecretKind `json:"kind,omitempty"`
	// Account is the name of the service account whose password it is.
	Account string `json:"account"`
	// Role is the login role that a password verifier is made for.
	Role string `json:"role"`
	// From names where the value is read: "env(NAME)" or "file(PATH)", or
	// "(sensitive value)" for one that only the source knows.
	From string `json:"from"`
}

// SecretKind says what a secret is besides the password of an account.
type SecretKind string

// SecretHashKey is the key of masks by hash().
const SecretHashKey SecretKind = "hash_key"

// Text is the statement as a reviewer reads it: a secret is shown as where it
// is read from.
func (s Statement) Text() string {
	if s.Secret == nil {
		return s.SQL
	}
	return s.With("«" + s.Secret.From + "»")
}

// With is the statement with the literal put in the place of its secret.
func (s Statement) With(literal string) string {
	if s.Secret == nil {
		return s.SQL
	}
	return s.SQL[:s.Secret.At] + literal + s.SQL[s.Secret.At:]
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 && len(p.Statements) == 0 }

// Count is how many objects are added, changed and removed.
func (p *Plan) Count() (add, change, remove int) {
	for _, c := range p.Changes {
		switch c.(type) {
		case Add:
			add++
		case Modify:
			change++
		case Remove:
			remove++
		}
	}
	return add, change, remove
}

// check refuses plans that could not be run as they stand.
func (p *Plan) check() error {
	if p.Datasource == "" || p.Fingerprint == "" {
		return fmt.Errorf("it names no datasource or no state it was made from")
	}
	for i, s := range p.Statements {
		if s.SQL == "" {
			return fmt.Errorf("statement %d is empty", i+1)
		}
		if s.Secret != nil && (s.Secret.At < 0 || s.Secret.At > len(s.SQL)) {
			return fmt.Errorf("statement %d: its secret stands outside of it", i+1)
		}
	}
	return nil
}

// EndsLogins reports whether the plan ends a login.
func (p *Plan) EndsLogins() bool {
	return slices.ContainsFunc(p.Hazards, func(h Hazard) bool { _, ends := h.(EndsLogin); return ends })
}

// Switches are the accounts whose clients are to log in as another role.
func (p *Plan) Switches() []SwitchesLogin {
	var out []SwitchesLogin
	for _, h := range p.Hazards {
		if s, ok := h.(SwitchesLogin); ok {
			out = append(out, s)
		}
	}
	return out
}

// Covers reports whether another plan for the same database runs nothing that
// this one does not: its statements are this one's, in the same order, but for
// some on roles, memberships, logins and passwords, and what is recorded of them.
// These belong to the whole cluster, where a plan for another of its databases
// may have run them.
func (p *Plan) Covers(rest *Plan) bool {
	if p.Project != rest.Project || p.Datasource != rest.Datasource || p.Database != rest.Database {
		return false
	}
	i := 0
	for _, s := range p.Statements {
		if i < len(rest.Statements) && rest.Statements[i].Text() == s.Text() {
			i++
			continue
		}
		switch s.Object.Kind {
		case "role", "membership", "password", "login", "record":
		default:
			return false
		}
	}
	return i == len(rest.Statements)
}

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/postern-dev/postern/client/token"
)

// ErrIdentity says that nobody was named: a transaction runs for a User or for
// Anonymous, and for nobody by accident.
var ErrIdentity = errors.New("no identity: name a User with claims, or Anonymous")

// Identity is for whom a transaction runs. The zero value is for nobody, and is
// refused.
type Identity struct {
	stated  bool
	claims  map[string]any // nil: anonymous
	request map[string]any
}

// User is the user of whom the claims tell: a JSON object as encoding/json
// takes it, with the identity's attributes at their claim paths, "groups" and
// "access_level". Without any claim nobody is meant, which is refused.
func User(claims map[string]any) Identity {
	return Identity{stated: len(claims) > 0, claims: claims}
}

// Anonymous is a request without valid credentials.
func Anonymous() Identity { return Identity{stated: true} }

// WithRequest is the same user, with what else the request tells: the
// attributes of the project's `request` block.
func (i Identity) WithRequest(attributes map[string]any) Identity {
	i.request = attributes
	return i
}

// Opening is the statement that gives the transaction it runs in its user. Run
// it first, with its arguments as bind parameters: in the text of a statement
// they would stand in logs.
type Opening struct {
	SQL  string
	Args []any
}

// Mode is how a datasource learns who asks: Setting or Signed, as its
// `identity` says.
type Mode interface {
	// openings are the ways to open a transaction; one is tried after the other
	// while the database refuses the credentials.
	openings(ctx context.Context, id Identity) ([]Opening, error)
}

// Setting is identity = "setting": the server that uses this package states the
// user, and must be the only one that can run SQL on the connection.
type Setting struct {
	// Claims is the setting that holds them, the datasource's `claims`; "" is its
	// default, postern.claims.
	Claims string
}

func (s Setting) openings(_ context.Context, id Identity) ([]Opening, error) {
	name := s.Claims
	if name == "" {
		name = "postern.claims"
	}
	claims, err := document(id.claims)
	if err != nil {
		return nil, err
	}
	request, err := document(id.request)
	if err != nil {
		return nil, err
	}
	// Both are always set, so that nothing of a session shows through.
	return []Opening{{
		SQL:  "SELECT set_config($1, $2, true), set_config('postern.request', $3, true)",
		Args: []any{name, claims, request},
	}}, nil
}

// document is an object as a setting holds it; empty is none.
func document(m map[string]any) (string, error) {
	if m == nil {
		return "", nil
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("claims as JSON: %w", err)
	}
	return string(text), nil
}

// Keys gives the keys that tokens are signed with, the one to use first. It is
// asked for each transaction, so that a server takes up a new key without a
// restart.
type Keys func(ctx context.Context) ([]token.Key, error)

// FixedKeys are keys that do not change while the program runs.
func FixedKeys(keys ...token.Key) Keys {
	return func(context.Context) ([]token.Key, error) { return keys, nil }
}

// DefaultLifetime is for how long a token opens transactions: it is used at
// once, and clocks differ.
const DefaultLifetime = time.Minute

// Signed is identity = "signed": each transaction is opened by a token, which
// the database checks. While a key is changed, Keys gives the new one and the
// old one: where the database does not know the one yet, or the other no more,
// the next is used.
type Signed struct {
	Role     string // the service account's role, not its login
	Database string
	Keys     Keys
	Lifetime time.Duration    // default DefaultLifetime
	Now      func() time.Time // default time.Now
}

func (s Signed) openings(ctx context.Context, id Identity) ([]Opening, error) {
	if s.Keys == nil {
		return nil, fmt.Errorf("%w: Signed has no Keys", token.ErrKey)
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the signing keys: %w", err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: there are none", token.ErrKey)
	}
	now, lifetime := time.Now, s.Lifetime
	if s.Now != nil {
		now = s.Now
	}
	if lifetime <= 0 {
		lifetime = DefaultLifetime
	}
	out := make([]Opening, len(keys))
	for i, k := range keys {
		// The database counts in whole seconds.
		text, err := token.Mint(k, token.Token{
			Claims: id.claims, Context: id.request, Role: s.Role, Database: s.Database, Expires: now().Add(lifetime + time.Second),
		})
		if err != nil {
			return nil, err
		}
		out[i] = Opening{SQL: "SELECT postern.open($1)", Args: []any{text}}
	}
	return out, nil
}

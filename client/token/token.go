// Package token signs the tokens of identity mode "signed": what a request tells
// a database about its user, under a key that the database knows as well. It
// needs the standard library alone.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Key signs tokens. `postern key add` makes it known to a database; the secret
// itself stays with whoever mints tokens.
type Key struct {
	ID     int    // 0 to 999,999,999
	Secret []byte // at least MinSecret bytes
}

// MinSecret is the least length of a signing secret in bytes: the output of
// the hash (RFC 2104, section 3).
const MinSecret = sha256.Size

// Token is what one request tells the database about its user.
type Token struct {
	Claims   map[string]any // nil: anonymous
	Context  map[string]any // request.*, may be nil
	Role     string         // the service account's role
	Database string
	Expires  time.Time // after it the token opens no more transactions
}

// Reasons why a token cannot be minted.
var (
	ErrKey   = errors.New("not a signing key")
	ErrToken = errors.New("not a complete token")
)

// ParseKey reads a key as `postern key new` prints it: base64 of its bytes. An
// error does not quote it.
func ParseKey(id int, text string) (Key, error) {
	secret, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return Key{}, fmt.Errorf("%w: it is no base64", ErrKey)
	}
	k := Key{ID: id, Secret: secret}
	return k, k.Check()
}

// Check refuses what is no key.
func (k Key) Check() error {
	switch {
	case k.ID < 0 || k.ID > 999_999_999:
		return fmt.Errorf("%w: the number %d is not within 0 and 999999999", ErrKey, k.ID)
	case len(k.Secret) < MinSecret:
		return fmt.Errorf("%w: a secret of %d bytes is shorter than %d", ErrKey, len(k.Secret), MinSecret)
	}
	return nil
}

// Mint signs a token for postern.open. The result holds no secret, but whoever
// has it can open transactions as that user until it expires: pass it as a bind
// parameter, never in the text of a statement.
func Mint(key Key, t Token) (string, error) {
	if err := key.Check(); err != nil {
		return "", err
	}
	if t.Role == "" || t.Database == "" || t.Expires.IsZero() {
		return "", fmt.Errorf("%w: role, database and expiry must be stated", ErrToken)
	}
	payload, err := json.Marshal(struct {
		User     map[string]any `json:"user"`
		Request  map[string]any `json:"request"`
		Role     string         `json:"role"`
		Database string         `json:"database"`
		Expires  int64          `json:"expires"`
	}{t.Claims, t.Context, t.Role, t.Database, t.Expires.Unix()})
	if err != nil {
		return "", fmt.Errorf("claims as JSON: %w", err)
	}
	body := "v1." + strconv.Itoa(key.ID) + "." + base64.StdEncoding.EncodeToString(payload)
	mac := hmac.New(sha256.New, key.Secret)
	mac.Write([]byte(body))
	return body + "." + hex.EncodeToString(mac.Sum(nil)), nil
}

package postgres

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

	"github.com/postern-dev/postern/backends/postgres/sqltext"
)

// Key signs the tokens of identity mode "signed". Its row of postern.keys is
// made by InsertKey; the secret itself stays with whoever mints tokens.
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

// MintToken signs a token for postern.open. The result holds no secret, but
// whoever has it can open transactions as that user until it expires: pass it
// as a bind parameter, never in the text of a statement.
func MintToken(key Key, t Token) (string, error) {
	if err := key.check(); err != nil {
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

func (k Key) check() error {
	switch {
	case k.ID < 0 || k.ID > 999_999_999:
		return fmt.Errorf("%w: the number %d is not within 0 and 999999999", ErrKey, k.ID)
	case len(k.Secret) < MinSecret:
		return fmt.Errorf("%w: a secret of %d bytes is shorter than %d", ErrKey, len(k.Secret), MinSecret)
	}
	return nil
}

// InsertKey is the statement that makes a key known to a database. It holds
// the secret in another form: run it, and write it nowhere.
func InsertKey(k Key) (sqltext.SQL, error) {
	if err := k.check(); err != nil {
		return "", err
	}
	inner, outer := pads(k.Secret)
	return build(func(b *sqltext.Builder) {
		b.Raw("INSERT INTO postern.keys (id, inner_pad, outer_pad) VALUES (", sqltext.Int(k.ID), ", decode(")
		b.Literal(hex.EncodeToString(inner)).Raw(", 'hex'), decode(").Literal(hex.EncodeToString(outer)).Raw(", 'hex'))")
	})
}

// pads are the secret combined with the two constants of RFC 2104, section 2.
func pads(secret []byte) (inner, outer []byte) {
	if len(secret) > sha256.BlockSize {
		sum := sha256.Sum256(secret)
		secret = sum[:]
	}
	inner, outer = make([]byte, sha256.BlockSize), make([]byte, sha256.BlockSize)
	copy(inner, secret)
	copy(outer, secret)
	for i := range inner {
		inner[i] ^= 0x36
		outer[i] ^= 0x5c
	}
	return inner, outer
}

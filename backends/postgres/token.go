package postgres

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/postern-dev/postern/backends/postgres/sqltext"
	"github.com/postern-dev/postern/client/token"
)

type (
	// Key signs tokens; it is that of package client/token, which servers use.
	Key = token.Key
	// Token is what one request tells the database about its user.
	Token = token.Token
)

// MinSecret is the least length of a signing secret in bytes.
const MinSecret = token.MinSecret

// Reasons why a token cannot be minted.
var (
	ErrKey   = token.ErrKey
	ErrToken = token.ErrToken
)

// MintToken signs a token for postern.open.
func MintToken(key Key, t Token) (string, error) { return token.Mint(key, t) }

// InsertKey is the statement that makes a key known to a database. It holds
// the secret in another form: run it, and write it nowhere.
func InsertKey(k Key) (sqltext.SQL, error) {
	if err := k.Check(); err != nil {
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

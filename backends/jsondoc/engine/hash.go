package engine

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"unicode/utf8"

	"github.com/postern-dev/postern/backends/jsondoc/document"
)

// Option gives an engine what is in no document.
type Option func(*Engine) error

// ErrHashKey says that a document masks by hash and the engine has no key of at
// least 32 characters for it.
var ErrHashKey = errors.New("masks by hash need a key of at least 32 characters: load the document with WithHashKey")

// minHashKey is the least length of a key in characters (RFC 2104, section 3).
const minHashKey = sha256.Size

// WithHashKey gives the key of masks by hash: the project's hash_key. Its UTF-8
// bytes are the key of the HMAC.
func WithHashKey(key string) Option {
	return func(e *Engine) error {
		if utf8.RuneCountInString(key) < minHashKey {
			return ErrHashKey
		}
		e.hashKey = key
		return nil
	}
}

// hashed shows the HMAC-SHA256 of a string in hexadecimal.
func hashed(c *document.Column, key []byte) func(any) any {
	decode := textDecoder(c.Type, c.Native)
	return func(raw any) any {
		s, ok := decode(raw)
		if !ok {
			return nil
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(s))
		return hex.EncodeToString(mac.Sum(nil))
	}
}

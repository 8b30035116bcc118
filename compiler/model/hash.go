package model

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"unicode/utf8"
)

// HashKey is the key of masks by hash(): a text of at least MinHashKey
// characters, whose UTF-8 bytes are the key of the HMAC. It reaches no artifact
// and no plan.
type HashKey string

// MinHashKey is the least length of a hash key in characters: as many bytes as
// the hash has (RFC 2104, section 3), when all of them are ASCII.
const MinHashKey = sha256.Size

// TestHashKey is the key under which tests, verify and the engines that they
// ask hash: what a test expects must not depend on a secret.
const TestHashKey HashKey = "the hash key of all postern tests"

// ErrHashKey says that a text is too short for a hash key. It does not quote it.
var ErrHashKey = errors.New("a hash key has at least 32 characters; postern key new makes one")

// Check refuses a key that is too short.
func (k HashKey) Check() error {
	if utf8.RuneCountInString(string(k)) < MinHashKey {
		return ErrHashKey
	}
	return nil
}

// Hash is what MaskHash shows of a text.
func (k HashKey) Hash(text string) string {
	mac := hmac.New(sha256.New, []byte(k))
	mac.Write([]byte(text))
	return hex.EncodeToString(mac.Sum(nil))
}

// Hashes reports whether some mask of the program is by hash().
func (p *Program) Hashes() bool { return slices.ContainsFunc(p.Masks, (*Mask).hashes) }

// Hashes reports whether some mask on a table of the datasource is by hash().
func (d *Datasource) Hashes() bool {
	return slices.ContainsFunc(d.Tables, func(t *Table) bool {
		return slices.ContainsFunc(t.Masks, func(m *MaskTarget) bool { return m.Mask.hashes() })
	})
}

func (m *Mask) hashes() bool {
	_, ok := m.With.(MaskHash)
	return ok
}

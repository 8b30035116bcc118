package rego

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
	"github.com/open-policy-agent/opa/v1/bundle"
	"github.com/open-policy-agent/opa/v1/util"
)

// SigningKey signs bundles. Errors never hold the key.
type SigningKey struct {
	// ID is what OPA's configuration names the key that verifies.
	ID string
	// Algorithm is one of Algorithms.
	Algorithm string
	// Key is the secret's bytes for HS256, at least 32 of them (RFC 7518,
	// section 3.2); for RS256 and ES256 a private key in PEM.
	Key []byte
}

// Algorithms lists what bundles can be signed with. RS256 and HS256 give the
// same bytes for the same bundle and key; ES256 does not.
func Algorithms() []string { return []string{"HS256", "RS256", "ES256"} }

// signaturesFile is where the engine looks for a bundle's signatures.
const signaturesFile = ".signatures.json"

// hashing is how files are hashed below the signature.
const hashing = bundle.SHA256

// Sign gives a bundle that Emit wrote with a signature over each of its files,
// in place of any that it has.
func Sign(data []byte, key SigningKey) ([]byte, error) {
	signer, err := key.parse()
	if err != nil {
		return nil, err
	}
	members, err := unpacked(data)
	if err != nil {
		return nil, err
	}
	members = slices.DeleteFunc(members, func(m printed) bool { return m.path == signaturesFile })
	hasher, err := bundle.NewSignatureHasher(hashing)
	if err != nil {
		return nil, fmt.Errorf("sign the bundle: %w", err)
	}
	var files []bundle.FileInfo
	for _, m := range members {
		sum, err := hasher.HashFile(hashed(m))
		if err != nil {
			return nil, fmt.Errorf("sign the bundle: %s: %w", m.path, err)
		}
		files = append(files, bundle.NewFile(m.path, hex.EncodeToString(sum), hashing.String()))
	}
	// keyid is what engines read that do not know the header's kid.
	token, err := jwt.NewBuilder().Claim("files", files).Claim("keyid", key.ID).Build()
	if err != nil {
		return nil, fmt.Errorf("sign the bundle: %w", err)
	}
	algorithm, _ := jwa.LookupSignatureAlgorithm(key.Algorithm)
	signed, err := jwt.Sign(token, jwt.WithKey(algorithm, signer))
	if err != nil {
		return nil, fmt.Errorf("sign the bundle with %s: the key does not fit the algorithm", key.Algorithm)
	}
	text, err := json.Marshal(bundle.SignaturesConfig{Signatures: []string{string(signed)}})
	if err != nil {
		return nil, fmt.Errorf("sign the bundle: %w", err)
	}
	return packed(append([]printed{{signaturesFile, text}}, members...))
}

// hashed is what of a file is hashed: documents as values, whatever their
// layout, everything else byte for byte.
func hashed(m printed) any {
	if !bundle.IsStructuredDoc(m.path) {
		return m.text
	}
	var value any
	if err := util.Unmarshal(m.text, &value); err != nil {
		return m.text
	}
	return value
}

// parse reads the key without ever quoting it.
func (k SigningKey) parse() (jwk.Key, error) {
	if !slices.Contains(Algorithms(), k.Algorithm) {
		return nil, fmt.Errorf("bundles cannot be signed with %q: the algorithms are %s", k.Algorithm, strings.Join(Algorithms(), ", "))
	}
	if k.ID == "" {
		return nil, errors.New("the key that signs bundles has no id: OPA's configuration names the key that verifies by it")
	}
	var key jwk.Key
	var err error
	if k.Algorithm == "HS256" {
		if len(k.Key) < 32 {
			return nil, fmt.Errorf("the key for HS256 has %d bytes: it needs at least 32", len(k.Key))
		}
		key, err = jwk.Import(k.Key)
	} else {
		key, err = jwk.ParseKey(k.Key, jwk.WithPEM(true))
	}
	if err != nil {
		return nil, fmt.Errorf("the key for %s is no private key in PEM", k.Algorithm)
	}
	fits := map[string]bool{}
	switch key.(type) {
	case jwk.SymmetricKey:
		fits["HS256"] = true
	case jwk.RSAPrivateKey:
		fits["RS256"] = true
	case jwk.ECDSAPrivateKey:
		fits["ES256"] = true
	}
	if !fits[k.Algorithm] {
		return nil, fmt.Errorf("the key for %s is no private key of its kind", k.Algorithm)
	}
	if err := key.Set(jwk.KeyIDKey, k.ID); err != nil {
		return nil, fmt.Errorf("the key's id: %w", err)
	}
	return key, nil
}

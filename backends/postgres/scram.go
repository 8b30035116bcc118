package postgres

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/xdg-go/scram"

	"github.com/postern-dev/postern/backends/plan"
)

// Secrets reads the value that a plan's secret refers to. Values are used for
// one verifier and kept nowhere.
type Secrets func(ctx context.Context, s plan.Secret) (string, error)

// scramIterations and scramSalt are what Postgres itself uses
// (scram-common.h: SCRAM_SHA_256_DEFAULT_ITERATIONS, SCRAM_DEFAULT_SALT_LEN).
const (
	scramIterations = 4096
	scramSalt       = 16
)

// errEmptyPassword: Postgres takes an empty password as none.
var errEmptyPassword = errors.New("the password is empty")

// newVerifier makes the SCRAM-SHA-256 verifier of a password (RFC 5802, in
// the text form of RFC 5803 that pg_authid.rolpassword holds), so that the
// password itself never reaches the server.
func newVerifier(password string) (string, error) {
	salt := make([]byte, scramSalt)
	_, _ = rand.Read(salt) // never fails: crypto/rand aborts the program instead
	return verifierWith(password, salt, scramIterations)
}

func verifierWith(password string, salt []byte, iterations int) (string, error) {
	if password == "" {
		return "", errEmptyPassword
	}
	client, err := scram.SHA256.NewClient("", password, "")
	if err != nil {
		// Postgres takes a password that SASLprep refuses as it is.
		client, err = scram.SHA256.NewClientUnprepped("", password, "")
	}
	if err != nil {
		return "", errors.New("the password cannot be used for SCRAM-SHA-256") // the cause may quote it
	}
	keys, err := client.GetStoredCredentialsWithError(scram.KeyFactors{Salt: string(salt), Iters: iterations})
	if err != nil {
		return "", errors.New("the password cannot be used for SCRAM-SHA-256")
	}
	enc := base64.StdEncoding
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, enc.EncodeToString(salt),
		enc.EncodeToString(keys.StoredKey), enc.EncodeToString(keys.ServerKey)), nil
}

// verifies reports whether a verifier is one of this password.
func verifies(verifier, password string) bool {
	rest, ok := strings.CutPrefix(verifier, "SCRAM-SHA-256$")
	if !ok {
		return false
	}
	factors, _, _ := strings.Cut(rest, "$")
	count, salt64, _ := strings.Cut(factors, ":")
	iterations, err := strconv.Atoi(count)
	if err != nil || iterations < 1 || iterations > 1_000_000 {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(salt64)
	if err != nil {
		return false
	}
	same, err := verifierWith(password, salt, iterations)
	return err == nil && subtle.ConstantTimeCompare([]byte(same), []byte(verifier)) == 1
}

package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/rego"
	"github.com/postern-dev/postern/compiler/model"
)

// bundlePath is the artifact that is signed.
const bundlePath = "rego/bundle.tar.gz"

// signFlags say what signs the bundle; without a key it is not signed.
type signFlags struct{ env, file, id, algorithm string }

func (f *signFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.env, "sign-key-env", "", "sign the bundle with the key in this `VARIABLE`")
	cmd.Flags().StringVar(&f.file, "sign-key-file", "", "sign the bundle with the key in `FILE`")
	cmd.Flags().StringVar(&f.id, "sign-key-id", "", "the key's `ID` in OPA's configuration")
	cmd.Flags().StringVar(&f.algorithm, "sign-alg", "", strings.Join(rego.Algorithms(), ", ")+"; default: HS256")
}

// sign signs the bundle among the artifacts, where the flags name a key.
func (s *session) sign(f *signFlags, artifacts []backend.Artifact) error {
	secret, err := f.secret()
	if err != nil || secret == nil {
		return err
	}
	value, err := s.readKey(secret)
	if err != nil {
		return err
	}
	key := rego.SigningKey{ID: f.id, Algorithm: f.algorithm, Key: value}
	if key.Algorithm == "" {
		key.Algorithm = "HS256"
	}
	for i, a := range artifacts {
		if a.Path == bundlePath {
			artifacts[i].Data, err = rego.Sign(a.Data, key)
			return err
		}
	}
	return errors.New("there is no bundle to sign: add --target rego")
}

// secret is where the key is read; nil: nothing is to be signed.
func (f *signFlags) secret() (*model.Secret, error) {
	switch {
	case f.env != "" && f.file != "":
		return nil, errors.New("the key that signs comes from one place: give --sign-key-env or --sign-key-file")
	case f.env != "":
		return &model.Secret{Kind: model.SecretEnv, Name: f.env}, nil
	case f.file != "":
		return &model.Secret{Kind: model.SecretFile, Name: f.file}, nil
	case f.id != "" || f.algorithm != "":
		return nil, errors.New("nothing says where the key that signs is: add --sign-key-env or --sign-key-file")
	}
	return nil, nil
}

// readKey reads a key's bytes; a file's as they stand, for a key need not be text.
func (s *session) readKey(secret *model.Secret) ([]byte, error) {
	if secret.Kind == model.SecretFile {
		data, err := os.ReadFile(secret.Name)
		if err != nil {
			return nil, fmt.Errorf("reading a key: %w", err)
		}
		return data, nil
	}
	value, err := s.read(secret)
	return []byte(value), err
}

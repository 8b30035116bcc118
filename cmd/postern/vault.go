package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/postern-dev/postern/compiler/model"
)

const (
	vaultTimeout = 10 * time.Second
	vaultAnswer  = 1 << 20 // Vault's own limit of a secret is below it
)

// fromVault reads a field of a secret from HashiCorp Vault's key-value store,
// version 1 or 2, by its HTTP API. Where it is and who asks say Vault's own
// variables VAULT_ADDR, VAULT_TOKEN and VAULT_NAMESPACE.
func (s *session) fromVault(secret *model.Secret) (string, error) {
	data, err := s.askVault(secret.Name)
	if err != nil {
		return "", fmt.Errorf("%s cannot be read: %w", secret, err)
	}
	var v string
	raw, ok := data[secret.Field]
	if !ok {
		return "", fmt.Errorf("%s cannot be read: the secret has no such field", secret)
	}
	if err := json.Unmarshal(raw, &v); err != nil || v == "" {
		return "", fmt.Errorf("%s cannot be read: the field holds no text", secret)
	}
	return v, nil
}

// askVault gives the fields of a secret. Its errors hold neither the token nor
// what Vault answers.
func (s *session) askVault(path string) (map[string]json.RawMessage, error) {
	address, token := s.getenv("VAULT_ADDR"), s.getenv("VAULT_TOKEN")
	if address == "" || token == "" {
		return nil, errors.New("VAULT_ADDR and VAULT_TOKEN must be set")
	}
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, errors.New("VAULT_ADDR is no address of http or https")
	}
	ctx, cancel := context.WithTimeout(context.Background(), vaultTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base.JoinPath("v1", path).String(), nil)
	if err != nil {
		return nil, errors.New("VAULT_ADDR is no address of http or https")
	}
	req.Header.Set("X-Vault-Token", token)
	req.Header.Set("X-Vault-Request", "true")
	if ns := s.getenv("VAULT_NAMESPACE"); ns != "" {
		req.Header.Set("X-Vault-Namespace", ns)
	}
	// A redirect would take the token elsewhere.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, errors.New("there is no secret at that path; in version 2 of the store it holds /data/ after the mount")
	case resp.StatusCode == http.StatusForbidden:
		return nil, errors.New("the token is refused for that path")
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it is answered with status %d", resp.StatusCode)
	}
	return vaultFields(io.LimitReader(resp.Body, vaultAnswer), strings.Contains(path, "/data/"))
}

// vaultFields takes the fields out of an answer; version 2 of the store nests
// them beside the secret's metadata.
func vaultFields(body io.Reader, nested bool) (map[string]json.RawMessage, error) {
	var answer struct {
		Data map[string]json.RawMessage `json:"data"`
	}
	if err := json.NewDecoder(body).Decode(&answer); err != nil {
		return nil, errors.New("the answer is not Vault's")
	}
	inner, hasData := answer.Data["data"]
	if _, hasMetadata := answer.Data["metadata"]; !nested || !hasData || !hasMetadata {
		return answer.Data, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(inner, &fields); err != nil {
		return nil, errors.New("the answer is not Vault's")
	}
	return fields, nil
}

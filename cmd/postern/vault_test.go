package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/postern-dev/postern/compiler/model"
)

// TestVault reads secrets from a server that speaks the read API of Vault's
// key-value store, both versions.
func TestVault(t *testing.T) {
	t.Parallel()
	answers := map[string]string{ // #nosec G101 -- made up for this test
		"/v1/secret/data/crm":  `{"data": {"data": {"password": "hidden", "port": 5432, "none": ""}, "metadata": {"version": 3}}}`,
		"/v1/kv/crm":           `{"data": {"password": "older", "data": "a field"}}`,
		"/v1/secret/data/gone": `{"data": {"data": null, "metadata": {"deletion_time": "2026-01-01T00:00:00Z"}}}`,
		"/v1/secret/data/html": `<html>`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Vault-Token") != "the token" || r.Header.Get("X-Vault-Namespace") != "team":
			w.WriteHeader(http.StatusForbidden)
		case strings.HasSuffix(r.URL.Path, "/elsewhere"):
			http.Redirect(w, r, "/v1/kv/crm", http.StatusTemporaryRedirect)
		case answers[r.URL.Path] == "":
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = w.Write([]byte(answers[r.URL.Path]))
		}
	}))
	t.Cleanup(server.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	good := map[string]string{"VAULT_ADDR": server.URL, "VAULT_TOKEN": "the token", "VAULT_NAMESPACE": "team"}
	with := func(name, value string) map[string]string {
		out := map[string]string{}
		for k, v := range good {
			out[k] = v
		}
		out[name] = value
		return out
	}
	for name, c := range map[string]struct {
		env               map[string]string
		path, field, want string
		fails             string
	}{
		"version 2":        {good, "secret/data/crm", "password", "hidden", ""},
		"version 1":        {good, "kv/crm", "password", "older", ""},
		"a field data":     {good, "kv/crm", "data", "a field", ""},
		"no field":         {good, "secret/data/crm", "user", "", "no such field"},
		"no text":          {good, "secret/data/crm", "port", "", "holds no text"},
		"empty":            {good, "secret/data/crm", "none", "", "holds no text"},
		"deleted":          {good, "secret/data/gone", "password", "", "no such field"},
		"no secret":        {good, "secret/data/none", "password", "", "no secret at that path"},
		"not Vault":        {good, "secret/data/html", "password", "", "not Vault's"},
		"sends elsewhere":  {good, "kv/elsewhere", "password", "", "status 307"},
		"another token":    {with("VAULT_TOKEN", "the wrong token"), "kv/crm", "password", "", "token is refused"},
		"no token":         {with("VAULT_TOKEN", ""), "kv/crm", "password", "", "must be set"},
		"no address":       {with("VAULT_ADDR", "localhost"), "kv/crm", "password", "", "no address"},
		"nobody is there":  {with("VAULT_ADDR", closed.URL), "kv/crm", "password", "", "refused"},
		"address and path": {with("VAULT_ADDR", server.URL+"/"), "kv/crm", "password", "older", ""},
	} {
		s := &session{getenv: func(k string) string { return c.env[k] }}
		got, err := s.read(&model.Secret{Kind: model.SecretVault, Name: c.path, Field: c.field})
		if c.fails == "" {
			if err != nil || got != c.want {
				t.Errorf("%s: %q, %v", name, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.fails) || strings.Contains(err.Error(), "hidden") || strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

package rego

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"github.com/open-policy-agent/opa/v1/bundle"

	"github.com/postern-dev/postern/backends/rego/opatest"
	"github.com/postern-dev/postern/compiler/model"
)

// pair is a key that signs and the one that verifies, as OPA's configuration
// takes it.
type pair struct {
	private []byte
	public  string
}

func keys(t *testing.T, algorithm string) pair {
	t.Helper()
	private := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	public := func(key any) string {
		der, err := x509.MarshalPKIXPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	}
	switch algorithm {
	case "RS256":
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		return pair{private(key), public(&key.PublicKey)}
	case "ES256":
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return pair{private(key), public(&key.PublicKey)}
	}
	secret := strings.ToLower(rand.Text() + rand.Text())
	return pair{[]byte(secret), secret}
}

// bundleOf is a bundle with this revision.
func bundleOf(t *testing.T, p *model.Program, revision string) []byte {
	t.Helper()
	p.Revision = revision
	c, err := newContent(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	data, err := c.pack()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A running OPA takes what is signed with its key, refuses everything else, and
// keeps deciding by the last good bundle.
func TestSignedBundles(t *testing.T) {
	t.Parallel()
	for _, algorithm := range Algorithms() {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			p := hostileProgram("acme")
			good, bad := keys(t, algorithm), keys(t, algorithm)
			sign := func(revision string, k pair) []byte {
				t.Helper()
				data, err := Sign(bundleOf(t, p, revision), SigningKey{ID: "main", Algorithm: algorithm, Key: k.private})
				if err != nil {
					t.Fatal(err)
				}
				return data
			}
			host := opatest.NewHost(t)
			host.Set("acme", sign("one", good))
			url := opatest.Start(t, opatest.Options{
				Host: host, Bundles: []string{"acme"},
				Keys:    map[string]any{"main": map[string]any{"key": good.public, "algorithm": algorithm}},
				Signing: map[string]string{"keyid": "main"},
			})
			host.Await(t, "acme", func(s opatest.Status) bool { return s.Revision == "one" && s.Code == "" })
			changed, err := unpacked(sign("two", good))
			if err != nil {
				t.Fatal(err)
			}
			for i := range changed {
				changed[i].text = bytes.Replace(changed[i].text, []byte("default allow := false"), []byte("default allow := true "), 1)
			}
			forged, err := packed(changed)
			if err != nil {
				t.Fatal(err)
			}
			whole := sign("two", good)
			for _, x := range []struct {
				what    string
				data    []byte
				message string
			}{
				{"another key", sign("two", bad), "failed to verify JWT signature"},
				{"no signature", bundleOf(t, p, "two"), "bundle missing .signatures.json file"},
				{"a changed file", forged, "digest mismatch"},
				{"cut short", whole[:len(whole)/2], "unexpected EOF"},
			} {
				host.Set("acme", x.data)
				s := host.Await(t, "acme", func(s opatest.Status) bool { return s.Code != "" && strings.Contains(s.Message, x.message) })
				if s.Revision != "one" {
					t.Errorf("%s: revision %s is active", x.what, s.Revision)
				}
				if !allowed(t, url) {
					t.Errorf("%s: the last good bundle no longer decides", x.what)
				}
			}
			host.Set("acme", sign("three", good))
			host.Await(t, "acme", func(s opatest.Status) bool { return s.Revision == "three" && s.Code == "" })
		})
	}
}

// allowed asks a running OPA, by the rules of hostileProgram.
func allowed(t *testing.T, url string) bool {
	t.Helper()
	body := strings.NewReader(`{"input": {"user": {"id": "me"}, "table": "A", "action": "view", "record": {"A": "me"}}}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/data/postern/acme/A/allow", body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var out struct {
		Result bool `json:"result"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Result
}

func TestSignIsReproducible(t *testing.T) {
	t.Parallel()
	data := bundleOf(t, hostileProgram("acme"), "")
	key := SigningKey{ID: "main", Algorithm: "RS256", Key: keys(t, "RS256").private}
	one, err := Sign(data, key)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Sign(one, key) // a signature replaces the one that is there
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one, two) {
		t.Error("the same bundle and key gave different bytes")
	}
	if _, err := bundle.NewReader(bytes.NewReader(one)).WithSkipBundleVerification(true).Read(); err != nil {
		t.Error(err)
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	const secret = "do-not-quote-me"
	data := bundleOf(t, hostileProgram("acme"), "")
	for want, key := range map[string]SigningKey{
		"bundles cannot be signed with":                   {ID: "a", Algorithm: "none", Key: []byte(secret)},
		"the key that signs bundles has no id":            {Algorithm: "HS256", Key: []byte(secret)},
		"the key for HS256 has 15 bytes":                  {ID: "a", Algorithm: "HS256", Key: []byte(secret)},
		"the key for RS256 is no private key in PEM":      {ID: "a", Algorithm: "RS256", Key: []byte(secret)},
		"the key for RS256 is no private key of its kind": {ID: "a", Algorithm: "RS256", Key: keys(t, "ES256").private},
		"the key for ES256 is no private key of its kind": {ID: "a", Algorithm: "ES256", Key: []byte(keys(t, "ES256").public)},
	} {
		_, err := Sign(data, key)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%v, and not %q", err, want)
		}
	}
	if _, err := Sign([]byte("no bundle"), SigningKey{ID: "a", Algorithm: "HS256", Key: bytes.Repeat([]byte("k"), 32)}); err == nil {
		t.Error("something that is no bundle was signed")
	}
}

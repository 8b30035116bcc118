package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
)

// tokens are the bearer tokens that open the server, as hashes, so that
// comparing takes the same time for all of them.
type tokens [][sha256.Size]byte

// parseTokens reads one token a line; empty lines and lines that begin with
// "#" do not count.
func parseTokens(text string) (tokens, error) {
	var out tokens
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) < minToken {
			return nil, fmt.Errorf("a bearer token has less than %d characters", minToken)
		}
		out = append(out, sha256.Sum256([]byte(line)))
	}
	if len(out) == 0 {
		return nil, errors.New("there is no bearer token")
	}
	return out, nil
}

// minToken is how short a token may be: 16 characters of hexadecimal digits
// hold 64 bits, which cannot be guessed over a network.
const minToken = 16

// accept reports whether a request carries one of the tokens.
func (t tokens) accept(r *http.Request) bool {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return false
	}
	got, good := sha256.Sum256([]byte(strings.TrimSpace(token))), 0
	for i := range t {
		good |= subtle.ConstantTimeCompare(got[:], t[i][:])
	}
	return good == 1
}

// credentials are what the server shows and asks for; they are read again with
// every reload.
type credentials struct {
	options *Options
	tokens  atomic.Pointer[tokens] // nil: none are asked for
	cert    atomic.Pointer[tls.Certificate]
	clients atomic.Pointer[x509.CertPool]
}

// load reads tokens and certificates; on an error those in force stay.
func (c *credentials) load() error {
	return errors.Join(c.loadTokens(), c.loadCertificate(), c.loadClients())
}

func (c *credentials) loadTokens() error {
	text := c.options.Token
	if c.options.TokenFile != "" {
		data, err := os.ReadFile(c.options.TokenFile)
		if err != nil {
			return fmt.Errorf("read the bearer tokens: %w", err)
		}
		text = string(data)
	}
	if text == "" && c.options.TokenFile == "" {
		return nil
	}
	t, err := parseTokens(text)
	if err != nil {
		return err
	}
	c.tokens.Store(&t)
	return nil
}

func (c *credentials) loadCertificate() error {
	if c.options.CertFile == "" {
		return nil
	}
	cert, err := tls.LoadX509KeyPair(c.options.CertFile, c.options.KeyFile)
	if err != nil {
		return fmt.Errorf("read the server's certificate: %w", err)
	}
	c.cert.Store(&cert)
	return nil
}

func (c *credentials) loadClients() error {
	if c.options.ClientCAFile == "" {
		return nil
	}
	data, err := os.ReadFile(c.options.ClientCAFile)
	if err != nil {
		return fmt.Errorf("read the certificate authorities of clients: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return fmt.Errorf("%s holds no certificate in PEM form", c.options.ClientCAFile)
	}
	c.clients.Store(pool)
	return nil
}

// tlsConfig is nil without a certificate.
func (c *credentials) tlsConfig() *tls.Config {
	if c.options.CertFile == "" {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		now := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*c.cert.Load()}, NextProtos: []string{"h2", "http/1.1"}}
		if pool := c.clients.Load(); pool != nil {
			now.ClientCAs, now.ClientAuth = pool, tls.RequireAndVerifyClientCert
		}
		return now, nil
	}
	config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.cert.Load(), nil }
	return config
}

// guard lets only requests with a token through, where tokens are asked for.
// Client certificates are checked before, by TLS.
func (c *credentials) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if t := c.tokens.Load(); t != nil && !t.accept(r) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="postern"`)
			http.Error(w, "a bearer token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkExposure refuses to listen where others can reach the server in clear
// or without credentials, unless that is wanted.
func checkExposure(o *Options, addr net.Addr) error {
	tcp, ok := addr.(*net.TCPAddr)
	if o.Insecure || ok && tcp.IP.IsLoopback() {
		return nil
	}
	var lacks []string
	if o.CertFile == "" {
		lacks = append(lacks, "TLS (--tls-cert, --tls-key)")
	}
	if o.Token == "" && o.TokenFile == "" && o.ClientCAFile == "" {
		lacks = append(lacks, "credentials of clients (--token-file, --token-env or --client-ca)")
	}
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("%s is not a loopback address, and the server lacks %s; --insecure listens there all the same", addr, strings.Join(lacks, " and "))
}

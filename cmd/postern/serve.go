package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/postern-dev/postern/backends/backend"
	"github.com/postern-dev/postern/backends/jsondoc"
	"github.com/postern-dev/postern/cmd/internal/targets"
	"github.com/postern-dev/postern/cmd/internal/view"
	"github.com/postern-dev/postern/compiler"
	"github.com/postern-dev/postern/serve"
)

// serveFlags say how a server runs.
type serveFlags struct {
	inputFlags
	sign        signFlags
	options     serve.Options
	tokenEnv    string
	decisionLog string
	records     []string
	noBundle    bool
}

func newServe(s *session) *cobra.Command {
	f := &serveFlags{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer AuthZEN requests and serve the bundle to OPA",
		Long: "Answers the OpenID AuthZEN Authorization API 1.0 by the JSON engine, and serves the Rego bundle to\n" +
			"OPAs that follow it. The project is read again when it changes, and on SIGHUP; while it has errors,\n" +
			"the last good policies stay in force.",
		Example: "  postern serve\n" +
			"  postern serve --rev main --decision-log -\n" +
			"  postern serve --listen :8443 --tls-cert pdp.crt --tls-key pdp.key --token-env PDP_TOKEN",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return s.serve(cmd.Context(), f) },
	}
	f.add(cmd)
	f.sign.add(cmd)
	flags, o := cmd.Flags(), &f.options
	flags.StringVar(&o.Listen, "listen", "127.0.0.1:8180", "the `ADDRESS` to listen on; beyond loopback only with TLS and credentials")
	flags.StringVar(&o.CertFile, "tls-cert", "", "the server's certificate, a PEM `FILE`")
	flags.StringVar(&o.KeyFile, "tls-key", "", "the key of the certificate, a PEM `FILE`")
	flags.StringVar(&o.ClientCAFile, "client-ca", "", "ask clients for a certificate of an authority in this PEM `FILE`")
	flags.StringVar(&f.tokenEnv, "token-env", "", "ask clients for the bearer token in this `VARIABLE`")
	flags.StringVar(&o.TokenFile, "token-file", "", "ask clients for one of the bearer tokens in `FILE`, one a line")
	flags.BoolVar(&o.Insecure, "insecure", false, "listen beyond loopback without TLS or credentials too")
	flags.Int64Var(&o.MaxBody, "max-body", serve.DefaultMaxBody, "the largest body of a request, in `BYTES`")
	flags.DurationVar(&o.Timeout, "timeout", serve.DefaultTimeout, "how long a request may take")
	flags.DurationVar(&o.Grace, "grace", serve.DefaultGrace, "how long requests may take to end when the server stops")
	flags.DurationVar(&o.Poll, "poll", 2*time.Second, "how often to look whether the project has changed; 0: only on SIGHUP")
	flags.StringVar(&o.URL, "url", "", "the `URL` by which clients know the server, for its metadata")
	flags.StringVar(&f.decisionLog, "decision-log", "", "append a JSON line for each decision to `FILE`; - is standard output")
	flags.BoolVar(&o.Reasons, "log-reasons", false, "name the policies and guards that decided in the decision log")
	flags.StringArrayVar(&f.records, "records", nil, "look up records of this `DATASOURCE` that requests name by id; may be repeated")
	flags.BoolVar(&f.noBundle, "no-bundle", false, "serve no bundle")
	_ = cmd.RegisterFlagCompletionFunc("records", s.completeDatasource)
	cmd.MarkFlagsMutuallyExclusive("token-env", "token-file")
	return cmd
}

func (s *session) serve(ctx context.Context, f *serveFlags) error {
	if f.tokenEnv != "" {
		if f.options.Token = s.getenv(f.tokenEnv); f.options.Token == "" {
			return fmt.Errorf("the environment variable %s is not set", f.tokenEnv)
		}
	}
	out, end, err := s.decisionLog(f.decisionLog)
	if err != nil {
		return err
	}
	defer end()
	f.options.Decision = out
	f.options.Log = slog.New(slog.NewJSONHandler(s.err, nil))
	lookup := newLookup(s)
	defer lookup.close()
	server, err := serve.New(ctx, serve.Source{
		Build: func(ctx context.Context) (*serve.Policy, error) { return s.buildPolicy(ctx, f, lookup) },
		State: func(ctx context.Context) (string, error) { return s.sourceState(ctx, &f.inputFlags) },
	}, f.options)
	if err != nil {
		return err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go func() {
		for {
			select {
			case <-hangup:
				server.Reload()
			case <-ctx.Done():
				return
			}
		}
	}()
	return server.Run(ctx, func(a net.Addr) {
		_ = view.Serving(s.diagnostics(), a.String(), f.options.CertFile != "") // the answers are what counts
	})
}

// decisionLog opens the decision log; nil when there is none.
func (s *session) decisionLog(path string) (io.Writer, func(), error) {
	switch path {
	case "":
		return nil, func() {}, nil
	case "-":
		return s.out, func() {}, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the decision log: %w", err)
	}
	return file, func() { _ = file.Close() }, nil
}

// buildPolicy compiles the project as it is now. Its errors are diagnostics.
func (s *session) buildPolicy(ctx context.Context, f *serveFlags, lookup *lookup) (*serve.Policy, error) {
	set, err := s.sources(ctx, &f.inputFlags)
	if err != nil {
		return nil, err
	}
	in, err := s.inputs(&f.inputFlags)
	if err != nil {
		return nil, err
	}
	program, list := compiler.Compile(ctx, set, in)
	if err := list.Err(); err != nil {
		return nil, err
	}
	names := []string{"json", "rego"}
	if f.noBundle {
		names = names[:1]
	}
	if err := targets.Audit(program, names).Err(); err != nil {
		return nil, err
	}
	artifacts, err := targets.Emit(ctx, program, names)
	if err != nil {
		return nil, err
	}
	if !f.noBundle {
		if err := s.sign(&f.sign, artifacts); err != nil {
			return nil, err
		}
	}
	records, err := lookup.of(program, f.records)
	if err != nil {
		return nil, err
	}
	policy := &serve.Policy{
		Document: artifact(artifacts, jsondoc.DocumentPath), Bundle: artifact(artifacts, bundlePath), Records: records,
	}
	if program.HashKey != nil {
		if policy.HashKey, err = s.read(program.HashKey); err != nil {
			return nil, err
		}
	}
	return policy, nil
}

func artifact(list []backend.Artifact, path string) []byte {
	for _, a := range list {
		if a.Path == path {
			return a.Data
		}
	}
	return nil
}

// sourceState is a hash of all that a project is compiled from, but for
// modules that stand elsewhere.
func (s *session) sourceState(ctx context.Context, f *inputFlags) (string, error) {
	set, err := s.sources(ctx, f)
	if err != nil {
		return "", err
	}
	in, err := s.inputs(f)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	part := func(text string) { _, _ = fmt.Fprintf(h, "%d:%s", len(text), text) }
	part(set.Revision)
	for _, file := range set.Files {
		part(file.Name)
		part(string(file.Data))
	}
	for _, a := range in.Assignments {
		if a.File != nil {
			part(string(a.File.Data))
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/postern-dev/postern/serve/authzen"
)

// Options say how a server runs. The zero value of a limit is its default.
type Options struct {
	Listen string // host:port

	CertFile, KeyFile string // TLS; both or none
	ClientCAFile      string // clients must show a certificate of one of these authorities
	Token             string // bearer tokens, one a line
	TokenFile         string // the same in a file
	Insecure          bool   // listen beyond loopback without TLS or credentials too

	MaxBody  int64         // bytes of a request's body
	Timeout  time.Duration // of a request, but for those that wait for a bundle
	Grace    time.Duration // how long requests may take to end when the server stops
	Poll     time.Duration // how often the source is looked at; 0: never
	URL      string        // of the decision point, for its metadata
	Decision io.Writer     // the decision log; nil: none
	Reasons  bool          // the decision log names the policies and guards that decided
	Log      *slog.Logger  // what happens to the server; nil: the default
}

// The limits where options set none.
const (
	DefaultMaxBody = 1 << 20
	DefaultTimeout = 10 * time.Second
	DefaultGrace   = 10 * time.Second
)

// requestID is the header by which clients tell requests apart.
const requestID = "X-Request-ID"

// Server answers from the policies of a source.
type Server struct {
	options     Options
	policies    *policies
	credentials *credentials
	metrics     *metrics
	decisions   *decisionLog
	stopping    chan struct{} // closed when the server stops
	reload      chan struct{}
	handler     http.Handler
}

// New loads the policies and makes a server of them; it does not listen yet.
func New(ctx context.Context, source Source, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		return nil, errors.New("TLS needs a certificate and its key (--tls-cert, --tls-key)")
	}
	if o.ClientCAFile != "" && o.CertFile == "" {
		return nil, errors.New("client certificates need TLS (--tls-cert, --tls-key)")
	}
	o.MaxBody, o.Timeout, o.Grace = orDefault(o.MaxBody, DefaultMaxBody), orDefault(o.Timeout, DefaultTimeout), orDefault(o.Grace, DefaultGrace)
	s := &Server{options: o, metrics: newMetrics(), stopping: make(chan struct{}), reload: make(chan struct{}, 1)}
	s.credentials = &credentials{options: &s.options}
	if err := s.credentials.load(); err != nil {
		return nil, err
	}
	if o.Decision != nil {
		s.decisions = newDecisionLog(o.Decision, o.Log)
	}
	s.policies = newPolicies(source, o.Log, s.metrics)
	if err := s.policies.load(ctx); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

func orDefault[T int64 | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}

// Reload loads policies and credentials anew, soon.
func (s *Server) Reload() {
	select {
	case s.reload <- struct{}{}:
	default: // one is on its way
	}
}

// Handler answers the server's requests.
func (s *Server) Handler() http.Handler { return s.handler }

// routes are the paths of the server. Health is open to all, as probes carry no
// credentials and it tells nothing; with client certificates TLS asks them too.
func (s *Server) routes() http.Handler {
	api := &authzen.Handler{
		Policies: s.policies.decider, Observe: s.observe, Reasons: s.options.Reasons && s.decisions != nil, URL: s.options.URL, Log: s.options.Log,
	}
	guarded := http.NewServeMux()
	api.Register(guarded)
	guarded.HandleFunc("GET /bundle.tar.gz", s.serveBundle)
	guarded.Handle("GET /metrics", s.metrics.handler())
	guarded.HandleFunc("GET /openapi.json", serveOpenAPI)

	mux := http.NewServeMux()
	mux.Handle("/", s.credentials.guard(s.limited(guarded)))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	return s.measured(mux)
}

// ready tells whether the server takes requests: not while it stops.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	select {
	case <-s.stopping:
		http.Error(w, "stopping", http.StatusServiceUnavailable)
	default:
		_, _ = io.WriteString(w, "ok\n")
	}
}

// limited bounds a request's body and time.
func (s *Server) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, s.options.MaxBody)
		if r.Method == http.MethodPost {
			ctx, cancel := context.WithTimeout(r.Context(), s.options.Timeout)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// status remembers the status of an answer.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

// Unwrap is for http.ResponseController.
func (s *status) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// measured counts the requests, and gives each its identifier back.
func (s *Server) measured(next *http.ServeMux) http.Handler {
	known := map[string]string{
		authzen.EvaluationPath: "evaluation", authzen.EvaluationsPath: "evaluations", authzen.SearchSubjectPath: "search_subject",
		authzen.SearchResourcePath: "search_resource", authzen.SearchActionPath: "search_action", authzen.MetadataPath: "metadata",
		"/bundle.tar.gz": "bundle", "/metrics": "metrics", "/openapi.json": "openapi", "/healthz": "health", "/readyz": "health",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		if id := r.Header.Get(requestID); id != "" {
			w.Header().Set(requestID, id)
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		out := &status{ResponseWriter: w, code: http.StatusOK}
		next.ServeHTTP(out, r)
		endpoint, ok := known[r.URL.Path]
		if !ok {
			endpoint = "other"
		}
		s.metrics.answered(endpoint, out.code, time.Since(start))
	})
}

func (s *Server) observe(r *http.Request, d *authzen.Decision) {
	s.metrics.decided(d.Endpoint, d.Allowed || d.Results > 0, d.Error != "")
	if s.decisions != nil {
		s.decisions.write(r, d)
	}
}

// Run listens and answers until the context ends; then it lets requests end,
// for as long as the options give them. listening is told the address; it may
// be nil.
func (s *Server) Run(ctx context.Context, listening func(net.Addr)) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.options.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if err := checkExposure(&s.options, listener.Addr()); err != nil {
		return errors.Join(err, listener.Close())
	}
	if listening != nil {
		listening(listener.Addr())
	}
	server := &http.Server{
		Handler: s.handler, TLSConfig: s.credentials.tlsConfig(), ErrorLog: slog.NewLogLogger(s.options.Log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: s.options.Timeout, WriteTimeout: s.options.Timeout + 5*time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	var background sync.WaitGroup
	following, stopFollowing := context.WithCancel(ctx)
	background.Go(func() { s.follow(following) })
	failed := make(chan error, 1)
	go func() {
		if server.TLSConfig != nil {
			failed <- server.ServeTLS(listener, "", "")
		} else {
			failed <- server.Serve(listener)
		}
	}()
	select {
	case err = <-failed:
	case <-ctx.Done():
		close(s.stopping)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.options.Grace)
		err = server.Shutdown(grace)
		cancel()
	}
	stopFollowing()
	background.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// follow keeps policies and credentials up to date.
func (s *Server) follow(ctx context.Context) {
	now := make(chan struct{})
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.reload:
			}
			if err := s.credentials.load(); err != nil {
				s.options.Log.Error("tokens or certificates could not be reloaded; those in force stay", "error", err)
			}
			select {
			case now <- struct{}{}:
			case <-ctx.Done():
			}
		}
	})
	s.policies.follow(ctx, s.options.Poll, now)
	passing.Wait()
}

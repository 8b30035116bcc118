package throwaway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	superuser  = "postgres"
	loopback   = "127.0.0.1"
	startLimit = 60 * time.Second
	stopLimit  = 20 * time.Second

	// portTries bounds how often Start picks another port after a clash.
	portTries = 5
)

// Options says which Postgres to start and how. The zero value starts the
// newest one that is installed.
type Options struct {
	// BinDir is the directory that holds initdb and postgres. When it is set
	// nothing else is searched. Empty: see [EnvBinDir] and the usual places.
	BinDir string
	// Download allows fetching Postgres from the network when none is installed.
	Download bool
	// Settings are server settings (postgresql.conf names and values) that are
	// added to, and win over, the ones this package chooses.
	Settings map[string]string
	// Parent is the directory in which the cluster's directory is made.
	// Empty: TMPDIR, else on Linux /dev/shm where it has room, else /tmp.
	Parent string
}

// Server is one running throw-away cluster. Its methods may be called from
// several goroutines; Stop, Kill and Restart exclude each other.
type Server struct {
	dir      string // holds data/ and the log; removed by Stop
	bins     binaries
	account  account
	settings map[string]string
	password string
	port     int
	janitor  *janitor

	mu      sync.Mutex
	proc    *process // nil while the server is down
	stopped bool
}

// Start makes a cluster and waits until it answers. ctx bounds the start only;
// the server runs until Stop, or until this process ends. Without an installed
// Postgres (and without Options.Download) the error is a [*NotFoundError].
func Start(ctx context.Context, opts Options) (*Server, error) {
	bins, err := find(ctx, opts) // may download, which has no limit but the caller's
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	acc, err := serverAccount()
	if err != nil {
		return nil, err
	}
	dir, err := makeDir(opts.Parent, acc)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, bins: bins, account: acc, settings: settings(opts.Settings)}
	if s.janitor, err = startJanitor(dir, acc); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.create(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("start a throw-away Postgres: %w", err), s.Stop())
	}
	return s, nil
}

// create fills the data directory and starts the server on a free port.
func (s *Server) create(ctx context.Context) error {
	password, err := fromTemplate(ctx, s.bins, s.account, s.dataDir())
	if err != nil {
		return err
	}
	s.password = password
	s.mu.Lock()
	defer s.mu.Unlock()
	for try := 1; ; try++ {
		if s.port, err = freePort(ctx); err != nil {
			return err
		}
		err = s.run(ctx)
		if !errors.Is(err, errPortTaken) || try == portTries {
			return err
		}
	}
}

// Host is the address the server listens on: always 127.0.0.1.
func (s *Server) Host() string { return loopback }

// Port is the TCP port the server listens on; it stays the same over Restart.
func (s *Server) Port() int { return s.port }

// Version is the build's own words, such as "initdb (PostgreSQL) 15.18".
func (s *Server) Version() string { return s.bins.version }

// URL is a connection URL of the superuser for database db. The cluster is
// made with the database "postgres" alone, beside the two templates.
func (s *Server) URL(db string) string { return s.RoleURL(superuser, s.password, db) }

// RoleURL is a connection URL of any role that may log in with a password.
func (s *Server) RoleURL(role, password, db string) string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(role, password),
		Host:     loopback + ":" + strconv.Itoa(s.port),
		Path:     "/" + db,
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// CreateDatabase makes an empty database from template0.
func (s *Server) CreateDatabase(ctx context.Context, name string) error {
	return s.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE template0")
}

// DropDatabase removes a database and ends the sessions that still use it.
func (s *Server) DropDatabase(ctx context.Context, name string) error {
	return s.exec(ctx, "DROP DATABASE "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

func (s *Server) exec(ctx context.Context, sql string) (err error) {
	conn, err := pgx.Connect(ctx, s.URL(superuser))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	_, err = conn.Exec(ctx, sql)
	return err
}

// Log is everything the server has written to its log since it was made.
func (s *Server) Log() (string, error) {
	text, err := os.ReadFile(s.logFile())
	return string(text), err
}

// Restart ends every session, stops the server where it runs, and starts it
// again on the same port with the same data.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return errStopped
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := s.end(fastShutdown); err != nil {
		return err
	}
	if err := s.run(ctx); err != nil {
		return fmt.Errorf("restart a throw-away Postgres: %w", err)
	}
	return nil
}

// Kill takes the server down at once, as a crash would: sessions break off and
// no checkpoint is written. The data stays, so that Restart recovers it; Stop
// must still be called.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(immediateShutdown)
}

// Stop ends every session and the server, and removes the cluster's directory.
// A second Stop does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	err := s.end(fastShutdown)
	return errors.Join(err, os.RemoveAll(s.dir), s.janitor.dismiss())
}

// run starts the server on s.port and waits until it answers; s.mu is held.
func (s *Server) run(ctx context.Context) error {
	before, err := s.Log()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	proc, err := startProcess(s.bins.postgres, s.arguments(), s.dir, s.logFile(), s.account)
	if err != nil {
		return err
	}
	s.proc = proc
	if err := s.await(ctx); err != nil {
		log, logErr := s.Log()
		if strings.Contains(strings.TrimPrefix(log, before), "could not bind") {
			err = errPortTaken
		}
		return errors.Join(fmt.Errorf("%w; the end of its log:\n%s", err, tail(log)), logErr, s.end(immediateShutdown))
	}
	return nil
}

// end takes the server down where it runs; s.mu is held.
func (s *Server) end(how shutdown) error {
	if s.proc == nil {
		return nil
	}
	err := s.proc.end(how, stopLimit)
	s.proc = nil
	return err
}

// await polls until the server answers as ours, or has ended, or ctx is over.
func (s *Server) await(ctx context.Context) error {
	// Whoever else listens on the port may never answer a ping, so the end of
	// our server also ends the ping.
	pings, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		select {
		case <-s.proc.done:
		case <-pings.Done():
		}
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		last := s.ping(pings)
		if last == nil {
			return nil
		}
		select {
		case <-s.proc.done:
			return fmt.Errorf("postgres ended while it started (%s)", s.proc.state())
		case <-ctx.Done():
			return fmt.Errorf("postgres gave no answer in time: %w", errors.Join(ctx.Err(), last))
		case <-tick.C:
		}
	}
}

// ping asks for the data directory: another server that took the port between
// our choice and our start must not be mistaken for this one.
func (s *Server) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.URL(superuser))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	var dir string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&dir); err != nil {
		return err
	}
	if dir != s.dataDir() {
		return fmt.Errorf("port %d belongs to the server of %s", s.port, dir)
	}
	return nil
}

func (s *Server) dataDir() string { return filepath.Join(s.dir, "data") }
func (s *Server) logFile() string { return filepath.Join(s.dir, "postgres.log") }

var (
	errPortTaken = errors.New("the port is taken by another program")
	errStopped   = errors.New("the throw-away Postgres has been stopped for good")
)

// tail is the last lines of a log, for an error message.
func tail(log string) string {
	const lines = 12
	all := strings.Split(strings.TrimRight(log, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

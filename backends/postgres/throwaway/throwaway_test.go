//go:build unix

package throwaway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
)

// envOrphan makes the test binary start a server and then wait to be killed.
const envOrphan = "POSTERN_TEST_ORPHAN_PARENT"

func TestMain(m *testing.M) {
	if parent := os.Getenv(envOrphan); parent != "" {
		os.Exit(orphan(parent))
	}
	os.Exit(m.Run())
}

func TestServesOnLoopbackWithPasswords(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway.Options{Settings: map[string]string{"work_mem": "5MB"}})
	conn := connect(t, s.URL("postgres"))
	if got := text(t, conn, "SHOW work_mem"); got != "5MB" {
		t.Errorf("work_mem = %s, want 5MB", got)
	}
	if got := text(t, conn, "SHOW listen_addresses"); got != "127.0.0.1" {
		t.Errorf("listen_addresses = %q, want 127.0.0.1", got)
	}
	if got := text(t, conn, "SELECT inet_server_addr()::text"); !strings.HasPrefix(got, s.Host()) {
		t.Errorf("the server's address is %s, Host says %s", got, s.Host())
	}
	execute(t, conn, `CREATE ROLE "Mixed; role" LOGIN PASSWORD 'p/@ss:w?rd'`)
	if got := text(t, connect(t, s.RoleURL("Mixed; role", "p/@ss:w?rd", "postgres")), "SELECT current_user::text"); got != "Mixed; role" {
		t.Errorf("logged in as %q", got)
	}
	for _, u := range []string{s.RoleURL("Mixed; role", "wrong", "postgres"), s.RoleURL("postgres", "", "postgres")} {
		_, err := pgx.Connect(t.Context(), u)
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || pgErr.Code != "28P01" {
			t.Errorf("login with a wrong password gives %v, want SQLSTATE 28P01 (invalid_password)", err)
		}
	}
}

func TestDatabasesOfHostileNames(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway.Options{})
	for _, name := range []string{`x"; DROP DATABASE postgres; --`, "Mixed Case/?#%41", "été"} {
		if err := s.CreateDatabase(t.Context(), name); err != nil {
			t.Fatalf("create %q: %v", name, err)
		}
		if got := text(t, connect(t, s.URL(name)), "SELECT current_database()::text"); got != name {
			t.Errorf("connected to %q, want %q", got, name)
		}
		if err := s.DropDatabase(t.Context(), name); err != nil {
			t.Errorf("drop %q with an open session: %v", name, err)
		}
	}
}

func TestTwoServersInParallel(t *testing.T) {
	t.Parallel()
	type result struct {
		server *throwaway.Server
		err    error
	}
	results := make(chan result)
	for range 2 {
		go func() {
			s, err := throwaway.Start(context.Background(), throwaway.Options{})
			results <- result{s, err}
		}()
	}
	ports := map[int]bool{}
	for range 2 {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
			continue
		}
		t.Cleanup(func() { stop(t, r.server) })
		ports[r.server.Port()] = true
		if got := text(t, connect(t, r.server.URL("postgres")), "SELECT inet_server_port()::text"); got != strconv.Itoa(r.server.Port()) {
			t.Errorf("port %s answers for the server on %d", got, r.server.Port())
		}
	}
	if len(ports) != 2 {
		t.Errorf("two servers on ports %v", ports)
	}
}

func TestRestartAndKillKeepDataAndPort(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway.Options{})
	conn := connect(t, s.URL("postgres"))
	execute(t, conn, "CREATE TABLE kept AS SELECT 'here'::text AS v")
	port := s.Port()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT 1"); err == nil {
		t.Error("a session lives through Restart")
	}
	if got := text(t, connect(t, s.URL("postgres")), "SELECT v FROM kept"); got != "here" || s.Port() != port {
		t.Errorf("after Restart: %q on port %d, want here on %d", got, s.Port(), port)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := pgx.Connect(t.Context(), s.URL("postgres")); err == nil {
		t.Error("the server answers after Kill")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := text(t, connect(t, s.URL("postgres")), "SELECT v FROM kept"); got != "here" {
		t.Errorf("after Kill and Restart: %q", got)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err == nil {
		t.Error("Restart after Stop gives no error")
	}
	if err := s.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}

func TestRestartOnTakenPort(t *testing.T) {
	t.Parallel()
	s := start(t, throwaway.Options{})
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort(s.Host(), strconv.Itoa(s.Port())))
	if err != nil {
		t.Fatal(err)
	}
	err = s.Restart(t.Context())
	if err == nil || !strings.Contains(err.Error(), "taken by another program") {
		t.Errorf("Restart on a taken port: %v", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Errorf("Restart once the port is free: %v", err)
	}
}

func TestWrongSettingShowsLogAndLeavesNothing(t *testing.T) {
	t.Parallel()
	parent := openDir(t)
	_, err := throwaway.Start(t.Context(), throwaway.Options{Parent: parent, Settings: map[string]string{"no_such_setting": "1"}})
	if err == nil || !strings.Contains(err.Error(), `unrecognized configuration parameter "no_such_setting"`) {
		t.Errorf("want the server's own words, got: %v", err)
	}
	empty(t, parent)
}

func TestCancelledStartLeavesNothing(t *testing.T) {
	t.Parallel()
	parent := openDir(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := throwaway.Start(ctx, throwaway.Options{Parent: parent}); !errors.Is(err, context.Canceled) {
		t.Errorf("Start with a cancelled context: %v", err)
	}
	empty(t, parent)
}

func TestMissingBinaries(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := throwaway.Start(t.Context(), throwaway.Options{BinDir: dir})
	var missing *throwaway.NotFoundError
	if !errors.As(err, &missing) {
		t.Fatalf("want a NotFoundError, got %v", err)
	}
	for _, part := range []string{dir, "apt-get install postgresql", throwaway.EnvBinDir} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the message does not mention %q: %v", part, err)
		}
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	parent := openDir(t)
	s := start(t, throwaway.Options{Parent: parent})
	conn := connect(t, s.URL("postgres"))
	if os.Geteuid() == 0 {
		notRoot(t, parent)
	}
	pid := backendParent(t, conn)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("postgres (process %d) is still there: %v", pid, err)
	}
	empty(t, parent)
}

// TestOrphanEndsWithItsParent kills a process that runs a server and requires
// that the server and its directory go too.
func TestOrphanEndsWithItsParent(t *testing.T) {
	t.Parallel()
	parent := openDir(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envOrphan+"="+parent)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the child gave no URL: %v", lines.Err())
	}
	u := lines.Text()
	if _, err := url.Parse(u); err != nil {
		t.Fatal(err)
	}
	pid := backendParent(t, connect(t, u))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // reports the kill
	gone := func() bool {
		left, err := os.ReadDir(parent)
		return err == nil && len(left) == 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
	}
	within(t, 30*time.Second, gone, "the server of a killed parent and its directory are still there")
}

func orphan(parent string) int {
	s, err := throwaway.Start(context.Background(), throwaway.Options{Parent: parent})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := fmt.Fprintln(os.Stdout, s.URL("postgres")); err != nil {
		return 1
	}
	select {} // until killed
}

func start(t *testing.T, opts throwaway.Options) *throwaway.Server {
	t.Helper()
	s, err := throwaway.Start(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, s) })
	return s
}

func stop(t *testing.T, s *throwaway.Server) {
	t.Helper()
	if err := s.Stop(); err != nil {
		t.Errorf("Stop: %v", err)
	}
}

// openDir is a temporary directory that the server's account can pass through.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "postern-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // the server's account, another one for root, must be able to remove its directory here
		t.Fatal(err)
	}
	return dir
}

func empty(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func notRoot(t *testing.T, parent string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(parent, "*", "data", "PG_VERSION"))
	if err != nil || len(found) != 1 {
		t.Fatalf("data directories: %v (%v)", found, err)
	}
	info, err := os.Stat(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || st.Uid == 0 {
		t.Error("the cluster belongs to root")
	}
}

// backendParent is the process id of the postmaster, from its lock file.
func backendParent(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	line := text(t, conn, "SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1)")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func within(t *testing.T, limit time.Duration, cond func() bool, complaint string) {
	t.Helper()
	tick, end := time.NewTicker(20*time.Millisecond), time.NewTimer(limit)
	defer tick.Stop()
	defer end.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatal(complaint)
		}
	}
}

// connect opens a session; whether it can be closed in order at the end does
// not matter, since tests take the server down under it.
func connect(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func text(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var v string
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func execute(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

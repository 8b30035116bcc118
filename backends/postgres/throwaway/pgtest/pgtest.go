// Package pgtest gives tests a real Postgres. A test package has one cluster,
// started by the first test that asks for it:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }
//
//	func TestX(t *testing.T) {
//		t.Parallel()
//		conn, err := pgx.Connect(t.Context(), pgtest.Database(t))
//		...
//	}
//
// Databases are one per test. Roles belong to the whole cluster: a test that
// makes roles of fixed names asks for a cluster of its own with Isolated.
package pgtest

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/backends/postgres/throwaway"
)

// cluster is the test package's shared server.
type cluster struct {
	once      sync.Once
	server    *throwaway.Server
	err       error
	databases atomic.Int64 // how many were made; numbers their names
}

// shared belongs to the one test binary this package is linked into.
var shared atomic.Pointer[cluster]

// Main runs the package's tests and then stops the cluster, if a test started
// one. It returns the exit status for os.Exit.
func Main(m *testing.M) int {
	c := &cluster{}
	shared.Store(c)
	code := m.Run()
	if c.server == nil {
		return code
	}
	if err := c.server.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// Server is the test package's cluster. The test fails where no Postgres is
// installed: a skipped test would look like a passed one.
func Server(t testing.TB) *throwaway.Server {
	t.Helper()
	return get(t).server
}

func get(t testing.TB) *cluster {
	t.Helper()
	c := shared.Load()
	if c == nil {
		t.Fatal("pgtest: the test package needs: func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }")
	}
	// Not the test's context: the cluster outlives the test that starts it.
	c.once.Do(func() { c.server, c.err = throwaway.Start(context.Background(), throwaway.Options{}) })
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c
}

// Database makes an empty database in the test package's cluster, drops it
// when the test ends, and returns the superuser's connection URL for it.
func Database(t testing.TB) string {
	t.Helper()
	c := get(t)
	name := fmt.Sprintf("%s_%d", plain(t.Name()), c.databases.Add(1))
	if err := c.server.CreateDatabase(t.Context(), name); err != nil {
		t.Fatalf("create database %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := c.server.DropDatabase(context.Background(), name); err != nil {
			t.Errorf("drop database %s: %v", name, err)
		}
	})
	return c.server.URL(name)
}

// Isolated starts a cluster for this test alone and stops it when the test ends.
func Isolated(t testing.TB) *throwaway.Server {
	t.Helper()
	s, err := throwaway.Start(t.Context(), throwaway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// plain is the test's name as a database name that needs no quoting, short
// enough to leave room for a number within Postgres's 63 bytes.
func plain(name string) string {
	const limit = 40
	kept := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name))
	return kept[:min(len(kept), limit)]
}

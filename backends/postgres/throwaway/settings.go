package throwaway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// settings are the server's settings: durability is switched off and the rest
// is pinned, so that a test does not depend on the machine it runs on.
func settings(extra map[string]string) map[string]string {
	all := map[string]string{
		"fsync":                   "off",
		"full_page_writes":        "off",
		"synchronous_commit":      "off",
		"listen_addresses":        loopback,
		"unix_socket_directories": "",
		"max_connections":         "200",
		"shared_buffers":          "32MB",
		"max_wal_size":            "128MB", // the directory may lie in memory
		"timezone":                "UTC",
		"log_timezone":            "UTC",
	}
	maps.Copy(all, extra)
	return all
}

// arguments is postgres's command line, in a fixed order.
func (s *Server) arguments() []string {
	args := []string{"-D", s.dataDir(), "-p", strconv.Itoa(s.port)}
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		args = append(args, "-c", name+"="+s.settings[name])
	}
	return args
}

// Ports are chosen below those that Linux (from 32768) and the other systems
// (from 49152, RFC 6335) hand out by themselves: while a server restarts,
// nobody else's connection takes its port by chance.
const (
	firstPort = 10000
	lastPort  = 32767
)

// freePort chooses a random port that nobody listens on now. Another program
// may take it before Postgres does; Start then tries the next one.
func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	var last error
	for range 50 {
		n, err := rand.Int(rand.Reader, big.NewInt(lastPort-firstPort+1))
		if err != nil {
			return 0, fmt.Errorf("choose a port: %w", err)
		}
		port := firstPort + int(n.Int64())
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, fmt.Errorf("find a free port: %w", last)
}

// makeDir makes the cluster's own directory, owned by the server's account and
// closed to all others.
func makeDir(parent string, acc account) (string, error) {
	if parent == "" {
		parent = tempParent(acc)
	}
	dir, err := os.MkdirTemp(parent, "postern-pg-")
	if err != nil {
		return "", fmt.Errorf("make the cluster's directory: %w", err)
	}
	// Postgres reports its data directory without symbolic links.
	dir, err = filepath.EvalSymlinks(dir)
	if err != nil {
		return "", err
	}
	if err := acc.own(dir); err != nil {
		return "", errors.Join(fmt.Errorf("give the cluster's directory to %s: %w", acc.name, err), os.RemoveAll(dir))
	}
	return dir, nil
}

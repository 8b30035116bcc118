package throwaway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	embeddedpostgres "github.com/fergusstrange/embedded-postgres"
)

const (
	downloadVersion = embeddedpostgres.V17
	// publicRepository is where the library itself looks.
	publicRepository = ""
)

// download fetches Postgres into cache, or finds it there, and returns the
// directory of its binaries. It needs a minute on a slow line.
//
// The library cannot be interrupted: when ctx ends, download returns at once
// and the transfer is abandoned in the background.
func download(ctx context.Context, repository, cache string) (string, error) {
	root := filepath.Join(cache, "postgres-"+string(downloadVersion))
	if dir, ok := holds(filepath.Join(root, "bin")); ok {
		return dir, nil
	}
	done := make(chan error, 1)
	go func() { done <- fetch(repository, cache, root) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return "", fmt.Errorf("download Postgres %s: %w", downloadVersion, err)
	}
	dir, ok := holds(filepath.Join(root, "bin"))
	if !ok {
		return "", &NotFoundError{Looked: []string{root}}
	}
	return dir, nil
}

// fetch lets the library download and unpack, and moves the result to root in
// one step. The library has no call for that alone: it goes on to start a
// server, which must not happen as root. So it is given a data directory that
// holds a version and nothing else; its start fails, and the binaries stay.
func fetch(repository, cache, root string) (err error) {
	if err := os.MkdirAll(cache, cacheMode); err != nil {
		return err
	}
	scratch, err := os.MkdirTemp(cache, "draft-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	data, unpacked := filepath.Join(scratch, "data"), filepath.Join(scratch, "postgres")
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	major, _, _ := strings.Cut(string(downloadVersion), ".")
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major+"\n"), 0o600); err != nil {
		return err
	}
	config := embeddedpostgres.DefaultConfig()
	if repository != publicRepository {
		config = config.BinaryRepositoryURL(repository)
	}
	started := embeddedpostgres.NewDatabase(config.
		Version(downloadVersion).
		CachePath(scratch).
		RuntimePath(filepath.Join(scratch, "run")).
		DataPath(data).
		BinariesPath(unpacked).
		Port(0). // which passes for free; no server comes to listen on it
		Logger(io.Discard)).Start()
	if _, ok := holds(filepath.Join(unpacked, "bin")); !ok {
		return started
	}
	if err := os.Rename(unpacked, root); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// fs.ErrExist: another process was faster, and its copy is as good.
	return nil
}

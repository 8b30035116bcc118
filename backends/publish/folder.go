package publish

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/postern-dev/postern/compiler/model"
)

// folder is a folder of this machine; a file is replaced in one step, and one
// process at a time replaces them.
type folder struct {
	path     string
	manifest []byte // that was read last; nil: none was there
	read     bool   // the manifest was asked for
}

// lockName is the file that is locked while files are replaced.
const lockName = ".postern.lock"

func openFolder(f *model.Folder, dir string) *folder {
	path := filepath.FromSlash(f.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return &folder{path: path}
}

func (f *folder) Get(_ context.Context, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(f.path, filepath.FromSlash(name)))
	if name == ManifestName && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		f.read, f.manifest = true, data
	}
	if err != nil {
		return nil, final{err}
	}
	return data, nil
}

// Put writes all files beside their places before the first one moves there.
func (f *folder) Put(_ context.Context, files []File) error {
	staged := make([]string, 0, len(files))
	defer func() {
		for _, s := range staged {
			_ = os.Remove(s) // those that moved are not there any more
		}
	}()
	for _, file := range files {
		at := filepath.Join(f.path, filepath.FromSlash(file.Path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			return final{fmt.Errorf("publishing to a folder: %w", err)}
		}
		tmp, err := os.CreateTemp(filepath.Dir(at), ".postern-*")
		if err != nil {
			return final{fmt.Errorf("publishing to a folder: %w", err)}
		}
		staged = append(staged, tmp.Name())
		_, err = tmp.Write(file.Data)
		if err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
			return final{fmt.Errorf("publishing to a folder: %w", err)}
		}
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(f.path, lockName)).Lock()
	if err != nil {
		return final{fmt.Errorf("publishing to a folder: %w", err)}
	}
	defer unlock()
	now, err := os.ReadFile(filepath.Join(f.path, ManifestName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return final{fmt.Errorf("publishing to a folder: %w", err)}
	}
	if f.read && !bytes.Equal(now, f.manifest) {
		return final{ErrMoved}
	}
	for i, file := range files {
		if err := os.Rename(staged[i], filepath.Join(f.path, filepath.FromSlash(file.Path))); err != nil {
			return final{fmt.Errorf("publishing to a folder: %w", err)}
		}
	}
	return nil
}

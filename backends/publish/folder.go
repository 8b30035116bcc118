package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/postern-dev/postern/compiler/model"
)

// folder is a folder of this machine; a file is replaced in one step.
type folder struct{ path string }

func openFolder(f *model.Folder, dir string) *folder {
	path := filepath.FromSlash(f.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	return &folder{path}
}

func (f *folder) Get(_ context.Context, name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(f.path, filepath.FromSlash(name)))
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
	for i, file := range files {
		if err := os.Rename(staged[i], filepath.Join(f.path, filepath.FromSlash(file.Path))); err != nil {
			return final{fmt.Errorf("publishing to a folder: %w", err)}
		}
	}
	return nil
}

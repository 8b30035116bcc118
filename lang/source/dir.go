package source

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MaxFileSize is the largest file that is read, in bytes.
const MaxFileSize = 8 << 20

// IsSource reports whether a file name belongs to a project: *.hcl, which
// *.test.hcl and *.pvars.hcl are as well, and *.hcl.json. Hidden files and
// editors' backups do not.
func IsSource(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") || strings.HasSuffix(name, "~") {
		return false
	}
	return strings.HasSuffix(name, ".hcl") || strings.HasSuffix(name, ".hcl.json")
}

// FromDir reads the source files that lie directly in a folder.
func FromDir(dir string) (*Set, error) {
	files, err := readFolder(dir, func(string) error { return nil })
	if err != nil {
		return nil, fmt.Errorf("read the project folder: %w", err)
	}
	set := &Set{Dir: dir, Revision: Revision(dir), Files: files, home: newDiskTree(dir, workTree(dir))}
	set.sort()
	return set, nil
}

// readFolder reads the source files directly in a folder, each after a check
// of its path.
func readFolder(dir string, check func(path string) error) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []File
	for _, e := range entries {
		if e.IsDir() || !IsSource(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if err := check(path); err != nil {
			return nil, err
		}
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		if data != nil {
			files = append(files, File{Name: e.Name(), Data: data})
		}
	}
	return files, nil
}

// readFile reads a regular file of a sane size; nil for a link to a folder.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, nil
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := ReadLimited(f, path)
	if cerr := f.Close(); err == nil && cerr != nil {
		return nil, cerr
	}
	return data, err
}

// ReadLimited reads all of r; a text over MaxFileSize is an error.
func ReadLimited(r io.Reader, name string) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > MaxFileSize {
		return nil, fmt.Errorf("%s is larger than %d MB: %w", name, MaxFileSize>>20, fs.ErrInvalid)
	}
	if data == nil {
		data = []byte{}
	}
	return data, nil
}

func (s *Set) sort() {
	slices.SortFunc(s.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
}

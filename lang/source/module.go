package source

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Folder is where the files of a module stand: a folder of the tree that a
// project, or another module, was read from.
type Folder struct {
	tree tree
	dir  string // in the tree, "." for its root
}

// String names the folder in messages and before the names of its files: the
// path from the project's folder, or the address of a git module. No two
// folders of a set share it.
func (f *Folder) String() string { return f.tree.name(f.dir) }

// tree is a place that files are read from, with slash-separated folders.
type tree interface {
	// list reads the source files directly in a folder; their names are base
	// names.
	list(ctx context.Context, dir string) ([]File, error)
	// name is a folder as messages name it.
	name(dir string) string
}

// Module reads the folder that the source of a module block names, as it
// stands in a file of the folder from (nil for the project's own), and adds its
// files to the set under the names they are reported by. A source is "./path",
// "../path" or "git::URL//folder?ref=REVISION". Files of tests and of values
// are left out: they are the project's own.
func (s *Set) Module(ctx context.Context, from *Folder, module string) (*Folder, []File, error) {
	if from == nil {
		from = s.Home()
	}
	at, err := s.locate(ctx, from, module)
	if err != nil {
		return nil, nil, err
	}
	list, err := at.tree.list(ctx, at.dir)
	if err != nil {
		return nil, nil, err
	}
	var files []File
	for _, f := range list {
		base := strings.TrimSuffix(f.Name, ".json")
		if strings.HasSuffix(base, ".test.hcl") || strings.HasSuffix(base, ".pvars.hcl") {
			continue
		}
		if prefix := at.String(); prefix != "." {
			f.Name = prefix + "/" + f.Name
		}
		files = append(files, f)
		if !slices.ContainsFunc(s.Files, func(have File) bool { return have.Name == f.Name }) {
			s.Files = append(s.Files, f)
			s.sort()
		}
	}
	if len(files) == 0 {
		return nil, nil, errors.New("there are no .hcl files in it")
	}
	return at, files, nil
}

func (s *Set) locate(ctx context.Context, from *Folder, module string) (*Folder, error) {
	switch {
	case strings.HasPrefix(module, "git::"):
		return s.gitModule(ctx, strings.TrimPrefix(module, "git::"))
	case module == "." || module == ".." || strings.HasPrefix(module, "./") || strings.HasPrefix(module, "../"):
		dir := path.Join(from.dir, module)
		if dir == ".." || strings.HasPrefix(dir, "../") {
			return nil, errOutside
		}
		return &Folder{tree: from.tree, dir: dir}, nil
	}
	return nil, errors.New(`it must begin with "git::", "./" or "../"`)
}

var errOutside = errors.New("it leads out of the git repository, or out of the project's folder where there is no repository")

// Home is the project's own folder. A set that was not read from anywhere is
// a tree of its own files.
func (s *Set) Home() *Folder {
	if s.home == nil {
		s.home = &Folder{tree: &memoryTree{s}, dir: "."}
	}
	return s.home
}

// Own lists the files that stand in the project's folder itself, without those
// of modules.
func (s *Set) Own() []File {
	var out []File
	for _, f := range s.Files {
		if path.Dir(f.Name) == "." {
			out = append(out, f)
		}
	}
	return out
}

// memoryTree is a set as a tree.
type memoryTree struct{ set *Set }

func (m *memoryTree) name(dir string) string { return dir }

func (m *memoryTree) list(_ context.Context, dir string) ([]File, error) {
	var out []File
	for _, f := range m.set.Files {
		if path.Dir(f.Name) == dir && IsSource(path.Base(f.Name)) {
			out = append(out, File{Name: path.Base(f.Name), Data: f.Data})
		}
	}
	return out, nil
}

// diskTree is a folder of the disk: the git work tree that a project stands
// in, else the project's folder.
type diskTree struct {
	root string // without links
	home string // the project's folder in it
}

func (d *diskTree) name(dir string) string { return relative(d.home, dir) }

// relative is the path from one folder of a tree to another.
func relative(from, to string) string {
	out, err := filepath.Rel(filepath.FromSlash(from), filepath.FromSlash(to))
	if err != nil {
		return to // both are relative to the same root, so this does not happen
	}
	return filepath.ToSlash(out)
}

func (d *diskTree) list(ctx context.Context, dir string) ([]File, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := filepath.Join(d.root, filepath.FromSlash(dir))
	if err := d.inside(path); err != nil {
		return nil, err
	}
	return readFolder(path, d.inside)
}

// inside reports a path that links lead out of the tree.
func (d *diskTree) inside(path string) error {
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("there is no such folder")
	}
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(d.root, target)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return errOutside
	}
	return nil
}

// newDiskTree finds the tree that a project's folder stands in.
func newDiskTree(dir, workTree string) *Folder {
	target, err := filepath.Abs(dir)
	if err == nil {
		target, err = filepath.EvalSymlinks(target)
	}
	if err != nil {
		target = dir
	}
	if workTree != "" {
		if root, err := filepath.EvalSymlinks(workTree); err == nil {
			if rel, err := filepath.Rel(root, target); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
				home := filepath.ToSlash(rel)
				return &Folder{tree: &diskTree{root: root, home: home}, dir: home}
			}
		}
	}
	return &Folder{tree: &diskTree{root: target, home: "."}, dir: "."}
}

package source

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// FromGit reads the source files of a folder as they were at a revision (a
// branch, a tag, a commit or what git's revision syntax makes of one).
// repoDir may be any folder of the work tree; subdir is relative to the root
// of the repository, "" or "." for the root itself.
func FromGit(ctx context.Context, repoDir, rev, subdir string) (*Set, error) {
	repo, err := open(repoDir)
	if err != nil {
		return nil, fmt.Errorf("open the git repository of %s: %w", repoDir, err)
	}
	hash, err := resolveRevision(repo, rev)
	if err != nil {
		return nil, err
	}
	root, err := treeAt(repo, hash.String())
	if err != nil {
		return nil, err
	}
	dir := path.Join(".", strings.Trim(path.Clean("/"+strings.ReplaceAll(subdir, "\\", "/")), "/"))
	from := &commitTree{root: root, home: dir}
	files, err := from.list(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("at %s: %w", rev, err)
	}
	set := &Set{Dir: subdir, Revision: hash.String(), Files: files, home: &Folder{tree: from, dir: dir}}
	set.sort()
	return set, nil
}

// listTree reads the source files directly in a folder of a commit.
func listTree(ctx context.Context, tree *object.Tree) ([]File, error) {
	var files []File
	for _, e := range tree.Entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !IsSource(e.Name) || e.Mode != filemode.Regular && e.Mode != filemode.Executable {
			continue
		}
		data, err := blob(tree, e)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Name, err)
		}
		files = append(files, File{Name: e.Name, Data: data})
	}
	return files, nil
}

func blob(tree *object.Tree, e object.TreeEntry) (data []byte, err error) {
	f, err := tree.TreeEntryFile(&e)
	if err != nil {
		return nil, err
	}
	r, err := f.Reader()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	return ReadLimited(r, e.Name)
}

// Revision is the commit that a folder's work tree stands on, "" when it is in
// no repository or nothing was committed. Files may differ from that commit.
func Revision(dir string) string {
	repo, err := open(dir)
	if err != nil {
		return ""
	}
	head, err := repo.Head()
	if err != nil {
		return ""
	}
	return head.Hash().String()
}

// workTree is the root of the work tree that a folder is in, "" for none.
func workTree(dir string) string {
	repo, err := open(dir)
	if err != nil {
		return ""
	}
	tree, err := repo.Worktree()
	if err != nil {
		return ""
	}
	return tree.Filesystem.Root()
}

func open(dir string) (*git.Repository, error) {
	return git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
}

// Subfolder is where a folder stands in its repository, slash-separated and
// relative to the root; "" when it is the root or in no repository.
func Subfolder(dir string) (string, error) {
	root := workTree(dir)
	if root == "" {
		return "", nil
	}
	full, err := filepath.Abs(dir)
	if err == nil {
		full, err = filepath.EvalSymlinks(full)
	}
	if err == nil {
		root, err = filepath.EvalSymlinks(root)
	}
	if err == nil {
		full, err = filepath.Rel(root, full)
	}
	if err != nil {
		return "", fmt.Errorf("finding the folder in its repository: %w", err)
	}
	if full == "." {
		return "", nil
	}
	return filepath.ToSlash(full), nil
}

package source

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
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
	hash, err := repo.ResolveRevision(plumbing.Revision(rev))
	if err != nil {
		return nil, fmt.Errorf("find the git revision %q: %w", rev, err)
	}
	commit, err := repo.CommitObject(*hash)
	if err != nil {
		return nil, fmt.Errorf("read the git commit %s: %w", hash, err)
	}
	tree, err := commit.Tree()
	if err != nil {
		return nil, fmt.Errorf("read the git commit %s: %w", hash, err)
	}
	if clean := strings.Trim(path.Clean("/"+strings.ReplaceAll(subdir, "\\", "/")), "/"); clean != "" {
		if tree, err = tree.Tree(clean); err != nil {
			return nil, fmt.Errorf("find the folder %s at %s: %w", clean, rev, err)
		}
	}
	set := &Set{Dir: subdir, Revision: hash.String()}
	for _, e := range tree.Entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !IsSource(e.Name) || e.Mode != filemode.Regular && e.Mode != filemode.Executable {
			continue
		}
		data, err := blob(tree, e)
		if err != nil {
			return nil, fmt.Errorf("read %s at %s: %w", e.Name, rev, err)
		}
		set.Files = append(set.Files, File{Name: e.Name, Data: data})
	}
	set.sort()
	return set, nil
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

func open(dir string) (*git.Repository, error) {
	return git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
}

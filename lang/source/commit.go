package source

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// Commit is what a git commit says of itself.
type Commit struct {
	Hash    string
	Author  string // name, without the address
	When    time.Time
	Subject string // the first line of the message
}

// CommitAt is the commit that a revision names; "" is the one that the work
// tree stands on. The checkout may be shallow or detached.
func CommitAt(repoDir, rev string) (Commit, error) {
	repo, err := open(repoDir)
	if err != nil {
		return Commit{}, fmt.Errorf("open the git repository of %s: %w", repoDir, err)
	}
	c, err := commitAt(repo, rev)
	if err != nil {
		return Commit{}, err
	}
	subject, _, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
	return Commit{Hash: c.Hash.String(), Author: c.Author.Name, When: c.Author.When.UTC(), Subject: subject}, nil
}

func commitAt(repo *git.Repository, rev string) (*object.Commit, error) {
	if rev == "" {
		rev = "HEAD"
	}
	hash, err := resolveRevision(repo, rev)
	if err != nil {
		return nil, err
	}
	c, err := repo.CommitObject(*hash)
	if err != nil {
		return nil, fmt.Errorf("read the git commit %s: %w", hash, err)
	}
	return c, nil
}

// resolveRevision finds a revision; where a shallow checkout may be why it is
// not there, the error says so.
func resolveRevision(repo *git.Repository, rev string) (*plumbing.Hash, error) {
	hash, err := repo.ResolveRevision(plumbing.Revision(rev))
	if err == nil {
		return hash, nil
	}
	if shallow, serr := repo.Storer.Shallow(); serr == nil && len(shallow) > 0 {
		return nil, fmt.Errorf("find the git revision %q: %w; the checkout is shallow: fetch the revision, or all of the history (git fetch --unshallow)", rev, err)
	}
	return nil, fmt.Errorf("find the git revision %q: %w", rev, err)
}

// MergeBase is the commit from which two revisions went apart; the newest of
// several.
func MergeBase(repoDir, a, b string) (string, error) {
	repo, err := open(repoDir)
	if err != nil {
		return "", fmt.Errorf("open the git repository of %s: %w", repoDir, err)
	}
	one, err := commitAt(repo, a)
	if err != nil {
		return "", err
	}
	other, err := commitAt(repo, b)
	if err != nil {
		return "", err
	}
	bases, err := one.MergeBase(other)
	if err != nil {
		return "", fmt.Errorf("find where %q and %q went apart: %w; a shallow checkout may not hold it (git fetch --unshallow)", a, b, err)
	}
	if len(bases) == 0 {
		return "", fmt.Errorf("the revisions %q and %q have no commit in common", a, b)
	}
	return bases[0].Hash.String(), nil
}

// Committed reads one file of the project's folder as it stands in a commit;
// false when it is not there, or the folder is in no repository.
func Committed(dir, rev, name string) ([]byte, bool, error) {
	repo, err := open(dir)
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("open the git repository of %s: %w", dir, err)
	}
	if _, err := repo.Head(); rev == "" && errors.Is(err, plumbing.ErrReferenceNotFound) {
		return nil, false, nil // nothing was committed yet
	}
	c, err := commitAt(repo, rev)
	if err != nil {
		return nil, false, err
	}
	sub, err := Subfolder(dir)
	if err != nil {
		return nil, false, err
	}
	f, err := c.File(path.Join(sub, name))
	if errors.Is(err, object.ErrFileNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("read %s of the git commit %s: %w", name, c.Hash, err)
	}
	r, err := f.Reader()
	if err != nil {
		return nil, false, fmt.Errorf("read %s of the git commit %s: %w", name, c.Hash, err)
	}
	data, err := ReadLimited(r, name)
	return data, true, errors.Join(err, r.Close())
}

package source

import (
	"errors"
	"fmt"
	"path"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
)

// Blame is, for each line of a file of the project's folder as it stands in a
// commit, the commit that wrote it, without its subject. It is empty where a
// shallow checkout does not hold the commits before, since one of these may be
// who wrote a line.
func Blame(dir, rev, name string) ([]Commit, error) {
	repo, err := open(dir)
	if err != nil {
		return nil, fmt.Errorf("open the git repository of %s: %w", dir, err)
	}
	c, err := commitAt(repo, rev)
	if err != nil {
		return nil, err
	}
	sub, err := Subfolder(dir)
	if err != nil {
		return nil, err
	}
	shallow, err := repo.Storer.Shallow()
	if err != nil {
		return nil, fmt.Errorf("read where the checkout is shallow: %w", err)
	}
	blame, err := git.Blame(c, path.Join(sub, name))
	if len(shallow) > 0 && errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find who wrote %s of the git commit %s: %w", name, c.Hash, err)
	}
	out := make([]Commit, len(blame.Lines))
	for i, l := range blame.Lines {
		out[i] = Commit{Hash: l.Hash.String(), Author: l.AuthorName, When: l.Date.UTC()}
	}
	return out, nil
}

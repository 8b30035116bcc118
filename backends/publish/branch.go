package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5"
	"github.com/go-git/go-billy/v5/memfs"
	"github.com/go-git/go-billy/v5/util"
	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage/memory"

	"github.com/postern-dev/postern/compiler/model"
)

// branch is a branch of a git repository; a release is one commit.
type branch struct {
	at    *model.Git
	dir   string // what a path of a repository is relative to
	token string

	tree     billy.Filesystem // the files of the commit that was read last
	manifest []byte           // that was read last; nil: none was there
	read     bool             // the manifest was asked for
}

func (b *branch) url() string {
	if strings.Contains(b.at.URL, "://") || filepath.IsAbs(b.at.URL) || strings.Contains(b.at.URL, "@") {
		return b.at.URL
	}
	return filepath.Join(b.dir, b.at.URL)
}

func (b *branch) auth() transport.AuthMethod {
	if b.token == "" {
		return nil
	}
	return &githttp.BasicAuth{Username: "postern", Password: b.token}
}

// clone reads the branch's newest commit into memory; without the branch, an
// empty tree whose first commit makes it.
func (b *branch) clone(ctx context.Context) (*git.Repository, billy.Filesystem, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	tree := memfs.New()
	ref := plumbing.NewBranchReferenceName(b.at.Branch)
	repo, err := git.CloneContext(ctx, memory.NewStorage(), tree, &git.CloneOptions{
		URL: b.url(), Auth: b.auth(), ReferenceName: ref, SingleBranch: true, Depth: 1, Tags: git.NoTags,
	})
	var missing git.NoMatchingRefSpecError
	switch {
	case err == nil:
		return repo, tree, nil
	case !errors.As(err, &missing) && !errors.Is(err, transport.ErrEmptyRemoteRepository) && !errors.Is(err, plumbing.ErrReferenceNotFound):
		return nil, nil, fmt.Errorf("reading the branch %s: %w", b.at.Branch, err)
	}
	tree = memfs.New()
	repo, err = git.InitWithOptions(memory.NewStorage(), tree, git.InitOptions{DefaultBranch: ref})
	if err != nil {
		return nil, nil, final{fmt.Errorf("reading the branch %s: %w", b.at.Branch, err)}
	}
	_, err = repo.CreateRemote(&config.RemoteConfig{Name: git.DefaultRemoteName, URLs: []string{b.url()}})
	return repo, tree, err
}

func (b *branch) Get(ctx context.Context, name string) ([]byte, error) {
	if b.tree == nil || name == ManifestName {
		_, tree, err := b.clone(ctx)
		if err != nil {
			return nil, err
		}
		b.tree = tree
	}
	data, err := b.fileOf(b.tree, name)
	if name == ManifestName && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		b.read, b.manifest = true, data
	}
	return data, err
}

func (b *branch) fileOf(tree billy.Filesystem, name string) ([]byte, error) {
	f, err := tree.Open(path.Join(b.at.Path, name))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, fs.ErrNotExist)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// Put commits and pushes; where somebody else was first, the push is refused
// and all of it is done again on their commit, if that is about something else.
func (b *branch) Put(ctx context.Context, files []File) error {
	b.tree = nil
	repo, tree, err := b.clone(ctx)
	if err != nil {
		return err
	}
	now, err := b.fileOf(tree, ManifestName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if b.read && !bytes.Equal(now, b.manifest) && !bytes.Equal(now, files[len(files)-1].Data) {
		return final{ErrMoved}
	}
	work, err := repo.Worktree()
	if err != nil {
		return final{fmt.Errorf("publishing: %w", err)}
	}
	for _, f := range files {
		name := path.Join(b.at.Path, f.Path)
		if err := util.WriteFile(tree, name, f.Data, 0o644); err != nil {
			return final{fmt.Errorf("publishing %s: %w", f.Path, err)}
		}
		if _, err := work.Add(name); err != nil {
			return final{fmt.Errorf("publishing %s: %w", f.Path, err)}
		}
	}
	author := &object.Signature{Name: "postern", When: time.Now()}
	_, err = work.Commit(message(files), &git.CommitOptions{Author: author, Committer: author})
	if errors.Is(err, git.ErrEmptyCommit) {
		return nil
	}
	if err != nil {
		return final{fmt.Errorf("publishing: %w", err)}
	}
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	ref := plumbing.NewBranchReferenceName(b.at.Branch)
	err = repo.PushContext(ctx, &git.PushOptions{Auth: b.auth(), RefSpecs: []config.RefSpec{config.RefSpec(ref + ":" + ref)}})
	if err != nil && !errors.Is(err, git.NoErrAlreadyUpToDate) {
		return fmt.Errorf("publishing to the branch %s: %w", b.at.Branch, err)
	}
	return nil
}

// message is the commit's: what is published, and from where.
func message(files []File) string {
	var m Manifest
	if err := json.Unmarshal(files[len(files)-1].Data, &m); err != nil || m.Revision == "" {
		return "Publish " + m.Project + "\n"
	}
	return "Publish " + m.Project + " at " + m.Revision + "\n"
}

func reader(data []byte) io.Reader { return bytes.NewReader(data) }

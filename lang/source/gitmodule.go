package source

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/memory"
)

// fetchTimeout bounds the fetch of one git module.
const fetchTimeout = 2 * time.Minute

// ErrCredentials says that the source of a module holds a password.
var ErrCredentials = errors.New("credentials do not belong into it; use a URL of ssh")

// gitSource is a source of the form URL//folder?ref=REVISION.
type gitSource struct {
	repo, folder, ref string
}

// address names the repository at its revision.
func (g gitSource) address() string { return g.repo + "@" + g.ref }

var commitForm = regexp.MustCompile(`^[0-9a-f]{40}$`)

// parseGit reads what follows `git::`, in Terraform's form.
func parseGit(text string) (gitSource, error) {
	u, err := url.Parse(text)
	if err != nil {
		return gitSource{}, errors.New("it is not a URL such as git::https://host/repository.git//folder?ref=v1")
	}
	switch u.Scheme {
	case "https", "ssh", "file":
	case "http":
		return gitSource{}, errors.New("http lets others change the module on its way; use https")
	default:
		return gitSource{}, errors.New("it is not a URL of https, ssh or file, such as git::https://host/repository.git//folder?ref=v1")
	}
	if _, secret := u.User.Password(); secret || u.User != nil && u.Scheme != "ssh" {
		return gitSource{}, ErrCredentials
	}
	query := u.Query()
	g := gitSource{ref: query.Get("ref")}
	query.Del("ref")
	if len(query) > 0 {
		return gitSource{}, errors.New("it takes ref and no other parameter")
	}
	if g.ref == "" {
		return gitSource{}, errors.New("it names no revision; add ?ref= with a tag or a commit")
	}
	repo, folder, _ := strings.Cut(u.Path, "//")
	g.folder = path.Clean("/" + folder)[1:]
	if g.folder == "" {
		g.folder = "."
	}
	if strings.HasPrefix(path.Clean(folder), "..") {
		return gitSource{}, errOutside
	}
	u.Path, u.RawQuery, u.RawPath = repo, "", ""
	g.repo = u.String()
	return g, nil
}

// gitModule finds the folder of a git module; each repository is read once at
// a revision.
func (s *Set) gitModule(ctx context.Context, text string) (*Folder, error) {
	g, err := parseGit(text)
	if err != nil {
		return nil, err
	}
	if t, ok := s.fetched[g.address()]; ok {
		return &Folder{tree: t, dir: g.folder}, nil
	}
	root, err := g.open(ctx)
	if err != nil {
		return nil, err
	}
	t := &commitTree{root: root, address: g.address()}
	if s.fetched == nil {
		s.fetched = map[string]*commitTree{}
	}
	s.fetched[g.address()] = t
	return &Folder{tree: t, dir: g.folder}, nil
}

// open reads the tree at the revision: straight from a repository of this
// machine, else by a fetch into memory, where nothing is checked out and no
// hook can run.
func (g gitSource) open(ctx context.Context) (*object.Tree, error) {
	if local, ok := strings.CutPrefix(g.repo, "file://"); ok {
		repo, err := git.PlainOpen(local)
		if err != nil {
			return nil, fmt.Errorf("open the git repository: %w", err)
		}
		return treeAt(repo, g.ref)
	}
	return g.fetch(ctx)
}

// fetch reads the tree at the revision into memory.
func (g gitSource) fetch(ctx context.Context) (*object.Tree, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var last error
	for _, specs := range g.refSpecs() {
		repo, err := git.Init(memory.NewStorage(), nil)
		if err != nil {
			return nil, fmt.Errorf("fetch the git repository: %w", err)
		}
		remote, err := repo.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{g.repo}})
		if err != nil {
			return nil, fmt.Errorf("fetch the git repository: %w", err)
		}
		err = remote.FetchContext(ctx, &git.FetchOptions{RefSpecs: specs.refs, Depth: specs.depth, Tags: git.NoTags})
		if err == nil {
			var root *object.Tree
			if root, err = treeAt(repo, g.ref); err == nil {
				return root, nil
			}
		}
		last = fmt.Errorf("fetch the git repository: %w", err)
		if ctx.Err() != nil || errors.Is(err, transport.ErrAuthenticationRequired) || errors.Is(err, transport.ErrRepositoryNotFound) {
			break
		}
	}
	return nil, last
}

type request struct {
	refs  []config.RefSpec
	depth int
}

// refSpecs are what to ask a server for, the least first: the tag, branch or
// commit alone, then everything, for servers that do not give a lone commit.
func (g gitSource) refSpecs() []request {
	all := request{refs: []config.RefSpec{"+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"}}
	var out []request
	if commitForm.MatchString(g.ref) {
		out = append(out, request{[]config.RefSpec{config.RefSpec(g.ref + ":refs/heads/" + g.ref)}, 1})
	} else {
		for _, kind := range []string{"tags", "heads"} {
			spec := config.RefSpec("+refs/" + kind + "/" + g.ref + ":refs/" + kind + "/" + g.ref)
			if spec.Validate() == nil {
				out = append(out, request{[]config.RefSpec{spec}, 1})
			}
		}
	}
	return append(out, all)
}

// treeAt is the root folder at a tag, a branch or a commit.
func treeAt(repo *git.Repository, ref string) (*object.Tree, error) {
	hash, err := repo.ResolveRevision(plumbing.Revision(ref))
	if err != nil {
		return nil, fmt.Errorf("find the git revision %q: %w", ref, err)
	}
	commit, err := repo.CommitObject(*hash)
	if err != nil {
		return nil, fmt.Errorf("read the git commit %s: %w", hash, err)
	}
	root, err := commit.Tree()
	if err != nil {
		return nil, fmt.Errorf("read the git commit %s: %w", hash, err)
	}
	return root, nil
}

// commitTree is the tree of a git commit. Its links are not followed.
type commitTree struct {
	root    *object.Tree
	address string // of a git module; "" for the project's own repository
	home    string // the project's folder, where there is no address
}

func (c *commitTree) name(dir string) string {
	if c.address == "" {
		return relative(c.home, dir)
	}
	return c.address + "//" + dir
}

func (c *commitTree) list(ctx context.Context, dir string) ([]File, error) {
	at := c.root
	if dir != "." {
		var err error
		if at, err = c.root.Tree(dir); err != nil {
			return nil, fmt.Errorf("find the folder %s in the repository: %w", dir, err)
		}
	}
	return listTree(ctx, at)
}

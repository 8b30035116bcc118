package source_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/lang/source"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func listing(s *source.Set) map[string]string {
	out := map[string]string{}
	for _, f := range s.Files {
		out[f.Name] = string(f.Data)
	}
	return out
}

func TestFromDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"b.hcl": "b", "a.hcl.json": "{}", "c.test.hcl": "c", "d.auto.pvars.hcl": "", "e.txt": "no", ".hidden.hcl": "no",
		"#f.hcl": "no", "g.hcl~": "no", "sub/h.hcl": "no", "dir.hcl/x": "no",
	})
	if err := os.Symlink(filepath.Join(dir, "e.txt"), filepath.Join(dir, "link.hcl")); err != nil {
		t.Fatal(err)
	}
	set, err := source.FromDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"a.hcl.json": "{}", "b.hcl": "b", "c.test.hcl": "c", "d.auto.pvars.hcl": "", "link.hcl": "no"}
	if d := cmp.Diff(want, listing(set)); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if set.File("b.hcl") == nil || set.File("x.hcl") != nil {
		t.Error("File does not find what is there, or finds what is not")
	}
}

func TestFromDirRefuses(t *testing.T) {
	t.Parallel()
	if _, err := source.FromDir(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing folder is an error")
	}
	dir := t.TempDir()
	write(t, dir, map[string]string{"big.hcl": strings.Repeat(" ", source.MaxFileSize+1)})
	if _, err := source.FromDir(dir); err == nil || !strings.Contains(err.Error(), "larger than 8 MB") {
		t.Errorf("got %v", err)
	}
}

func TestFromGit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	repo, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if source.Revision(dir) != "" {
		t.Error("nothing is committed yet")
	}
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	commit := func(files map[string]string) string {
		write(t, dir, files)
		if _, err := tree.Add("."); err != nil {
			t.Fatal(err)
		}
		hash, err := tree.Commit("change", &git.CommitOptions{Author: &object.Signature{Name: "a", Email: "a@example.com", When: time.Unix(0, 0)}})
		if err != nil {
			t.Fatal(err)
		}
		return hash.String()
	}
	first := commit(map[string]string{"p/a.hcl": "one", "p/b.txt": "no", "p/sub/c.hcl": "no", "root.hcl": "root"})
	second := commit(map[string]string{"p/a.hcl": "two", "p/b.hcl": "new"})
	write(t, dir, map[string]string{"p/a.hcl": "not committed"})

	for _, c := range []struct {
		rev, subdir, commit string
		want                map[string]string
	}{
		{"HEAD", "p", second, map[string]string{"a.hcl": "two", "b.hcl": "new"}},
		{"HEAD~1", "p/", first, map[string]string{"a.hcl": "one"}},
		{first, ".", first, map[string]string{"root.hcl": "root"}},
	} {
		set, err := source.FromGit(t.Context(), filepath.Join(dir, "p"), c.rev, c.subdir)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, listing(set)); d != "" || set.Revision != c.commit {
			t.Errorf("%s: revision %s, -want +got:\n%s", c.rev, set.Revision, d)
		}
	}
	for _, bad := range [][2]string{{"nowhere", "p"}, {"HEAD", "missing"}} {
		if _, err := source.FromGit(t.Context(), dir, bad[0], bad[1]); err == nil {
			t.Errorf("%v is an error", bad)
		}
	}
	if source.Revision(filepath.Join(dir, "p")) != second {
		t.Error("the revision is that of HEAD")
	}
}

package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/postern-dev/postern/lang/source"
)

// repository makes a work tree with one commit, tagged v1.
func repository(t *testing.T, files map[string]string) (dir, commit string) {
	t.Helper()
	dir = t.TempDir()
	repo, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, files)
	tree, err := repo.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tree.Add("."); err != nil {
		t.Fatal(err)
	}
	who := &object.Signature{Name: "a", Email: "a@example.com", When: time.Unix(0, 0)}
	hash, err := tree.Commit("first", &git.CommitOptions{Author: who})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := repo.CreateTag("v1", hash, &git.CreateTagOptions{Tagger: who, Message: "v1"}); err != nil {
		t.Fatal(err)
	}
	return dir, hash.String()
}

func names(files []source.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}

func TestLocalModules(t *testing.T) {
	t.Parallel()
	dir, _ := repository(t, map[string]string{
		"project/main.hcl": "", "project/m/a.hcl": "a", "project/m/a.test.hcl": "", "project/m/a.auto.pvars.hcl": "", "project/m/b.hcl.json": "{}",
		"shared/c.hcl": "c", "shared/deep/d.hcl": "d",
	})
	disk, err := source.FromDir(filepath.Join(dir, "project"))
	if err != nil {
		t.Fatal(err)
	}
	commit, err := source.FromGit(t.Context(), dir, "v1", "project")
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*source.Set{"disk": disk, "commit": commit} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, files, err := set.Module(t.Context(), nil, "./m")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff([]string{"m/a.hcl", "m/b.hcl.json"}, names(files)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			shared, _, err := set.Module(t.Context(), nil, "../shared")
			if err != nil {
				t.Fatal(err)
			}
			deep, _, err := set.Module(t.Context(), shared, "./deep")
			if err != nil {
				t.Fatal(err)
			}
			again, _, err := set.Module(t.Context(), deep, "../../project/m")
			if err != nil || again.String() != "m" || deep.String() != "../shared/deep" {
				t.Errorf("got %v and %v, %v", again, deep, err)
			}
			want := []string{"../shared/c.hcl", "../shared/deep/d.hcl", "m/a.hcl", "m/b.hcl.json", "main.hcl"}
			if d := cmp.Diff(want, names(set.Files)); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			if d := cmp.Diff([]string{"main.hcl"}, names(set.Own())); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
			for _, bad := range []string{"../../elsewhere", "./none", "m", "/m", ""} {
				if _, _, err := set.Module(t.Context(), nil, bad); err == nil {
					t.Errorf("%q is an error", bad)
				}
			}
		})
	}
}

func TestModulesBehindLinks(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	write(t, outside, map[string]string{"m/secret.hcl": "no", "file.hcl": "no"})
	dir := t.TempDir()
	write(t, dir, map[string]string{"main.hcl": "", "inside/a.hcl": "yes", "files/b.hcl": ""})
	for link, to := range map[string]string{"out": filepath.Join(outside, "m"), "in": filepath.Join(dir, "inside"), "files/link.hcl": filepath.Join(outside, "file.hcl")} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	set, err := source.FromDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"./out", "./files"} {
		if _, _, err := set.Module(t.Context(), nil, bad); err == nil || !strings.Contains(err.Error(), "leads out of") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
	if _, files, err := set.Module(t.Context(), nil, "./in"); err != nil || len(files) != 1 {
		t.Errorf("got %v, %v", files, err)
	}
}

func TestGitModules(t *testing.T) {
	t.Parallel()
	dir, commit := repository(t, map[string]string{"rules/a.hcl": "a", "rules/deep/b.hcl": "b", "root.hcl": ""})
	bare := t.TempDir()
	if _, err := git.PlainClone(bare, true, &git.CloneOptions{URL: dir}); err != nil {
		t.Fatal(err)
	}
	// What lies in the work tree and was not committed is not read.
	write(t, dir, map[string]string{"rules/a.hcl": "changed"})
	set := &source.Set{}
	for _, c := range []struct {
		source string
		want   string
	}{
		{"git::file://" + dir + "//rules?ref=v1", "file://" + dir + "@v1//rules/a.hcl"},
		{"git::file://" + bare + "//rules/?ref=" + commit, "file://" + bare + "@" + commit + "//rules/a.hcl"},
		{"git::file://" + bare + "?ref=master", "file://" + bare + "@master//./root.hcl"},
	} {
		at, files, err := set.Module(t.Context(), nil, c.source)
		if err != nil {
			t.Fatalf("%s: %v", c.source, err)
		}
		if d := cmp.Diff([]string{c.want}, names(files)); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
		if strings.HasSuffix(at.String(), "rules") {
			inner, _, err := set.Module(t.Context(), at, "./deep")
			if err != nil || inner.String() != at.String()+"/deep" {
				t.Errorf("got %v, %v", inner, err)
			}
		}
	}
	if f := set.File("file://" + dir + "@v1//rules/a.hcl"); f == nil || string(f.Data) != "a" {
		t.Error("the set holds the file as it was committed")
	}
	for _, bad := range []string{
		"git::file://" + dir + "//rules", "git::file://" + dir + "//none?ref=v1", "git::file://" + dir + "?ref=v2",
		"git::file://" + dir + "//../x?ref=v1", "git::file:///nowhere?ref=v1", "git::" + dir + "?ref=v1", "git::https://%zz?ref=v1",
	} {
		if _, _, err := set.Module(t.Context(), nil, bad); err == nil {
			t.Errorf("%s is an error", bad)
		}
	}
	_, _, err := set.Module(t.Context(), nil, "git::https://a:b@example.com/c.git?ref=v1")
	if !errors.Is(err, source.ErrCredentials) {
		t.Errorf("got %v", err)
	}
}

// TestFetch reads revisions through git's protocol, as from a server.
func TestFetch(t *testing.T) {
	t.Parallel()
	dir, commit := repository(t, map[string]string{"a.hcl": "a"})
	for _, ref := range []string{"v1", "master", commit} {
		got, err := source.Fetch(t.Context(), dir, ref)
		if err != nil || !slices.Equal(got, []string{"a.hcl"}) {
			t.Errorf("%s: got %v, %v", ref, got, err)
		}
	}
	if _, err := source.Fetch(t.Context(), dir, "none"); err == nil {
		t.Error("a revision that is not there is an error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := source.Fetch(ctx, dir, "v1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

package source_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/postern-dev/postern/lang/source"
)

// gitCommand runs git in a folder, as an author of tests and without the settings of
// the machine.
func gitCommand(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_AUTHOR_NAME=Test Author",
		"GIT_AUTHOR_EMAIL=author@example.invalid", "GIT_COMMITTER_NAME=Somebody Else", "GIT_COMMITTER_EMAIL=else@example.invalid",
		"GIT_AUTHOR_DATE=2026-01-02T03:04:05+09:00", "GIT_COMMITTER_DATE=2026-01-03T00:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func commit(t *testing.T, dir, name, text, message string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	gitCommand(t, dir, "add", "-A")
	gitCommand(t, dir, "commit", "-q", "-m", message)
	return gitCommand(t, dir, "rev-parse", "HEAD")
}

// history is a repository with a project in a folder: two commits on main, one
// on a side branch that leaves main at the first.
func history(t *testing.T) (dir, first, second, side string) {
	t.Helper()
	dir = t.TempDir()
	gitCommand(t, dir, "init", "-q", "-b", "main")
	first = commit(t, dir, "access/approve", "one\n", "First\n\nWith more to say.")
	gitCommand(t, dir, "checkout", "-q", "-b", "side")
	side = commit(t, dir, "access/approve", "side\n", "Side")
	gitCommand(t, dir, "checkout", "-q", "main")
	second = commit(t, dir, "access/approve", "two\n", "Second")
	return dir, first, second, side
}

func TestCommitAt(t *testing.T) {
	t.Parallel()
	dir, first, second, _ := history(t)
	c, err := source.CommitAt(filepath.Join(dir, "access"), "HEAD~1")
	if err != nil {
		t.Fatal(err)
	}
	if c.Hash != first || c.Author != "Test Author" || c.Subject != "First" || c.When.Format("2006-01-02T15:04:05Z07:00") != "2026-01-01T18:04:05Z" {
		t.Errorf("%+v", c)
	}
	if c, err := source.CommitAt(dir, ""); err != nil || c.Hash != second {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := source.CommitAt(dir, "nothing"); err == nil || strings.Contains(err.Error(), "shallow") {
		t.Errorf("%v", err)
	}
}

// TestShallowAndDetached: a CI job often has one commit alone, on no branch.
func TestShallowAndDetached(t *testing.T) {
	t.Parallel()
	dir, first, second, side := history(t)
	clone := filepath.Join(t.TempDir(), "clone")
	gitCommand(t, dir, "clone", "-q", "--depth", "1", "file://"+filepath.ToSlash(dir), clone)
	gitCommand(t, clone, "checkout", "-q", "--detach", "HEAD")
	folder := filepath.Join(clone, "access")

	for _, rev := range []string{"", "HEAD", second, "origin/main"} {
		c, err := source.CommitAt(folder, rev)
		if err != nil || c.Hash != second || c.Author != "Test Author" {
			t.Errorf("%q: %+v, %v", rev, c, err)
		}
	}
	if got := source.Revision(folder); got != second {
		t.Errorf("the revision is %q", got)
	}
	data, ok, err := source.Committed(folder, "", "approve")
	if err != nil || !ok || string(data) != "two\n" {
		t.Errorf("%q, %t, %v", data, ok, err)
	}
	for _, rev := range []string{"HEAD~1", first, side} {
		if _, err := source.CommitAt(folder, rev); err == nil {
			t.Errorf("%s is there", rev)
		}
	}
	if _, err := source.CommitAt(folder, "HEAD~1"); err == nil || !strings.Contains(err.Error(), "the checkout is shallow") {
		t.Errorf("%v", err)
	}
	if _, err := source.FromGit(t.Context(), folder, "origin/side", "access"); err == nil || !strings.Contains(err.Error(), "the checkout is shallow") {
		t.Errorf("%v", err)
	}
}

func TestMergeBase(t *testing.T) {
	t.Parallel()
	dir, first, _, side := history(t)
	got, err := source.MergeBase(dir, "main", side)
	if err != nil || got != first {
		t.Errorf("%q, %v", got, err)
	}
	gitCommand(t, dir, "checkout", "-q", "--orphan", "alone")
	commit(t, dir, "other", "x", "Alone")
	if _, err := source.MergeBase(dir, "main", "alone"); err == nil || !strings.Contains(err.Error(), "no commit in common") {
		t.Errorf("%v", err)
	}
}

func TestCommitted(t *testing.T) {
	t.Parallel()
	dir, first, _, _ := history(t)
	folder := filepath.Join(dir, "access")
	if err := os.WriteFile(filepath.Join(folder, "approve"), []byte("not committed"), 0o600); err != nil {
		t.Fatal(err)
	}
	gitCommand(t, dir, "add", "-A") // in the index it is not committed either
	for rev, want := range map[string]string{"": "two\n", first: "one\n", "side": "side\n"} {
		data, ok, err := source.Committed(folder, rev, "approve")
		if err != nil || !ok || string(data) != want {
			t.Errorf("%q: %q, %t, %v", rev, data, ok, err)
		}
	}
	if _, ok, err := source.Committed(folder, "", "nothing"); ok || err != nil {
		t.Errorf("%t, %v", ok, err)
	}
	if _, ok, err := source.Committed(t.TempDir(), "", "approve"); ok || err != nil {
		t.Errorf("in no repository: %t, %v", ok, err)
	}
	fresh := t.TempDir()
	gitCommand(t, fresh, "init", "-q")
	if _, ok, err := source.Committed(fresh, "", "approve"); ok || err != nil {
		t.Errorf("in a new repository: %t, %v", ok, err)
	}
}

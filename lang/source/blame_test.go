package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/postern-dev/postern/lang/source"
)

// TestBlame: each line has who wrote it, also on a detached checkout; a shallow
// one that may lack that commit names nobody rather than whoever came last.
func TestBlame(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "repo")
	folder := filepath.Join(dir, "access")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	gitCommand(t, dir, "init", "-q", "-b", "main")
	commit := func(author, file, text string) string {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		gitCommand(t, dir, "add", "-A")
		gitCommand(t, dir, "commit", "-q", "-m", "x", "--author", author+" <a@example.invalid>")
		return source.Revision(folder)
	}
	first := commit("Owner One", "approve", "one\n")
	second := commit("Owner Two", "approve", "one\ntwo\n")
	commit("Somebody Else", "other", "x")

	check := func(dir string) {
		t.Helper()
		lines, err := source.Blame(dir, "", "approve")
		if err != nil || len(lines) != 2 || lines[0].Hash != first || lines[0].Author != "Owner One" || lines[1].Hash != second || lines[1].Author != "Owner Two" {
			t.Errorf("%+v, %v", lines, err)
		}
	}
	check(folder)
	gitCommand(t, dir, "checkout", "-q", "--detach", "HEAD")
	check(folder)
	if lines, err := source.Blame(folder, first, "approve"); err != nil || len(lines) != 1 || lines[0].Hash != first {
		t.Errorf("%+v, %v", lines, err)
	}
	if _, err := source.Blame(folder, "", "nothing"); err == nil {
		t.Error("a file that is not there was written by somebody")
	}
	for _, depth := range []string{"1", "2"} {
		clone := filepath.Join(t.TempDir(), "clone"+depth)
		gitCommand(t, dir, "clone", "-q", "--depth", depth, "--branch", "main", "file://"+filepath.ToSlash(dir), clone)
		if lines, err := source.Blame(filepath.Join(clone, "access"), "", "approve"); err != nil || lines != nil {
			t.Errorf("depth %s: %+v, %v", depth, lines, err)
		}
	}
}
